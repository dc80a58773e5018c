"""Edges of the guard that a mistake of one sign would move (tests/mutation)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import AlertStaff, EndCause, WakeAt
from app.core.policy import Policy
from app.core.rooms import rooms
from app.core.rules import never_alone
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    ROOM,
    at,
    joined,
    left,
    read_at,
    seat,
    started,
    story,
)

EVENING = (started(), joined(ANNA), joined(BEN, "19:00"))
DROPPED = (*EVENING, left(ANNA, "19:04:10"))
KEY = "never_alone.end:evening"


def late(session: GroupSession) -> bool:
    [room] = rooms(session)
    return never_alone.heard_too_late(session, room)


def with_grace(seconds: float, *facts: object) -> GroupSession:
    session = story(*facts)  # type: ignore[arg-type]
    session.policy = replace(session.policy, grace=timedelta(seconds=seconds))
    session.version += 1
    return session


def end_moved(clock: str, state: p.ActionState, **more: object) -> p.ActionMoved:
    return p.ActionMoved(
        at=at(clock),
        key=KEY,
        kind="end_meeting",
        state=state,
        meeting=ROOM,
        cause=str(EndCause.NEVER_ALONE),
        **more,  # type: ignore[arg-type]
    )


def test_in_a_safe_room_no_news_is_late() -> None:
    assert late(story(*EVENING)) is False


def test_before_the_first_worker_no_news_is_late() -> None:
    came = replace(joined(BEN, "18:55"), heard_at=at("19:10"))
    assert late(story(started(), came)) is False


@pytest.mark.parametrize(
    ("heard", "is_late"),
    [("19:04:10", False), ("19:04:11", True)],
)
def test_without_a_grace_news_of_the_same_moment_is_in_time(
    heard: str, is_late: bool
) -> None:
    gone = replace(left(ANNA, "19:04:10"), heard_at=at(heard))
    assert late(with_grace(0, *EVENING, gone)) is is_late


@pytest.mark.parametrize("grace", [-5.0, 0.0])
def test_no_policy_makes_a_grace_that_is_over_before_it_began(grace: float) -> None:
    session = with_grace(grace, *DROPPED)
    [room] = rooms(session)
    assert never_alone.deadline(session, room) == at("19:04:10")


def test_an_end_sent_again_has_no_more_time_to_be_proved() -> None:
    sent = end_moved("19:05:10", p.ActionState.SENT, tries=1)
    again = end_moved("19:05:18", p.ActionState.SENT, tries=2)
    session = story(*DROPPED, sent, again)
    due = at("19:05:10") + 2 * Policy().verify_after
    before = due - timedelta(seconds=1)
    assert [*never_alone.end_does_not_work(session, before)] == [
        WakeAt(due, "is the room proved empty?")
    ]
    [wish] = never_alone.end_does_not_work(session, due)
    assert isinstance(wish, AlertStaff)


@pytest.mark.parametrize(("resumed", "told"), [("19:05:12", 1), ("19:05:16", 0)])
def test_i8_a_resume_before_the_clear_was_sent_is_no_answer_to_it(
    resumed: str, told: int
) -> None:
    session = story(
        *DROPPED,
        end_moved("19:05:10", p.ActionState.WANTED),
        end_moved("19:05:14", p.ActionState.SENT),
        p.SessionResumed(at=at(resumed), by="anna"),
        end_moved("19:05:20", p.ActionState.CONFIRMED, race=True, proof="over"),
    )
    assert len([*never_alone.race(session, at("19:05:21"))]) == told


def test_i6_what_was_proved_keeps_its_time_when_it_is_found_to_be_a_race() -> None:
    session = story(
        *DROPPED,
        end_moved("19:05:10", p.ActionState.SENT),
        end_moved("19:05:14", p.ActionState.CONFIRMED, proof="over"),
        end_moved("19:05:40", p.ActionState.CONFIRMED, proof="over", race=True),
    )
    fact = session.actions[KEY]
    assert (fact.confirmed_at, fact.race) == (at("19:05:14"), True)


def test_a_look_that_shows_a_second_client_later_moves_no_first_grace() -> None:
    def shown(person: dict[str, str], clock: str) -> e.ConnectionSeen:
        fact: e.ConnectionSeen = seat(
            e.ConnectionSeen, person, clock, source=e.Source.POLL
        )
        return fact

    session = story(started(), shown(BEN, "19:00"), shown(CHLOE, "19:00:10"))
    [room] = rooms(session)
    policy = session.policy
    unseen = policy.poll_calm + policy.call_deadline
    due = at("19:00") + policy.grace_first_worker - unseen
    assert never_alone.deadline(read_at(session, "19:00:10"), room) == due
