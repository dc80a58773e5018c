"""No young person stays in a call without a worker (E1; I1, I1b, I1c, I3, I8)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import events as e
from app.core import presses as p
from app.core.actions import (
    Action,
    AlertStaff,
    AskWorker,
    Audience,
    EndCause,
    EndMeeting,
    Expect,
    HoldParticipant,
    Level,
    ReadRoom,
    TellWaitingRoom,
    WakeAt,
)
from app.core.decide import decide
from app.core.fold import Fact, apply
from app.core.plan import Role, WorkerSlot
from app.core.policy import Policy
from app.core.rooms import rooms, stays_of, who_is_who
from app.core.rules import never_alone
from app.core.session import GroupSession
from tests.core.arrivals import EVENINGS, MOMENTS, folded
from tests.core.builders import (
    ALL_HANDS,
    ANNA,
    BEN,
    CHLOE,
    EVE,
    NOOR,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    plan,
    read_at,
    seat,
    seconds,
    started,
    story,
    waiting,
)

CAN_HOLD = replace(ALL_HANDS, hold_one=True)
WEBHOOKS_ONLY = replace(ALL_HANDS, live_roster=False)
MAIN_EPISODE = "eigRfbCZRTK==:main:2026-11-17T19:04:10+00:00"
NOT_ON_SITE = {"uuid": "UUID-PHONE", "user_id": "401", "name": "+44*****1234"}
RECORDER = {"uuid": "UUID-BOT", "user_id": "501", "name": "Otter.ai notetaker"}

EVENING = (started(), joined(ANNA), joined(BEN, "19:00"))
"""Anna leads alone with Ben, and drops at 19:04:10."""

DROPPED = (*EVENING, left(ANNA, "19:04:10", cause=e.LeaveCause.DROPPED))


def asked(session: GroupSession, clock: str | datetime) -> list[Action | WakeAt]:
    moment = at(clock) if isinstance(clock, str) else clock
    return list(never_alone.guard(session, moment))


def ends(session: GroupSession, clock: str | datetime) -> bool:
    """Whether the call is ended for everyone now."""
    return any(isinstance(wish, EndMeeting) for wish in asked(session, clock))


def wakes(session: GroupSession, clock: str) -> list[datetime]:
    return [wish.at for wish in asked(session, clock) if isinstance(wish, WakeAt)]


# --- I1: the last worker leaves -------------------------------------------------------


def test_with_a_worker_nothing_is_asked() -> None:
    assert asked(story(*EVENING), "19:30") == []


def test_an_empty_room_is_safe() -> None:
    session = story(*DROPPED, left(BEN, "19:04:20"))
    assert asked(session, "19:30") == []


def test_everything_asked_while_the_grace_runs() -> None:
    assert asked(story(*DROPPED), "19:04:10") == [
        AlertStaff(
            key=f"never_alone.alert:{MAIN_EPISODE}",
            reason="Young people are in the call and no worker is with them.",
            clause="E1",
            rule="never_alone.guard",
            level=Level.RED,
            audience=Audience.STANDBY,
            what_to_do=(
                "Join the call now. If no worker is back within 60 seconds of the last "
                "one leaving, the call is ended for everyone."
            ),
        ),
        WakeAt(at("19:05:10"), "grace of an unsupervised room"),
    ]


@pytest.mark.parametrize(
    ("clock", "ended"), [("19:05:09", False), ("19:05:10", True), ("19:05:11", True)]
)
def test_below_at_and_after_the_grace(clock: str, ended: bool) -> None:
    assert ends(story(*DROPPED), clock) is ended


def test_everything_asked_when_the_grace_is_over() -> None:
    alert, door, end = asked(story(*DROPPED), "19:05:10")
    assert isinstance(alert, AlertStaff)
    assert door == TellWaitingRoom(
        key=f"never_alone.door:{MAIN_EPISODE}",
        reason="Tell everybody at the door that the session was stopped.",
        clause="I7",
        rule="never_alone.guard",
        meeting=ROOM,
        title="This session has been stopped",
        text=never_alone.STOPPED_TEXT,
        not_after=at("19:10:10"),
    )
    assert end == EndMeeting(
        key=f"never_alone.end:{MAIN_EPISODE}",
        reason="No worker came back in time, so the call is ended for everyone.",
        clause="E1",
        rule="never_alone.guard",
        meeting=ROOM,
        cause=EndCause.NEVER_ALONE,
    )


def test_whoever_is_stopped_reads_whom_to_call() -> None:
    assert "0800 1111" in never_alone.STOPPED_TEXT


def test_a_returning_worker_stops_the_clock() -> None:
    session = story(*DROPPED, joined(again(ANNA), "19:05:09"))
    assert asked(session, "19:05:10") == []


def test_any_worker_will_do() -> None:
    assert asked(story(*DROPPED, joined(SAM, "19:05:09")), "19:05:10") == []


def test_a_second_absence_of_the_same_worker_has_a_grace_of_its_own() -> None:
    back = again(ANNA)
    session = story(*DROPPED, joined(back, "19:04:40"), left(back, "19:04:50"))
    assert wakes(session, "19:05:10") == [at("19:05:50")]
    assert ends(session, "19:05:50")


def test_a_client_who_leaves_in_the_countdown_and_returns_does_not_reset_it() -> None:
    session = story(*DROPPED, left(BEN, "19:04:20"), joined(again(BEN), "19:05:00"))
    assert ends(session, "19:05:10")


@pytest.mark.parametrize(
    ("clock", "due"), [("19:05:20", "19:05:10"), ("19:05:21", "19:06:21")]
)
def test_a_room_that_was_empty_longer_than_the_grace_is_a_new_story(
    clock: str, due: str
) -> None:
    session = story(*DROPPED, left(BEN, "19:04:20"), joined(again(BEN), clock))
    (room,) = rooms(session)
    assert never_alone.deadline(session, room) == at(due)


def test_another_client_coming_in_does_not_reset_it_either() -> None:
    session = story(*DROPPED, joined(CHLOE, "19:04:50"), left(BEN, "19:04:55"))
    assert ends(session, "19:05:10")


def test_a_restart_does_not_extend_it() -> None:
    """Folded anew at 19:05 from the log, the deadline is the one it was."""
    assert wakes(story(*DROPPED), "19:05") == [at("19:05:10")]


def test_one_episode_is_ended_once_however_often_it_is_asked() -> None:
    session = story(*DROPPED)
    keys = set()
    for later in range(0, 600, 7):
        moment = at("19:05:10") + seconds(later)
        keys |= {a.key for a in asked(session, moment) if isinstance(a, EndMeeting)}
    assert keys == {f"never_alone.end:{MAIN_EPISODE}"}


def test_after_the_end_nothing_more_is_asked() -> None:
    assert asked(story(*DROPPED, ended("19:05:12")), "19:06") == []


def test_a_worker_on_two_devices_who_drops_one_is_still_there() -> None:
    session = story(started(), joined(ANNA), joined(again(ANNA)), joined(BEN, "19:00"))
    apply(session, left(again(ANNA), "19:04:10"))
    assert asked(session, "19:30") == []
    apply(session, left(ANNA, "19:10"))
    assert ends(session, "19:11")


def test_the_grace_counts_from_the_last_of_two_workers() -> None:
    session = story(
        *EVENING, joined(SAM), left(SAM, "19:04:00"), left(ANNA, "19:04:10")
    )
    assert wakes(session, "19:04:10") == [at("19:05:10")]


def test_the_late_leave_of_an_old_connection_hides_nobody() -> None:
    """Anna's first connection is reported 90 s late; she is back on a second one."""
    session = story(*EVENING, joined(again(ANNA), "19:04"), left(ANNA, "19:05:30"))
    assert asked(session, "19:30") == []


