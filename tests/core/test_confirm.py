"""An act is done when the room shows it, never because a call answered (I6)."""

from dataclasses import replace
from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import (
    ACTIONS,
    Action,
    AdmitParticipant,
    AlertStaff,
    AskWorker,
    Audience,
    ChangeLink,
    EndCause,
    EndMeeting,
    Expect,
    HoldParticipant,
    Level,
    PostGroundRules,
    RemoveParticipant,
    SendReminder,
    StopLiveStream,
    StopRecording,
)
from app.core.confirm import expectation, proof
from app.core.fold import Fact
from tests.core.builders import (
    ANNA,
    BEN,
    EVE,
    ROOM,
    again,
    at,
    ended,
    joined,
    left,
    read_at,
    seat,
    started,
    story,
    waiting,
)

EVENING = (started(), joined(ANNA), joined(BEN, "19:00"), joined(EVE, "19:01"))
COMMON: dict[str, Any] = {"key": "k", "reason": "r", "clause": "c"}
ON_EVE: dict[str, Any] = {**COMMON, "meeting": ROOM, "connection": "UUID-EVE"}
SENT_AT = "19:05"

END = EndMeeting(**COMMON, meeting=ROOM, cause=EndCause.ORDER)
REMOVE, HOLD = RemoveParticipant(**ON_EVE), HoldParticipant(**ON_EVE)
ADMIT, REMIND = AdmitParticipant(**ON_EVE), SendReminder(**ON_EVE, text="")


def ask(press: str, until: Expect = Expect.TICK, **more: Any) -> AskWorker:
    return AskWorker(**{**ON_EVE, **more}, press=press, until=until)


def proved(action: Action, *facts: Fact) -> str:
    return proof(story(*EVENING, *facts), action, at(SENT_AT))


def missed(clock: str) -> e.ConnectionMissed:
    fact: e.ConnectionMissed = seat(
        e.ConnectionMissed, EVE, clock, last_proof_at=at("19:04:40")
    )
    return fact


# --- out, held, in --------------------------------------------------------------------

BY_EVENT = "The connection is out of the room: the platform reports it."
BY_LOOK = "The connection is out of the room: a look at the room that began afterwards."


def test_a_leave_event_proves_a_removal() -> None:
    assert proved(REMOVE) == ""
    assert proved(REMOVE, left(EVE, "19:05:02")) == BY_EVENT
    assert proved(REMOVE, seat(e.ParticipantHeld, EVE, "19:05:02")) == BY_EVENT


@pytest.mark.parametrize(
    ("clock", "said"), [("19:04:59", ""), ("19:05", BY_LOOK), ("19:05:05", BY_LOOK)]
)
def test_i6_a_look_proves_it_only_when_it_began_afterwards(
    clock: str, said: str
) -> None:
    assert proved(REMOVE, missed(clock)) == said


def test_i6_a_later_look_proves_what_an_earlier_one_found() -> None:
    session = read_at(story(*EVENING, missed("19:04:59")), "19:05:05")
    assert proof(session, REMOVE, at(SENT_AT)) == BY_LOOK


def test_coming_back_on_the_same_connection_is_no_proof() -> None:
    assert proved(REMOVE, left(EVE, "19:05:02"), joined(EVE, "19:05:30")) == ""


def test_the_end_of_the_meeting_puts_everybody_out() -> None:
    over = "The connection is out of the room: the meeting is over."
    assert proved(REMOVE, ended("19:06")) == over


@pytest.mark.parametrize(
    "action",
    [
        replace(REMOVE, connection="UUID-NOBODY"),
        replace(REMOVE, meeting=replace(ROOM, instance="another")),
        replace(HOLD, connection="UUID-NOBODY"),
        replace(ADMIT, connection="UUID-NOBODY"),
        ask("reclaim_host", Expect.ROLE_BACK, connection=""),
    ],
)
def test_of_a_connection_we_do_not_know_nothing_is_proved(action: Action) -> None:
    assert proved(action, left(EVE, "19:05:02")) == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), ""),
        ((waiting(EVE, "19:05:02"),), "The connection is in the waiting room."),
        (
            (seat(e.ParticipantHeld, EVE, "19:05:02"),),
            "The connection is in the waiting room.",
        ),
        ((left(EVE, "19:05:02"),), "It left the room: the platform reports it."),
        ((missed("19:04:59"),), ""),
    ],
)
def test_held_is_at_the_door_or_gone(facts: tuple[Fact, ...], said: str) -> None:
    assert proved(HOLD, *facts) == said


def test_admitted_is_in_the_room() -> None:
    at_door = again(EVE)
    admit = replace(ADMIT, connection="UUID-EVE-2")
    assert proved(admit, waiting(at_door, "19:04")) == ""
    assert (
        proved(admit, waiting(at_door, "19:04"), joined(at_door, "19:05:03"))
        == "The connection is in the room."
    )


def test_a_connection_is_found_under_its_old_name_too() -> None:
    by_seat = replace(REMOVE, connection="seat:301")
    assert proved(by_seat, left(EVE, "19:05:02")) == BY_EVENT


# --- the end --------------------------------------------------------------------------


def test_only_the_end_of_this_instance_proves_an_end() -> None:
    other = replace(ROOM, instance="yesterday")
    assert proved(END) == ""
    assert proved(END, replace(ended("19:05:02"), meeting=other)) == ""
    assert proved(replace(END, meeting=other)) == ""
    assert proved(END, left(ANNA, "19:05:02"), left(BEN, "19:05:02")) == ""
    assert proved(END, ended("19:05:02")) == (
        "The platform reports that this meeting is over."
    )


