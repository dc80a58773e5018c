"""Edges of the door that a mistake of one sign would move (tests/mutation)."""

from typing import Any

import pytest

from app.core import events as e
from app.core import fold
from app.core.actions import AlertStaff, AskWorker, Level, RemoveParticipant, WakeAt
from app.core.rules import entry
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    again,
    at,
    joined,
    seat,
    started,
    story,
    waiting,
)
from tests.core.rules.test_entry import CALLER, crowd, removal_wanted


@pytest.mark.parametrize(
    ("clock", "since"),
    [("19:09:59", "19:00"), ("19:10", "19:10"), ("19:19", "19:10"), ("19:20", "19:20")],
)
def test_a_flood_is_news_again_every_ten_minutes(clock: str, since: str) -> None:
    wishes = entry.stranger_in_room(story(started(), *crowd(21)), at(clock))
    [flood] = [w for w in wishes if isinstance(w, AlertStaff) and w.level is Level.RED]
    assert flood.key.endswith(f":2026-11-17T{since}:00+00:00")


def test_removals_go_on_a_minute_after_the_oldest() -> None:
    people = crowd(22)
    session = story(started(), *people)
    wishes = entry.stranger_in_room(session, at("19:04:10"))
    keys = [w.key for w in wishes if isinstance(w, RemoveParticipant)]
    for number, key in enumerate(keys):
        clock = "19:04:20" if number < 10 else "19:04:40"
        fold.apply(session, removal_wanted(key, clock))
    [wake] = [
        wish
        for wish in entry.stranger_in_room(session, at("19:04:50"))
        if isinstance(wish, WakeAt)
    ]
    assert wake.at == at("19:05:20")


def presses_at_the_door(*facts: Any) -> list[str]:
    session = story(started(), *facts)
    wishes = entry.stranger_at_the_door(session, at("19:05"))
    return [wish.press for wish in wishes if isinstance(wish, AskWorker)]


def rings() -> e.ParticipantWaiting:
    fact: e.ParticipantWaiting = seat(
        e.ParticipantWaiting, CALLER, "19:03", by_phone=True
    )
    return fact


def test_a_caller_at_the_door_is_asked_about_unless_it_is_a_workers() -> None:
    tied = seat(e.PhoneBound, CALLER, "19:04", bound_uuid="UUID-ANNA")
    assert presses_at_the_door(joined(ANNA), rings()) == ["identify_phone"]
    assert presses_at_the_door(joined(ANNA), rings(), tied) == []


def test_a_link_used_twice_is_asked_about_at_the_door() -> None:
    twice = waiting(again(BEN), "19:04")
    assert presses_at_the_door(joined(BEN), joined(CHLOE), twice) == ["who_are_you"]
