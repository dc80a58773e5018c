"""One decision out of many rules: sternness, broken rules, the next deadline (I16, I20)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from app.core.actions import (
    Action,
    AdmitParticipant,
    AlertStaff,
    AskWorker,
    Audience,
    ConnectionAction,
    EndCause,
    EndMeeting,
    HoldParticipant,
    Level,
    RemoveParticipant,
    SendReminder,
    SendWarning,
    WakeAt,
    Wish,
)
from app.core.decide import Decision, decide
from app.core.rules import RULES, Rule
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    EVE,
    ROOM,
    at,
    joined,
    left,
    seconds,
    started,
    story,
)

OTHER = replace(ROOM, instance="a-second-one")


def about(kind: type[ConnectionAction], person: str = "ben", **more: Any) -> Any:
    whole = {
        "key": f"{kind.__name__}:{person}",
        "reason": "because",
        "clause": "T5",
        "meeting": ROOM,
        "connection": f"UUID-{person.upper()}",
    }
    return kind(**{**whole, **more})


END = EndMeeting(
    key="end", reason="r", clause="E1", meeting=ROOM, cause=EndCause.NEVER_ALONE
)
ALERT = AlertStaff(
    key="alert", reason="r", clause="E1", level=Level.RED, audience=Audience.WORKERS
)
ASK = AskWorker(
    key="ask", reason="r", clause="E1", meeting=ROOM, press="x", connection="UUID-BEN"
)
REMOVE, HOLD, WARN, REMIND, ADMIT = (
    about(kind)
    for kind in (
        RemoveParticipant,
        HoldParticipant,
        SendWarning,
        SendReminder,
        AdmitParticipant,
    )
)


def rule(*wishes: Wish) -> Rule:
    def asked(session: GroupSession, now: datetime) -> Iterator[Wish]:
        yield from wishes

    return asked


def decided(*wishes: Wish) -> tuple[Action, ...]:
    return decide(story(), at("19:00"), [("one", rule(*wishes))]).actions


@pytest.mark.parametrize(
    ("wished", "kept"),
    [
        ((REMIND,), (REMIND,)),
        ((REMIND, WARN), (WARN,)),
        ((REMIND, WARN, HOLD), (HOLD,)),
        ((WARN, REMOVE, HOLD), (REMOVE,)),
        ((ADMIT,), (ADMIT,)),
        ((ADMIT, REMIND), (REMIND,)),
        ((REMOVE, ADMIT), (REMOVE,)),
        ((REMOVE, END), (END,)),
        ((HOLD, REMOVE, REMIND, ADMIT, END), (END,)),
        ((ALERT, ASK, REMOVE, END), (END, ALERT, ASK)),
    ],
)
def test_for_one_person_the_sternest_stays_and_alerts_survive(
    wished: tuple[Action, ...], kept: tuple[Action, ...]
) -> None:
    for order in permutations(wished):
        assert set(decided(*order)) == set(kept)


def test_others_and_other_meetings_are_not_concerned() -> None:
    eve = about(SendReminder, "eve")
    there = about(SendReminder, "chloe", meeting=OTHER)
    assert set(decided(REMOVE, eve, there)) == {REMOVE, eve, there}
    assert set(decided(END, eve, there)) == {END, there}


def test_the_sternest_comes_first() -> None:
    dev = about(HoldParticipant, "dev")
    eve = about(RemoveParticipant, "eve")
    assert decided(ALERT, REMIND, dev, eve) == (eve, dev, REMIND, ALERT)
    assert decided(ALERT, REMIND, END)[0] == END


def test_the_same_episode_is_wanted_once_and_the_first_rule_has_the_say() -> None:
    second = replace(ALERT, reason="another")
    session = story()
    two = [("one", rule(ALERT)), ("two", rule(second))]
    assert decide(session, at("19:00"), two).actions == (ALERT,)


def broken(session: GroupSession, now: datetime) -> Iterator[Wish]:
    yield REMIND
    raise KeyError("nobody")


def test_a_broken_rule_is_told_and_silences_nobody() -> None:
    decision = decide(
        story(), at("19:00"), [("bad.one", broken), ("two", rule(END, ALERT))]
    )
    alarm = AlertStaff(
        key="rule.broken:bad.one",
        reason="The rule bad.one cannot be worked out. The other rules still hold.",
        clause="I20",
        rule="bad.one",
        level=Level.RED,
        audience=Audience.OPERATOR,
        what_to_do="Watch this session by hand and send the log to whoever looks after it.",
    )
    assert set(decision.actions) == {END, ALERT, alarm}
    assert decision.broken == {"bad.one": "KeyError: 'nobody'"}
    kept = decide(story(), at("19:00"), [("bad.one", broken)])
    assert set(kept.actions) == {REMIND, alarm}


def test_the_next_deadline_is_the_earliest() -> None:
    wakes: list[Wish] = [
        WakeAt(at("19:20"), "later"),
        WakeAt(at("19:10"), "first"),
        ALERT,
    ]
    for order in permutations(wakes):
        decision = decide(story(), at("19:00"), [("one", rule(*order))])
        assert (decision.wake_at, decision.wake_why) == (at("19:10"), "first")
    assert decide(story(), at("19:00"), []) == Decision((), None, "", {})


def test_a_decision_knows_what_it_wants() -> None:
    decision = decide(story(), at("19:00"), [("one", rule(END))])
    assert decision.wants("end")
    assert not decision.wants("alert")


def test_the_same_state_at_the_same_moment_gives_the_same_decision() -> None:
    facts = (started(), joined(ANNA), joined(BEN, "19:00"), joined(EVE, "19:01"))
    session, again = story(*facts), story(*facts)
    for later in range(0, 7200, 61):
        now = at("18:55") + seconds(later)
        assert decide(session, now) == decide(session, now) == decide(again, now)


def test_every_deadline_named_lies_ahead() -> None:
    session = story(started(), joined(ANNA), joined(BEN, "19:00"), left(ANNA, "19:04"))
    for later in range(0, 7200, 7):
        now = at("18:55") + seconds(later)
        wake_at = decide(session, now).wake_at
        assert wake_at is None or wake_at > now


def test_rules_have_names_of_their_own() -> None:
    names = [name for name, _ in RULES]
    assert len(names) == len(set(names))
    assert all("." in name for name in names)
