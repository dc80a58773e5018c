"""Run the parts that were asked for, one after the other, and tell the figures."""

import asyncio
import tempfile
from pathlib import Path

from app.bench import (
    crash,
    end_call,
    floods,
    intake,
    live_rooms,
    many,
    pages,
    settling,
    terms,
)
from app.bench.figures import Figure, report, surroundings
from app.bench.processes import BenchFailed
from app.clock import Clock, SystemClock

PARTS = (
    "intake", "settle", "end", "flood", "storm", "exports", "pages", "crash", "rooms",
    "many",
)  # fmt: skip
BY_DEFAULT = PARTS[:3]  # the rooms take minutes


def run(only: list[str], seconds: float, database: str | None = None) -> int:
    """Measure and print. 0: every goal met; 1: not, or a part failed; 2: no such part."""
    unknown = [part for part in only if part not in PARTS]
    if unknown:
        print(f"There is no part {', '.join(unknown)}: choose from {', '.join(PARTS)}.")
        return 2
    clock, figures = SystemClock(), []
    # On the disk the checkout is on: /tmp is often memory, and its fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as name:
        print(surroundings(Path(name), clock), flush=True)
        for part in only or BY_DEFAULT:
            folder = Path(name) / part
            folder.mkdir()
            try:
                figures += asyncio.run(_measure(part, folder, seconds, clock, database))
            except BenchFailed as failed:
                print(f"{part}: {failed}")
                return 1
    print(report(figures))
    return 0 if all(figure.met for figure in figures) else 1


async def _measure(
    part: str, folder: Path, seconds: float, clock: Clock, database: str | None
) -> list[Figure]:
    if part == "intake":
        return await intake.measure(folder, seconds, clock)
    if part == "settle":
        return await settling.measure(folder, clock)
    if part == "end":
        return await end_call.measure(folder, clock)
    if part == "flood":
        return await floods.flood(folder, seconds, clock)
    if part == "storm":
        return await floods.storm(folder, clock)
    if part == "pages":
        return await pages.measure(folder, clock)
    if part == "crash":
        return await crash.measure(folder, clock)
    if part == "exports":
        return await terms.measure(folder, clock)
    if part == "many":
        return await many.measure(folder, database, seconds, clock)
    return await live_rooms.measure(folder, seconds, clock)
