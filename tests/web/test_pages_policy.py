"""The policy: every number explained, a change tried on the past, kept with who and why."""

from dataclasses import fields as fields_of
from datetime import timedelta

import pytest

from app.clock import SystemClock
from app.core.policy import Mode, Policy, Weight
from app.store import policies, sessions
from app.web.access import Role
from app.web.pages import policy_parts, policy_preview
from app.web.pages.policy_fields import SHIPPED, Number
from integrations.base import TemporaryFailure
from tests.tree import rows, text
from tests.web.accounts_desk import Office, enter, office
from tests.web.conftest import BASE, Front
from tests.web.reading import Browser, Page

pytestmark = pytest.mark.anyio

PATH, SAVE, LOOK = "/settings/policy", "Save as a new version", "See what would have"


@pytest.fixture
def riverside(front: Front) -> Office:
    one = office(front.evening)
    one.account("ada", Role.ADMINISTRATOR)
    one.account("lena", Role.SAFEGUARDING_LEAD)
    return one


async def save(browser: Browser, **entered: str) -> Page:
    return await browser.press(PATH, SAVE, **{"reason": "The board asked.", **entered})


async def look(browser: Browser, **entered: str) -> Page:
    """Press the other button of the form; wait until the preview is over."""
    form = (await browser.open(PATH)).form(SAVE)
    form.action = f"{PATH}/preview"
    page = await browser.send(form, **entered)
    while "looked at." in page.words:
        await SystemClock().sleep(0)
        page = Page(await browser.client.get(str(page.answer.url)))
    return page


def made(riverside: Office) -> list[policies.Version]:
    store = riverside.evening.store
    with store.unit() as db:
        return policies.listed(db, store)


# --- the numbers ------------------------------------------------------------------


def test_every_number_of_the_policy_is_on_the_page_and_in_the_documents() -> None:
    named = [one.name for one in policy_parts.fields()]
    wanted = {one.name for one in fields_of(Policy)} - {"version", "modes", "weights"}
    assert sorted(named) == sorted(wanted)
    told = {row[0].strip("`") for row in rows(text("docs", "policy.md"), "setting")}
    assert set(named) <= told


@pytest.mark.parametrize(
    "field", [f for f in policy_parts.fields() if isinstance(f, Number)], ids=str
)
def test_each_range_holds_below_at_and_above(field: Number) -> None:
    """What the page takes the core takes too, and what was shipped is inside."""
    for number in (field.low, field.high):
        value, fault = field.read(str(number))
        assert (fault, policies.unsafe({field.name: value})) == ("", [])
    for wrong in (field.low - 1, field.high + 1, "", "soon", "1.5", "１"):  # noqa: RUF001 - full width
        assert field.range in field.read(str(wrong))[1]
    assert field.read(field.shown(SHIPPED))[1] == ""


async def test_each_number_is_told_with_meaning_unit_default_range_and_clause(
    ada: Browser,
) -> None:
    page = await ada.open(PATH)
    assert (
        "Grace, in seconds How long young people may be without a worker before the "
        "room is ended for everyone, from the last proof of one. There is no off. As "
        "shipped: 60 seconds. Allowed: 0 to 300 seconds. (E1)"
    ) in page.words
    assert page.form(SAVE).fields["grace"] == "60"
    assert page.form(SAVE).fields["mode_remove_participant"] == "act"
    # The two that no organisation may loosen have no field.
    assert "weight_end_for_all" not in page.form(SAVE).fields
    assert "weight_emergency_contacts" not in page.form(SAVE).fields


# --- changing it ------------------------------------------------------------------


