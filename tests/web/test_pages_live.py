"""The live page as two workers use it: who is here, what is asked, what was proved."""

import asyncio
import re
from dataclasses import replace

import pytest
from starlette.requests import Request

from app.clock import SystemClock
from app.core.events import ParticipantJoined, ParticipantWaiting
from app.core.facts import Hands
from app.core.presses import ActionState, Step
from app.store import sessions
from app.web.live import stream
from app.web.pages.desk import Desk, Pressed
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from integrations.base import TemporaryFailure
from tests.core.builders import ALL_HANDS
from tests.web.conftest import Front
from tests.web.reading import Browser, Page, comes, restarted, signed_in

pytestmark = pytest.mark.anyio

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "=1+1",
    "\u202egnaS",
    "",
)


async def test_who_is_here_workers_first_and_why(front: Front) -> None:
    await front.evening.join("ben", "anna")
    await comes(front.evening, ParticipantWaiting, "dev", "Dev")
    async with signed_in(front) as anna:
        page = await anna.open("live")

    words = page.words
    assert words.index("Anna leads ✓ Verified worker") < words.index("Ben ✓ Invited")
    assert "Signed in with their own account. In since 18:50:00" in words
    assert "1 worker in 2 needed 1 others in 1 waiting" in words
    assert "Dev ? Stranger" in words  # no link without a one-to-one
    assert words.count("Europe/London (GMT)") == 1


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_name_is_only_ever_a_name(front: Front, name: str) -> None:
    await front.evening.join("anna", "sam", "ben")
    await comes(front.evening, ParticipantJoined, "eve", name)
    async with signed_in(front) as anna:
        for path in ("live", "attendance", "record"):
            page = await anna.open(path)
            assert page.status == 200
            tags = [tag for tag, _ in page.tags]
            assert "img" not in tags
            assert tags.count("script") == (3 if path == "live" else 0)
            assert "\u202e" not in page.answer.text
            assert not any("onerror" in given for _, given in page.tags)
    shown = {"\u202egnaS": "␣gnaS", "": "(no name)"}.get(name, name)
    assert shown in (await _live(front)).words


async def _live(front: Front) -> Page:
    async with signed_in(front) as anna:
        return await anna.open("live")