# --- who counts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "company",
    [
        joined(EVE, "19:01"),
        joined({**EVE, "name": "Anna Price"}, "19:01"),
        joined({**EVE, "name": "Anna \u0420rice"}, "19:01"),
        joined(NOT_ON_SITE, "19:01"),
        seat(e.ParticipantJoined, NOT_ON_SITE, "19:01", by_phone=True),
        joined(RECORDER, "19:01"),
        joined({**EVE, "email": "anna.price@charity.example"}, "19:01"),
        waiting(SAM, "19:01"),
        seat(e.RoleChanged, BEN, "19:01", role="host"),
    ],
)
def test_nobody_but_a_verified_worker_counts(company: e.SeatEvent) -> None:
    session = story(*DROPPED, company)
    assert not ends(session, "19:05:09")
    assert ends(session, "19:05:10")


def test_a_worker_held_at_the_door_is_not_in_the_room() -> None:
    session = story(*EVENING, seat(e.ParticipantHeld, ANNA, "19:04:10"))
    assert ends(session, "19:05:10")


def test_a_shared_login_counts_only_once_that_worker_said_i_am_in() -> None:
    anna = WorkerSlot(
        person_id="anna",
        role=Role.LEAD,
        platform_user_id="zoom-anna",
        shared_login=True,
    )
    session = story(*EVENING, the_plan=plan(workers=(anna,)))
    assert wakes(session, "18:59") == [at("19:02")]  # 120 s from Ben's join
    apply(
        session,
        p.WorkerConfirmed(at=at("18:59:30"), by="anna", connection="UUID-ANNA"),
    )
    assert asked(session, "19:30") == []
    apply(session, left(ANNA, "19:31"))
    assert wakes(session, "19:31") == [at("19:32")]


