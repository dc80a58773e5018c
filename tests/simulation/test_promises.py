"""Whole evenings from seeds: every promise kept, every scary state reached.

`make test` plays the fixed seeds and some of today's; `make long` plays twenty thousand.
The first line of a failure names the seed: `chaperone simulate --seed N --trace` shows it,
`--write` makes its smallest story a test.
"""

import os
import subprocess
import sys

import pytest

from app.simulate import Run, Simulator
from app.simulate.crew import Playing, play_together
from app.simulate.draw import draw
from app.simulate.sometimes import WORDS
from tests.regressions.test_stories import known_to_break
from tests.simulation.seeds import LONG
from tests.tree import ROOT


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture(scope="session")
def fixed(under_way: tuple[Playing, Playing]) -> Run:
    return under_way[0].wait()


def told(run: Run) -> list[str]:
    """What broke, with the seed in front; but for what a story already tells."""
    return [
        f"SEED={broken.scenario.seed} {violation.clause}: {violation.said}"
        for broken in run.broken
        for violation in broken.violations
        if not known_to_break(violation)
    ]


def test_every_promise_is_kept_on_the_fixed_seeds(fixed: Run) -> None:
    assert told(fixed) == []


def test_every_promise_is_kept_on_seeds_of_today(
    under_way: tuple[Playing, Playing],
) -> None:
    assert told(under_way[1].wait()) == []


def test_every_scary_state_is_reached(fixed: Run) -> None:
    """A promise that was never tried proves nothing."""
    assert [word for word in WORDS if not fixed.sometimes[word]] == []


def test_an_evening_is_as_large_as_it_has_to_be(fixed: Run) -> None:
    """Fifteen virtual minutes and at least forty calls each (docs/simulation.md)."""
    assert fixed.minutes / fixed.played >= 15
    assert fixed.calls / fixed.played >= 40


def test_the_same_seed_is_the_same_evening(simulator: Simulator) -> None:
    first = simulator.tell(draw(3)).trace
    assert first != simulator.tell(draw(11)).trace
    assert first == simulator.tell(draw(3)).trace


TRACE = """
from app.simulate import Simulator
from app.simulate.draw import draw
print(Simulator().tell(draw(3)).trace)
"""


def test_it_is_the_same_in_another_process(simulator: Simulator) -> None:
    """Whatever order Python gives its sets there."""
    environ = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    there = subprocess.run(
        [sys.executable, "-c", TRACE],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert there.stdout.strip() == simulator.tell(draw(3)).trace


@pytest.mark.long
def test_every_promise_is_kept_on_twenty_thousand_seeds() -> None:
    run = play_together(LONG, os.cpu_count() or 1, stop_at=10)
    assert told(run) == []
    assert [word for word in WORDS if not run.sometimes[word]] == []
