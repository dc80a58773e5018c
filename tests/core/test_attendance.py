"""Attendance: who was there, from when to when, and what stands out (guidance E3, I13)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.attendance import Flag, Line, Original, Part, attendance
from app.core.connections import Stay
from app.core.fold import Fact
from app.core.plan import Role
from app.core.session import GroupSession
from app.core.spans import Span
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    seat,
    seconds,
    started,
    story,
    waiting,
)

AFTER = "20:30"
OPEN: tuple[Fact, ...] = (started(), joined(ANNA, "18:53"), joined(SAM, "18:54"))


def line_of(
    session: GroupSession, line: str = "person:ben", clock: str = AFTER
) -> Line:
    return next(row for row in attendance(session, at(clock)) if row.line == line)


def ben(*facts: Fact, clock: str = AFTER) -> Line:
    return line_of(story(*OPEN, *facts), clock=clock)


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


def test_before_anybody_came_everybody_on_the_list_has_a_line() -> None:
    rows = attendance(story(), at("18:30"))

    assert [(r.line, r.part, r.role, r.expected, r.flags) for r in rows] == [
        ("person:anna", Part.WORKER, Role.LEAD, True, frozenset()),
        ("person:sam", Part.WORKER, Role.SUPPORT, True, frozenset()),
        ("person:noor", Part.WORKER, Role.STANDBY, False, frozenset()),
        ("person:ben", Part.CLIENT, None, True, frozenset()),
        ("person:chloe", Part.CLIENT, None, True, frozenset()),
        ("person:dev", Part.CLIENT, None, True, frozenset()),
    ]


def test_without_a_plan_there_are_only_unknown_lines() -> None:
    session = GroupSession("empty")

    assert attendance(session, at("19:00")) == ()


@pytest.mark.parametrize(("clock", "absent"), [("18:59:59", False), ("19:00", True)])
def test_absent_from_the_start_on_and_never_the_standby(
    clock: str, absent: bool
) -> None:
    rows = attendance(story(), at(clock))

    assert (Flag.ABSENT in line_of(story(), clock=clock).flags) is absent
    assert Flag.ABSENT not in next(r for r in rows if r.person_id == "noor").flags


def test_one_whole_line() -> None:
    assert ben(waiting(BEN, "18:57"), joined(BEN, "18:58"), left(BEN, "20:00")) == Line(
        line="person:ben",
        person_id="ben",
        part=Part.CLIENT,
        expected=True,
        matched_by="Came in by their own link.",
        connections=("UUID-BEN",),
        shown=("Ben",),
        stays=(
            Stay(
                "main",
                at("18:58"),
                at("20:00"),
                cause="unknown",
                end_heard_at=at("20:00"),
            ),
        ),
        spans=(span("18:58", "20:00"),),
        waits=(span("18:57", "18:58"),),
        joined_at=at("18:58"),
        left_at=at("20:00"),
        present=timedelta(minutes=62),
        waited=timedelta(minutes=1),
        flags=frozenset({Flag.PRESENT}),
    )


def test_who_is_still_there_has_no_end_yet() -> None:
    line = ben(joined(BEN, "19:00"), clock="19:10:29")

    assert (line.joined_at, line.left_at, line.minutes) == (at("19:00"), None, 10)


@pytest.mark.parametrize(
    ("length", "minutes"), [(29, 0), (30, 1), (31, 1), (89, 1), (90, 2), (0, 0)]
)
def test_minutes_are_to_the_nearest(length: int, minutes: int) -> None:
    end = (at("19:00") + seconds(length)).strftime("%H:%M:%S")

    assert ben(joined(BEN, "19:00"), left(BEN, end)).minutes == minutes


# --- several connections ----------------------------------------------------------


def test_two_devices_are_one_person_and_no_second_counts_twice() -> None:
    phone = again(BEN)
    known = p.ConnectionVouched(
        at=at("19:06"), by="sam", connection="UUID-BEN-2", person_id="ben", how="asked"
    )
    line = ben(
        joined(BEN, "19:00"),
        joined(phone, "19:05"),
        known,
        left(BEN, "19:10"),
        left(phone, "20:00"),
    )

    assert line.connections == ("UUID-BEN", "UUID-BEN-2")
    assert line.spans == (span("19:00", "20:00"),)
    assert line.present == timedelta(hours=1)
    assert line.flags == {Flag.PRESENT}


def test_a_dropped_line_is_two_intervals_of_one_person() -> None:
    line = ben(
        joined(BEN, "19:00"),
        left(BEN, "19:20"),
        joined(again(BEN), "19:25"),
        left(again(BEN), "20:00"),
    )

    assert line.spans == (span("19:00", "19:20"), span("19:25", "20:00"))
    assert line.minutes == 55
    assert line.flags == {Flag.PRESENT, Flag.RETURNED}


def test_a_breakout_room_is_still_presence() -> None:
    line = ben(
        joined(BEN, "19:00"),
        seat(e.BreakoutJoined, BEN, "19:20", room="b1"),
        seat(e.BreakoutLeft, BEN, "19:30", room="b1"),
        left(BEN, "20:00"),
    )

    assert [stay.room for stay in line.stays] == ["main", "b1", "main"]
    assert (line.spans, line.flags) == (
        (span("19:00", "20:00"),),
        frozenset({Flag.PRESENT}),
    )


def test_a_session_over_two_meetings_is_one_line() -> None:
    second = e.MeetingRef(
        platform="zoom", meeting_id=ROOM.meeting_id, instance="second=="
    )
    moves = (
        e.MeetingStarted(meeting=second, at=at("19:25")),
        replace(joined(again(BEN), "19:26"), meeting=second),
        replace(left(again(BEN), "20:00"), meeting=second),
    )
    line = ben(joined(BEN, "19:00"), ended("19:20"), *moves)

    assert line.spans == (span("19:00", "19:20"), span("19:26", "20:00"))


def test_equal_names_are_never_merged() -> None:
    twin = {"uuid": "UUID-TWIN", "user_id": "909", "name": "Ben"}
    session = story(*OPEN, joined(BEN, "19:00"), joined(twin, "19:05"))

    assert line_of(session).connections == ("UUID-BEN",)
    unknown = line_of(session, "connection:UUID-TWIN")
    assert (unknown.person_id, unknown.part, unknown.shown) == (
        "",
        Part.UNKNOWN,
        ("Ben",),
    )


def test_two_strangers_are_two_lines_and_a_recorder_is_a_bot() -> None:
    otter = {"uuid": "UUID-OTTER", "user_id": "910", "name": "Otter.ai Notetaker"}
    session = story(
        *OPEN, joined(EVE, "19:00"), joined(again(EVE), "19:01"), joined(otter, "19:02")
    )

    rows = [(r.line, r.part, r.expected) for r in attendance(session, at(AFTER))[6:]]

    assert rows == [
        ("connection:UUID-EVE", Part.UNKNOWN, False),
        ("connection:UUID-EVE-2", Part.UNKNOWN, False),
        ("connection:UUID-OTTER", Part.BOT, False),
    ]


def test_a_doubtful_user_of_a_link_never_writes_into_its_owners_line() -> None:
    session = story(*OPEN, joined(BEN, "19:00"), joined(again(BEN), "19:05"))

    assert line_of(session).connections == ("UUID-BEN",)
    assert line_of(session, "connection:UUID-BEN-2").person_id == ""


def test_somebody_who_says_to_be_a_worker_is_not_written_down_as_one() -> None:
    fake = {"uuid": "UUID-FAKE", "user_id": "911", "name": "Anna Price"}
    session = story(started(), joined(fake, "19:00"))

    assert Flag.ABSENT in line_of(session, "person:anna").flags
    assert line_of(session, "connection:UUID-FAKE").part is Part.UNKNOWN


# --- what stands out --------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "late"), [("19:04:59", False), ("19:05:00", False), ("19:05:01", True)]
)
def test_late_is_more_than_five_minutes(clock: str, late: bool) -> None:
    line = ben(joined(BEN, clock), left(BEN, "20:00"))

    assert (Flag.LATE in line.flags) is late


@pytest.mark.parametrize(
    ("clock", "early"), [("19:54:59", True), ("19:55:00", False), ("19:55:01", False)]
)
def test_early_is_more_than_five_minutes_before_the_end(
    clock: str, early: bool
) -> None:
    line = ben(joined(BEN, "19:00"), left(BEN, clock))

    assert (Flag.LEFT_EARLY in line.flags) is early


@pytest.mark.parametrize(("clock", "early"), [("19:59:59", False), ("20:00", True)])
def test_nobody_has_left_early_while_they_may_return(clock: str, early: bool) -> None:
    line = ben(joined(BEN, "19:00"), left(BEN, "19:20"), clock=clock)

    assert (Flag.LEFT_EARLY in line.flags) is early


def test_leaving_with_an_early_goodbye_is_not_leaving_early() -> None:
    goodbye = p.ClosingPressed(at=at("19:40"), by="anna")

    assert ben(joined(BEN, "19:00"), goodbye, left(BEN, "19:40:05")).flags == {
        Flag.PRESENT
    }
    assert (
        Flag.LEFT_EARLY in ben(joined(BEN, "19:00"), left(BEN, "19:34"), goodbye).flags
    )


def test_a_call_that_was_ended_is_nobodys_leaving_early() -> None:
    assert ben(joined(BEN, "19:00"), ended("19:20")).flags == {Flag.PRESENT}


def removal(key: str, **more: Any) -> p.ActionMoved:
    given: dict[str, Any] = {
        "connection": "UUID-BEN",
        "state": p.ActionState.CONFIRMED,
        **more,
    }
    return p.ActionMoved(
        at=at("19:20:03"), key=key, kind="remove_participant", meeting=ROOM, **given
    )


def test_removed_by_a_worker_or_the_bot() -> None:
    gone = (joined(BEN, "19:00"), left(BEN, "19:20"))

    assert ben(*gone, removal("ladder.remove:x")).flags == {Flag.PRESENT, Flag.REMOVED}
    unproved = removal("ladder.remove:x", state=p.ActionState.SENT)
    assert Flag.REMOVED not in ben(*gone, unproved).flags


def test_removed_by_a_host_in_the_meeting() -> None:
    line = ben(joined(BEN, "19:00"), left(BEN, "19:20", cause=e.LeaveCause.REMOVED))

    assert line.flags == {Flag.PRESENT, Flag.REMOVED}


def test_a_goodbye_is_not_a_removal() -> None:
    goodbye = p.ClosingPressed(at=at("19:59"), by="anna")
    out = left(BEN, "20:00", cause=e.LeaveCause.REMOVED)

    assert ben(joined(BEN, "19:00"), goodbye, out, removal("closing.out:x")).flags == {
        Flag.PRESENT
    }


def test_who_only_waited_was_turned_away_and_time_at_the_door_is_no_presence() -> None:
    line = ben(waiting(BEN, "19:00"), seat(e.ParticipantStoppedWaiting, BEN, "19:07"))

    assert line.flags == {Flag.ABSENT, Flag.TURNED_AWAY}
    assert (line.waited, line.present) == (timedelta(minutes=7), timedelta(0))


def test_who_waits_now_is_waiting() -> None:
    assert ben(waiting(BEN, "19:00"), clock="19:07").flags == {
        Flag.ABSENT,
        Flag.WAITING,
    }


def test_held_people_wait_again() -> None:
    line = ben(
        joined(BEN, "19:00"),
        seat(e.ParticipantHeld, BEN, "19:10"),
        joined(BEN, "19:15"),
        left(BEN, "20:00"),
    )

    assert line.waits == (span("19:10", "19:15"),)
    assert line.spans == (span("19:00", "19:10"), span("19:15", "20:00"))


def test_an_old_roster_does_not_put_anybody_back_at_the_door() -> None:
    stale = seat(e.ConnectionSeen, BEN, "19:00:30", waiting=True)

    assert ben(joined(BEN, "19:00"), stale, left(BEN, "20:00")).waits == ()


def test_waiting_ends_with_the_meeting() -> None:
    assert ben(waiting(BEN, "19:50"), ended("20:00")).waits == (span("19:50", "20:00"),)


def test_a_leave_without_a_join_has_an_unknown_start() -> None:
    line = ben(left(BEN, "20:00"))

    assert (line.joined_at, line.left_at, line.minutes) == (None, at("20:00"), 0)
    assert line.flags == {Flag.PRESENT, Flag.UNKNOWN_START}


def test_presence_seen_only_by_poll_says_so() -> None:
    line = ben(seat(e.ConnectionSeen, BEN, "19:00:20"), left(BEN, "20:00"))

    assert line.flags == {Flag.PRESENT, Flag.OBSERVED_BY_POLL}


@pytest.mark.parametrize(
    ("clock", "clipped"), [("20:29:59", False), ("20:30:00", False), ("20:30:01", True)]
)
def test_times_in_the_future_are_cut_at_now(clock: str, clipped: bool) -> None:
    line = ben(joined(BEN, "19:00"), left(BEN, clock))

    assert (Flag.CLIPPED in line.flags) is clipped
    assert (line.left_at or datetime.max.replace(tzinfo=at("19:00").tzinfo)) <= at(
        AFTER
    )


@pytest.mark.parametrize(
    ("clock", "clipped"), [("17:59:59", True), ("18:00:00", False), ("18:00:01", False)]
)
def test_times_before_the_meeting_opened_are_cut(clock: str, clipped: bool) -> None:
    line = ben(joined(BEN, clock), left(BEN, "20:00"))

    assert (Flag.CLIPPED in line.flags) is clipped
    assert line.joined_at is not None
    assert line.joined_at >= at("18:00")


def test_a_stay_wholly_outside_is_flagged_and_not_counted() -> None:
    line = ben(joined(BEN, "20:40"), left(BEN, "20:45"))

    assert line.flags == {Flag.ABSENT, Flag.CLIPPED}
    assert line.stays == ()


# --- corrections ------------------------------------------------------------------


def amended(line: str, clock: str = "20:10", **more: Any) -> p.AttendanceAmended:
    return p.AttendanceAmended(
        at=at(clock), by="anna", line=line, reason="saw it", **more
    )


STAYED = (joined(BEN, "19:10"), left(BEN, "19:50"))


def test_a_corrected_join_keeps_the_original() -> None:
    correction = amended("person:ben", joined_at=at("19:00"))
    line = ben(*STAYED, correction)

    assert line.spans == (span("19:00", "19:50"),)
    assert (line.joined_at, line.left_at, line.minutes) == (
        at("19:00"),
        at("19:50"),
        50,
    )
    assert line.original == Original(at("19:10"), at("19:50"), timedelta(minutes=40))
    assert line.amendments == (correction,)
    assert line.flags == {Flag.PRESENT, Flag.AMENDED, Flag.LEFT_EARLY}
    assert [stay.start for stay in line.stays] == [at("19:10")]


def test_a_corrected_leave_and_a_later_correction_wins() -> None:
    line = ben(
        *STAYED,
        amended("person:ben", "20:12", left_at=at("19:58")),
        amended("person:ben", "20:11", left_at=at("20:00")),
    )

    assert line.spans == (span("19:10", "19:58"),)
    assert line.flags == {Flag.PRESENT, Flag.AMENDED, Flag.LATE}
    assert len(line.amendments) == 2


def test_a_correction_may_shorten() -> None:
    line = ben(
        *STAYED, amended("person:ben", joined_at=at("19:20"), left_at=at("19:30"))
    )

    assert (line.spans, line.minutes) == ((span("19:20", "19:30"),), 10)


def test_somebody_the_bot_missed_is_written_in() -> None:
    absent = amended("person:ben", joined_at=at("19:00"), left_at=at("20:00"))
    line = ben(absent)

    assert (line.minutes, line.flags) == (60, frozenset({Flag.PRESENT, Flag.AMENDED}))
    assert line.original == Original(None, None, timedelta(0))


def test_half_a_correction_of_an_absent_person_makes_no_presence() -> None:
    assert ben(amended("person:ben", joined_at=at("19:00"))).present == timedelta(0)
    assert ben(amended("person:ben", left_at=at("19:00"))).present == timedelta(0)


def test_an_unknown_line_that_was_ben_goes_to_ben() -> None:
    session = story(
        *OPEN,
        joined(EVE, "19:00"),
        left(EVE, "20:00"),
        amended("connection:UUID-EVE", person_id="ben"),
    )

    line = line_of(session)
    assert line.connections == ("UUID-EVE",)
    assert line.flags == {Flag.PRESENT, Flag.AMENDED}
    assert line.original == Original(None, None, timedelta(0))
    assert [r.line for r in attendance(session, at(AFTER))][6:] == []


def test_bens_link_was_used_by_chloe_says_a_worker() -> None:
    session = story(*OPEN, *STAYED, amended("person:ben", person_id="chloe"))

    assert line_of(session, "person:chloe").minutes == 40
    assert line_of(session).flags == {Flag.ABSENT, Flag.AMENDED}
    assert line_of(session).original == Original(
        at("19:10"), at("19:50"), timedelta(minutes=40)
    )


def test_a_correction_to_nobody_on_the_list_leaves_the_line_where_it_is() -> None:
    session = story(
        *OPEN, joined(EVE, "19:00"), amended("connection:UUID-EVE", person_id="zoe")
    )

    assert line_of(session, "connection:UUID-EVE").person_id == ""


def test_times_of_one_corrected_connection_do_not_move_the_others() -> None:
    correction = amended(
        "connection:UUID-EVE",
        person_id="ben",
        joined_at=at("19:20"),
        left_at=at("19:30"),
    )
    line = line_of(
        story(*OPEN, *STAYED, joined(EVE, "19:00"), left(EVE, "19:05"), correction)
    )

    assert line.spans == (span("19:00", "19:05"), span("19:10", "19:50"))


# --- whatever the order -----------------------------------------------------------


def test_the_table_does_not_depend_on_the_order_of_arrival() -> None:
    facts = (
        *OPEN,
        waiting(BEN, "18:57"),
        joined(BEN, "18:58"),
        joined(CHLOE, "18:59"),
        joined(DEV, "19:10"),
        left(BEN, "19:20"),
        joined(again(BEN), "19:21"),
        ended("20:00"),
    )

    there = attendance(story(*facts), at(AFTER))
    back = attendance(story(*reversed(facts)), at(AFTER))
    twice = attendance(story(*facts, *facts), at(AFTER))

    assert there == back == twice