def test_a_worker_on_a_link_opened_twice_is_challenged_and_does_not_count() -> None:
    session = story(
        started(),
        joined(NOOR, "18:58"),
        joined(again(NOOR), "19:00"),
        joined(BEN, "19:00"),
        left(NOOR, "19:04:10"),
    )
    assert ends(session, "19:05:10")


@pytest.mark.parametrize("only", [RECORDER, None])
def test_a_room_of_recorders_holds_nobody_at_risk(only: dict[str, str] | None) -> None:
    facts = [joined(only, "19:01")] if only else []
    session = story(started(), joined(ANNA), left(ANNA, "19:04:10"), *facts)
    assert asked(session, "19:30") == []


def test_people_at_the_door_are_not_in_the_room() -> None:
    session = story(started(), joined(ANNA), left(ANNA, "19:04:10"), waiting(BEN))
    assert asked(session, "19:30") == []


# --- I1b: side rooms ------------------------------------------------------------------


def shown(
    person: dict[str, str], clock: str, proof: str, room: str = "blue"
) -> e.ConnectionSeen:
    """A look showed them in this room, the one before (``proof``) somewhere else."""
    fact: e.ConnectionSeen = seat(
        e.ConnectionSeen, person, clock, room=room, last_proof_at=at(proof)
    )
    return replace(fact, source=e.Source.POLL, heard_at=None)


def aside(person: dict[str, str], clock: str, room: str = "blue") -> e.BreakoutJoined:
    fact: e.BreakoutJoined = seat(e.BreakoutJoined, person, clock, room=room)
    return fact


def test_a_worker_in_a_side_room_leaves_the_main_room_alone() -> None:
    session = story(*EVENING, aside(ANNA, "19:04:10"))
    assert not ends(session, "19:05:09")
    assert ends(session, "19:05:10")


def test_a_side_room_without_a_worker_is_the_same_danger() -> None:
    session = story(*EVENING, joined(CHLOE, "19:00"), aside(CHLOE, "19:10"))
    wishes = asked(session, "19:10:59")
    episode = "eigRfbCZRTK==:blue:2026-11-17T19:10:00+00:00"
    assert wishes[1:] == [
        AskWorker(
            key=f"never_alone.breakout:{episode}",
            reason="A breakout room holds young people and no worker.",
            clause="E1",
            rule="never_alone.guard",
            meeting=ROOM,
            press="close_breakout",
            until=Expect.ROOM_SUPERVISED,
            room="blue",
        ),
        WakeAt(at("19:11"), "grace of an unsupervised room"),
    ]
    assert isinstance(wishes[0], AlertStaff)
    assert "a breakout room" in wishes[0].reason
    assert ends(session, "19:11")


def test_each_side_room_is_judged_by_itself() -> None:
    session = story(
        *EVENING,
        joined(SAM),
        joined(CHLOE, "19:00"),
        aside(BEN, "19:10"),
        aside(SAM, "19:10"),
        aside(CHLOE, "19:10:30", "green"),
    )
    assert {room.name: room.unsafe_since for room in rooms(session)} == {
        "main": None,
        "blue": None,
        "green": at("19:10:30"),
    }


