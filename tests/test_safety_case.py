"""The safety case says what is: its numbers, tests and checks are those of the code."""

import ast
import importlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from app.core.policy import Policy
from app.core.readiness_items import hands
from app.core.readiness_items.hands import (
    Addend,
    addends,
    longest_alone,
    longest_before_first,
)
from app.simulate import allowance
from app.simulate.invariants import INVARIANTS
from tests.regressions.test_stories import STILL_BROKEN
from tests.tree import ROOT, firsts, rows, text, tree

CASE = text("docs", "safety-case.md")
POLICY = Policy()


# --- the promise in numbers ----------------------------------------------------------


def seconds(lasts: Any) -> str:
    return f"{lasts.total_seconds():.0f}"


def written(parts: Sequence[Addend]) -> list[list[str]]:
    """The table of these addends, with what they come to."""
    lines = [
        [one.what, ", ".join(f"`{name}`" for name in one.settings), seconds(one.lasts)]
        for one in parts
    ]
    whole = sum(one.lasts.total_seconds() for one in parts)
    return [*lines, ["**together**", "", f"{whole:.0f}"]]


@pytest.mark.parametrize(
    ("head", "live_roster"), [("addend", True), ("addend, webhooks only", False)]
)
def test_every_addend_is_the_one_the_code_adds(head: str, live_roster: bool) -> None:
    assert rows(CASE, head) == written(addends(POLICY, live_roster=live_roster))


@pytest.mark.parametrize("live_roster", [True, False])
def test_every_addend_names_settings_there_are(live_roster: bool) -> None:
    for part in addends(POLICY, live_roster=live_roster):
        for name in part.settings:
            holder: Any = hands if name.startswith("hands.") else POLICY
            assert hasattr(holder, name.removeprefix("hands.")), name


def test_the_promise_of_each_condition_is_what_the_code_allows() -> None:
    in_time = hands.NEWS_IN_TIME
    seen = longest_alone(POLICY, live_roster=True)
    outage = seconds(POLICY.grace + allowance.OUTAGE)
    killed = seconds(POLICY.grace + allowance.OUTAGE + allowance.START)
    assert [row[1] for row in rows(CASE, "condition")] == [
        f"{seconds(POLICY.grace + in_time)} s",
        f"{seconds(seen)} s",
        f"{seconds(longest_alone(Policy(grace=0 * POLICY.grace), live_roster=True))} s",
        f"M + {outage} s",
        f"M + D + {killed} s",
        f"{seconds(POLICY.grace + in_time)} s",
        f"{seconds(longest_alone(POLICY, live_roster=False))} s",
        "no promise",
        f"{seconds(POLICY.grace_first_worker + in_time)} s",
        f"{seconds(longest_before_first(POLICY))} s",
    ]


def test_the_readme_tells_the_same_promises() -> None:
    told = [row[1] for row in rows(text("README.md"), "when")]
    said = [row[1] for row in rows(CASE, "condition")]
    at = (0, 1, 3, 4, 5, 6)
    assert [one.removesuffix(", or more") for one in told] == [said[n] for n in at]


def test_the_promise_in_words_has_the_same_seconds() -> None:
    promise = CASE.split("## 1. ")[1].split("The words count")[0]
    assert re.findall(r"(\d+)\s+seconds", promise) == [
        seconds(longest_alone(POLICY, live_roster=True)),
        seconds(POLICY.grace + hands.NEWS_IN_TIME),
        seconds(longest_alone(POLICY, live_roster=False)),
    ]


# --- what holds it -------------------------------------------------------------------

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of one file, by name."""
    return frozenset(
        node.name
        for node in ast.walk(tree(ROOT / path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def test_every_test_named_is_there() -> None:
    named = NAMED.findall(CASE)
    assert len(named) > 100
    lost = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in names_in(path)
    ]
    assert lost == []
    assert CASE.count("::test_") == len(named), "a test is named in another form"


def checks_named(cell: str) -> list[Callable[..., Any]]:
    """The check functions a cell names, as "`module.function`"."""
    return [
        getattr(importlib.import_module(f"app.simulate.{module}"), name)
        for module, name in re.findall(r"`(\w+)\.(\w+)`", cell)
    ]


def test_every_check_of_the_simulation_is_named_and_is_one() -> None:
    named = {one for row in rows(CASE, "invariant") for one in checks_named(row[2])}
    assert named == set(INVARIANTS.values())


def test_every_check_stands_with_the_invariant_it_looks_after() -> None:
    by_mark = {row[0]: checks_named(row[2]) for row in rows(CASE, "invariant")}
    wrong = [
        clause
        for clause, check in INVARIANTS.items()
        if check not in by_mark[clause.split()[0]]
    ]
    assert wrong == []


def test_every_invariant_has_its_row() -> None:
    marks = ["I1", "I1b", "I1c", *(f"I{n}" for n in range(2, 25)), "A7"]
    assert firsts(CASE, "invariant") == marks


def test_what_nothing_checks_is_said_to_be_unchecked() -> None:
    silent = [
        row[0]
        for row in rows(CASE, "invariant")
        if not checks_named(row[2]) and not row[2].startswith("not checked")
    ]
    assert silent == []
    assert [r[0] for r in rows(CASE, "invariant") if not NAMED.findall(r[3])] == []


def test_every_hazard_says_what_holds_it_and_what_remains() -> None:
    parts = re.split(r"^### 2\.\d+ ", CASE.split("## 3. ")[0], flags=re.MULTILINE)[1:]
    assert len(parts) >= 20
    for part in parts:
        labels = re.findall(r"^\*\*(.+?)\.\*\*", part, flags=re.MULTILINE)
        name = part.splitlines()[0]
        wanted = ["Cause", "Against it", "Held by", "What remains"]
        assert [one for one in labels if one in wanted] == wanted, name
        assert NAMED.findall(part), name


def test_the_stories_that_still_break_are_the_ones_told() -> None:
    gaps = " ".join(" ".join(row) for row in rows(CASE, "gap"))
    assert set(re.findall(r"`(i\d+_\w+\.json)`", gaps)) == set(STILL_BROKEN)
    assert firsts(CASE, "gap") == [str(n + 1) for n in range(len(rows(CASE, "gap")))]


def test_every_figure_has_a_goal_and_a_command() -> None:
    found = rows(CASE, "figure")
    assert len(found) > 5
    assert [row[0] for row in found if not all(row) or "`" not in row[3]] == []
