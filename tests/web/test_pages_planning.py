"""Anna plans a session, makes the meeting, and invites: nothing leaves before its time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from app.store import groups, invitations, people, rooms, sessions
from app.store.invitations import Sent
from app.web.access import Role
from app.web.app import create_web
from app.web.letters import letter_sender
from app.web.pages.planning_entered import Part, parts_of
from integrations.base import PermanentFailure, PlatformFailure, TemporaryFailure
from integrations.mail.settings import MailSettings
from tests.integrations.mail.postbox import postbox_on
from tests.web.conftest import Front, settings
from tests.web.reading import Browser, Page, signed_in

pytestmark = pytest.mark.anyio

LEAD = Role.SESSION_LEAD


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str
    ics: str


class Post:
    """The mail server: takes letters, or refuses those to some addresses."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuses: dict[str, PlatformFailure] = {}
        self.before: Callable[[], None] = lambda: None

    async def send(
        self, to: str, subject: str, text: str, *, ics: str | None = None
    ) -> None:
        self.before()
        if to in self.refuses:
            raise self.refuses[to]
        self.letters.append(Letter(to, subject, text, ics or ""))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def office(front: Front, post: Post) -> Front:
    """The front door with mail; Ben has an address, Chloe has none."""
    one = front.evening
    now, ben = one.clock.now(), one.people["ben"]
    with one.store.unit() as db:
        people.change(db, one.store, ben, {"email": "ben@post.example"}, now)
    app = create_web(
        settings(CHAPERONE_ORGANISATION_NAME="Harbour, Youth; Project"),
        one.engine,
        one.store,
        one.clock,
        send_letter=post.send,
    )
    return Front(one, app, {})


def group_of(front: Front) -> groups.Group:
    store = front.evening.store
    with store.unit() as db:
        return groups.listed(db, store)[0]


def plans(front: Front) -> list[sessions.SessionPlan]:
    store = front.evening.store
    with store.unit() as db:
        return sessions.listed(db, store)


def whole(front: Front, **other: str) -> dict[str, str]:
    """Everything a plan needs, for the Tuesday after."""
    people_ = front.evening.people
    return {
        "day": "2026-11-24",
        "starts": "19:00",
        "ends": "20:00",
        "purpose": "Getting through exams",
        "parts": "10 Welcome and ground rules\n35 min Talking\n15: Goodbye",
        f"worker_{people_['anna']}": "lead",
        f"worker_{people_['sam']}": "support",
        f"client_{people_['ben']}": "1",
        f"client_{people_['dev']}": "1",
        **other,
    }


async def test_anna_plans_a_session_in_one_press(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open("/plan")
        words = page.words
        assert "Group: Tuesday group" in words
        assert (
            "Dev ! Not yet 0 of 1 one-to-one talks with a worker who leads this group on "
            "file. Put it on file for Dev" in words
        )
        assert words.index("Ben") < words.index("Dev ! Not yet")
        page = await anna.press(
            page, "Save, make the meeting", **whole(front), then="prepare"
        )
        assert page.status == 200
        assert "Invitations" in page.words
    plan = plans(front)[-1]
    assert plan.starts_at == datetime(2026, 11, 24, 19, tzinfo=UTC)
    assert plan.purpose == "Getting through exams"
    assert plan.plan_text == (
        "10 min: Welcome and ground rules\n35 min: Talking\n15 min: Goodbye"
    )
    assert plan.segments == 3
    assert [(w.role) for w in plan.workers] == ["lead", "support"]
    with front.evening.store.unit() as db:
        links = rooms.links_of(db, front.evening.store, plan.id)
        made = rooms.meetings_of(db, front.evening.store, plan.id)
    assert [link.person_id for link in links] == [front.evening.people["ben"]]
    assert len(made) == 1


async def test_saving_the_plan_alone_makes_no_meeting(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        await anna.press("/plan", "Save the plan only", **whole(front))
    store, plan = front.evening.store, plans(front)[-1]
    with store.unit() as db:
        assert rooms.meetings_of(db, store, plan.id) == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("day", "", "Enter the day."),
        ("day", "31/02/2026", "Enter a day such as"),
        ("day", "2033-01-01", "Enter a day within five years from now."),
        ("starts", "7pm", "Enter a time such as 19:00."),
        ("starts", "24:00", "Enter a time such as 19:00."),
        ("ends", "19:00", "The end must be later than the start, on the same day."),
        ("zone", "Europe/Atlantis", "Enter a time zone such as Europe/London."),
        ("purpose", " ... ", "Say what the session is for; the invitation says it."),
        ("parts", "Welcome", "Line 1: begin with the minutes"),
        ("parts", "10 Welcome\n\n0 Nothing", "Line 2: begin with the minutes"),
        ("parts", "61 Talking", "The parts take 61 minutes; the session lasts 60."),
        ("repeat", "53", "Enter how many sessions, from 1 to 52."),
        ("repeat", "0", "Enter how many sessions, from 1 to 52."),
        ("repeat", "two", "Enter how many sessions, from 1 to 52."),
        ("every", "moon", "Choose from what is listed."),
        ("skip", "24/12/2026 soon", "“soon” is no day."),
        ("platform", "pigeon", "Choose a platform that is switched on: zoom."),
        ("client_nobody", "1", "Choose clients who are on the list of clients."),
        ("worker_nobody", "support", "Choose workers who are on the list of workers."),
    ],
)
async def test_a_fault_is_told_at_its_field_and_nothing_is_lost(
    front: Front, field: str, value: str, told: str
) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(
            "/plan", "Save the plan", **whole(front, **{field: value})
        )
        assert page.status == 422
        assert told in page.words
        kept = page.form("Save the plan").fields
        assert {k: v for k, v in whole(front).items() if k != field} == {
            k: kept.get(k) for k in whole(front) if k != field
        }
    assert len(plans(front)) == 1