def test_a_worker_who_leaves_a_side_room_starts_its_clock() -> None:
    session = story(
        *EVENING,
        aside(BEN, "19:10"),
        aside(ANNA, "19:10"),
        seat(e.BreakoutLeft, ANNA, "19:20", room="blue"),
    )
    assert wakes(session, "19:20") == [at("19:21")]
    apply(session, seat(e.BreakoutLeft, BEN, "19:20:30", room="blue"))
    assert asked(session, "19:30") == []


def test_a_worker_who_passes_from_room_to_room_gives_the_main_room_no_new_grace() -> (
    None
):
    session = story(
        *EVENING,
        aside(ANNA, "19:04:10"),
        seat(e.BreakoutLeft, ANNA, "19:04:40", room="blue"),
        aside(ANNA, "19:04:40", "green"),
    )
    assert ends(session, "19:05:10")


def test_the_grace_of_a_room_that_a_look_shows_counts_from_the_look_before() -> None:
    """They may have been without a worker since (I1b)."""
    session = story(*EVENING, shown(BEN, "19:10", "19:09:30"))
    assert [r.unsafe_since for r in rooms(session)] == [at("19:09:30"), None]
    assert not ends(session, "19:10:29")
    assert ends(session, "19:10:30")


def test_a_worker_whom_a_look_shows_elsewhere_may_be_gone_since_the_one_before() -> (
    None
):
    session = story(*EVENING, shown(ANNA, "19:10", "19:09:30"))
    assert [r.unsafe_since for r in rooms(session)] == [None, at("19:09:30")]
    assert not ends(session, "19:10:29")
    assert ends(session, "19:10:30")


def test_a_worker_sent_to_the_door_as_well() -> None:
    to_the_door = replace(shown(ANNA, "19:10", "19:09:30"), waiting=True)
    session = story(*EVENING, to_the_door)
    assert [r.unsafe_since for r in rooms(session)] == [at("19:09:30")]


def test_news_of_the_move_are_better_than_the_looks() -> None:
    session = story(*EVENING, shown(BEN, "19:10", "19:09:30"), aside(BEN, "19:09:50"))
    assert [r.unsafe_since for r in rooms(session)] == [at("19:09:50"), None]


def test_before_the_first_worker_nobody_was_with_them_before_the_look() -> None:
    alone = shown(BEN, "19:00", "18:59:30", room=e.MAIN_ROOM)
    session = story(started(), alone)
    assert [r.unsafe_since for r in rooms(session)] == [at("19:00")]


# --- I1c: before the first worker -----------------------------------------------------

EARLY = (started("18:55"), joined(BEN, "18:55"))


@pytest.mark.parametrize(("clock", "ended"), [("18:56:59", False), ("18:57", True)])
def test_before_the_first_worker_the_grace_is_longer(clock: str, ended: bool) -> None:
    assert ends(story(*EARLY), clock) is ended


@pytest.mark.parametrize(
    ("grace", "looked", "due"),
    [
        (30, "18:55:05", "18:55:30"),
        (30, "18:54:59", "18:56"),
        (30, None, "18:56"),
        (0, "18:55:05", "18:55:30"),
        (90, None, "18:56:30"),
        (3600, "18:55:05", "19:00"),
    ],
)
def test_nothing_is_done_before_a_look_or_two_polling_intervals(
    grace: int, looked: str | None, due: str
) -> None:
    """At least 30 s and at most 300 s, whatever the policy says (DESIGN §5, line 7)."""
    session = story(*EARLY, policy=Policy(grace_first_worker=seconds(grace)))
    if looked:
        read_at(session, looked)
    assert not ends(session, at(due) - seconds(1))
    assert ends(session, due)


@pytest.mark.parametrize(
    ("heard", "due"),
    [("18:55", "18:55:30"), ("18:55:20", "18:55:30"), ("18:55:21", "18:55:31")],
)
def test_without_a_live_list_the_first_grace_waits_for_no_look(
    heard: str, due: str
) -> None:
    """None would show a worker: late news leave ten seconds for theirs (I1)."""
    session = story(
        started("18:55"),
        replace(joined(BEN, "18:55"), heard_at=at(heard)),
        hands=WEBHOOKS_ONLY,
        policy=Policy(grace_first_worker=seconds(30)),
    )
    assert not ends(session, at(due) - seconds(1))
    assert ends(session, due)


