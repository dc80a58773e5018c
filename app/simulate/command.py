"""`chaperone simulate`: many evenings from a seed, or one line by line."""

from pathlib import Path

from app import logs
from app.clock import SystemClock
from app.simulate import show, story
from app.simulate.core_alone import CoreEvening
from app.simulate.crew import play_together
from app.simulate.draw import draw
from app.simulate.many import Run, Simulator, Told
from app.simulate.shrink import shrunk


def simulate(
    seed: int,
    count: int,
    *,
    jobs: int = 1,
    write: bool = False,
    folder: Path | None = None,
) -> int:
    """Play `count` evenings from `seed`; 0 when every promise was kept, else 1."""
    logs.set_up("error")
    show.say(f"SEED={seed} COUNT={count}")
    run = play_together(
        range(seed, seed + count),
        jobs,
        lambda now: show.progress(now, count),
        stop_at=1,
    )
    show.figures(run)
    for told in run.broken:
        explain(Simulator(), told, write=write, folder=folder)
    return 1 if run.broken else 0


def explain(
    simulator: Simulator, told: Told, *, write: bool, folder: Path | None = None
) -> None:
    """What broke, its smallest story, and, when asked, that story as a file."""
    show.broken(told)
    first = told.violations[0]
    smallest, tries = shrunk(simulator, told.scenario, first.clause)
    show.story(smallest, tries)
    if write:
        path = story.written(smallest, first.clause, first.said, folder)
        show.say(f"\nWritten: {path.name}. It is played by every test run from now on.")
    else:
        show.say("\nWith --write the story becomes a test.")


def trace(seed: int) -> int:
    """One evening, line by line."""
    logs.set_up("error")
    told = Simulator().tell(draw(seed))
    show.timeline(told)
    return 1 if told.violations else 0


def core(seed: int, count: int) -> int:
    """The core alone: fold and decide, nothing else."""
    clock = SystemClock()
    began = clock.monotonic()
    found: list[str] = []
    told = {"played": 0, "facts": 0, "decisions": 0, "ends": 0}
    for one in range(seed, seed + count):
        evening = CoreEvening(draw(one)).play()
        told["played"] += 1
        told["facts"] += evening.facts
        told["decisions"] += evening.decisions
        told["ends"] += len(evening.wanted)
        found += [f"seed {one}: {said}" for said in evening.broken]
    show.core({**told, "seconds": clock.monotonic() - began})
    for said in found[:10]:
        show.say(f"BROKEN {said}")
    return 1 if found else 0


__all__ = ["Run", "core", "explain", "simulate", "trace"]
