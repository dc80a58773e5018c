"""The pretended call of a practice: the learner decides what happens in it."""

from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.practice.call import NICKNAME, Call
from app.practice.room import made_up
from app.web.pretending import MoveRefused
from integrations.rehearsal.scene import world_of
from integrations.rehearsal.settings import safe_meeting_settings
from integrations.rehearsal.world import World


@pytest.fixture
def world(clock: ManualClock) -> World:
    return world_of(made_up(), clock, seed=1)


@pytest.fixture
def call(clock: ManualClock, world: World) -> Call:
    """Planned, and nobody is there yet."""
    one = Call(clock, lambda: None)
    meeting = world.create_meeting("anna", settings=safe_meeting_settings())
    links = {}
    for key in ("ben", "chloe", "dev"):
        mail = f"{key}@x.example"
        registrant = world.register(meeting.id, key.title(), mail, approve=True)
        links[key] = meeting.link_of(registrant)
    one.begin(world, meeting.id, links, "session-1")
    return one


def labels(call: Call) -> list[str]:
    return [move.label for move in call.shown().moves]


def names(call: Call) -> tuple[list[str], list[str]]:
    """(at the door, inside)."""
    shown = call.shown()
    return [one.name for one in shown.waiting], [one.name for one in shown.inside]


def window(call: Call, name: str, label: str) -> None:
    """Press in the pretended window of the platform."""
    shown = call.shown()
    [move] = [
        move
        for one in (*shown.waiting, *shown.inside)
        if one.name == name
        for move in one.moves
        if move.label == label
    ]
    call.move(move.what, move.who)


def test_before_the_call_nobody_is_there_and_everybody_may_come(call: Call) -> None:
    shown = call.shown()
    assert (shown.running, names(call)) == (False, ([], []))
    assert labels(call) == [
        "Join the call as its host",
        "Sam joins",
        "Ben comes by an own link",
        "Chloe comes by an own link",
        "A stranger comes on Dev's link, under your name",
    ]


def test_young_people_wait_until_the_learner_lets_them_in(call: Call) -> None:
    call.move("come", "anna")
    call.move("come", "ben")
    assert names(call) == (["Ben"], ["Anna Price"])
    window(call, "Ben", "Admit")
    assert names(call) == ([], ["Anna Price", "Ben"])
    window(call, "Ben", "Put in the waiting room")
    assert names(call) == (["Ben"], ["Anna Price"])
    window(call, "Ben", "Remove")
    assert names(call) == ([], ["Anna Price"])


def test_a_stranger_comes_on_another_link_under_the_learners_name(call: Call) -> None:
    call.move("come", "anna")
    call.move("come", "eve")
    assert names(call) == (["Anna Price"], ["Anna Price"])
    assert "A stranger comes on Dev's link, under your name" not in labels(call)


def test_a_nickname_a_crown_and_the_end(call: Call) -> None:
    for who in ("anna", "ben"):
        call.move("come", who)
    window(call, "Ben", "Admit")
    call.move("nickname", "ben")
    window(call, NICKNAME, "Make host")
    assert [one.note for one in call.shown().inside] == ["you, co-host", "host"]
    call.move("end", "")
    assert names(call) == ([], [])


def test_the_longest_time_without_a_worker_is_told(
    call: Call, clock: ManualClock
) -> None:
    for who in ("anna", "ben"):
        call.move("come", who)
    window(call, "Ben", "Admit")
    call.move("drop", "anna")
    clock.advance(timedelta(seconds=12))
    call.move("come", "anna")
    assert call.shown().alone == timedelta(seconds=12)
    assert call.shown().told[0][1] == "Anna Price is now host."


@pytest.mark.parametrize(
    ("what", "who"),
    [
        ("come", "nobody"),
        ("drop", "anna"),
        ("admit", "UUID-<script>"),
        ("fly", "anna"),
        ("nickname", "ben"),
    ],
)
def test_what_cannot_happen_is_a_sentence(call: Call, what: str, who: str) -> None:
    with pytest.raises(MoveRefused, match=r"\.$"):
        call.move(what, who)


def test_before_it_is_set_up_nothing_happens(clock: ManualClock) -> None:
    early = Call(clock, lambda: None)
    assert (early.shown().running, early.shown().told) == (False, [])
    with pytest.raises(MoveRefused, match="still being set up"):
        early.move("come", "anna")