@pytest.mark.parametrize(
    ("grace", "due"), [(120, "18:56:25"), (66, "18:55:31"), (30, "18:55:30")]
)
def test_whom_only_a_look_shows_may_have_come_right_after_the_one_before(
    grace: int, due: str
) -> None:
    """The look before was the last proof that nobody was alone; 30 s remain always."""
    first = shown(BEN, "18:55", "18:54:30", room=e.MAIN_ROOM)
    policy = Policy(grace_first_worker=seconds(grace))
    session = story(started("18:54:30"), first, policy=policy)
    read_at(session, "18:55")
    assert not ends(session, at(due) - seconds(1))
    assert ends(session, due)


def test_the_whole_first_grace_counts_once_somebody_tells_when_they_came() -> None:
    first = shown(BEN, "18:55", "18:54:30", room=e.MAIN_ROOM)
    session = story(started("18:54:30"), first, joined(BEN, "18:54:40"))
    read_at(session, "18:55")
    assert not ends(session, "18:56:39")
    assert ends(session, "18:56:40")


def test_late_news_of_the_first_client_waits_for_the_news_of_the_worker() -> None:
    """The order of the first joins is not promised, least of all after an outage."""
    late = replace(joined(BEN, "18:55"), heard_at=at("19:00"))
    session = story(started("18:55"), late)
    assert not ends(session, "19:00:59")
    assert ends(session, "19:01")
    apply(session, replace(joined(ANNA, "18:54"), heard_at=at("19:00:05")))
    assert asked(session, "19:01") == []


# --- news and looks -------------------------------------------------------------------

GONE = replace(left(ANNA, "19:04:10"), heard_at=at("19:05:10"))


@pytest.mark.parametrize(
    ("heard", "due"),
    [
        ("19:05:09", "19:05:10"),
        ("19:05:10", "19:05:20"),
        ("19:30", "19:30:10"),
    ],
)
def test_news_heard_after_the_deadline_leaves_ten_seconds_to_answer(
    heard: str, due: str
) -> None:
    session = story(*EVENING, replace(GONE, heard_at=at(heard)))
    assert not ends(session, at(due) - seconds(1))
    assert ends(session, due)


@pytest.mark.parametrize(
    ("looked", "due"), [("19:29:59", "19:30:10"), ("19:30", "19:05:10")]
)
def test_unless_the_room_was_read_since(looked: str, due: str) -> None:
    session = read_at(story(*EVENING, replace(GONE, heard_at=at("19:30"))), looked)
    (room,) = rooms(session)
    assert never_alone.deadline(session, room) == at(due)


@pytest.mark.parametrize(
    ("heard", "looked", "looks"),
    [
        ("19:05:09", None, False),
        ("19:05:10", None, True),
        ("19:05:10", "19:05:09", True),
        ("19:05:10", "19:05:10", False),
    ],
)
def test_late_news_asks_for_a_look_at_once(
    heard: str, looked: str | None, looks: bool
) -> None:
    """Not at the next round of looks: with a grace of zero all news is late news."""
    session = story(*EVENING, replace(GONE, heard_at=at(heard)))
    if looked is not None:
        read_at(session, looked)
    found = [wish for wish in asked(session, heard) if isinstance(wish, ReadRoom)]
    expected = ReadRoom(
        key=f"never_alone.look:{MAIN_EPISODE}",
        reason="The news is older than the grace: look at the room before acting.",
        clause="I8",
        rule="never_alone.guard",
        meeting=ROOM,
    )
    assert found == ([expected] if looks else [])


def test_late_news_of_either_worker_counts_as_late() -> None:
    session = story(
        *EVENING,
        joined(SAM),
        replace(left(SAM, "19:04:00"), heard_at=at("19:30")),
        left(ANNA, "19:04:10"),
    )
    assert not ends(session, "19:30:09")
    assert ends(session, "19:30:10")


def test_late_news_of_a_client_who_came_after_the_worker_had_gone() -> None:
    session = story(
        started(),
        joined(ANNA),
        left(ANNA, "19:04:10"),
        replace(joined(BEN, "19:10"), heard_at=at("19:30")),
    )
    assert wakes(session, "19:30") == [at("19:30:10")]