async def test_exactly_one_leads(front: Front) -> None:
    anna_id, sam_id = (front.evening.people[name] for name in ("anna", "sam"))
    async with signed_in(front, role=LEAD) as anna:
        for anna_as, sam_as in (("support", "standby"), ("lead", "lead")):
            entered = {f"worker_{anna_id}": anna_as, f"worker_{sam_id}": sam_as}
            page = await anna.press("/plan", "Save the plan", **whole(front, **entered))
            assert "Choose one lead worker." in page.words
    assert len(plans(front)) == 1


async def test_whoever_plans_must_be_able_to_see_it(front: Front) -> None:
    """Sam leads no group: without himself among the workers it would be out of sight."""
    sam_id = front.evening.people["sam"]
    async with signed_in(front, "sam", LEAD) as sam:
        without = whole(front, **{f"worker_{sam_id}": ""})
        page = await sam.press("/plan", "Save the plan", **without)
        assert "Put yourself among the workers" in page.words
        page = await sam.press("/plan", "Save the plan", **whole(front))
        assert page.status == 200
    async with signed_in(front, "sam", Role.SAFEGUARDING_LEAD) as eve:
        assert (await eve.press("/plan", "Save the plan", **without)).status == 200


async def test_the_last_session_is_copied_a_week_on(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open("/plan")
        assert "Copy the last session (Tuesday 17 November 2026)" in page.words
        group = group_of(front).id
        page = await anna.open(f"/plan?group={group}&copy=1")
        fields = page.form("Save the plan").fields
        assert "Copied from Tuesday 17 November 2026" in page.words
    ids = front.evening.people
    assert (fields["day"], fields["starts"], fields["ends"]) == (
        "2026-11-24",
        "19:00",
        "20:00",
    )
    assert (fields["purpose"], fields["title"]) == (
        "Talking about worries",
        "Worries at school",
    )
    assert fields[f"worker_{ids['sam']}"] == "support"
    assert fields[f"client_{ids['dev']}"] == "1"


async def test_a_series_is_single_sessions_across_a_clock_change(front: Front) -> None:
    """Tuesdays at 19:00 on the wall: winter time ends on 28 March 2027."""
    async with signed_in(front, role=LEAD) as anna:
        entered = whole(front, day="2027-03-16", repeat="3", every="week")
        await anna.press("/plan", "Save the plan", **entered)
    made = plans(front)[1:]
    assert [plan.starts_at for plan in made] == [
        datetime(2027, 3, 16, 19, tzinfo=UTC),
        datetime(2027, 3, 23, 19, tzinfo=UTC),
        datetime(2027, 3, 30, 18, tzinfo=UTC),
    ]
    assert len({plan.marker for plan in made}) == 3


async def test_a_holiday_is_left_out_and_made_up_for(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        entered = whole(front, day="2026-12-15", repeat="3", every="fortnight")
        entered["skip"] = "29/12/2026, 2027-01-05"
        await anna.press("/plan", "Save the plan", **entered)
    assert [plan.local_start[:10] for plan in plans(front)[1:]] == [
        "2026-12-15",
        "2027-01-12",
        "2027-01-26",
    ]


async def test_of_a_series_all_or_none_is_planned(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        far = (front.evening.clock.now() + timedelta(days=5 * 366 - 8)).date()
        entered = whole(front, day=far.isoformat(), repeat="3")
        page = await anna.press("/plan", "Save the plan", **entered)
        assert page.status == 422
    assert len(plans(front)) == 1


async def test_the_hour_that_comes_twice_is_asked_for(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        entered = whole(front, day="2027-10-31", starts="01:15", ends="01:45", parts="")
        page = await anna.press("/plan", "Save the plan", **entered)
        assert "which of the two?" in page.words
        page = await anna.send(page.form("Save the plan"), hour="second")
        assert page.status == 200
    assert plans(front)[-1].starts_at == datetime(2027, 10, 31, 1, 15, tzinfo=UTC)


# --- changing ---------------------------------------------------------------------


async def test_a_plan_is_changed_and_two_who_change_lose_nothing(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        first = await anna.open("plan")
        page = await anna.press(first, "Save the plan", purpose="Sleep", ends="20:15")
        assert page.status == 200
        late = await anna.press(first, "Save the plan", purpose="Food", key="k" * 16)
        assert late.status == 422
        assert "Somebody else changed this plan meanwhile." in late.words
        assert late.form("Save the plan").fields["purpose"] == "Food"
        # Saved again from the same page it is refused again: nobody is overwritten.
        again = await anna.send(late.form("Save the plan"))
        assert again.status == 422
    [plan] = plans(front)
    assert (plan.purpose, plan.local_end[11:]) == ("Sleep", "20:15")
    held = (await front.evening.state()).plan
    assert held is not None
    assert held.purpose == "Sleep"


async def test_calling_off_asks_first_and_not_while_it_runs(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        ask = await anna.open("cancel")
        assert "It cannot be undone" in ask.words
        await front.evening.join("anna")
        refused = await anna.press(ask, "Call it off")
        assert refused.status == 422
        assert "it cannot be called off any more" in refused.words
        await front.evening.leave("anna")
        await front.evening.ended()
        page = await anna.press(ask, "Call it off")
        assert "Called off" in page.words
    assert plans(front)[0].state == "cancelled"


@pytest.mark.parametrize("path", ["plan", "cancel", "invitations"])
async def test_planning_is_for_session_leads(front: Front, path: str) -> None:
    async with signed_in(front, "sam") as sam:
        assert (await sam.open(path)).status == 403
        assert (await sam.open("/plan")).status == 403


# --- inviting ---------------------------------------------------------------------


def line(page: Page, front: Front, name: str) -> str:
    """How somebody's line stands: good, wait, bad or calm."""
    wanted = f"person-{front.evening.people[name]}"
    [found] = [given for _, given in page.tags if given.get("id") == wanted]
    return found["class"].removeprefix("item ")


async def test_invitations_leave_by_mail_each_with_its_own_link(
    office: Front, post: Post
) -> None:
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        assert line(page, office, "dev") == "wait"
        page = await anna.press(page, "Send 3 invitations by mail")
        assert page.status == 200
        assert "3 of 5 have their invitation" in page.words
        assert line(page, office, "ben") == "good"
    by_address = {letter.to: letter for letter in post.letters}
    assert sorted(by_address) == [
        "anna@charity.example",
        "ben@post.example",
        "sam@charity.example",
    ]
    ben = by_address["ben@post.example"]
    assert ben.subject == "Harbour, Youth; Project: online session on Tue 17 Nov, 19:00"
    for said in (
        "Hello Ben,",
        "Tuesday 17 November 2026, 19:00 to 20:00 (Europe/London (GMT))",
        "What it is for: Talking about worries",
        "https://x/ben",
        "1. Our confidentiality rule.",
        "In an emergency call 999. Childline",
    ):
        assert said in ben.text
    for never in ("Chloe", "Dev", "Tuesday group", "Worries at school"):
        assert never not in ben.text + ben.subject + ben.ics
    unfolded = ben.ics.replace("\r\n ", "")
    assert "DTSTART:20261117T190000Z\r\n" in unfolded
    assert "SUMMARY:Online session\\, Harbour\\, Youth\\; Project\r\n" in unfolded
    assert "https://x/" not in unfolded
    assert (
        f"/sessions/{office.evening.session_id}"
        in by_address["sam@charity.example"].text
    )


async def test_nothing_leaves_for_dev_before_the_gate(
    office: Front, post: Post
) -> None:
    """T9: no link, no text, no mail, whatever is sent by hand."""
    one, dev = office.evening, office.evening.people["dev"]
    with one.store.unit() as db:
        address = {"email": "dev@post.example"}
        people.change(db, one.store, dev, address, one.clock.now())
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        send = page.form("Send by mail to")
        assert (await anna.send(send, person=dev)).status == 422
        text = page.form("Show the text to hand over")
        refused = await anna.send(text, person=dev)
        assert "This invitation may not leave yet." in refused.words

        unsaid = await anna.press(page, "Give the exception", reason="...")
        assert "Write the reason in a sentence." in unsaid.words
        why = "Anna knows him from school."
        page = await anna.press(page, "Give the exception", reason=why)
        assert f"Without a one-to-one, by Anna: {why}" in page.words
        assert "No link yet" in page.words
        page = await anna.press(page, "Make missing links")
        assert line(page, office, "dev") == "calm"
        shown = await anna.send(text, person=dev)
        assert "https://x/dev" in shown.answer.text
        page = await anna.press("invitations", "Take the exception back")
        assert line(page, office, "dev") == "wait"
        assert "https://x/dev" not in (await anna.send(text, person=dev)).answer.text
    assert post.letters == []


async def test_an_exception_from_the_talk_is_none_from_consent(office: Front) -> None:
    one = office.evening
    dev, now = one.people["dev"], one.clock.now()
    with one.store.unit() as db:
        people.change(db, one.store, dev, {"consent_to_take_part": False}, now)
    await one.engine.person_changed(dev)
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.press("invitations", "Give the exception", reason="Known.")
        page = await anna.press(page, "Make missing links")
        assert line(page, office, "dev") == "wait"
        assert "No consent to take part is on file." in page.words
        assert "0 of 1 one-to-one talks" not in page.words


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (TemporaryFailure("The mail server did not take it now.", None), "not take it"),
        (PermanentFailure("Refused.", "Check the address."), "Check the address."),
    ],
)
async def test_what_failed_stands_beside_the_person_and_is_tried_again(
    office: Front, post: Post, failure: PlatformFailure, told: str
) -> None:
    post.refuses["ben@post.example"] = failure
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.press("invitations", "Send 3 invitations by mail")
        assert page.status == 422
        assert "1 of 3 were not sent." in page.words
        assert told in page.words
        assert (line(page, office, "ben"), line(page, office, "sam")) == ("bad", "good")
        post.refuses.clear()
        page = await anna.press(page, "Try again to Ben")
        assert line(page, office, "ben") == "good"
    assert [letter.to for letter in post.letters].count("sam@charity.example") == 1


async def test_a_double_click_sends_once(office: Front, post: Post) -> None:
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        for _ in range(2):
            await anna.press(page, "Send 3 invitations by mail")
    assert len(post.letters) == 3


async def test_handing_over_by_a_work_telephone(office: Front) -> None:
    chloe = office.evening.people["chloe"]
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        shown = await anna.press(page, "Show the text to hand over to Chloe")
        assert "https://x/chloe" in shown.answer.text
        assert shown.answer.headers["cache-control"] == "no-store"
        page = await anna.press(shown, "I have handed it over")
        assert line(page, office, "chloe") == "good"
        page = await anna.press(page, "Undo: not handed over", person=chloe)
        assert line(page, office, "chloe") == "calm"


async def test_a_new_link_or_another_time_asks_to_send_again(
    office: Front, post: Post
) -> None:
    one = office.evening
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.press("invitations", "Send 3 invitations by mail")
        with one.store.unit() as db:
            link = rooms.link_of(db, one.store, one.session_id, one.people["ben"])
            assert link is not None
            rooms.keep_link(db, one.store, replace(link, registrant_id="reg-new"))
        page = await anna.open("invitations")
        assert "Changed since it was sent" in page.words
        page = await anna.press(page, "Send 1 invitation by mail")
        assert line(page, office, "ben") == "good"
        await anna.press("plan", "Save the plan", starts="19:15")
        page = await anna.press("invitations", "Send 3 invitations by mail")
        assert line(page, office, "sam") == "good"
    assert "SEQUENCE:2" in post.letters[-1].ics


async def test_before_a_letter_leaves_it_is_written_down(
    office: Front, post: Post
) -> None:
    """Whoever looks meanwhile sees it, and sends no second one."""
    one, seen = office.evening, list[set[str]]()

    def look() -> None:
        with one.store.unit() as db:
            found = invitations.of_session(db, one.session_id)
        seen.append({row.state for row in found.values()})

    post.before = look
    async with signed_in(office, role=LEAD) as anna:
        await anna.press("invitations", "Send 3 invitations by mail")
    assert seen[0] == {"sending"}


async def test_a_send_that_was_cut_off_is_not_taken_for_sent(office: Front) -> None:
    one = office.evening
    ben = one.people["ben"]
    row = Sent(
        session_id=one.session_id,
        person_id=ben,
        channel="mail",
        state="sending",
        registrant_id="reg-ben",
        plan_version=1,
        at=one.clock.now(),
        by=one.people["anna"],
    )
    with one.store.unit() as db:
        invitations.note(db, [row])
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        assert line(page, office, "ben") == "wait"
        assert "Being sent" in page.words
        one.clock.advance(timedelta(seconds=121))
        page = await anna.open("invitations")
        assert line(page, office, "ben") == "bad"
        assert "Nobody knows whether it left" in page.words


async def test_without_a_mail_server_the_text_is_handed_over(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open("invitations")
        assert "No mail server is set" in page.words
        assert "by mail" not in " ".join(b for f in page.forms for b in f.buttons)


async def test_after_the_end_nothing_leaves(office: Front, post: Post) -> None:
    async with signed_in(office, role=LEAD) as anna:
        page = await anna.open("invitations")
        late = await keep_awake(anna, office, timedelta(minutes=70))
        refused = await late.press(page, "Send 3 invitations by mail")
        assert refused.status == 422
        assert "over or called off" in refused.words
    assert post.letters == []


async def keep_awake(anna: Browser, front: Front, span: timedelta) -> Browser:
    """Time goes by while Anna looks now and then, so that nobody signs her out."""
    for _ in range(int(span / timedelta(minutes=10))):
        front.evening.clock.advance(timedelta(minutes=10))
        await anna.open("/account")
    return anna


def test_parts_as_people_write_them() -> None:
    assert parts_of("10 Welcome\n 5min: Break \n\n20 minutes - 3 rounds\n7m Talk") == [
        Part(10, "Welcome"),
        Part(5, "Break"),
        Part(20, "3 rounds"),
        Part(7, "Talk"),
    ]
    assert parts_of("") == []
    assert parts_of("1000 Long") == (
        "Line 1: begin with the minutes, such as “10 Welcome”."
    )


# --- a real mail server -------------------------------------------------------------


def with_mail(front: Front, port: int) -> Front:
    """The service with this mail server, on this machine."""
    one = front.evening
    mail = MailSettings(
        host="127.0.0.1", port=port, security="plain", sender="bot@charity.example"
    )
    app = create_web(
        settings(),
        one.engine,
        one.store,
        one.clock,
        send_letter=letter_sender(mail, one.clock),
    )
    return Front(one, app, {})


async def test_a_mail_server_gets_text_and_calendar(office: Front) -> None:
    async with postbox_on() as box:
        async with signed_in(with_mail(office, box.port), role=LEAD) as anna:
            page = await anna.press("invitations", "Send by mail to Ben")
        assert line(page, office, "ben") == "good"
        mail = box.only_mail()
    assert mail["To"] == "ben@post.example"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "https://x/ben" in body.get_content()
    [calendar] = list(mail.iter_attachments())
    assert calendar.get_content_type() == "text/calendar"
    assert "BEGIN:VEVENT" in calendar.get_content()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("452 4.2.2 Mailbox full", "did not take the mail now (452 4.2.2)."),
        ("550 5.1.1 No such user", "refused the mail (550 5.1.1)."),
        ("", "No connection to the mail server, or it broke."),
    ],
    ids=["full", "unknown", "dead"],
)
async def test_a_mail_server_that_does_not_take_it_is_told_and_survived(
    office: Front, answer: str, told: str
) -> None:
    async with postbox_on(refuse={"RCPT": answer}) as box:
        port = box.port
        if answer:
            async with signed_in(with_mail(office, port), role=LEAD) as anna:
                page = await anna.press("invitations", "Send by mail to Ben")
    if not answer:
        async with signed_in(with_mail(office, port), role=LEAD) as anna:
            page = await anna.press("invitations", "Send by mail to Ben")
    assert page.status == 422
    assert told in page.words
    assert line(page, office, "ben") == "bad"
