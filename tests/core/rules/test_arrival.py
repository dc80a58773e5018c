"""Somebody is told when nobody of the staff comes."""

from datetime import datetime, timedelta

import pytest

from app.core.actions import AlertStaff, WakeAt
from app.core.presses import SessionClosed
from app.core.rules.arrival import nobody_came
from app.core.session import GroupSession
from tests.core.builders import ANNA, BEN, EVE, at, joined, left, started, story

START, LIMIT = at("19:00"), timedelta(minutes=2)


def alarms(session: GroupSession, now: datetime) -> int:
    return sum(isinstance(w, AlertStaff) for w in nobody_came(session, now))


@pytest.mark.parametrize(("after", "told"), [(119, 0), (120, 1), (121, 1)])
def test_two_minutes_are_given(after: int, told: int) -> None:
    assert alarms(story(), START + timedelta(seconds=after)) == told


def test_the_moment_is_asked_for_beforehand() -> None:
    [wish] = nobody_came(story(), at("18:00"))
    assert isinstance(wish, WakeAt)
    assert wish.at == START + LIMIT


def test_a_client_or_a_stranger_is_no_worker() -> None:
    session = story(started(), joined(BEN), joined(EVE))
    assert alarms(session, START + LIMIT) == 1


def test_a_worker_who_was_there_has_come() -> None:
    session = story(started(), joined(ANNA, "18:55"), left(ANNA, "18:59"))
    assert alarms(session, START + LIMIT) == 0


def test_nothing_is_said_after_the_planned_end_or_when_closed() -> None:
    assert alarms(story(), at("20:00")) == 0
    closed = story(SessionClosed(at=at("18:30"), by="anna"))
    assert alarms(closed, START + LIMIT) == 0