def test_a_worker_cannot_say_that_a_harmful_act_is_done() -> None:
    ticked = p.ActionTicked(at=at("19:06"), by="anna", key="k")
    assert [proved(a, ticked) for a in (END, REMOVE, HOLD)] == ["", "", ""]


# --- roles, recordings, streams, rooms ------------------------------------------------

HOST = seat(e.RoleChanged, EVE, "19:04", role="host")


@pytest.mark.parametrize(
    ("facts", "well"),
    [
        ((HOST,), False),
        ((seat(e.RoleChanged, EVE, "19:04", role="co-host"),), False),
        ((HOST, seat(e.RoleChanged, EVE, "19:05:02", role="attendee")), True),
        ((HOST, left(EVE, "19:05:02")), True),
    ],
)
def test_host_rights_are_back_or_gone(facts: tuple[Fact, ...], well: bool) -> None:
    said = proved(ask("reclaim_host", Expect.ROLE_BACK), *facts)
    assert said == ("That connection has no host rights any more." if well else "")


def recording(state: str, clock: str = "19:05:02") -> e.RecordingChanged:
    return e.RecordingChanged(meeting=ROOM, at=at(clock), state=state)


@pytest.mark.parametrize(
    ("state", "well"),
    [("started", False), ("resumed", False), ("stopped", True), ("paused", True)],
)
def test_a_recording_has_stopped(state: str, well: bool) -> None:
    stop = StopRecording(**COMMON, meeting=ROOM)
    assert proved(stop, recording(state)) == ("The recording stopped." if well else "")
    assert proved(stop) == ""
    elsewhere = replace(stop, meeting=replace(ROOM, instance="another"))
    assert proved(elsewhere, recording(state)) == ""


def test_a_live_stream_has_stopped() -> None:
    stop = StopLiveStream(**COMMON, meeting=ROOM)
    stream = e.LiveStreamChanged(meeting=ROOM, at=at("19:05:02"), started=True)
    assert proved(stop) == ""
    assert proved(stop, stream) == ""
    off = replace(stream, at=at("19:05:03"), started=False)
    assert proved(stop, stream, off) == "The live stream stopped."
    assert proved(replace(stop, meeting=replace(ROOM, instance="x")), off) == ""


def test_a_side_room_has_a_worker_or_nobody_left() -> None:
    aside = seat(e.BreakoutJoined, BEN, "19:04", room="blue")
    close = ask("close_breakout", Expect.ROOM_SUPERVISED, room="blue")
    well = "A worker is in that room, or nobody is left in it."
    assert proved(close, aside) == ""
    assert proved(close, aside, seat(e.BreakoutLeft, BEN, "19:06", room="blue")) == well
    assert proved(close, aside, seat(e.BreakoutJoined, ANNA, "19:06", room="blue")) == (
        well
    )


# --- a worker's word ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "said"), [(True, "A worker says it is done."), (False, "")]
)
def test_what_only_a_worker_can_see_is_done_when_a_worker_says_so(
    done: bool, said: str
) -> None:
    assert proved(REMIND, p.ActionTicked(at=at("19:06"), key="k", done=done)) == said
    other = p.ActionTicked(at=at("19:06"), key="another", done=done)
    assert proved(REMIND, other) == ""


def test_ground_rules_talked_through_need_not_be_posted() -> None:
    post = PostGroundRules(
        **COMMON, meeting=ROOM, connections=("UUID-BEN", "UUID-EVE"), version=3
    )
    spoken = p.RulesSpoken(at=at("19:05:30"), by="anna", heard=("UUID-BEN",))
    assert proved(post, spoken) == ""
    both = replace(spoken, heard=("UUID-BEN", "UUID-EVE"))
    assert proved(post, both) == "A worker talked the ground rules through."


@pytest.mark.parametrize(
    ("clock", "said"),
    [("19:04:59", ""), ("19:05", "A worker accepted the lead.")],
)
def test_the_lead_accepted_after_the_question_answers_it(clock: str, said: str) -> None:
    accepted = p.LeadAccepted(at=at(clock), by="sam")
    assert proved(ask("accept_lead"), accepted) == said
    assert proved(ask("check_room"), accepted) == ""


def test_i_am_in_is_proved_by_who_the_connection_now_is() -> None:
    assert proved(ask("i_am_in", connection="UUID-ANNA")) == "The worker confirmed."
    assert proved(ask("i_am_in", connection="UUID-BEN")) == ""
    elsewhere = ask("i_am_in", meeting=replace(ROOM, instance="another"))
    assert proved(elsewhere) == ""


def test_an_alarm_is_over_when_a_named_person_took_it() -> None:
    alarm = AlertStaff(**COMMON, level=Level.RED, audience=Audience.WORKERS)
    assert proved(alarm) == ""
    taken = p.AlarmAcknowledged(at=at("19:06"), by="anna", key="k")
    assert proved(alarm, taken) == "A named person took it."


def test_what_the_platforms_answer_proves_is_not_for_the_room_to_show() -> None:
    change = ChangeLink(
        **COMMON, meeting=ROOM, registrant_id="reg-ben", person_id="ben", state="active"
    )
    assert expectation(change) is Expect.ANSWER
    assert proved(change, ended("19:06")) == ""


def test_a_question_waits_for_what_it_says() -> None:
    assert expectation(ask("x", Expect.ROLE_BACK)) is Expect.ROLE_BACK
    assert expectation(REMOVE) is Expect.CONNECTION_OUT


def test_what_puts_people_out_is_harmful_and_asks_for_proof() -> None:
    harmful = {kind for kind, action in ACTIONS.items() if action.harmful}
    assert {"end_meeting", "remove_participant", "hold_participant"} <= harmful
    assert all(
        ACTIONS[kind].expect not in (Expect.NOTHING, Expect.ANSWER) for kind in harmful
    )