def test_a_worker_found_missing_by_a_look_is_counted_from_the_last_proof() -> None:
    missed = e.ConnectionMissed(
        meeting=ROOM,
        at=at("19:04:20"),
        source=e.Source.POLL,
        uuid="UUID-ANNA",
        last_proof_at=at("19:04:10"),
    )
    session = read_at(story(*EVENING, missed), "19:04:20")
    assert wakes(session, "19:04:20") == [at("19:05:10")]


@pytest.mark.parametrize(
    ("grace", "due"), [(0, "19:04:10"), (300, "19:09:10"), (999, "19:09:10")]
)
def test_the_grace_has_bounds_whatever_the_policy_says(grace: int, due: str) -> None:
    session = read_at(story(*DROPPED, policy=Policy(grace=seconds(grace))), "19:04:11")
    assert not ends(session, at(due) - seconds(1))
    assert ends(session, due)


def test_without_a_grace_and_without_a_look_there_is_still_time_to_answer() -> None:
    """The news is never earlier than the leave, so nobody would be warned at all."""
    told = replace(left(ANNA, "19:04:10"), heard_at=at("19:04:12"))
    session = story(*EVENING, told, policy=Policy(grace=seconds(0)))
    assert wakes(session, "19:04:12") == [at("19:04:22")]


# --- hold first -----------------------------------------------------------------------


def test_where_hands_can_hold_everybody_is_held_before_the_end() -> None:
    session = story(*DROPPED, joined(EVE, "19:02"), joined(RECORDER), hands=CAN_HOLD)
    wishes = asked(session, "19:05:19")
    held = [wish for wish in wishes if isinstance(wish, HoldParticipant)]
    assert held[0] == HoldParticipant(
        key=f"never_alone.hold:{MAIN_EPISODE}:UUID-BEN",
        reason="No worker came back in time: to the waiting room.",
        clause="E1",
        rule="never_alone.guard",
        meeting=ROOM,
        connection="UUID-BEN",
        person_id="ben",
        uuid="UUID-BEN",
        user_id="201",
        registrant_id="reg-ben",
    )
    assert [one.connection for one in held] == ["UUID-BEN", "UUID-EVE"]
    assert wishes[-1] == WakeAt(at("19:05:20"), "held before ended")
    assert not ends(session, "19:05:19")
    assert ends(session, "19:05:20")


def test_once_everybody_is_held_the_room_is_safe() -> None:
    session = story(*DROPPED, hands=CAN_HOLD)
    apply(session, seat(e.ParticipantHeld, BEN, "19:05:13"))
    assert asked(session, "19:05:20") == []


# --- S13: the list changes while people are there -------------------------------------


def without(*gone: str) -> p.SessionPlanned:
    workers = tuple(w for w in plan().workers if w.person_id not in gone)
    return p.SessionPlanned(at=at("19:10"), plan=plan(workers=workers))


def test_s13_the_last_worker_taken_off_the_list_has_the_usual_grace() -> None:
    session = story(*EVENING, without("anna"))
    assert wakes(session, "19:10") == [at("19:11")]
    assert ends(session, "19:11")


def test_s13_also_for_a_worker_who_came_by_their_own_link() -> None:
    session = story(started(), joined(NOOR), joined(BEN, "19:00"), without("noor"))
    assert wakes(session, "19:10") == [at("19:11")]


def test_s13_a_worker_who_left_before_is_counted_from_their_leave() -> None:
    session = story(*EVENING, left(ANNA, "19:09:40"), without("anna"))
    assert wakes(session, "19:10") == [at("19:10:40")]


def test_taking_somebody_off_the_list_who_is_not_there_gives_no_second_grace() -> None:
    session = story(*EVENING, left(ANNA, "19:09:40"), without("noor", "sam"))
    assert wakes(session, "19:10") == [at("19:10:40")]


# --- an end that does not work --------------------------------------------------------

KEY = f"never_alone.end:{MAIN_EPISODE}"


def moved(clock: str, state: p.ActionState, **more: Any) -> p.ActionMoved:
    whole: dict[str, Any] = {
        "at": at(clock),
        "key": KEY,
        "kind": "end_meeting",
        "state": state,
        "cause": "never_alone",
        "meeting": ROOM,
    }
    return p.ActionMoved(**whole | more)


SENT = moved("19:05:10", p.ActionState.SENT)


