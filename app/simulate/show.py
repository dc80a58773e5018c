"""What `chaperone simulate` prints."""

import sys
from typing import Any

from app.simulate.invariants import INVARIANTS
from app.simulate.many import Run, Told
from app.simulate.scenario import Scenario
from app.simulate.sometimes import WORDS


def say(text: str = "") -> None:
    """One line."""
    print(text, flush=True)


def progress(run: Run, whole: int) -> None:
    """A line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        done = f"{run.played}/{whole} evenings, {run.rate:.1f} a second"
        print(f"\r{done}", end="", file=sys.stderr, flush=True)


def figures(run: Run) -> None:
    """Speed, worst cases, and how often the scary states were reached."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    say(
        f"{run.played} evenings, {run.minutes:.0f} virtual minutes in {run.seconds:.1f} s: "
        f"{run.rate:.1f} evenings a second."
    )
    each = max(1, run.played)
    say(
        f"Each: {run.calls / each:.0f} calls of the platform, "
        f"{run.webhooks / each:.0f} webhooks; {len(INVARIANTS)} invariants judged."
    )
    say(
        f"\n{run.figures.gaps} times a room was without a worker. Worst beyond the grace:"
    )
    for why, (beyond, seed) in sorted(run.figures.worst.items()):
        say(f"  {why:<28} {beyond:7.1f} s  (seed {seed})")
    say("\nReached:")
    for word in WORDS:
        say(f"  {run.sometimes[word]:6d}  {word}")


def broken(told: Told) -> None:
    """What broke in one evening."""
    say(f"\nBROKEN: seed {told.scenario.seed}")
    for violation in told.violations:
        say(f"  {violation.clause}: {violation.said}")


def story(scenario: Scenario, tries: int) -> None:
    """The shrunken story."""
    faults, steps = len(scenario.faults), len(scenario.steps)
    say(f"\nShrunken to {steps} steps and {faults} faults ({tries} evenings played):")
    for fault in scenario.faults:
        say(f"  broken   {fault.told()}")
    for step in scenario.steps:
        say(f"  {step.at:7.1f}  {step.told()}")


def timeline(told: Told) -> None:
    """One evening, line by line."""
    scenario = told.scenario
    say(f"SEED={scenario.seed} TRACE={told.trace}")
    for fault in scenario.faults:
        say(f"  broken   {fault.told()}")
    if told.outcome is not None:
        for line in told.outcome.lines():
            say(line)
    for violation in told.violations:
        say(f"BROKEN {violation.clause}: {violation.said}")


def core(told: dict[str, Any]) -> None:
    """The core alone."""
    say(
        f"{told['played']} evenings of the core alone in {told['seconds']:.1f} s: "
        f"{told['played'] / max(told['seconds'], 1e-9):.0f} a second; "
        f"{told['facts']} facts, {told['decisions']} decisions, {told['ends']} ends."
    )
