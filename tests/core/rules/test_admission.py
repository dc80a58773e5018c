"""Hold and admit: a worker's press, and only for those who may enter."""

from dataclasses import replace
from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import Action, AdmitParticipant, HoldParticipant
from app.core.admission import admit_problem, hold_problem
from app.core.fold import Fact
from app.core.ladder import IS_WORKER, NOBODY_THERE, NOT_ROSTERED, SESSION_OVER
from app.core.rules import admission
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    DEV,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    client,
    joined,
    left,
    plan,
    seat,
    started,
    story,
    waiting,
)

EVENING = (started(), joined(ANNA, "18:53"), joined(SAM, "18:54"), joined(BEN))


def hold(clock: str = "19:10", **more: Any) -> p.HoldPressed:
    given: dict[str, Any] = {
        "by": "anna",
        "press_id": "h",
        "connection": "UUID-BEN",
        **more,
    }
    return p.HoldPressed(at=at(clock), **given)


def admit(clock: str = "19:10", **more: Any) -> p.AdmitPressed:
    given: dict[str, Any] = {
        "by": "anna",
        "press_id": "a",
        "connection": "UUID-DEV",
        **more,
    }
    return p.AdmitPressed(at=at(clock), **given)


def wanted(session: GroupSession, clock: str) -> list[Action]:
    return [
        wish
        for _, rule in admission.RULES
        for wish in rule(session, at(clock))
        if isinstance(wish, Action)
    ]


def keys(session: GroupSession, clock: str) -> list[str]:
    return [action.key for action in wanted(session, clock)]


def test_nothing_pressed_nothing_wanted() -> None:
    assert wanted(story(*EVENING, waiting(DEV)), "19:10") == []


def test_a_pressed_hold_takes_one_person_to_the_door() -> None:
    assert wanted(story(*EVENING, hold()), "19:10") == [
        HoldParticipant(
            key="admission.hold:h",
            reason="A worker pressed “Hold”.",
            clause="T1",
            rule="admission.holds",
            by="anna",
            not_after=at("20:30"),
            meeting=ROOM,
            connection="UUID-BEN",
            person_id="ben",
            uuid="UUID-BEN",
            user_id="201",
            registrant_id="reg-ben",
        )
    ]


def test_a_hold_is_done_when_the_person_waits_and_is_not_wanted_again_later() -> None:
    held = seat(e.ParticipantHeld, BEN, "19:10:03")

    assert keys(story(*EVENING, hold(), held), "19:10:04") == []
    assert keys(story(*EVENING, hold(), held, joined(BEN, "19:12")), "19:12") == []
    assert (
        keys(
            story(*EVENING, hold(), left(BEN, "19:10:03"), joined(BEN, "19:12")),
            "19:12",
        )
        == []
    )


@pytest.mark.parametrize(
    ("pressed", "problem"),
    [
        (hold(), ""),
        (hold(by="ben"), NOT_ROSTERED),
        (hold(connection="UUID-ANNA"), IS_WORKER),
        (hold(connection="nobody"), NOBODY_THERE),
        (hold("20:29:59"), ""),
        (hold("20:30"), SESSION_OVER),
    ],
)
def test_who_may_be_held(pressed: p.HoldPressed, problem: str) -> None:
    session = story(*EVENING, pressed)

    assert hold_problem(session, pressed) == problem
    assert keys(session, "20:29:59") == ([] if problem else ["admission.hold:h"])


AT_DOOR = (*EVENING, waiting(DEV, "19:09"))


def test_a_pressed_admit_lets_a_waiting_client_in() -> None:
    session = story(*AT_DOOR, admit())

    assert [(type(a), a.key, a.by, a.clause) for a in wanted(session, "19:10")] == [
        (AdmitParticipant, "admission.admit:a", "anna", "T1")
    ]
    assert keys(story(*AT_DOOR, admit(), joined(DEV, "19:10:02")), "19:10:03") == []


NO_TALK = plan(clients=(client("ben"), client("chloe"), client("dev", one_to_ones=())))
DOOR_CASES: list[tuple[tuple[Fact, ...], p.AdmitPressed, str]] = [
    (AT_DOOR, admit(), ""),
    (AT_DOOR, admit(by="eve"), NOT_ROSTERED),
    (AT_DOOR, admit(connection="nobody"), NOBODY_THERE),
    (AT_DOOR, admit("20:30"), SESSION_OVER),
    (
        (*EVENING, waiting(EVE, "19:09")),
        admit(connection="UUID-EVE"),
        "That person is not on this session's list. Say who it is first.",
    ),
    (
        (*EVENING, seat(e.ParticipantWaiting, EVE, "19:09", by_phone=True)),
        admit(connection="UUID-EVE"),
        "That is a phone caller nobody has identified. Say who it is first.",
    ),
    (
        (*EVENING, waiting({**EVE, "name": "Otter.ai Notetaker"}, "19:09")),
        admit(connection="UUID-EVE"),
        "That is a recorder or note-taker; it stays outside.",
    ),
    (
        (*EVENING, waiting(again(BEN), "19:09")),
        admit(connection="UUID-BEN-2"),
        "It is not sure who uses that personal link. Say who it is first.",
    ),
    (
        (*AT_DOOR, left(ANNA, "19:05"), left(SAM, "19:06")),
        admit(),
        "No verified worker is in the room, so nobody is let in (guidance E1).",
    ),
    ((*AT_DOOR, left(ANNA, "19:05")), admit(), ""),
]


