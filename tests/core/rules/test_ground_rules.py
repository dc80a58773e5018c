"""The group's own rules: at the start, to who comes late, and when a worker asks."""

from typing import Any

import pytest

from app.core import presses as p
from app.core.actions import (
    Action,
    AlertStaff,
    Audience,
    Expect,
    Level,
    PostGroundRules,
)
from app.core.fold import Fact
from app.core.plan import GroundRules
from app.core.rules.ground_rules import RulesReceipt, post, receipts
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    ROOM,
    RULES,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    plan,
    seconds,
    started,
    story,
    waiting,
)

START = f"rules:{ROOM.instance}:3:start"
OPEN: tuple[Fact, ...] = (started(), joined(ANNA, "18:53"), joined(SAM, "18:54"))
TWO_IN: tuple[Fact, ...] = (*OPEN, joined(BEN, "18:58"), joined(CHLOE, "18:59"))


def posted(
    clock: str, key: str = START, *, proved: bool = True, **more: Any
) -> tuple[p.ActionMoved, ...]:
    """What the engine wrote about a post: wanted, and proved two seconds later."""
    given: dict[str, Any] = {
        "key": key,
        "kind": "post_ground_rules",
        "meeting": ROOM,
        **more,
    }
    moves = [p.ActionMoved(at=at(clock), state=p.ActionState.WANTED, **given)]
    if proved:
        later = at(clock) + seconds(2)
        moves.append(p.ActionMoved(at=later, state=p.ActionState.CONFIRMED, **given))
    return tuple(moves)


def wanted(session: GroupSession, clock: str) -> list[Action]:
    return [wish for wish in post(session, at(clock)) if isinstance(wish, Action)]


def told(session: GroupSession, clock: str) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (wish.key, wish.connections)
        for wish in post(session, at(clock))
        if isinstance(wish, PostGroundRules)
    ]


def late(person: dict[str, str], clock: str) -> str:
    return f"rules:{ROOM.instance}:3:late:{person['uuid']}:{at(clock).isoformat()}"


@pytest.mark.parametrize(
    "facts",
    [
        OPEN,
        (started(), joined(BEN, "18:58")),
        (*OPEN, waiting(BEN)),
        (*OPEN, joined(EVE, "18:58")),
        (started(), joined(BEN, "18:58"), joined(EVE, "18:58")),
        (*TWO_IN, ended("18:59:30")),
    ],
)
def test_nobody_to_tell_or_nobody_to_answer_for_it(facts: tuple[Fact, ...]) -> None:
    assert wanted(story(*facts), "19:00") == []


def test_the_rules_are_posted_once_a_worker_and_a_client_are_there() -> None:
    assert wanted(story(*TWO_IN), "18:59") == [
        PostGroundRules(
            key=START,
            reason="The session has started. The group's own rules belong to every start.",
            clause="T3",
            rule="ground_rules.post",
            meeting=ROOM,
            connections=("UUID-BEN", "UUID-CHLOE"),
            version=3,
            text=RULES.text(),
        )
    ]
    assert PostGroundRules.expect is Expect.TICK


def test_a_late_joiner_gets_them_too() -> None:
    session = story(*TWO_IN, *posted("18:59"), joined(DEV, "19:10"))

    assert told(session, "19:10")[1:] == [(late(DEV, "19:10"), ("UUID-DEV",))]


@pytest.mark.parametrize(
    ("clock", "late_one"), [("18:59:00", False), ("18:59:01", True)]
)
def test_late_is_who_came_after_the_first_post(clock: str, late_one: bool) -> None:
    session = story(*TWO_IN, *posted("18:59"), joined(DEV, clock))

    assert (len(told(session, "19:00")) == 2) is late_one


@pytest.mark.parametrize(
    ("second", "groups"),
    [
        ("19:10:29", [("UUID-DEV", "UUID-BEN-2")]),
        ("19:10:30", [("UUID-DEV", "UUID-BEN-2")]),
        ("19:10:31", [("UUID-DEV",), ("UUID-BEN-2",)]),
    ],
)
def test_who_comes_within_half_a_minute_shares_one_message(
    second: str, groups: list[tuple[str, ...]]
) -> None:
    facts = (*OPEN, joined(CHLOE, "18:58"), *posted("18:59"))
    session = story(*facts, joined(DEV, "19:10"), joined(again(BEN), second))

    assert [who for _, who in told(session, "19:11")[1:]] == groups


def test_nobody_is_added_to_a_message_already_decided() -> None:
    facts = (*OPEN, joined(CHLOE, "18:58"), *posted("18:59"), joined(DEV, "19:10"))
    sent = posted("19:10:01", late(DEV, "19:10"))
    session = story(*facts, *sent, joined(BEN, "19:10:05"))

    assert told(session, "19:10:05")[1:] == [
        (late(DEV, "19:10"), ("UUID-DEV",)),
        (late(BEN, "19:10:05"), ("UUID-BEN",)),
    ]


def test_a_dropped_line_is_no_late_arrival() -> None:
    session = story(
        *TWO_IN, *posted("18:59"), left(BEN, "19:05"), joined(again(BEN), "19:06")
    )

    assert told(session, "19:06")[1:] == []


