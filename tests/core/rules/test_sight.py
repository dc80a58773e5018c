"""Silence is alarming (I9; DESIGN §5, line 8): the rule, and what it rests on."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import sight
from app.core.actions import AlertStaff, Audience, Level, ReadRoom, WakeAt, Wish
from app.core.fold import Fact, apply
from app.core.policy import Policy
from app.core.rules import sight as rule
from app.core.safety_times import blind
from app.core.session import GroupSession, Instance
from tests.core.builders import (
    ALL_HANDS,
    ANNA,
    BEN,
    ROOM,
    SAM,
    at,
    ended,
    joined,
    left,
    read_at,
    seat,
    seconds,
    set_up,
    started,
    story,
)

EVENING = (started(), joined(ANNA), joined(SAM), joined(BEN, "19:00"))
WEBHOOKS_ONLY = replace(ALL_HANDS, live_roster=False)


def here(session: GroupSession) -> Instance:
    return session.instances[ROOM]


def lost(clock: str, why: str = "The platform does not answer us.") -> e.SightLost:
    return e.SightLost(meeting=ROOM, at=at(clock), source=e.Source.POLL, why=why)


def regained(clock: str) -> e.SightRegained:
    return e.SightRegained(meeting=ROOM, at=at(clock), source=e.Source.POLL)


# --- how often we look ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "policy", "pace"),
    [
        ((), Policy(), 30),
        ((left(SAM, "19:10"),), Policy(), 10),
        ((), Policy(grace=seconds(0)), 10),
        ((left(SAM, "19:10"), left(ANNA, "19:10")), Policy(), 5),
        ((left(SAM, "19:10"), left(ANNA, "19:10"), left(BEN, "19:10")), Policy(), 10),
        ((seat(e.BreakoutJoined, BEN, "19:10", room="blue"),), Policy(), 5),
    ],
)
def test_the_fewer_workers_the_more_often_we_look(
    facts: tuple[Fact, ...], policy: Policy, pace: int
) -> None:
    session = story(*EVENING, *facts, policy=policy)
    assert sight.interval(session, here(session)) == seconds(pace)


# --- from when on we are blind --------------------------------------------------------


def blind_from(session: GroupSession) -> tuple[datetime, datetime]:
    since, blind, _ = sight.blind_at(session, here(session))
    return since, blind


def changes(session: GroupSession, clock: str) -> list[Any]:
    return sight.changes(session, at(clock))


@pytest.mark.parametrize(("clock", "told"), [("19:10:29", False), ("19:10:30", True)])
def test_thirty_seconds_after_the_first_failed_read(clock: str, told: bool) -> None:
    session = read_at(story(*EVENING), "19:10")
    here(session).failing_since = at("19:10")
    assert changes(session, clock) == ([lost("19:10")] if told else [])


@pytest.mark.parametrize(
    ("gone", "blind"), [((), "19:10:45"), ((left(SAM, "19:05"),), "19:10:25")]
)
def test_or_when_the_last_proof_is_too_old(gone: tuple[Fact, ...], blind: str) -> None:
    """P + 2T + 5 s: 45 s with two workers, 25 s with one."""
    session = read_at(story(*EVENING, *gone), "19:10")
    assert blind_from(session) == (at("19:10"), at(blind))
    why = "The room has not been read for too long."
    assert changes(session, blind) == [lost("19:10", why)]


def test_a_room_never_read_counts_from_its_opening() -> None:
    session = story(started("18:52"), joined(ANNA, "18:51"))
    assert blind_from(session) == (at("18:51"), at("18:51:25"))
    stale = read_at(story(started("18:52")), "18:40")
    here(stale).proof_at = at("18:40")
    assert blind_from(stale)[0] == at("18:52")


@pytest.mark.parametrize(
    ("heard", "checked", "since"),
    [
        ("19:10", "19:09", "19:10"),
        ("19:10", "19:11", "19:11"),
        (None, "19:11", "19:11"),
        (None, None, "18:52"),
    ],
)
def test_without_a_live_roster_any_news_or_the_status_is_a_proof(
    heard: str | None, checked: str | None, since: str
) -> None:
    session = story(*EVENING, hands=WEBHOOKS_ONLY)
    here(session).heard_at = at(heard) if heard else None
    here(session).checked_at = at(checked) if checked else None
    assert blind_from(session) == (at(since), at(since) + seconds(45))


def test_without_a_live_roster_a_failing_heartbeat_blinds_as_well() -> None:
    session = story(*EVENING, hands=WEBHOOKS_ONLY)
    here(session).failing_since = at("19:10")
    assert blind_from(session) == (at("19:10"), at("19:10:30"))


def test_started_and_nothing_heard_since_is_alarming() -> None:
    """The platform says that it runs, and the status is read, but no webhook comes."""
    session = story(started("18:52"), hands=WEBHOOKS_ONLY)
    here(session).checked_at = at("18:52:25")
    assert blind_from(session) == (at("18:52"), at("18:52:30"))
    why = "The meeting runs and no webhook has come."
    assert changes(session, "18:52:30") == [lost("18:52", why)]


def test_not_twice_while_it_lasts_and_regained_once_we_see() -> None:
    session = read_at(story(*EVENING), "19:10")
    here(session).failing_since = at("19:10")
    apply(session, lost("19:10"))
    assert changes(session, "19:11") == []
    read_at(session, "19:11:10")
    here(session).failing_since = None
    assert changes(session, "19:11:10") == [regained("19:11:10")]
    apply(session, regained("19:11:10"))
    assert changes(session, "19:11:10") == []


def test_a_new_loss_begins_after_the_last_change() -> None:
    session = read_at(story(*EVENING, lost("19:10"), regained("19:12")), "19:11")
    here(session).failing_since = at("19:11:30")
    (again,) = changes(session, "19:12:05")
    assert again.at == at("19:12") + seconds(0.000001)


def test_a_meeting_that_is_over_needs_no_eyes() -> None:
    assert changes(story(*EVENING, ended("20:00")), "20:30") == []


def test_what_never_opened_has_no_opening() -> None:
    with pytest.raises(ValueError, match="never opened"):
        sight.opened_at(Instance(ref=ROOM))


def test_a_first_event_without_a_mark_is_an_opening() -> None:
    session = story(seat(e.RoleChanged, BEN, "19:31:42", role="attendee"))
    assert sight.opened_at(here(session)) == at("19:31:42")


# --- for the record -------------------------------------------------------------------


def intervals(session: GroupSession) -> list[tuple[datetime, datetime | None]]:
    return [(one.start, one.end) for one in blind(session)]


def test_the_intervals_for_the_record() -> None:
    twice = (lost("19:10"), lost("19:11"), regained("19:12"), regained("19:13"))
    assert intervals(story(*EVENING, *twice)) == [(at("19:10"), at("19:12"))]
    still = (*twice, lost("19:20"))
    assert intervals(story(*EVENING, *still))[1:] == [(at("19:20"), None)]
    over = (*still, ended("20:00"))
    assert intervals(story(*EVENING, *over))[1:] == [(at("19:20"), at("20:00"))]
    assert intervals(set_up()) == []


@pytest.mark.parametrize(
    ("seen_for", "rows"),
    [
        (timedelta(microseconds=1), [("19:10", "19:15")]),
        (timedelta(seconds=1, microseconds=-1), [("19:10", "19:15")]),
        (timedelta(seconds=1), [("19:10", "19:12"), ("19:12:01", "19:15")]),
    ],
)
def test_intervals_that_touch_are_one_row(
    seen_for: timedelta, rows: list[tuple[str, str]]
) -> None:
    """What is lost again in the moment it was regained was not seen in between."""
    again = replace(lost("19:12"), at=at("19:12") + seen_for)
    facts = (lost("19:10"), regained("19:12"), again, regained("19:15"))

    assert intervals(story(*EVENING, *facts)) == [(at(a), at(b)) for a, b in rows]


# --- what is told ---------------------------------------------------------------------


def asked(session: GroupSession, clock: str) -> list[Wish]:
    return list(rule.blind(session, at(clock)))


def blind_session() -> GroupSession:
    session = read_at(story(*EVENING, lost("19:10")), "19:10")
    here(session).failing_since = at("19:10")
    return session


WORKERS_TOLD = AlertStaff(
    key=f"sight.blind:{ROOM.instance}:{at('19:10').isoformat()}",
    reason="We cannot see the room. The platform does not answer us.",
    clause="I9",
    rule="sight.blind",
    level=Level.AMBER,
    audience=Audience.WORKERS,
    what_to_do=rule.BY_HAND,
)
SAFEGUARDING_TOLD = AlertStaff(
    key=f"sight.blind_long:{ROOM.instance}:{at('19:10').isoformat()}",
    reason="We have not been able to see the room for a minute.",
    clause="I9",
    rule="sight.blind",
    level=Level.RED,
    audience=Audience.SAFEGUARDING,
    what_to_do=rule.BY_HAND,
)


def test_while_we_see_there_is_only_a_deadline() -> None:
    session = read_at(story(*EVENING), "19:10")
    assert asked(session, "19:10:44") == [
        WakeAt(at("19:10:45"), "blind unless the room is seen")
    ]
    assert asked(session, "19:10:45") == []


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ("19:10:30", [WakeAt(at("19:11"), "still blind after a minute")]),
        ("19:10:59", [WakeAt(at("19:11"), "still blind after a minute")]),
        ("19:11", [SAFEGUARDING_TOLD]),
        ("19:15", [SAFEGUARDING_TOLD]),
    ],
)
def test_workers_at_once_and_the_alarm_contacts_after_a_minute(
    clock: str, told: list[Wish]
) -> None:
    assert asked(blind_session(), clock) == [WORKERS_TOLD, *told]


def test_once_we_see_again_nothing_is_told() -> None:
    session = blind_session()
    apply(session, regained("19:10:50"))
    here(session).failing_since = None
    assert asked(read_at(session, "19:10:50"), "19:11") == [
        WakeAt(at("19:11:35"), "blind unless the room is seen")
    ]


def test_somebody_inside_before_any_host_is_looked_at() -> None:
    session = story(started(), seat(e.JoinedBeforeHost, BEN, "18:53"))
    look = ReadRoom(
        key=f"sight.before_host:{ROOM.instance}:{at('18:53').isoformat()}",
        reason="Somebody is inside before any worker: look at the room.",
        clause="I1c",
        rule="sight.door_before_host",
        meeting=ROOM,
    )
    assert list(rule.door_before_host(session, at("18:53"))) == [look]
    assert list(rule.door_before_host(read_at(session, "18:52:59"), at("18:53"))) == [
        look
    ]
    assert list(rule.door_before_host(read_at(session, "18:53"), at("18:54"))) == []


def test_news_that_does_not_fit_is_looked_at_once() -> None:
    session = story(*EVENING, left({**BEN, "uuid": "UUID-OTHER"}, "19:10"))
    look = ReadRoom(
        key=f"sight.does_not_fit:{ROOM.instance}:{at('19:10').isoformat()}",
        reason="Somebody left whom we had not seen there: look at the room.",
        clause="I20",
        rule="sight.does_not_fit",
        meeting=ROOM,
    )
    assert list(rule.does_not_fit(session, at("19:10:01"))) == [look]
    assert list(rule.does_not_fit(read_at(session, "19:09:59"), at("19:10:01"))) == [
        look
    ]
    assert list(rule.does_not_fit(read_at(session, "19:10"), at("19:10:01"))) == []
