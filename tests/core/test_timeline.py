"""The evening in plain sentences, whole; and the lines a quiet evening never has."""

from pathlib import Path

from app.core import events as e
from app.core import presses as p
from app.core.actions import Level
from app.core.fold import Fact
from app.core.timeline import BOT, ROOM, WORKER, Entry, timeline
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    SAM,
    again,
    at,
    joined,
    left,
    seat,
    started,
    story,
)
from tests.core.builders import ROOM as MEETING
from tests.core.evening import acted, evening

GOLDEN = Path(__file__).parent / "golden"


def told(*facts: Fact) -> list[str]:
    return [f"{entry.at:%H:%M:%S} {entry.text}" for entry in timeline(story(*facts))]


def test_nothing_happened() -> None:
    assert timeline(story()) == ()


def test_the_whole_evening_in_words() -> None:
    text = "".join(
        f"{x.at:%H:%M:%S} {x.who_kind:6} {x.text}\n" for x in timeline(evening())
    )

    assert text == (GOLDEN / "timeline.txt").read_text(encoding="utf-8")


def test_names_the_reader_may_not_see_are_ids() -> None:
    texts = [x.text for x in timeline(story(started(), joined(SAM, "18:54")), {})]

    assert texts[1] == "Sam came in."


def test_a_line_knows_who_spoke_how_loud_and_what_proves_it() -> None:
    removal = acted(
        "ladder.remove:x",
        "remove_participant",
        "19:20",
        "19:20:01",
        "19:20:04",
        proof="They left at 19:20:04.",
        connection="UUID-BEN",
        person_id="ben",
        reason="Why.",
    )
    entries = timeline(story(started(), joined(BEN, "18:58"), *removal))

    assert entries == (
        Entry(at("18:52"), ROOM, "The meeting opened."),
        Entry(at("18:58"), ROOM, "Ben came in."),
        Entry(at("19:20"), BOT, "Decided to remove Ben. Why.", key="ladder.remove:x"),
        Entry(
            at("19:20:01"),
            BOT,
            "Sent through the platform: remove Ben.",
            key="ladder.remove:x",
        ),
        Entry(
            at("19:20:04"),
            BOT,
            "Done: remove Ben.",
            proof="They left at 19:20:04.",
            key="ladder.remove:x",
        ),
    )


def test_the_ends_of_actions_that_were_never_proved() -> None:
    def ending(state: p.ActionState, problem: str = "") -> Entry:
        moves = acted("k", "end_meeting", "19:20", cause="order")
        end = p.ActionMoved(
            at=at("19:21"), key="k", kind="end_meeting", state=state, problem=problem
        )
        return timeline(story(*moves, end))[-1]

    what = "end the meeting for everyone."
    assert ending(p.ActionState.WITHDRAWN).text == f"No longer needed: {what}"
    assert ending(p.ActionState.EXPIRED).text == f"Too late: {what}"
    assert (
        ending(p.ActionState.REFUSED, "No right.").text == f"Refused: {what} No right."
    )
    assert (
        ending(p.ActionState.ESCALATED).text
        == f"Not proved, so people were told: {what}"
    )
    assert ending(p.ActionState.ESCALATED).level is Level.AMBER


def test_a_race_is_said() -> None:
    moves = acted("k", "end_meeting", "19:20", "19:20:01", "19:20:02", race=True)

    assert told(*moves)[-1].endswith("A worker had just come back.")


def test_alarms_by_their_level() -> None:
    loud = acted(
        "a", "alert_staff", "19:20", cause="red", reason="Nobody is with them."
    )
    quiet = acted("b", "alert_staff", "19:21", cause="info", reason="Five minutes.")

    assert [(x.text, x.level) for x in timeline(story(*loud, *quiet))] == [
        ("Alarm: Nobody is with them.", Level.RED),
        ("Told staff: Five minutes.", Level.INFO),
    ]


def test_rooms_breakouts_and_how_people_go() -> None:
    texts = told(
        started(),
        joined(BEN, "18:58"),
        seat(e.BreakoutJoined, BEN, "19:10", room="b"),
        seat(e.BreakoutLeft, BEN, "19:20", room="b"),
        left(BEN, "19:30", cause=e.LeaveCause.DROPPED),
        seat(e.ConnectionSeen, CHLOE, "19:05"),
        left(CHLOE, "19:40", cause=e.LeaveCause.REMOVED),
    )

    assert texts[1:] == [
        "18:58:00 Ben came in.",
        "19:05:00 Chloe came in (seen by the bot looking).",
        "19:10:00 Ben moved to a breakout room.",
        "19:20:00 Ben came back to the main room.",
        "19:30:00 Ben lost the connection.",
        "19:40:00 Chloe was put out of the room.",
    ]


def test_people_nobody_knows_stand_in_quotation_marks() -> None:
    phone = {"uuid": "UUID-P", "user_id": "9", "name": "+44 7700"}
    texts = told(
        started(),
        joined(EVE, "19:00"),
        joined(ANNA, "18:53"),
        joined(BEN, "19:01"),
        joined(again(BEN), "19:02"),
        seat(e.ParticipantJoined, phone, "19:03", by_phone=True),
        joined({"uuid": "O", "user_id": "8", "name": "Otter.ai Notetaker"}, "19:04"),
    )

    assert texts[2:] == [
        "19:00:00 Somebody nobody knows, shown as \u201cEve\u201d came in.",
        "19:01:00 Ben came in.",
        "19:02:00 Somebody on the link of Ben came in.",
        "19:03:00 A phone caller came in.",
        "19:04:00 A recorder or note-taker, shown as \u201cOtter.ai Notetaker\u201d came in.",
    ]