async def test_ada_changes_it_and_says_why(riverside: Office, ada: Browser) -> None:
    page = await save(
        ada,
        grace="30",
        notes_due="48",
        mode_remove_participant="ask",
        weight_alarm_contacts="warn",
        rename_allowed="no",
        less_safe="1",
        reason="The board asked, <b>twice</b>.",
    )
    assert "Saved." in page.words
    assert "Version 2 is in force." in page.words
    assert "by Ada The board asked, <b>twice</b>. Grace: 60 seconds → 30 sec" in (
        page.words
    )
    assert "<b>twice" not in page.answer.text

    now, first = made(riverside)
    assert first.number == 1
    assert (now.by, now.made_at) == (
        riverside.evening.people["ada"],
        riverside.evening.clock.now(),
    )
    state = await riverside.evening.state()
    assert state.policy == Policy(
        version=2,
        grace=timedelta(seconds=30),
        notes_due=timedelta(hours=48),
        modes={"remove_participant": Mode.ASK},
        weights={"alarm_contacts": Weight.WARN},
        rename_allowed=False,
    )


async def test_a_running_session_keeps_what_it_began_with(
    riverside: Office, ada: Browser
) -> None:
    riverside.evening.clock.advance(timedelta(minutes=10))
    await save(ada, grace="30")
    state = await riverside.evening.state()
    assert state.policy == Policy()


async def test_back_to_what_was_shipped_is_one_more_version(
    riverside: Office, ada: Browser
) -> None:
    await save(ada, grace="30")
    page = await save(ada, grace="60", less_safe="1", reason="It was too short.")
    assert "Version 3 is in force." in page.words
    assert made(riverside)[0].changes == {}
    assert (await riverside.evening.state()).policy == Policy(version=3)


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"grace": "301"}, "Grace: enter a whole number, 0 to 300 seconds."),
        ({"grace": "-1"}, "Grace: enter a whole number, 0 to 300 seconds."),
        ({"workers_needed": "0"}, "Workers in the room: enter a whole number, 1 to"),
        ({"rename_allowed": "perhaps"}, "choose yes or no."),
        ({"mode_end_meeting": "off"}, "Choose one of the words of the list."),
        ({"weight_purpose": "loud"}, "Choose one of the words of the list."),
        ({"grace": "30", "reason": " "}, "Write why"),
        ({"grace": "30", "reason": "x" * 501}, "at most 500 characters"),
        ({}, "Nothing is different"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    riverside: Office, ada: Browser, entered: dict[str, str], said: str
) -> None:
    typed = {"notes_due": "24", "reason": "Because =1+1", **entered}
    page = await save(ada, **typed)
    assert page.status == 422
    assert said in page.words
    fields = page.form(SAVE).fields
    assert {n: fields[n] for n in typed if n[:4] not in ("mode", "weig", "rena")} == {
        n: typed[n] for n in typed if n[:4] not in ("mode", "weig", "rena")
    }
    assert len(made(riverside)) == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"mode_alert_staff": "watch"},
        {"mode_ask_worker": "watch"},
        {"weight_end_for_all": "inform"},
    ],
)
async def test_what_has_no_field_cannot_be_sent(
    riverside: Office, ada: Browser, forged: dict[str, str]
) -> None:
    """Nothing is taken that the page does not offer: alarms are never silenced."""
    await save(ada, grace="30", **forged)
    assert made(riverside)[0].changes == {"grace": 30.0}


async def test_a_form_that_lacks_a_field_changes_nothing(
    riverside: Office, ada: Browser
) -> None:
    form = (await ada.open(PATH)).form(SAVE)
    del form.fields["poll_calm"]
    assert (await ada.send(form, grace="30", reason="Why.")).status == 400
    assert len(made(riverside)) == 1


async def test_two_who_change_it_do_not_overwrite_one_another(
    riverside: Office, ada: Browser
) -> None:
    old = (await ada.open(PATH)).form(SAVE)
    async with riverside.signed_in("lena") as lena:
        await save(lena, grace="45")
    page = await ada.send(old, grace="30", reason="Mine.")
    assert page.status == 422
    assert "Somebody made version 2 meanwhile." in page.words
    form = page.form(SAVE)
    assert (form.fields["grace"], form.fields["reason"]) == ("30", "Mine.")
    # Having seen theirs, she may.
    await ada.send(form)
    assert [one.changes.get("grace") for one in made(riverside)] == [30.0, 45.0, None]