@pytest.mark.parametrize(("facts", "pressed", "problem"), DOOR_CASES)
def test_who_may_be_let_in(
    facts: tuple[Fact, ...], pressed: p.AdmitPressed, problem: str
) -> None:
    session = story(*facts, pressed)

    assert admit_problem(session, pressed) == problem
    assert keys(session, "20:00") == ([] if problem else ["admission.admit:a"])


def test_a_vouched_stranger_may_be_let_in() -> None:
    vouched = p.ConnectionVouched(
        at=at("19:09:30"),
        by="sam",
        connection="UUID-EVE",
        person_id="chloe",
        how="voice",
    )
    pressed = admit(connection="UUID-EVE")

    assert admit_problem(story(*EVENING, waiting(EVE, "19:09"), vouched), pressed) == ""


def test_nobody_is_let_in_without_a_one_to_one() -> None:
    session = story(*AT_DOOR, admit(), the_plan=NO_TALK)

    assert admit_problem(session, admit()) == (
        "No one-to-one with a lead worker is on file yet (guidance T9)."
    )
    assert keys(session, "19:10") == []


def test_a_late_worker_may_always_be_let_in() -> None:
    noor = {
        "uuid": "UUID-NOOR",
        "user_id": "103",
        "registrant_id": "reg-noor",
        "name": "N",
    }
    alone = (started(), waiting(noor, "19:09"))

    assert admit_problem(story(*alone), admit(connection="UUID-NOOR")) == ""


# --- after a removal --------------------------------------------------------------

OUT = p.LadderPressed(
    at=at("19:20"),
    by="anna",
    press_id="out",
    step=p.Step.REMOVE,
    connection="UUID-BEN",
    immediate=True,
)
REMOVED = (*EVENING, OUT, left(BEN, "19:20:03"), waiting(again(BEN), "19:25"))
READMIT = p.Readmitted(
    at=at("19:30"), by="sam", press_id="back", connection="UUID-BEN", person_id="ben"
)


def test_a_removed_client_is_let_in_by_readmit_only() -> None:
    pressed = admit("19:26", connection="UUID-BEN-2")

    assert admit_problem(story(*REMOVED), pressed) == (
        "A worker removed this client. Let them back in with “Readmit” first."
    )
    assert keys(story(*REMOVED, pressed), "19:26") == []
    assert keys(story(*REMOVED, READMIT), "19:30") == [
        "admission.admit:back:UUID-BEN-2"
    ]


def test_readmit_opens_the_door_once() -> None:
    in_again = (joined(again(BEN), "19:31"), left(again(BEN), "19:40"))
    session = story(*REMOVED, READMIT, *in_again, waiting(again(BEN, 3), "19:41"))

    assert keys(session, "19:41") == []


def test_a_new_removal_closes_the_door_again() -> None:
    second = replace(OUT, at=at("19:35"), press_id="out-2", connection="UUID-BEN-2")

    assert keys(story(*REMOVED, READMIT, second), "19:36") == []


def test_readmit_by_somebody_else_opens_nothing() -> None:
    assert keys(story(*REMOVED, replace(READMIT, by="eve")), "19:31") == []


@pytest.mark.parametrize(
    ("clock", "count"), [("20:29:59", 1), ("20:30", 0), ("20:30:01", 0)]
)
def test_the_door_stays_shut_when_the_links_are_dead(clock: str, count: int) -> None:
    assert len(keys(story(*REMOVED, READMIT), clock)) == count
    assert len(keys(story(*AT_DOOR, admit()), clock)) == count


@pytest.mark.parametrize("item", ["one_to_one", "one_to_one:dev"])
def test_a_named_exception_opens_the_door_without_a_one_to_one(item: str) -> None:
    new = plan(clients=(client("ben"), client("dev", one_to_ones=())))
    excepted = p.ExceptionGiven(
        at=at("18:40"), by="anna", item=item, reason="Met at school."
    )
    facts: tuple[Fact, ...] = (*EVENING, waiting(DEV, "19:05"))

    assert admit_problem(story(*facts, the_plan=new), admit()) != ""
    assert admit_problem(story(excepted, *facts, the_plan=new), admit()) == ""