async def test_a_copied_name_is_told(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    await comes(front.evening, ParticipantJoined, "eve", "Аnna")  # noqa: RUF001 - Cyrillic

    words = (await _live(front)).words
    assert "This name looks like Anna , but it is not proven to be." in words


async def test_the_ladder_in_its_order(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.open("live")
        refused = await anna.press(page, "Warn Ben", step="warn", rule="1")
        assert refused.status == 422
        assert "There has been no reminder in this session before a warning" in (
            refused.words
        )
        nothing = await anna.press(page, "Remind Ben", step="remind")
        assert "Name the agreed rule that was broken, or write the reason" in (
            nothing.words
        )
        for step in ("remind", "warn", "remove"):
            page = await anna.press("live", "Remind Ben", step=step, rule="2")
            assert page.status == 200

    state = await front.evening.state()
    assert [(p.step, p.rule) for p in state.ladder] == [
        (Step.REMIND, 2),
        (Step.WARN, 2),
        (Step.REMOVE, 2),
    ]
    assert "Remove, 18:50 , pressed by Anna" in page.words


async def test_removed_is_not_said_before_the_room_shows_it(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    front.evening.room.ghost = True  # the platform says "heard" and does nothing
    async with signed_in(front) as anna:
        page = await anna.press("live", "Remove at once Ben")
        assert "Take out of the room: Ben … Sent, no proof yet" in page.words
        assert "Take out of the room: Ben ✓" not in page.words
        front.evening.room.ghost = False
        await front.evening.leave("ben")
        page = await anna.open("live")

        assert "Take out of the room: Ben ✓ Done and proved" in page.words
        assert "Proof: The connection is out of the room" in page.words
        assert "Reason due" in page.words
        given = await anna.press(
            page, "Write the reason down", reason="He threatened Chloe."
        )
        assert "Reason due" not in given.words
        back = await anna.press(given, "Undo: let back in")
        assert "Undo: let back in" not in back.words


async def test_a_reminder_pressed_in_error_is_taken_back(front: Front) -> None:
    """Undo where there is one: the next step is a reminder again, and both are told."""
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.press("live", "Remind Ben", step="remind", rule="2")
        assert "Remind, 18:50 , pressed by Anna" in page.words
        undo = "Undo: the reminder was a mistake to Ben"
        back = await anna.press(page, undo)
        assert "Remind, 18:50" not in back.words
        assert "Undo: the reminder" not in back.words
        again = await anna.press(page, undo)
        told = await anna.open("record")

    assert again.status == 200  # the same press once more has no other effect
    state = await front.evening.state()
    assert len(state.taken_back) == 1
    assert "Our respect rule. (pressed by Anna) Undone by Anna." in told.words
    assert "Anna took the reminder to Ben back as a mistake." in told.words


async def test_what_was_typed_is_shown_again(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.press(
            "live", "Remind Ben", step="remind", reason="His camera is off", rule="0"
        )

    assert page.status == 422
    assert "A camera that is off is never a reason" in page.words
    form = page.form("Remind Ben")
    assert form.fields["reason"] == "His camera is off"
    details = next(g for t, g in page.tags if g.get("id") == f"{form.id}-details")
    assert "open" in details
    area = next(g for t, g in page.tags if g.get("id") == f"{form.id}-reason")
    assert area["aria-invalid"] == "true"
    assert f"{form.id}-reason-fault" in area["aria-describedby"].split()
    assert ("a", {"href": f"#{form.id}-reason"}) in page.tags


async def test_a_double_press_has_one_effect(front: Front) -> None:
    """S10: the same form again, also after the service started anew."""
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        form = (await anna.open("live")).form("Remind Ben")
        for _ in range(2):
            page = await anna.send(form, step="remind", rule="1")
            assert page.status == 200
        assert len((await front.evening.state()).ladder) == 1

        cookies = anna.client.cookies
        anna.client = restarted(front).browser()
        anna.client.cookies = cookies
        again = await anna.send(form, step="remind", rule="1")
        assert again.status == 200

    assert len((await front.evening.state()).ladder) == 1


async def test_a_double_press_of_a_plain_button_has_one_effect(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        form = (await anna.open("live")).form("Send the ground rules again")
        for _ in range(2):
            assert (await anna.send(form)).status == 200

    assert len((await front.evening.state()).rules_requested) == 1


async def test_two_presses_at_once_wait_for_each_other() -> None:
    pressed, done = Pressed(), []

    async def work() -> str:
        for _ in range(3):
            await SystemClock().sleep(0)
        done.append("once")
        return "/there"

    places = await asyncio.gather(
        *(pressed.once("anna", "key", work) for _ in range(3)),
        pressed.once("sam", "key", work),
    )
    assert places == ["/there"] * 4
    assert done == ["once", "once"]


async def test_a_press_that_failed_may_be_tried_again() -> None:
    pressed, tries = Pressed(), []

    async def work() -> str:
        tries.append("try")
        if len(tries) == 1:
            raise Refusal({"": "No."})
        return "/there"

    with pytest.raises(Refusal):
        await pressed.once("anna", "key", work)
    assert await pressed.once("anna", "key", work) == "/there"
    assert await pressed.once("anna", "key", work) == "/there"
    assert len(tries) == 2


async def test_the_key_of_one_form_never_answers_for_another(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.open("live")
        spoken = page.form("We talked the ground rules")
        await anna.send(spoken)
        other = page.form("Send the ground rules again")
        await anna.send(other, key=spoken.fields["key"])
        without = await anna.send(other, key="")

    assert len((await front.evening.state()).rules_requested) == 1
    assert without.status == 400


async def test_a_stranger_is_vouched_for_by_name_and_how(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    await comes(front.evening, ParticipantWaiting, "chloe2", "C")
    chloe = front.evening.people["chloe"]
    async with signed_in(front) as anna:
        page = await anna.open("live")
        assert (
            "Not to be let in: That person is not on this session's list." in page.words
        )
        nobody = await anna.press(page, "Yes, it is this client", how="The voice")
        assert "Choose who it is." in nobody.words
        unsaid = await anna.press(page, "Yes, it is this client", person=chloe, how=" ")
        assert "Write how you know who it is" in unsaid.words
        known = await anna.press(
            page, "Yes, it is this client", person=chloe, how="The voice"
        )
        assert "A worker says who this is." in known.words
        asked = await anna.press(known, "Let in")

    assert "Let in About: Chloe A worker pressed “Admit”." in asked.words
    assert "Where: Press admit." in asked.words


async def test_what_the_bot_asks_and_the_tick_that_is_no_proof(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.press("live", "To the waiting room")
        assert "Take to the waiting room About: Ben" in page.words
        assert "Where: Press hold." in page.words
        forms = [f for f in page.forms if "Take to the waiting room" in str(f.buttons)]
        page = await anna.send(forms[0])

    assert "A worker says it is done; the room has not shown it yet." in page.words
    states = {
        fact.kind: fact.state for fact in (await front.evening.state()).actions.values()
    }
    assert states["hold_participant"] is not ActionState.CONFIRMED


async def test_the_words_to_paste_stand_beside_the_request(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.press("live", "Remind Ben", step="remind", rule="2")

    assert "Where: Press private_message." in page.words
    words = "A kind reminder of what we agreed together. Rule 2: Our respect rule."
    assert f"Words to paste or read out {words}" in page.words
    assert "Words to paste or read out 1. Our confidentiality rule." in page.words


async def test_the_lead_is_taken_in_one_press(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    await front.evening.leave("anna")
    await front.evening.wait(31)
    async with signed_in(front, "sam") as sam:
        page = await sam.open("live")
        assert "Lead worker: Anna , not in the room" in page.words
        page = await sam.press(page, "I take the lead")

    assert "Lead worker: Sam ." in page.words


async def test_the_clock_of_the_grace_and_resume(front: Front) -> None:
    await front.evening.join("anna", "ben")
    await front.evening.leave("anna")
    await front.evening.wait(20)
    async with signed_in(front) as anna:
        page = await anna.open("live")
        assert "Last proof of a worker: 18:50:00" in page.words
        assert "A worker has to be back by 18:51:00" in page.words
        assert "40 seconds left" in page.words
        clock = next(g for _, g in page.tags if g.get("class") == "count")
        assert clock["data-until"] == "2026-11-17T18:51:00.000Z"
        assert "Resume the session" not in page.words

        await front.evening.wait(45)
        await front.evening.ended()
        page = await anna.open("live")
        assert "The session was stopped at 18:51:00" in page.words
        page = await anna.press(page, "Resume the session")
        assert "Resume the session" not in page.words

    assert len((await front.evening.state()).resumed) == 1


async def test_blind_says_what_to_do_by_hand(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    front.evening.room.failing = TemporaryFailure("No answer.")
    await front.evening.wait(90)

    words = (await _live(front)).words
    assert "Chaperone cannot see the room" in words
    assert "Look into the call yourself and count" in words


async def test_the_weaker_promise_is_said(front: Front) -> None:
    assert "Webhooks only" not in (await _live(front)).words
    front.evening.platform.hands = Hands(live_roster=False, end_for_all=True)
    await front.evening.engine.check_now(front.evening.session_id)

    assert "Webhooks only" in (await _live(front)).words
    async with signed_in(front) as anna:
        assert "Webhooks only" in (await anna.open("checklist")).words


async def test_closing_in_two_phases_with_a_question_first(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        question = await anna.open("live/confirm/close")
        assert "It cannot be undone." in question.words
        page = await anna.press(question, "Close to clients")
        await front.evening.wait(40)
        page = await anna.open("live")
        assert "All clients are out" in page.words
        unsaid = await anna.press(page, "Skip the debrief", reason=" ")
        assert unsaid.status == 422
        await anna.press(page, "The debrief is done")
        await anna.press("live/confirm/closed", "Close the session")
        page = await anna.open("live")

    assert "Closed at" in page.words
    assert "End for everyone" not in page.words
    state = await front.evening.state()
    assert state.closing is not None
    assert state.debrief is not None
    assert state.closed is not None


async def test_end_for_everyone(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with signed_in(front) as anna:
        page = await anna.press("live/confirm/end", "End for everyone")
        assert "End the call for everyone … Sent, no proof yet" in page.words
        await front.evening.ended()
        page = await anna.open("live")

    assert "End the call for everyone ✓ Done and proved" in page.words


async def test_a_press_that_is_no_button_is_refused(front: Front) -> None:
    async with signed_in(front) as anna:
        form = (await anna.open("live")).form("We talked the ground rules")
        form.action = f"{anna.session}/live/explode"
        assert (await anna.send(form)).status == 404
        assert (await anna.open("live/confirm/explode")).status == 404


async def test_the_stream_tells_versions_beats_and_the_end(front: Front) -> None:
    async with signed_in(front) as anna:
        visit = await the_visit(anna)
        events = stream(visit, beat=0.01)
        assert await anext(events) == "retry: 1000\n\n"
        first = await anext(events)
        assert first.startswith("event: version\ndata: ")
        assert await anext(events) == "event: beat\ndata: .\n\n"
        await front.evening.join("anna")
        told = [await anext(events) for _ in range(3)]
        assert any(one.startswith("event: version") for one in told)

        await anna.press("/", "Sign out")
        rest = [one async for one in events]

    assert rest[-1] == "event: signed-out\ndata: .\n\n"
    assert len(rest) <= 15


async def the_visit(browser: Browser) -> Visit:
    """What the page function of the stream is given for this browser."""
    house = browser.front.app.state.house
    cookies = "; ".join(f"{k}={v}" for k, v in browser.client.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{browser.session}/live/events",
        "query_string": b"",
        "headers": [(b"cookie", cookies.encode())],
        "app": browser.front.app,
    }
    visit = Visit(
        desk=Desk(), house=house, request=Request(scope), now=house.clock.now()
    )
    visit.plan = await house.store.read(
        lambda db: sessions.get(db, house.store, browser.front.evening.session_id)
    )
    return visit


MANY = replace(ALL_HANDS, hold_one=True, admit_one=True, room_chat=True)
FEW = replace(MANY, hold_one=False, admit_one=None, remove_one=False)


@pytest.mark.parametrize(
    ("hands", "shown"),
    [
        (MANY, {"private_message", "end_meeting"}),
        (FEW, {"private_message", "end_meeting", "hold", "admit", "remove"}),
        (
            replace(MANY, room_chat=None),
            {"private_message", "end_meeting", "post_rules"},
        ),
    ],
    ids=["many hands", "few hands", "no chat"],
)
async def test_a_button_without_a_hand_says_where_to_press(
    front: Front, hands: Hands, shown: set[str]
) -> None:
    evening = front.evening
    evening.platform.hands = hands
    await evening.engine.check_now(evening.session_id)
    await evening.join("anna", "sam", "ben")
    await comes(evening, ParticipantWaiting, "chloe", "Chloe")
    async with signed_in(front) as anna:
        page = await anna.open("live")
        held = await anna.press(page, "To the waiting room")

    said = set(re.findall(r"Press ([a-z_]+)\.", page.words)) - {"post_rules"}
    if "Sending the rules is yours to press" in page.words:
        said.add("post_rules")  # else it is only said where it is asked for
    assert said == shown
    assert held.status == 200
    assert (await evening.state()).holds
