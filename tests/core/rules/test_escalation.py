"""A person was asked, nobody did it, the room still shows it (I6, I9)."""

from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import AlertStaff, Audience, Level
from app.core.fold import Fact
from app.core.rules import RULES, escalation
from tests.core.builders import (
    ANNA,
    EVE,
    ROOM,
    at,
    ended,
    joined,
    left,
    seat,
    started,
    story,
)

RECORDING = e.RecordingChanged(meeting=ROOM, at=at("19:05"), state="started")
STREAM = e.LiveStreamChanged(meeting=ROOM, at=at("19:05"), started=True)
EVENING: tuple[Fact, ...] = (
    started(),
    joined(ANNA),
    joined(EVE, "19:05"),
    RECORDING,
    STREAM,
)
KINDS = ("remove_participant", "hold_participant", "stop_recording", "stop_live_stream")


def moved(kind: str, state: p.ActionState, **more: Any) -> p.ActionMoved:
    whole: dict[str, Any] = {
        "at": at("19:07"),
        "key": f"entry.{kind}:1",
        "kind": kind,
        "state": state,
        "meeting": ROOM,
        "connection": "UUID-EVE" if kind.endswith("participant") else "",
    }
    return p.ActionMoved(**whole | more)


def told(*facts: Fact) -> list[Any]:
    return list(escalation.nobody_did_it(story(*EVENING, *facts), at("19:08")))


@pytest.mark.parametrize("kind", KINDS)
def test_the_safeguarding_lead_hears_what_to_do(kind: str) -> None:
    (wish,) = told(moved(kind, p.ActionState.ESCALATED))
    assert isinstance(wish, AlertStaff)
    assert (wish.key, wish.level, wish.audience) == (
        f"escalation.nobody_did_it:entry.{kind}:1",
        Level.RED,
        Audience.SAFEGUARDING,
    )
    assert "Telephone a worker in the call" in wish.what_to_do
    assert wish.reason.endswith("A worker was asked and nobody has done it yet.")


def test_it_says_about_whom() -> None:
    removal = moved("remove_participant", p.ActionState.ESCALATED, person_id="ben")
    (wish,) = told(removal)
    assert (wish.connection, wish.person_id) == ("UUID-EVE", "ben")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "state", [s for s in p.ActionState if s is not p.ActionState.ESCALATED]
)
def test_in_every_other_state_nothing_is_said(kind: str, state: p.ActionState) -> None:
    assert told(moved(kind, state)) == []


@pytest.mark.parametrize(
    ("kind", "then"),
    [
        ("remove_participant", left(EVE, "19:07:30")),
        ("hold_participant", seat(e.ParticipantHeld, EVE, "19:07:30")),
        (
            "stop_recording",
            e.RecordingChanged(meeting=ROOM, at=at("19:07:30"), state="stopped"),
        ),
        (
            "stop_live_stream",
            e.LiveStreamChanged(meeting=ROOM, at=at("19:07:30"), started=False),
        ),
        *((kind, ended("19:07:30")) for kind in KINDS),
    ],
)
def test_once_the_room_shows_it_nothing_is_said(kind: str, then: Fact) -> None:
    assert told(moved(kind, p.ActionState.ESCALATED), then) == []


@pytest.mark.parametrize(
    "fact",
    [
        moved("send_reminder", p.ActionState.ESCALATED, connection="UUID-EVE"),
        moved("remove_participant", p.ActionState.ESCALATED, connection="UUID-NOBODY"),
        moved("remove_participant", p.ActionState.ESCALATED, meeting=None),
    ],
)
def test_nor_of_what_is_not_grave_or_not_there(fact: p.ActionMoved) -> None:
    assert told(fact) == []


def test_a_recording_we_never_heard_of_is_still_to_be_stopped() -> None:
    session = story(
        started(), joined(ANNA), moved("stop_recording", p.ActionState.ESCALATED)
    )
    assert len(list(escalation.nobody_did_it(session, at("19:08")))) == 1


def test_the_family_is_asked() -> None:
    assert set(escalation.RULES) <= set(RULES)
