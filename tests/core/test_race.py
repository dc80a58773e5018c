"""A clear that met a worker who was just coming back (I8)."""

from dataclasses import replace

import pytest

from app.core import events as e
from app.core.race import met_a_worker
from tests.core.builders import (
    ANNA,
    BEN,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    seat,
    started,
    story,
)

EVENING = (started(), joined(ANNA), joined(BEN, "19:00"), left(ANNA, "19:04:10"))
OVER = ended("19:05:12")


def test_without_an_end_there_is_no_race() -> None:
    session = story(*EVENING, joined(again(ANNA), "19:05:12"))
    assert not met_a_worker(session, ROOM, at("19:05:11"))


@pytest.mark.parametrize(
    ("came", "race"),
    [("19:05:06", False), ("19:05:07", True), ("19:05:12", True), ("19:05:13", False)],
)
def test_a_worker_who_came_within_a_call_before_the_end(came: str, race: bool) -> None:
    way_back = seat(e.ParticipantWaiting, again(ANNA), came)
    session = story(*EVENING, way_back, OVER)
    assert not met_a_worker(session, ROOM, at("19:05:11"))  # the door is not the room
    session = story(*EVENING, joined(again(ANNA), came), OVER)
    assert met_a_worker(session, ROOM, at("19:05:11")) is race


def test_a_client_who_came_is_no_race() -> None:
    session = story(*EVENING, joined(again(BEN), "19:05:10"), OVER)
    assert not met_a_worker(session, ROOM, at("19:05:11"))


@pytest.mark.parametrize(
    ("person", "back", "heard", "sent", "race"),
    [
        (SAM, "19:05:12", "19:05:12", "19:05:12", True),
        (SAM, "19:05:12", "19:05:13", "19:05:12", False),  # it may be the end's doing
        (SAM, "19:05:12", "19:05:12", None, False),
        (SAM, "19:05:06", "19:05:06", "19:05:12", False),
        (BEN, "19:05:12", "19:05:12", "19:05:12", False),
    ],
)
def test_out_of_a_breakout_room_and_into_the_end(
    person: dict[str, str], back: str, heard: str, sent: str | None, race: bool
) -> None:
    out: e.BreakoutLeft = seat(e.BreakoutLeft, person, back, room="blue")
    session = story(
        *EVENING,
        joined(SAM, "19:01"),
        seat(e.BreakoutJoined, person, "19:02", room="blue"),
        replace(out, heard_at=at(heard)),
        left(person, back, cause=e.LeaveCause.ENDED),
        ended("19:05:12"),
    )
    assert met_a_worker(session, ROOM, at(sent) if sent else None) is race
