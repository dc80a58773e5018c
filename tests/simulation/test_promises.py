"""Whole evenings from seeds: every promise kept, every scary state reached.

`make test` plays the fixed seeds and some of today's; `make long` plays twenty thousand.
The first line of a failure names the seed: `chaperone simulate --seed N --trace` shows it,
`--write` makes its smallest story a test.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from app.clock import SystemClock
from app.simulate import Run, Simulator
from app.simulate.crew import Crew, Playing
from app.simulate.draw import draw
from app.simulate.sometimes import WORDS
from tests.regressions.test_stories import known_to_break
from tests.tree import ROOT

FIXED = range(300)
"""Among them enough to reach every scary state (`sometimes.py`)."""
TODAY = SystemClock().now().toordinal() * 1_000_000
TODAYS = range(TODAY, TODAY + 100)
"""Fresh seeds: the same all day long, others tomorrow."""
LONG = range(20_000)
PART = 50
"""Seeds to one test, so that none takes minutes."""
JOBS = os.cpu_count() or 1


def in_parts(seeds: Sequence[int], size: int = PART) -> list[Sequence[int]]:
    return [seeds[at : at + size] for at in range(0, len(seeds), size)]


class Evenings:
    """All seeds, played by a crew as far as they are; each part is waited for once."""

    def __init__(self, crew: Crew) -> None:
        self._playing: dict[Sequence[int], Playing] = {
            part: crew.begin(part, stop_at=10)
            for part in (*in_parts(FIXED), *in_parts(TODAYS))
        }
        self._runs: dict[Sequence[int], Run] = {}

    def of(self, part: Sequence[int]) -> Run:
        if part not in self._runs:
            self._runs[part] = self._playing[part].wait()
        return self._runs[part]


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with Crew(JOBS) as crew:
        yield crew


@pytest.fixture(scope="module")
def evenings(crew: Crew) -> Evenings:
    return Evenings(crew)


@pytest.fixture(scope="module")
def fixed(evenings: Evenings) -> Run:
    whole = Run()
    for part in in_parts(FIXED):
        whole.add(evenings.of(part))
    return whole


def told(run: Run) -> list[str]:
    """What broke, with the seed in front; but for what a story already tells."""
    return [
        f"SEED={broken.scenario.seed} {violation.clause}: {violation.said}"
        for broken in run.broken
        for violation in broken.violations
        if not known_to_break(violation, broken.scenario.seed)
    ]


@pytest.mark.parametrize("part", in_parts(FIXED), ids=repr)
def test_every_promise_is_kept_on_the_fixed_seeds(
    evenings: Evenings, part: Sequence[int]
) -> None:
    run = evenings.of(part)
    assert told(run) == []
    assert run.played == len(part)


@pytest.mark.parametrize("part", in_parts(TODAYS), ids=["first", "second"])
def test_every_promise_is_kept_on_seeds_of_today(
    evenings: Evenings, part: Sequence[int]
) -> None:
    run = evenings.of(part)
    assert told(run) == []
    assert run.played == len(part)


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
@pytest.mark.parametrize("part", in_parts(LONG, 500), ids=repr)
def test_every_promise_is_kept_on_twenty_thousand_seeds(
    crew: Crew, part: Sequence[int]
) -> None:
    run = crew.begin(part, stop_at=10).wait()
    assert told(run) == []
    assert run.played == len(part)