def test_a_late_joiner_who_drops_and_returns_is_not_told_again() -> None:
    session = story(
        *TWO_IN,
        *posted("18:59"),
        joined(DEV, "19:10"),
        *posted("19:10:01", late(DEV, "19:10")),
        left(DEV, "19:20"),
        joined(again(DEV), "19:21"),
    )

    assert told(session, "19:21")[1:] == []


def test_a_post_that_failed_reached_nobody() -> None:
    failed = p.ActionMoved(
        at=at("18:59:05"),
        key=START,
        kind="post_ground_rules",
        state=p.ActionState.REFUSED,
    )
    session = story(
        *TWO_IN,
        *posted("18:59", proved=False),
        failed,
        left(BEN, "19:05"),
        joined(again(BEN), "19:06"),
    )

    assert [who for _, who in told(session, "19:06")[1:]] == [("UUID-BEN-2",)]
    assert receipts(session) == []


def test_who_heard_a_worker_say_them_needs_no_message() -> None:
    spoken = p.RulesSpoken(at=at("19:12"), by="anna", heard=("UUID-DEV",))
    session = story(*TWO_IN, *posted("18:59"), joined(DEV, "19:10"), spoken)

    assert told(session, "19:13")[1:] == []


def test_a_worker_can_ask_to_send_them_again() -> None:
    asked = p.RulesRequested(at=at("19:30"), by="sam")
    session = story(*TWO_IN, *posted("18:59"), asked, asked)

    assert told(session, "19:30")[1:] == [
        (
            f"rules:{ROOM.instance}:3:asked:{at('19:30').isoformat()}",
            ("UUID-BEN", "UUID-CHLOE"),
        )
    ]


@pytest.mark.parametrize(
    ("clock", "count"), [("18:58:59", 1), ("18:59", 1), ("18:59:01", 2)]
)
def test_asking_before_the_first_message_is_answered_by_it(
    clock: str, count: int
) -> None:
    asked = p.RulesRequested(at=at(clock), by="sam")

    assert len(told(story(*TWO_IN, *posted("18:59"), asked), "19:00")) == count


def test_new_words_are_a_new_start() -> None:
    changed = plan(ground_rules=GroundRules(version=4, rules=RULES.rules))
    planned = p.SessionPlanned(at=at("19:20"), by="anna", plan=changed)

    assert told(story(*TWO_IN, *posted("18:59"), planned), "19:20")[0][0] == (
        f"rules:{ROOM.instance}:4:start"
    )


def test_after_the_goodbye_nobody_is_told() -> None:
    closing = p.ClosingPressed(at=at("19:58"), by="anna")

    assert wanted(story(*TWO_IN, closing), "19:58") == []


def test_no_rules_agreed_is_said_quietly_to_the_workers() -> None:
    session = story(*TWO_IN, the_plan=plan(ground_rules=GroundRules()))

    assert wanted(session, "18:59") == [
        AlertStaff(
            key=f"rules:{ROOM.instance}:none",
            reason="The group has agreed no ground rules, so none were given.",
            clause="T3",
            rule="ground_rules.post",
            level=Level.INFO,
            audience=Audience.WORKERS,
            what_to_do="Agree them together today and write them down in the group's page.",
        )
    ]


# --- receipts ---------------------------------------------------------------------


def test_everybody_has_one_receipt_and_it_is_the_first() -> None:
    session = story(
        *TWO_IN,
        *posted("18:59"),
        joined(DEV, "19:10"),
        *posted("19:10:01", late(DEV, "19:10")),
        p.RulesSpoken(at=at("19:15"), by="anna", heard=("UUID-BEN", "UUID-DEV")),
    )

    assert receipts(session) == [
        RulesReceipt("ben", "UUID-BEN", "posted", at("18:59:02"), 3, START),
        RulesReceipt("chloe", "UUID-CHLOE", "posted", at("18:59:02"), 3, START),
        RulesReceipt(
            "dev", "UUID-DEV", "posted", at("19:10:03"), 3, late(DEV, "19:10")
        ),
    ]


def test_a_post_without_proof_is_no_receipt() -> None:
    assert receipts(story(*TWO_IN, *posted("18:59", proved=False))) == []


def test_spoken_words_are_a_receipt() -> None:
    spoken = p.RulesSpoken(at=at("19:02"), by="anna", heard=("UUID-BEN", "nobody"))

    assert receipts(story(*TWO_IN, spoken)) == [
        RulesReceipt("ben", "UUID-BEN", "spoken", at("19:02"), 3)
    ]


def test_the_engines_list_of_connections_decides_where_there_is_one() -> None:
    session = story(*TWO_IN, *posted("18:59", details=("UUID-CHLOE", "nobody")))

    assert [r.person_id for r in receipts(session)] == ["chloe"]


def test_a_stranger_gets_no_receipt() -> None:
    session = story(*TWO_IN, joined(EVE, "18:58"), *posted("18:59"))

    assert [r.person_id for r in receipts(session)] == ["ben", "chloe"]
