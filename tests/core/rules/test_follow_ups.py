"""A call after every removal, and the reason of a removal at once."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from app.core import presses as p
from app.core.actions import Action, StartFollowUp
from app.core.fold import Fact
from app.core.rules.follow_ups import agreed_key, done_at, follow_ups, open_follow_ups
from app.core.session import GroupSession
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
    started,
    story,
)

EVENING = (
    started(),
    joined(ANNA, "18:53"),
    joined(SAM, "18:54"),
    joined(BEN),
    joined(CHLOE),
)


def act(key: str, kind: str, clock: str, **more: Any) -> tuple[p.ActionMoved, ...]:
    """An action wanted, then proved four seconds later."""
    wanted = at(clock)
    later = datetime.fromtimestamp(wanted.timestamp() + 4, wanted.tzinfo)
    return tuple(
        p.ActionMoved(at=when, key=key, kind=kind, state=state, meeting=ROOM, **more)
        for when, state in (
            (wanted, p.ActionState.WANTED),
            (later, p.ActionState.CONFIRMED),
        )
    )


def removed(
    clock: str, key: str = "ladder.remove:x", **more: Any
) -> tuple[p.ActionMoved, ...]:
    whom = {"connection": "UUID-BEN", "person_id": "ben", **more}
    return act(key, "remove_participant", clock, **whom)


def calls(session: GroupSession) -> list[tuple[str, datetime]]:
    return [
        (t.person_id, t.due_at) for t in follow_ups(session) if t.what == "welfare call"
    ]


def open_keys(session: GroupSession, clock: str) -> list[str]:
    return [t.key for t in open_follow_ups(session, at(clock)) if isinstance(t, Action)]


def test_nothing_happened_so_nobody_is_called() -> None:
    assert follow_ups(story(*EVENING)) == ()


def test_a_proved_removal_opens_a_call_within_a_quarter_of_an_hour() -> None:
    session = story(*EVENING, *removed("19:20"))

    assert list(open_follow_ups(session, at("19:21"))) == [
        StartFollowUp(
            key="follow_ups.welfare:ladder.remove:x:ben",
            reason="A client was put out of the room; find out how they are.",
            clause="I7",
            rule="follow_ups.open",
            what="welfare call",
            due_at=at("19:35:04"),
            person_id="ben",
        )
    ]


def test_a_removal_not_yet_proved_opens_none() -> None:
    wanted, _ = removed("19:20")

    assert follow_ups(story(*EVENING, wanted)) == ()


def test_a_removal_by_the_bot_counts_like_one_by_a_worker() -> None:
    session = story(
        *EVENING, *removed("19:20", key="entry.link_twice:UUID-BEN", person_id="")
    )

    assert calls(session) == [("ben", at("19:35:04"))]


def test_a_stranger_and_a_worker_are_not_called() -> None:
    eve = removed("19:20", connection="UUID-EVE", person_id="")
    anna = removed("19:21", key="host", connection="UUID-ANNA", person_id="anna")

    assert calls(story(*EVENING, joined(EVE, "19:05"), *eve, *anna)) == []


def test_a_goodbye_is_no_removal() -> None:
    assert calls(story(*EVENING, *removed("20:00", key="closing.out:x"))) == []


def test_being_removed_again_at_once_is_the_same_call() -> None:
    again_out = removed("19:21", key="ladder.remove:x:again")

    assert calls(story(*EVENING, *removed("19:20"), *again_out)) == [
        ("ben", at("19:35:04"))
    ]


@pytest.mark.parametrize(
    ("clock", "count"), [("19:34:59", 1), ("19:35:00", 2), ("19:50", 2)]
)
def test_a_removal_after_the_call_was_due_is_another_call(
    clock: str, count: int
) -> None:
    session = story(*EVENING, *removed("19:20"), *removed(clock, key="ladder.remove:y"))

    assert len(calls(session)) == count


def test_a_removal_after_the_call_was_made_is_another_call() -> None:
    key = "follow_ups.welfare:ladder.remove:x:ben"
    made = p.FollowUpDone(at=at("19:25"), by="sam", key=key, outcome="Ben is fine")
    session = story(
        *EVENING, *removed("19:20"), made, *removed("19:30", key="ladder.remove:y")
    )

    assert calls(session) == [("ben", at("19:35:04")), ("ben", at("19:45:04"))]
    assert open_keys(session, "19:31") == ["follow_ups.welfare:ladder.remove:y:ben"]
    assert done_at(session, follow_ups(session)[0]) == (at("19:25"), "sam")


CLEARED = act("never_alone.end:x", "end_meeting", "19:05", cause="never_alone")


def test_after_a_safety_clear_everybody_who_was_in_is_called() -> None:
    facts: tuple[Fact, ...] = (
        *EVENING,
        joined(DEV, "18:59"),
        left(DEV, "19:04:59"),
        joined(EVE, "19:00"),
        left(ANNA, "19:04"),
        left(SAM, "19:04"),
        *CLEARED,
        ended("19:05:03"),
    )

    assert sorted(calls(story(*facts))) == [
        ("ben", at("19:20:04")),
        ("chloe", at("19:20:04")),
    ]


def test_who_left_at_the_very_moment_of_the_decision_is_called_too() -> None:
    session = story(*EVENING, left(BEN, "19:05"), left(CHLOE, "19:04:59"), *CLEARED)

    assert [person for person, _ in calls(session)] == ["ben"]


@pytest.mark.parametrize("cause", ["closing", "order"])
def test_an_ordered_end_calls_nobody(cause: str) -> None:
    session = story(*EVENING, *act("closing.end", "end_meeting", "20:00", cause=cause))

    assert calls(session) == []


def test_a_safety_hold_is_a_clear_but_a_pressed_hold_is_not() -> None:
    whom = {"connection": "UUID-BEN", "person_id": "ben"}
    safety = act("never_alone.hold:x:UUID-BEN", "hold_participant", "19:05", **whom)
    pressed = act("admission.hold:y", "hold_participant", "19:05", **whom)

    assert calls(story(*EVENING, *safety)) == [("ben", at("19:20:04"))]
    assert calls(story(*EVENING, *pressed)) == []


def test_one_clear_that_holds_and_then_ends_is_one_call() -> None:
    whom = {"connection": "UUID-BEN", "person_id": "ben"}
    safety = act("never_alone.hold:x:UUID-BEN", "hold_participant", "19:05", **whom)
    session = story(started(), joined(ANNA, "18:53"), joined(BEN), *safety, *CLEARED)

    assert calls(session) == [("ben", at("19:20:04"))]


# --- the reason of a removal at once ----------------------------------------------

AT_ONCE = p.LadderPressed(
    at=at("19:20"),
    by="anna",
    press_id="serious",
    step=p.Step.REMOVE,
    connection="UUID-BEN",
    immediate=True,
)


def test_the_reason_of_a_removal_at_once_is_due_within_a_day() -> None:
    assert follow_ups(story(*EVENING, AT_ONCE)) == (
        StartFollowUp(
            key="follow_ups.reason:serious",
            reason="A worker removed somebody at once; the reason is to be written down.",
            clause="T5",
            rule="follow_ups.open",
            by="anna",
            what="reason due",
            due_at=at("19:20").replace(day=18),
            person_id="anna",
        ),
    )


def test_the_reason_is_due_until_it_is_given() -> None:
    given = p.ReasonGiven(
        at=at("21:00"), by="anna", press_id="serious", reason="a threat"
    )
    session = story(*EVENING, AT_ONCE, given)

    assert list(open_follow_ups(session, at("21:01"))) == []
    assert done_at(session, follow_ups(session)[0]) == (at("21:00"), "anna")
    assert done_at(story(*EVENING, AT_ONCE), follow_ups(session)[0]) is None


def test_a_removal_with_its_reason_owes_none() -> None:
    with_reason = p.LadderPressed(
        at=at("19:20"),
        by="anna",
        press_id="serious",
        step=p.Step.REMOVE,
        connection="UUID-BEN",
        immediate=True,
        reason="a threat",
    )

    assert follow_ups(story(*EVENING, with_reason)) == ()


def test_a_rejoin_is_the_same_person() -> None:
    ben2 = joined(again(BEN), "19:30")
    out = removed(
        "19:50", key="ladder.remove:x:2", connection="UUID-BEN-2", person_id=""
    )

    assert calls(story(*EVENING, left(BEN, "19:10"), ben2, *out)) == [
        ("ben", at("20:05:04"))
    ]


ASK_THE_SCHOOL = p.FollowUpAgreed(
    at=at("20:05"),
    by="anna",
    task_id="x",
    owner="sam",
    due_at=at("22:00"),
    what="Ask the school about the quiet room.",
)


def test_what_staff_agreed_on_is_open_until_it_is_done() -> None:
    session = story(*EVENING, ASK_THE_SCHOOL)
    [task] = open_follow_ups(session, at("20:06"))

    assert task == StartFollowUp(
        key=agreed_key("x"),
        reason="Ask the school about the quiet room.",
        clause="E2",
        rule="follow_ups.open",
        by="anna",
        what="agreed",
        due_at=at("22:00"),
        person_id="sam",
    )
    done = p.FollowUpDone(at=at("21:00"), by="sam", key=agreed_key("x"), outcome="Did")
    assert open_keys(story(*EVENING, ASK_THE_SCHOOL, done), "21:01") == []


def test_what_was_agreed_can_be_changed_and_taken_back() -> None:
    later = replace(ASK_THE_SCHOOL, at=at("20:10"), owner="anna")
    dropped = replace(later, at=at("20:11"), dropped=True)

    [changed] = follow_ups(story(*EVENING, ASK_THE_SCHOOL, later))
    assert changed.person_id == "anna"
    assert follow_ups(story(*EVENING, ASK_THE_SCHOOL, later, dropped)) == ()