def rule_says(rule: Any, session: GroupSession, clock: str) -> list[Action | WakeAt]:
    return list(rule(session, at(clock)))


@pytest.mark.parametrize(
    ("clock", "alarm"),
    [("19:05:10", False), ("19:05:19", False), ("19:05:20", True), ("19:06", True)],
)
def test_an_end_not_proved_in_time_goes_to_the_safeguarding_lead(
    clock: str, alarm: bool
) -> None:
    session = story(*DROPPED, SENT)
    wish = AlertStaff(
        key=f"never_alone.not_ended:{KEY}",
        reason="The platform has not ended the call yet. We keep trying.",
        clause="I6",
        rule="never_alone.end_does_not_work",
        level=Level.RED,
        audience=Audience.SAFEGUARDING,
        what_to_do=(
            "Join the call now and end it for everyone, or telephone a worker who can."
        ),
    )
    wait = WakeAt(at("19:05:20"), "is the room proved empty?")
    assert rule_says(never_alone.end_does_not_work, session, clock) == [
        wish if alarm else wait
    ]


def test_the_first_refusal_is_told_at_once() -> None:
    refused = moved("19:05:11", p.ActionState.SENT, problem="429: too many calls")
    session = story(*DROPPED, SENT, refused)
    (wish,) = rule_says(never_alone.end_does_not_work, session, "19:05:11")
    assert isinstance(wish, AlertStaff)


@pytest.mark.parametrize(
    "facts",
    [
        (SENT, ended("19:05:12")),
        (SENT, moved("19:05:13", p.ActionState.CONFIRMED)),
        (SENT, moved("19:05:13", p.ActionState.WITHDRAWN)),
        (moved("19:05:10", p.ActionState.WANTED),),
        (replace(SENT, kind="remove_participant"),),
    ],
)
def test_an_end_that_works_is_no_alarm(facts: tuple[Fact, ...]) -> None:
    session = story(*DROPPED, *facts)
    assert rule_says(never_alone.end_does_not_work, session, "19:10") == []


# --- I8: ended in the moment of a return ----------------------------------------------

RACE = moved("19:05:14", p.ActionState.CONFIRMED, race=True, proof="over")


def test_i8_a_clear_that_met_a_returning_worker_is_told_at_once() -> None:
    session = story(*DROPPED, SENT, ended("19:05:12"), RACE)
    assert rule_says(never_alone.race, session, "19:05:14") == [
        AlertStaff(
            key=f"never_alone.race:{KEY}",
            reason=(
                "The call was ended in the same moment as a worker came back. The "
                "personal links work again."
            ),
            clause="I8",
            rule="never_alone.race",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Press Resume, open the call again and let everybody back in.",
        )
    ]


@pytest.mark.parametrize(
    "then",
    [
        p.SessionResumed(at=at("19:06"), by="anna"),
        p.SessionClosed(at=at("19:06"), by="anna"),
    ],
)
def test_i8_until_a_worker_went_on_or_closed(then: Fact) -> None:
    session = story(*DROPPED, SENT, ended("19:05:12"), RACE, then)
    assert rule_says(never_alone.race, session, "19:07") == []


@pytest.mark.parametrize(
    "fact",
    [
        replace(RACE, race=False),
        replace(RACE, key="ladder.remove:1", kind="remove_participant"),
    ],
)
def test_i8_nothing_is_told_of_other_acts(fact: p.ActionMoved) -> None:
    session = story(*DROPPED, SENT, ended("19:05:12"), fact)
    assert rule_says(never_alone.race, session, "19:07") == []


# --- guards of the guard --------------------------------------------------------------


def test_a_safe_room_has_no_deadline_and_no_episode() -> None:
    (room,) = rooms(story(*EVENING))
    with pytest.raises(ValueError, match="safe room"):
        never_alone.deadline(story(*EVENING), room)


# --- I3: by the best evidence stored --------------------------------------------------


@settings(max_examples=400)
@given(
    facts=EVENINGS,
    now=MOMENTS,
    later=st.integers(0, 400),
    grace=st.sampled_from((0, 30, 60, 300)),
)
def test_i3_no_clear_while_a_worker_was_there_within_the_grace(
    facts: list[e.MeetingEvent], now: datetime, later: int, grace: int
) -> None:
    session = folded(facts)
    session.policy = Policy(grace=seconds(grace))
    session.version += 1
    moment = now + timedelta(seconds=later)
    for action in decide(session, moment).actions:
        if isinstance(action, EndMeeting) and action.cause is EndCause.NEVER_ALONE:
            name = action.key.split(":")[2]
            assert not _worker_was_there(session, action, name, moment, grace)


