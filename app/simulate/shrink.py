"""Make a broken evening as small as it can be while the same invariant still breaks.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing
input", IEEE TSE 28(2), 2002) over faults, steps and people; then the knobs go to usual
values and the times to whole seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from app.simulate.many import Simulator
from app.simulate.scenario import WHOLE_DAY, Scenario

T = TypeVar("T")
Breaks = Callable[[Scenario], bool]
MOST_TRIES = 250


class Shrinker:
    """`tries` counts the evenings it took."""

    def __init__(self, breaks: Breaks, most: int = MOST_TRIES) -> None:
        self._breaks = breaks
        self._most = most
        self.tries = 0

    def smallest(self, scenario: Scenario) -> Scenario:
        """The smallest evening found that still breaks."""
        found, size = scenario, -1
        while size != _size(found) and self.tries < self._most:
            size = _size(found)
            found = self._fewer(found, "faults")
            found = self._fewer(found, "steps")
            found = self._fewer_people(found)
            for plainer in self._plainer(found):
                if self._still(plainer):
                    found = plainer
        return found

    def _still(self, scenario: Scenario) -> bool:
        if self.tries >= self._most:
            return False
        self.tries += 1
        return self._breaks(scenario)

    def _fewer(self, scenario: Scenario, name: str) -> Scenario:
        rows: Sequence[object] = getattr(scenario, name)
        step = max(1, len(rows) // 2)
        while step >= 1 and rows:
            start = 0
            while start < len(rows):
                kept = (*rows[:start], *rows[start + step :])
                smaller = _with(scenario, {name: kept})
                if self._still(smaller):
                    scenario, rows = smaller, kept
                else:
                    start += step
            step //= 2
        return scenario

    def _fewer_people(self, scenario: Scenario) -> Scenario:
        for name in ("clients", "support"):
            for who in getattr(scenario, name):
                left = tuple(each for each in getattr(scenario, name) if each != who)
                if name == "clients" and not left:
                    continue
                steps = tuple(step for step in scenario.steps if step.who != who)
                smaller = _with(scenario, {name: left, "steps": steps})
                if self._still(smaller):
                    scenario = smaller
        return scenario

    def _plainer(self, scenario: Scenario) -> Iterator[Scenario]:
        usual: dict[str, Any] = {
            "begins": WHOLE_DAY,
            "grace": 60,
            "grace_first_worker": 120,
            "account": {},
            "live_roster": True,
            "remove_enabled": True,
        }
        for name, value in usual.items():
            if getattr(scenario, name) != value:
                yield _with(scenario, {name: value})
        rounded = tuple(
            replace(step, at=float(round(step.at))) for step in scenario.steps
        )
        if rounded != scenario.steps:
            yield replace(scenario, steps=rounded)
        sure = tuple(replace(fault, rate=1.0) for fault in scenario.faults)
        if sure != scenario.faults:
            yield replace(scenario, faults=sure)


def _with(scenario: Scenario, changes: dict[str, Any]) -> Scenario:
    return replace(scenario, **changes)


def _size(scenario: Scenario) -> int:
    people = len(scenario.clients) + len(scenario.support)
    return len(scenario.steps) + len(scenario.faults) + people


def shrunk(
    simulator: Simulator, scenario: Scenario, clause: str
) -> tuple[Scenario, int]:
    """(the smallest evening that breaks `clause`, evenings played)."""

    def breaks(candidate: Scenario) -> bool:
        try:
            told = simulator.tell(candidate)
        except (ValueError, KeyError, AssertionError, IndexError):
            return False  # no longer an evening at all
        return any(each.clause == clause for each in told.violations)

    shrinker = Shrinker(breaks)
    return shrinker.smallest(scenario), shrinker.tries
