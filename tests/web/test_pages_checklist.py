"""The list of sessions and the checklist, as Anna uses them before the session."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.events import MeetingEnded, MeetingEvent, MeetingRef, ParticipantJoined
from app.core.facts import MeetingFacts
from app.store import contacts as rows
from app.store import people, sessions
from integrations.base import Delivery, Mended, PermanentFailure
from tests.core.builders import SAFE
from tests.web.conftest import BASE, Front
from tests.web.reading import Page, restarted, signed_in

pytestmark = pytest.mark.anyio


def card(page: Page, item: str) -> dict[str, str]:
    """The attributes of one line of the card."""
    return next(given for _, given in page.tags if given.get("id") == f"item-{item}")


async def unsafe(front: Front) -> None:
    """Somebody switched the waiting room off."""
    facts = {
        name: getattr(SAFE, name) for name in MeetingFacts.__dataclass_fields__
    } | {"waiting_room_for_everyone": False}
    front.evening.platform.facts = MeetingFacts(**facts)
    await front.evening.engine.check_now(front.evening.session_id)


async def test_not_ready_says_what_stops_it(front: Front) -> None:
    await unsafe(front)
    async with signed_in(front) as anna:
        page = await anna.open("checklist")

    assert "✕ Not ready" in page.words
    assert "Dev: 0 of 1 one-to-one talks" in page.words  # a name, not an id
    assert front.evening.people["dev"] not in page.words
    assert card(page, "waiting_room")["class"] == "item bad"
    assert card(page, "one_lead")["class"] == "item good"
    assert "Clause T1, read 18:50" in page.words


async def test_mending_reads_back(front: Front) -> None:
    await unsafe(front)
    async with signed_in(front) as anna:
        front.evening.platform.facts = SAFE
        page = await anna.press("checklist", "Mend this setting: ")

    assert card(page, "waiting_room")["class"] == "item good"


async def test_what_the_platform_refuses_is_said_with_the_way_out(front: Front) -> None:
    await unsafe(front)

    async def refuse(meeting_id: str, wishes: object) -> Mended:
        locked = "Your account's administrator has locked this."
        return Mended(refused={"waiting_room_for_everyone": locked})

    front.evening.platform.mend = refuse  # type: ignore[method-assign]
    async with signed_in(front) as anna:
        page = await anna.press("checklist", "Mend this setting: ")
    assert page.status == 422
    assert "Your account's administrator has locked this." in page.words


async def test_a_platform_that_fails_is_told_plainly(front: Front) -> None:
    await unsafe(front)
    front.evening.room.failing = PermanentFailure("Zoom says no.", "Renew the licence.")
    async with signed_in(front) as anna:
        page = await anna.press("checklist", "Mend this setting: ")
    assert page.status == 422
    assert "Zoom says no. Renew the licence." in page.words


async def test_a_tick_carries_a_name_and_can_be_taken_back(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.press("checklist", "Tick: this is so", item="quiet_place")
        assert card(page, "quiet_place")["class"] == "item good"
        assert "Ticked by Sam , 18:50" in page.words
        page = await sam.press(page, "Take the tick back", item="quiet_place")
        assert card(page, "quiet_place")["class"] == "item wait"


async def test_what_the_bot_finds_out_cannot_be_ticked(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.press("checklist", "Tick: this is so", item="waiting_room")
        assert page.status == 400
        page = await anna.press("checklist", "Tick: this is so", item="nonsense")
        assert page.status == 400
    assert (await front.evening.state()).ticks == {}


@pytest.mark.parametrize("reason", ["", "   ", "\u200b", "..."])
async def test_an_exception_wants_a_reason(front: Front, reason: str) -> None:
    async with signed_in(front) as anna:
        page = await anna.press("checklist", "Give the exception", reason=reason)
    assert page.status == 422
    assert page.words.startswith("Error: Checklist: Not ready")
    assert "Write the reason in a sentence." in page.words
    assert (await front.evening.state()).exceptions == {}


async def test_an_exception_is_named_and_can_be_taken_back(front: Front) -> None:
    async with signed_in(front) as anna:
        why = "We plan <b>together</b> today."
        page = await anna.press(
            "checklist", "Give the exception", reason=why, item="segments"
        )
        assert card(page, "segments")["class"] == "item wait"
        assert f"Exception by Anna , 18:50 : {why}" in page.words
        page = await anna.press(page, "Take the exception back", item="segments")
        assert card(page, "segments")["class"] == "item bad"


async def test_what_may_not_be_excepted_is_not(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.press(
            "checklist", "Give the exception", reason="No.", item="emergency_contacts"
        )
    assert page.status == 422
    assert "No exception is possible from this line." in page.words


async def test_a_personal_link_is_shown_once_asked_for(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.open("checklist")
        assert "https://x/ben" not in page.answer.text
        shown = await anna.press(page, "Show the link of Ben")
        assert "Personal link of Ben" in shown.words
        assert "https://x/ben" in shown.answer.text
        assert shown.answer.headers["cache-control"] == "no-store"
        dev = front.evening.people["dev"]
        assert (await anna.press(page, "Show the link", person=dev)).status == 404


async def test_prepare_says_what_could_not_be_done(front: Front) -> None:
    front.evening.room.failing = PermanentFailure("Zoom does not answer.")
    async with signed_in(front) as anna:
        page = await anna.press("checklist", "Make missing links")
    assert page.status == 422
    assert "Zoom does not answer." in page.words


# --- the list ---------------------------------------------------------------------


async def test_the_list_has_today_coming_and_past(front: Front) -> None:
    store, now = front.evening.store, front.evening.clock.now()
    with store.unit() as db:
        first = sessions.get(db, store, front.evening.session_id)
        for title, day in (("Next week", 7), ("Last week", -7)):
            start = datetime(2026, 11, 17, 19) + timedelta(days=day)  # noqa: DTZ001
            times = sessions.times(
                start, start + timedelta(hours=1), "Europe/London", now
            )
            entered = {**times, "title": title, "group_id": first.group_id}
            entered |= {"platform": "zoom", "workers": first.workers}
            sessions.add(db, store, entered, ("zoom",), now)
    async with signed_in(front) as anna:
        words = (await anna.open("/")).words

    today, coming, past = (
        words.index(w) for w in ("Today Worries", "Coming Next", "Past Last")
    )
    assert today < coming < past


@pytest.mark.parametrize(("contacts", "shown"), [(0, True), (1, True), (2, False)])
async def test_every_page_tells_of_missing_alarm_contacts(
    front: Front, contacts: int, shown: bool
) -> None:
    with front.evening.store.unit() as db:
        for row in rows.listed(db, front.evening.store)[contacts:]:
            rows.remove(db, row.id)
    async with signed_in(front) as anna:
        for path in ("/", "", "checklist", "live", "notes", "attendance", "record"):
            words = (await anna.open(path)).words
            assert ("alarm contacts" in words.split("Skip")[1][:400]) is shown, path


async def test_test_mode_is_red_on_every_page(front: Front) -> None:
    async with signed_in(front) as anna:
        assert "Test mode." not in (await anna.open("/")).words
    other = restarted(front, CHAPERONE_ALLOW_TEST_HOSTS="1")
    async with signed_in(other) as anna:
        for path in ("/", "live", "record"):
            assert "Test mode." in (await anna.open(path)).words


async def elsewhere(front: Front, kind: type[MeetingEvent], **more: Any) -> None:
    """Something happens in a meeting that belongs to no session."""
    now = front.evening.clock.now()
    ref = MeetingRef(platform="zoom", meeting_id="82000000000", instance="u-2")
    delivery = Delivery(
        dedupe_key=f"unplanned {kind.__name__}",
        event_type=kind.__name__,
        meeting=ref,
        events=(kind(meeting=ref, at=now, **more),),
    )
    await front.evening.engine.intake.accept_delivery("zoom", delivery, b"{}", now)


SAM = {"uuid": "U-sam", "platform_user_id": "zoom-sam", "name": "Sam"}


async def test_is_this_your_session(front: Front) -> None:
    """Sam opened a meeting nobody planned; he says which session it is."""
    await elsewhere(front, ParticipantJoined, **SAM)
    async with signed_in(front) as anna:
        assert "Is this your session?" not in (await anna.open("/")).words
    async with signed_in(front, "sam") as sam:
        page = await sam.open("/")
        assert "Is this your session?" in page.words
        unsaid = await sam.press(page, "Yes, watch it")
        assert "Choose one of your sessions." in unsaid.words
        chosen = front.evening.session_id
        live = await sam.press(page, "Yes, watch it", session_id=chosen)
        assert "1 worker in" in live.words
        assert "Is this your session?" not in (await sam.open("/")).words
        page.form("Yes, watch it").fields["meeting_id"] = "83000000000"
        other = await sam.press(page, "Yes, watch it", session_id=chosen, key="k" * 16)
        assert "That meeting is not running any more." in other.words


async def test_a_meeting_that_ended_is_not_asked_about(front: Front) -> None:
    await elsewhere(front, ParticipantJoined, **SAM)
    await elsewhere(front, MeetingEnded)
    async with signed_in(front, "sam") as sam:
        assert "Is this your session?" not in (await sam.open("/")).words


async def test_an_erased_worker_is_shown_by_id(front: Front) -> None:
    now = front.evening.clock.now()
    ben = front.evening.people["ben"]
    with front.evening.store.unit() as db:
        people.erase(db, ben, now)
    await front.evening.engine.person_changed(ben)
    async with signed_in(front) as anna:
        page = await anna.open("")
    assert ben in page.words


# --- a meeting that was made elsewhere --------------------------------------------------


async def another_session(front: Front) -> str:
    """Planned for tomorrow, without a meeting; its checklist's address."""
    one = front.evening
    with one.store.unit() as db:
        known = sessions.get(db, one.store, one.session_id)
    body = {
        "group_id": known.group_id,
        "platform": "zoom",
        "starts_at": "2026-11-18T19:00",
        "ends_at": "2026-11-18T20:00",
        "workers": [{"person_id": one.people["anna"], "role": "lead"}],
    }
    async with front.program() as program:
        made = await program.post("/api/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    return f"/sessions/{made.json()['id']}/checklist"


async def test_a_meeting_made_elsewhere_is_taken_by_its_number(front: Front) -> None:
    place = await another_session(front)
    async with signed_in(front) as anna:
        page = await anna.press(place, "Use this meeting", meeting="823 4567-8901")
        assert "The meeting was made elsewhere" not in page.words
        again = await anna.client.get(place)

    assert page.status == again.status_code == 200
    session_id = place.split("/")[2]
    state = await front.evening.engine.state(session_id)
    assert [bound.meeting_id for bound in state.bindings] == ["82345678901"]
    assert state.facts is not None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (" ", "Enter the number of the meeting."),
        ("1", "There is no such meeting. Check its number."),
    ],
)
async def test_a_wrong_number_is_told_and_nothing_is_watched(
    front: Front, number: str, said: str
) -> None:
    place = await another_session(front)
    front.evening.room.cannot["facts"] = PermanentFailure(
        "There is no such meeting.", "Check its number."
    )
    async with signed_in(front) as anna:
        page = await anna.press(place, "Use this meeting", meeting=number)

    assert (page.status, said in page.words) == (422, True)
    assert page.form("Use this meeting").fields["meeting"] == number
    state = await front.evening.engine.state(place.split("/")[2])
    assert state.bindings == []


async def test_a_session_that_has_its_meeting_takes_no_other(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.open("checklist")
        key = page.form("Check again now").fields
        sent = await anna.client.post(
            f"{anna.session}/checklist/adopt",
            data={**key, "meeting": "82345678901"},
            headers={"origin": BASE},
        )
    assert "The meeting was made elsewhere" not in page.words
    assert sent.status_code == 409
