"""Edges of the ladder that a mistake of one sign would move (tests/mutation)."""

from dataclasses import replace

import pytest

from app.core import presses as p
from app.core.actions import RemoveParticipant, SendReminder
from app.core.rules import ladder
from app.core.session import GroupSession
from tests.core.builders import ANNA, BEN, at, joined, started, story

OPEN = (started(), joined(ANNA, "18:53"))
AT_ONCE = p.LadderPressed(
    at=at("19:20"),
    by="anna",
    press_id="serious",
    step=p.Step.REMOVE,
    connection=BEN["uuid"],
    rule=0,
    immediate=True,
)


def removals(session: GroupSession, clock: str) -> list[RemoveParticipant]:
    wishes = ladder.removed_stay_out(session, at(clock))
    return [wish for wish in wishes if isinstance(wish, RemoveParticipant)]


@pytest.mark.parametrize("at_end", [False, True])
def test_the_first_and_the_last_rule_are_quoted(at_end: bool) -> None:
    session = story(*OPEN, joined(BEN))
    assert session.plan is not None
    rules = session.plan.ground_rules.rules
    number = len(rules) if at_end else 1
    reminder = replace(
        AT_ONCE, press_id="kind", step=p.Step.REMIND, rule=number, immediate=False
    )
    [wish] = ladder.steps(story(*OPEN, joined(BEN), reminder), at("19:21"))
    assert isinstance(wish, SendReminder)
    assert f"Rule {number}: {rules[number - 1].text}" in wish.text


def test_when_the_session_is_closed_nobody_is_put_out_any_more() -> None:
    closed = p.SessionClosed(at=at("19:30"), by="anna")
    session = story(*OPEN, joined(BEN), AT_ONCE, closed)
    assert removals(session, "19:29:59") != []
    assert removals(session, "19:30") == []


def test_who_came_in_the_moment_of_the_press_is_not_back() -> None:
    [wish] = removals(story(*OPEN, joined(BEN, "19:20"), AT_ONCE), "19:21")
    assert (wish.key, wish.clause) == ("ladder.remove:serious", "T5")


def test_the_same_account_without_the_link_is_the_same_person() -> None:
    account = {"platform_user_id": "zoom-ben"}
    bare = {"uuid": "UUID-NEW", "user_id": "777", "name": "B", **account}
    session = story(*OPEN, joined({**BEN, **account}), AT_ONCE, joined(bare, "19:25"))
    [again] = [w for w in removals(session, "19:26") if w.connection == "UUID-NEW"]
    assert (again.person_id, again.clause) == ("ben", "I2")
