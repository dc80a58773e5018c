"""What stands at the door."""

from datetime import datetime

from app.core.actions import TellWaitingRoom
from app.core.plan import GroundRule, GroundRules
from app.core.presses import ClosingPressed
from app.core.rules.welcome import HELP, LONGEST, at_the_door, words
from app.core.session import GroupSession
from tests.core.builders import ANNA, at, joined, plan, started, story


def door(session: GroupSession, now: datetime) -> list[str]:
    return [w.text for w in at_the_door(session, now) if isinstance(w, TellWaitingRoom)]


def test_the_rules_are_at_the_door_as_soon_as_the_meeting_opens() -> None:
    assert door(story(), at("18:50")) == []

    [text] = door(story(started(), joined(ANNA, "18:52")), at("18:53"))

    assert text.startswith("1. What is said here stays here. 2. One person talks")
    assert text.endswith(HELP)


def test_nothing_new_is_said_after_the_goodbye() -> None:
    over = story(started(), joined(ANNA), ClosingPressed(at=at("19:55"), by="anna"))

    assert door(over, at("19:56")) == []


def test_long_rules_are_left_out_whole_and_the_help_line_stays() -> None:
    def text_of(length: int) -> str:
        rules = GroundRules(
            version=1, rules=(GroundRule(heading="respect", text="x" * length),)
        )
        return words(story(the_plan=plan(ground_rules=rules)))

    most = LONGEST - len(HELP) - len("1.  ")
    assert len(text_of(most - 1)) == LONGEST - 1
    assert len(text_of(most)) == LONGEST
    assert text_of(most + 1) == HELP