# --- the preview ------------------------------------------------------------------


async def an_evening(riverside: Office, alone: float) -> None:
    """Anna and Sam are gone for so long, then back; three hours later all is over."""
    one = riverside.evening
    one.clock.advance(timedelta(minutes=12))
    await one.join("anna", "sam", "ben", "chloe")
    await one.wait(20)
    await one.leave("anna", "sam")
    await one.wait(alone)
    if one.room.started:
        await one.join("anna", "sam")
        await one.wait(20)
        await one.leave("ben", "chloe", "anna", "sam")
        await one.ended()
    one.clock.advance(timedelta(hours=3))


async def at_the_desk(riverside: Office, name: str, **entered: str) -> Page:
    async with riverside.at() as browser:
        await enter(browser, name)
        return await look(browser, **entered)


async def test_a_shorter_grace_would_have_ended_the_room(riverside: Office) -> None:
    await an_evening(riverside, alone=40)
    page = await at_the_desk(riverside, "lena", grace="30")

    assert "Grace : 60 seconds → 30 seconds" in page.words
    assert "1 of 1 would have ended differently. In 1 of them something" in page.words
    assert "The room would have been ended for everyone at 19:02:50." in page.words
    assert "End the call for everyone would come as well 1" in page.words
    assert "Worries at school , Tue 17 Nov" in page.words
    assert "19:02:50" in page.words
    assert len(made(riverside)) == 1


async def test_a_longer_grace_would_not_have(riverside: Office) -> None:
    await an_evening(riverside, alone=70)
    assert riverside.evening.count("end_meeting")
    page = await at_the_desk(riverside, "lena", grace="200")
    assert "End the call for everyone would not come 1" in page.words


async def test_the_same_act_may_come_later(riverside: Office) -> None:
    """Nobody noticed for a long time: with either grace the room is ended."""
    riverside.evening.room.cannot["end_meeting"] = TemporaryFailure("Not now.")
    await an_evening(riverside, alone=100)
    page = await at_the_desk(riverside, "lena", grace="90")
    assert "End the call for everyone would come otherwise 1" in page.words
    assert "30 seconds later" in page.words


async def test_what_would_be_asked_instead_of_done(riverside: Office) -> None:
    one = riverside.evening
    one.clock.advance(timedelta(minutes=12))
    await one.join("anna", "sam", "eve")
    await one.wait(60)
    await one.leave("anna", "sam", "eve")
    await one.ended()
    one.clock.advance(timedelta(hours=3))
    page = await at_the_desk(riverside, "lena", mode_remove_participant="ask")
    assert "Take out of the room would come otherwise" in page.words
    assert "asked instead of done" in page.words


async def test_a_line_of_the_checklist_that_would_stop_it(riverside: Office) -> None:
    await an_evening(riverside, alone=1)
    page = await at_the_desk(riverside, "lena", weight_client_links="warn")
    assert (
        "A line of the checklist stops the session would come as well 1" in page.words
    )


async def test_a_line_that_leaves_no_way_round_any_more(riverside: Office) -> None:
    await an_evening(riverside, alone=1)
    page = await at_the_desk(riverside, "lena", weight_segments="block")
    assert "A line of the checklist stops the session would come otherwise 1" in (
        page.words
    )
    assert "nobody can let it go on by name and reason any more" in page.words


async def test_what_changes_no_evening_says_so(riverside: Office) -> None:
    await an_evening(riverside, alone=10)
    page = await at_the_desk(riverside, "lena", grace="55")
    assert "None of 1 would have ended differently. Nothing else would have" in (
        page.words
    )


