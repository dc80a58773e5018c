"""The platform's report fills gaps, and takes nothing away (invariant I13)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import events as e
from app.core import fold
from app.core.attendance import Flag, Line, attendance
from app.core.events import MeetingRef, Seat
from app.core.reconcile import ReportRow, reconcile
from app.core.session import GroupSession
from app.core.spans import Span, minus, total
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
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

LATER = at("20:30")


def row(person: dict[str, str], joins: str, leaves: str, **more: Any) -> ReportRow:
    return ReportRow(
        meeting=ROOM,
        seat=Seat(**person),
        joined_at=at(joins),
        left_at=at(leaves),
        **more,
    )


def line_of(session: GroupSession, line: str = "person:ben") -> Line:
    return next(row for row in attendance(session, LATER) if row.line == line)


def filled(session: GroupSession, *rows: ReportRow) -> GroupSession:
    """Apply what the report adds; asking a second time must add nothing."""
    for fact in reconcile(session, rows):
        assert fact.source is e.Source.REPORT
        fold.apply(session, fact)
    assert reconcile(session, rows) == []
    return session


def spans_of(
    session: GroupSession, line: str = "person:ben"
) -> list[tuple[datetime, datetime]]:
    return [(span.start, span.end) for span in line_of(session, line).spans]


QUIET = (started(), joined(ANNA, "18:53"), joined(BEN, "18:58"), left(BEN, "19:59"))


def test_a_report_that_agrees_adds_nothing() -> None:
    assert reconcile(story(*QUIET), [row(BEN, "18:58", "19:59")]) == []
    assert reconcile(story(*QUIET), []) == []


@pytest.mark.parametrize(
    ("leaves", "adds"), [("19:59:01", 0), ("19:59:02", 0), ("19:59:03", 2)]
)
def test_a_difference_of_two_seconds_is_rounding(leaves: str, adds: int) -> None:
    assert len(reconcile(story(*QUIET), [row(BEN, "18:58", leaves)])) == adds


def test_a_shorter_row_never_shortens_a_line() -> None:
    session = story(*QUIET)

    assert reconcile(session, [row(BEN, "19:10", "19:20")]) == []


def test_a_client_nobody_told_us_of_gets_a_line() -> None:
    session = filled(story(*QUIET), row(CHLOE, "19:01", "19:30"))

    assert spans_of(session, "person:chloe") == [(at("19:01"), at("19:30"))]
    assert Flag.FROM_REPORT in line_of(session, "person:chloe").flags
    assert Flag.FROM_REPORT not in line_of(session).flags


def test_a_stranger_in_the_report_gets_a_line_of_their_own() -> None:
    ben_too = {"user_id": "777", "name": "Ben"}
    session = filled(story(*QUIET), row(ben_too, "19:05", "19:06"))

    assert spans_of(session, "connection:seat:777") == [(at("19:05"), at("19:06"))]
    assert spans_of(session) == [(at("18:58"), at("19:59"))]


def test_an_unseen_join_gets_its_beginning() -> None:
    session = story(started(), left(BEN, "19:59"))
    assert Flag.UNKNOWN_START in line_of(session).flags

    filled(session, row(BEN, "18:58", "19:59"))

    assert spans_of(session) == [(at("18:58"), at("19:59"))]
    assert Flag.UNKNOWN_START not in line_of(session).flags


def test_a_gap_between_two_stays_is_closed() -> None:
    session = story(
        started(), joined(BEN, "18:58"), left(BEN, "19:10"), joined(BEN, "19:20")
    )
    fold.apply(session, left(BEN, "19:59"))

    filled(session, row(BEN, "18:58", "19:59"))

    assert total(
        minus([Span(at("18:58"), at("19:59"))], line_of(session).spans)
    ) < seconds(1)


def test_presence_seen_only_by_poll_is_sharpened_on_both_sides() -> None:
    seen = seat(e.ConnectionSeen, BEN, "18:58:25")
    missed = seat(e.ConnectionMissed, BEN, "19:30:20", last_proof_at=at("19:29:50"))
    session = story(started(), seen, missed)

    filled(session, row(BEN, "18:58:03", "19:30:11"))

    assert spans_of(session) == [(at("18:58:03"), at("19:30:11"))]


def test_a_report_tells_whose_link_it_was_that_only_the_list_had_shown() -> None:
    bare = {name: value for name, value in BEN.items() if name != "registrant_id"}
    seen = seat(e.ConnectionSeen, bare, "18:58", source=e.Source.POLL)
    session = story(started(), joined(ANNA, "18:53"), seen, left(bare, "19:59"))
    assert "person:ben" not in {
        row.line for row in attendance(session, LATER) if row.joined_at
    }

    filled(session, row(BEN, "18:58", "19:59"))

    assert spans_of(session) == [(at("18:58"), at("19:59"))]


def test_presence_goes_on_after_a_read_that_missed_somebody() -> None:
    seen = seat(e.ConnectionSeen, BEN, "18:58")
    missed = seat(e.ConnectionMissed, BEN, "19:30:20", last_proof_at=at("19:29:50"))
    session = filled(story(started(), seen, missed), row(BEN, "18:58", "19:59"))

    assert total(
        minus([Span(at("18:58"), at("19:59"))], line_of(session).spans)
    ) < seconds(1)
    assert line_of(session).left_at == at("19:59")


def test_a_leave_nobody_told_us_of_is_taken_from_the_report() -> None:
    session = story(
        started(), joined(ANNA, "18:53"), joined(BEN, "18:58"), ended("20:00")
    )
    assert line_of(session).left_at == at("20:00")

    filled(session, row(BEN, "18:58", "19:40"))

    assert spans_of(session) == [(at("18:58"), at("19:40"))]


def test_a_proof_after_the_reported_leave_wins() -> None:
    session = story(started(), joined(BEN, "18:58"), ended("20:00"))
    instance, ben = session.find("UUID-BEN") or pytest.fail("no Ben")
    ben.proved_at = at("19:50")

    assert reconcile(session, [row(BEN, "18:58", "19:40")]) == []
    assert instance.ref == ROOM


def test_nothing_reaches_past_the_end_of_the_meeting() -> None:
    session = story(started(), ended("20:00"))

    filled(session, row(BEN, "18:58", "20:05"))

    assert spans_of(session) == [(at("18:58"), at("20:00"))]


def test_a_row_that_names_only_a_link_finds_its_connections() -> None:
    only_link = {"registrant_id": "reg-ben", "name": "B."}
    session = story(*QUIET[:3], left(BEN, "19:10"), joined(again(BEN), "19:11"))
    fold.apply(session, left(again(BEN), "19:59"))

    assert (
        reconcile(
            session,
            [row(only_link, "18:58", "19:10"), row(only_link, "19:11", "19:59")],
        )
        == []
    )
    filled(session, row(only_link, "18:56", "19:10"))
    assert spans_of(session)[0][0] == at("18:56")


def test_a_row_that_names_nothing_is_a_line_of_its_own() -> None:
    session = filled(story(*QUIET), row({"name": "Ben"}, "19:05", "19:25"))

    unknown = line_of(session, f"connection:report:unnamed:{at('19:05').isoformat()}")
    assert (unknown.person_id, unknown.minutes) == ("", 20)


def test_who_only_waited_was_turned_away() -> None:
    session = filled(story(*QUIET), row(EVE, "19:05", "19:09", waiting=True))

    eve = line_of(session, "connection:UUID-EVE")
    assert eve.flags == {Flag.TURNED_AWAY, Flag.FROM_REPORT}
    assert eve.waited == timedelta(minutes=4)


def test_waiting_rows_of_people_we_know_change_nothing() -> None:
    session = story(*QUIET, waiting(EVE, "19:05"))

    assert reconcile(session, [row(BEN, "18:50", "18:58", waiting=True)]) == []
    assert reconcile(session, [row(EVE, "19:05", "19:05", waiting=True)]) == []


def test_rows_of_other_meetings_and_rows_that_make_no_sense_are_left_out() -> None:
    elsewhere = ReportRow(
        meeting=MeetingRef(platform="zoom", meeting_id="999", instance="x"),
        seat=Seat(**CHLOE),
        joined_at=at("19:00"),
        left_at=at("19:30"),
    )

    there = story(*QUIET, joined(CHLOE, "19:00"))

    assert reconcile(there, [elsewhere, row(CHLOE, "19:30", "19:10")]) == []


MINUTES = st.integers(min_value=1, max_value=90)


def clock(minute: int) -> str:
    return f"{18 + (30 + minute) // 60:02}:{(30 + minute) % 60:02}"


@given(
    st.lists(
        st.tuples(MINUTES, st.sampled_from("JLSMWH")),
        max_size=8,
        unique_by=lambda x: x[0],
    ),
    st.lists(st.tuples(MINUTES, MINUTES), max_size=4),
    st.booleans(),
)
def test_no_report_ever_takes_proved_presence_away(
    happened: list[tuple[int, str]], reported: list[tuple[int, int]], over: bool
) -> None:
    kinds: dict[str, Any] = {
        "J": e.ParticipantJoined,
        "L": e.ParticipantLeft,
        "S": e.ConnectionSeen,
        "W": e.ParticipantWaiting,
        "H": e.ParticipantHeld,
    }
    session = story(e.MeetingStarted(meeting=ROOM, at=at("18:20")))
    for minute, letter in happened:
        if letter == "M":
            fact = seat(
                e.ConnectionMissed,
                BEN,
                clock(minute),
                last_proof_at=at(clock(minute - 1)),
            )
        else:
            fact = seat(kinds[letter], BEN, clock(minute))
        fold.apply(session, fact)
    if over:
        fold.apply(session, ended("20:10"))
    before = _told(session)
    rows = [row(BEN, clock(min(pair)), clock(max(pair))) for pair in reported]

    for fact in reconcile(session, rows):
        fold.apply(session, fact)

    assert total(minus(before, line_of(session).spans)) < seconds(1)


def _told(session: GroupSession) -> list[Span]:
    """Presence whose beginning and end were both told, as events alone have it."""
    return [
        Span(stay.start, stay.end)
        for stay in line_of(session).stays
        if stay.start is not None and stay.end is not None and stay.cause != "ended"
    ]