def _worker_was_there(
    session: GroupSession, action: EndMeeting, room: str, now: datetime, grace: int
) -> bool:
    instance = session.instances[action.meeting]
    known = who_is_who(session, instance)
    since = now - seconds(grace)
    return any(
        stay.end is None or since < stay.end <= now
        for _, stay in stays_of(instance, known, workers=True, room=room)
        if stay.begins <= now
    )


@settings(max_examples=200)
@given(facts=EVENINGS)
def test_i1_an_unsafe_room_always_has_an_alert_and_a_deadline_or_an_act(
    facts: list[e.MeetingEvent],
) -> None:
    """No run of events leaves the deadline un-armed, and it is always ended at last."""
    session = folded(facts)
    unsafe = [room for room in rooms(session) if room.unsafe_since is not None]
    for room in unsafe:
        due = never_alone.deadline(session, room)
        before, after = asked(session, due - seconds(1)), asked(session, due)
        assert any(isinstance(w, WakeAt) and w.at == due for w in before)
        assert any(
            isinstance(w, EndMeeting) and w.meeting == room.instance.ref for w in after
        )


def test_somebody_who_says_to_be_a_worker_is_at_no_risk_alone() -> None:
    anna = WorkerSlot(
        person_id="anna",
        role=Role.LEAD,
        platform_user_id="zoom-anna",
        shared_login=True,
    )
    alone = story(started(), joined(ANNA, "18:58"), the_plan=plan(workers=(anna,)))
    assert asked(alone, "19:30") == []

    apply(alone, joined(BEN, "19:00"))
    assert asked(alone, "19:30") != []


def through_rooms(*more: Any) -> GroupSession:
    """Anna's line dies at 19:04:10; Ben, alone in the main room, goes to a side room."""
    gone = seat(e.ParticipantLeft, ANNA, "19:04:10")
    return story(*EVENING, gone, aside(BEN, "19:05"), *more)


def test_going_to_another_room_buys_no_time_alone() -> None:
    """I1b: the grace follows the young person, not the room."""
    session = through_rooms()
    assert not ends(session, "19:05:09")
    assert ends(session, "19:05:10")


def test_nor_does_coming_back_and_going_on() -> None:
    back = seat(e.BreakoutLeft, BEN, "19:05:04", room="blue")
    session = through_rooms(back, aside(BEN, "19:05:06", "green"))
    assert not ends(session, "19:05:09")
    assert ends(session, "19:05:10")


def test_who_comes_to_a_room_that_a_worker_just_left_waits_for_that_worker() -> None:
    session = story(
        *EVENING,
        joined(SAM),
        joined(CHLOE, "19:00"),
        aside(CHLOE, "19:03"),
        aside(SAM, "19:03"),
        seat(e.ParticipantLeft, ANNA, "19:04:10"),
        seat(e.ParticipantLeft, SAM, "19:05:01"),
        aside(BEN, "19:05:05"),
    )
    assert not ends(session, "19:06")
    assert ends(session, "19:06:01")


def test_a_worker_met_on_the_way_begins_the_time_anew() -> None:
    session = story(
        *EVENING,
        joined(SAM),
        aside(SAM, "19:03"),
        seat(e.ParticipantLeft, ANNA, "19:04:10"),
        aside(BEN, "19:04:30"),
        aside(BEN, "19:05", "green"),
    )
    assert not ends(session, "19:05:59")
    assert ends(session, "19:06")


@pytest.mark.parametrize(
    ("back_at", "ends_at"), [("19:05:05", "19:05:10"), ("19:05:11", "19:06:11")]
)
def test_only_a_return_within_the_grace_is_the_same_time_alone(
    back_at: str, ends_at: str
) -> None:
    session = story(
        *EVENING,
        seat(e.ParticipantLeft, ANNA, "19:04:10"),
        seat(e.ParticipantLeft, BEN, "19:04:11"),
        joined(BEN, back_at),
        aside(BEN, back_at),
    )
    assert ends(session, ends_at)