async def test_an_administrator_sees_counts_and_no_session(riverside: Office) -> None:
    await an_evening(riverside, alone=40)
    page = await at_the_desk(riverside, "ada", grace="30")
    assert "End the call for everyone would come as well 1" in page.words
    assert "Worries at school" not in page.words
    assert "1 of 1 would have ended differently." in page.words
    assert "19:02" not in page.words
    assert riverside.evening.session_id not in page.answer.text


async def test_what_was_looked_at_can_be_saved_from_there(riverside: Office) -> None:
    await an_evening(riverside, alone=40)
    async with riverside.signed_in("ada") as ada:
        page = await look(ada, grace="30", reason="For the little ones.")
        assert page.form(SAVE).fields["reason"] == "For the little ones."
        empty = await ada.press(page, SAVE, reason="")
        assert empty.status == 422
        assert empty.form(SAVE).fields["grace"] == "30"
        await ada.press(page, SAVE, key="k" * 16)
    assert made(riverside)[0].changes == {"grace": 30.0}
    assert made(riverside)[0].reason == "For the little ones."


async def test_a_preview_is_its_authors_own(riverside: Office) -> None:
    async with riverside.signed_in("ada") as ada:
        address = str((await look(ada, grace="30")).answer.url)
        assert "There is no past session" in (await ada.open(path(address))).words
    async with riverside.signed_in("lena") as lena:
        assert (await lena.open(path(address))).status == 404


def path(address: str) -> str:
    return address.removeprefix(BASE)


async def test_no_preview_of_nothing_and_none_of_what_is_out_of_range(
    ada: Browser,
) -> None:
    form = (await ada.open(PATH)).form(SAVE)
    form.action = f"{PATH}/preview"
    same = await ada.send(form)
    assert (same.status, "Nothing is different" in same.words) == (422, True)
    wide = await ada.send(form, grace="301", key="k" * 16)
    assert (wide.status, "0 to 300 seconds" in wide.words) == (422, True)


async def test_only_the_last_twenty_sessions_are_replayed(riverside: Office) -> None:
    one = riverside.evening
    with one.store.unit() as db:
        plan = sessions.get(db, one.store, one.session_id)
        row = db.execute(
            sessions.sessions.select().where(sessions.sessions.c.id == plan.id)
        ).one()
        for number in range(policy_preview.MOST_SESSIONS):
            values = row._asdict() | {"id": f"session-{number}", "marker": f"m{number}"}
            values["texts_sealed"] = one.store.seal(
                b"{}", f"sessions:texts:session-{number}"
            )
            db.execute(sessions.sessions.insert().values(values))
    one.clock.advance(timedelta(hours=3))
    page = await at_the_desk(riverside, "ada", grace="30")
    assert "On the last 20 sessions" in page.words


async def test_one_session_that_cannot_be_read_hides_no_other(
    riverside: Office,
) -> None:
    await an_evening(riverside, alone=40)
    one = riverside.evening
    with one.store.unit() as db:
        row = db.execute(sessions.sessions.select()).one()
        broken = row._asdict() | {"id": "session-broken", "marker": "m"}
        db.execute(sessions.sessions.insert().values(broken))
    page = await at_the_desk(riverside, "lena", grace="30")
    assert "1 of 2 would have ended differently." in page.words
    assert "1 could not be read." in page.words


@pytest.mark.parametrize("role", [Role.WORKER, Role.SESSION_LEAD])
async def test_nobody_else_opens_or_changes_it(riverside: Office, role: Role) -> None:
    riverside.account("sam", role)
    async with riverside.signed_in("sam") as sam:
        assert (await sam.open(PATH)).status == 403
        form = (await sam.open("/")).form("Sign out")
        for action in (PATH, f"{PATH}/preview"):
            form.action = action
            assert (await sam.send(form, grace="30", reason="Why.")).status == 403
    assert len(made(riverside)) == 1
