"""Play many evenings, judge each, and keep the figures."""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.clock import SystemClock
from app.simulate.draw import draw
from app.simulate.ground import Ground, new_ground
from app.simulate.invariants import judge
from app.simulate.loop import Stuck
from app.simulate.play import Outcome, play
from app.simulate.scenario import Scenario
from app.simulate.sometimes import counted
from app.simulate.stage import Change
from app.simulate.verdict import Figures, Violation

STUCK = "M1 comes to rest"
SWEPT_EVERY = 20
"""Evenings between two sweeps for garbage."""


@dataclass(slots=True)
class Told:
    """What one evening came to."""

    scenario: Scenario
    violations: list[Violation]
    trace: str = ""
    outcome: Outcome | None = None


@dataclass(slots=True)
class Run:
    """Many evenings together."""

    played: int = 0
    minutes: float = 0.0
    calls: int = 0
    webhooks: int = 0
    seconds: float = 0.0
    figures: Figures = field(default_factory=Figures)
    sometimes: Counter[str] = field(default_factory=Counter)
    broken: list[Told] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Evenings a second."""
        return self.played / self.seconds if self.seconds else 0.0

    def add(self, other: "Run") -> None:
        """Count what another process played; `seconds` passed for both at once."""
        self.played += other.played
        self.minutes += other.minutes
        self.calls += other.calls
        self.webhooks += other.webhooks
        self.figures.add(other.figures)
        self.sometimes += other.sometimes
        self.broken += other.broken


@contextmanager
def _unswept() -> Iterator[None]:
    """No looking for garbage meanwhile: it costs a third of the time."""
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looks:
            gc.enable()


class Simulator:
    """Plays evenings on one ground. `change` puts a mutant in (docs/simulation.md)."""

    def __init__(self, change: Change | None = None) -> None:
        self.ground: Ground = new_ground()
        self.change = change
        # What is there now stays, and need not be looked through for garbage.
        gc.collect()
        gc.freeze()

    def tell(self, scenario: Scenario, figures: Figures | None = None) -> Told:
        """Play and judge one evening."""
        with _unswept():
            try:
                outcome = play(scenario, self.ground, self.change)
            except Stuck as stuck:
                return Told(scenario, [Violation(STUCK, str(stuck))])
            return Told(scenario, judge(outcome, figures), outcome.trace(), outcome)

    def run(
        self,
        seeds: Iterable[int],
        on_each: Callable[[Run], None] = lambda _run: None,
        *,
        drawn: Callable[[int], Scenario] = draw,
        stop_at: int = 3,
    ) -> Run:
        """Play every seed; stops after so many broken evenings."""
        with _unswept():
            return self._run(seeds, on_each, drawn, stop_at)

    def _run(
        self,
        seeds: Iterable[int],
        on_each: Callable[[Run], None],
        drawn: Callable[[int], Scenario],
        stop_at: int,
    ) -> Run:
        run, clock = Run(), SystemClock()
        began = clock.monotonic()
        for seed in seeds:
            told = self.tell(drawn(seed), run.figures)
            run.played += 1
            if run.played % SWEPT_EVERY == 0:
                gc.collect()
            run.minutes += told.scenario.ends_at / 60
            if told.outcome is not None:
                run.calls += len(told.outcome.stage.server.calls)
                run.webhooks += len(told.outcome.stage.server.sendings)
                run.sometimes += counted(told.outcome)
            run.seconds = clock.monotonic() - began
            if told.violations:
                told.outcome = None
                run.broken.append(told)
                if len(run.broken) >= stop_at:
                    break
            on_each(run)
        return run