def test_what_is_loud_in_the_room() -> None:
    entries = timeline(
        story(
            started(),
            joined(ANNA, "18:53"),
            joined(BEN, "18:58"),
            seat(e.RoleChanged, ANNA, "18:54", role="host"),
            seat(e.RoleChanged, BEN, "19:00", role="co-host"),
            seat(e.RoleChanged, BEN, "19:01", role="attendee"),
            e.RecordingChanged(meeting=MEETING, at=at("19:02"), state="started"),
            e.LiveStreamChanged(meeting=MEETING, at=at("19:03")),
            e.LinkLeaked(meeting=MEETING, at=at("19:04")),
            e.SightLost(meeting=MEETING, at=at("19:05")),
            e.SightRegained(meeting=MEETING, at=at("19:06")),
            seat(e.ParticipantJoined, {**BEN, "name": "Anna Price"}, "19:07"),
        )
    )

    assert [(x.text, x.level) for x in entries[2:] if "came in" not in x.text] == [
        ("Anna Price became host.", Level.INFO),
        ("Ben became co-host.", Level.RED),
        ("Recording started.", Level.AMBER),
        ("Live stream started.", Level.RED),
        ("The platform found the join link in public.", Level.RED),
        ("The bot cannot see the room.", Level.RED),
        ("The bot sees the room again.", Level.INFO),
        ("Ben changed the name shown to \u201cAnna Price\u201d.", Level.INFO),
    ]


def test_every_press_is_a_sentence() -> None:
    facts: list[Fact] = [
        p.ItemTicked(at=at("18:00"), by="anna", item="x", ticked=False),
        p.ExceptionGiven(at=at("18:01"), by="anna", item="y", withdrawn=True),
        started(),
        joined(ANNA, "18:53"),
        joined(SAM, "18:54"),
        joined(BEN, "18:58"),
        p.LeadAccepted(at=at("19:00"), by="sam"),
        p.WorkerConfirmed(at=at("19:01"), by="sam", connection="UUID-SAM"),
        p.ConnectionVouched(
            at=at("19:02"),
            by="sam",
            connection="UUID-BEN",
            person_id="ben",
            how="voice",
        ),
        p.HoldPressed(at=at("19:03"), by="sam", press_id="h", connection="UUID-BEN"),
        p.AdmitPressed(at=at("19:04"), by="sam", press_id="a", connection="UUID-BEN"),
        p.RulesRequested(at=at("19:05"), by="sam"),
        p.LadderPressed(
            at=at("19:06"),
            by="sam",
            press_id="l",
            step=p.Step.REMOVE,
            connection="UUID-BEN",
            immediate=True,
        ),
        p.LadderPressed(
            at=at("19:07"),
            by="ben",
            press_id="m",
            step=p.Step.WARN,
            connection="nobody",
        ),
        p.ReasonGiven(at=at("19:08"), by="sam", press_id="l", reason="a threat"),
        p.Readmitted(at=at("19:09"), by="sam", press_id="r", connection="UUID-BEN"),
        p.SessionResumed(at=at("19:10"), by="sam"),
        p.EndPressed(at=at("19:11"), by="sam", press_id="e"),
        p.DebriefEnded(at=at("19:12"), by="sam", skipped=True, reason="late"),
        p.ActionTicked(at=at("19:13"), by="sam", key="k", done=False),
        p.AlarmAcknowledged(at=at("19:14"), by="sam", key="unknown"),
    ]

    presses = [x for x in timeline(story(*facts)) if x.who_kind == WORKER]

    assert [x.text for x in presses] == [
        "Anna Price took back the tick of “x” on the checklist.",
        "Anna Price withdrew the exception from “y”.",
        "Sam Okoro accepted the lead.",
        "Sam Okoro pressed “I am in”.",
        "Sam Okoro said that one connection is Ben.",
        "Sam Okoro asked to take Ben to the waiting room.",
        "Sam Okoro asked to let Ben in.",
        "A worker asked to send the ground rules again.",
        "Sam Okoro removed Ben at once, for serious harm.",
        (
            "Ben warned somebody. Not carried out: Only a worker on this session's list "
            "may do this."
        ),
        "Sam Okoro gave the reason: a threat",
        "Sam Okoro readmitted Ben.",
        "Sam Okoro resumed the session.",
        "Sam Okoro ended the meeting for everyone.",
        "Sam Okoro skipped the debrief: late",
        "Sam Okoro said that it cannot be done.",
        "Sam Okoro took the alarm.",
    ]


def test_the_same_evening_in_any_order_of_arrival() -> None:
    facts = [started(), joined(ANNA, "18:53"), joined(BEN, "18:58"), left(BEN, "19:58")]

    assert timeline(story(*facts)) == timeline(story(*reversed(facts)))
