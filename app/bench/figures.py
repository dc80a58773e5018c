"""A measured figure, its goal, and how both are told."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from app.clock import Clock

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """``goal`` None: told for information. ``at_least``: more is better."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal holds; always, where there is none."""
        if self.goal is None:
            return True
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def told(self) -> str:
        """One line for a person."""
        value = f"{self.value:,.3g}" if self.value < 1000 else f"{self.value:,.0f}"
        line = f"{self.name}: {value} {self.unit}".rstrip()
        if self.goal is not None:
            sign = ">=" if self.at_least else "<="
            line += f"  (goal {sign} {self.goal:g}: {'met' if self.met else 'MISSED'})"
        return f"{line}  {self.note}".rstrip()


def median(values: Sequence[float]) -> float:
    """Of the rounds."""
    return statistics.median(values)


def share(values: Sequence[float], part: float) -> float:
    """The value below which this part of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def fsync_ms(folder: Path, clock: Clock, times: int = 50) -> float:
    """How long the disk under `folder` takes to make 4 kB safe: the median, in ms."""
    path, took = folder / "fsync", []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(times):
            os.write(handle, b"\0" * 4096)
            begun = clock.monotonic()
            os.fsync(handle)
            took.append((clock.monotonic() - begun) * 1000)
    finally:
        os.close(handle)
        path.unlink()
    return median(took)


def surroundings(folder: Path, clock: Clock) -> str:
    """What the figures depend on besides us."""
    names = ("chaperone", "uvicorn", "fastapi", "sqlalchemy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{os.cpu_count()} processors, {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}\n"
        f"The disk makes 4 kB safe (fsync) in {fsync_ms(folder, clock):.2f} ms."
    )


def report(figures: Sequence[Figure]) -> str:
    """All figures, and whether every goal is met."""
    missed = [figure.name for figure in figures if not figure.met]
    last = f"Missed: {', '.join(missed)}." if missed else "Every goal is met."
    return "\n".join([*(figure.told() for figure in figures), "", last])


def plain(value: object) -> str:
    """One line of JSON, as the processes of a bench talk to one another."""
    return json.dumps(value, separators=(",", ":"))
