"""Links by other hands than ours are told, once, and open no door."""

from typing import Any

import pytest

from app.core.actions import AlertStaff, Level
from app.core.events import RegistrationChanged
from app.core.presses import SessionClosed
from app.core.rules.registration import foreign_registration
from app.core.session import GroupSession
from tests.core.builders import ROOM, at, started, story


def told(session: GroupSession, clock: str = "19:00:00") -> list[Level]:
    wishes = foreign_registration(session, at(clock))
    return [w.level for w in wishes if isinstance(w, AlertStaff)]


def registration(registrant: str, status: str) -> Any:
    return RegistrationChanged(
        meeting=ROOM, at=at("18:30"), registrant_id=registrant, status=status
    )


def test_our_own_links_are_no_news() -> None:
    assert told(story(started(), registration("reg-ben", "approved"))) == []


@pytest.mark.parametrize(
    ("status", "levels"),
    [
        ("pending", [Level.INFO]),
        ("approved", [Level.AMBER]),
        ("cancelled", []),
        ("denied", []),
    ],
)
def test_a_stranger_who_registers_is_told(status: str, levels: list[Level]) -> None:
    assert told(story(started(), registration("reg-eve", status))) == levels


@pytest.mark.parametrize(("second", "number"), [(29, 0), (30, 1), (31, 1)])
def test_our_own_request_gets_half_a_minute_to_be_answered(
    second: int, number: int
) -> None:
    session = story(started(), registration("reg-eve", "approved"))
    assert len(told(session, f"18:30:{second}")) == number


def test_many_strangers_are_one_message() -> None:
    crowd = [registration(f"reg-{n}", "pending") for n in range(50)]
    assert told(story(started(), *crowd)) == [Level.INFO]


def test_nothing_is_said_when_the_session_is_closed() -> None:
    closed = SessionClosed(at=at("20:10"), by="anna")
    assert told(story(started(), registration("reg-eve", "approved"), closed)) == []
