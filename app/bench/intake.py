"""Durable, verified, deduplicated intake against a bare endpoint (issue: >= 0.6 of it).

Every request is a distinct, validly signed Zoom event of one of 100 planned sessions, which
the engine settles meanwhile. Afterwards the database must hold every event answered 204.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.clock import Clock

ROOMS = 100
CONNECTIONS = 32
GOAL = 0.6
GOAL_P99 = 50.0
MOST_A_SECOND = 12_000
SETTLES_WITHIN = 1.0


class Round(NamedTuple):
    """What the load said of a bare endpoint, one that reads its JSON, and the service."""

    bare: dict[str, Any]
    reading: dict[str, Any]
    ours: dict[str, Any]

    def against(self, yardstick: dict[str, Any]) -> float:
        """The service's events a second as a share of the yardstick's requests."""
        share: float = self.ours["a_second"] / yardstick["a_second"]
        return share


async def measure(
    folder: Path, seconds: float, clock: Clock, rounds: int = ROUNDS
) -> list[Figure]:
    """The yardsticks and the service in turn, the service on a fresh database each time.

    Raises BenchFailed.
    """
    measured: list[Round] = []
    platform, bare, reading = free_port(), free_port(), free_port()
    with ExitStack() as running:
        await _start(running, clock, "rooms", platform)
        only_answers = await _start(running, clock, "bare", bare)
        reads = await _start(running, clock, "reading", reading)
        for number in range(rounds):
            most = int(MOST_A_SECOND * seconds)
            told = _watched(only_answers, bare, most, seconds)
            read = _watched(reads, reading, most, seconds)
            here = folder / f"round-{number}"
            ours = await _round(here, platform, told["a_second"], seconds, clock)
            measured.append(Round(told, read, ours))
    return list(_figures(measured))


async def _start(
    running: ExitStack,
    clock: Clock,
    what: str,
    port: int,
    environ: Mapping[str, str] | None = None,
) -> Part:
    given = {"what": what, "port": port, "rooms": ROOMS, "live_roster": False}
    part = Part("server", given, environ)
    running.callback(part.stop)
    await part.answers(port, clock)
    return part


async def _round(
    folder: Path, platform: int, most: float, seconds: float, clock: Clock
) -> dict[str, Any]:
    port = free_port()
    with ExitStack() as running:
        environ = settings(folder, port, f"http://127.0.0.1:{platform}")
        service = await _start(running, clock, "service", port, environ)
        _load(port, ROOMS * 3, 60, opening=True)
        await clock.sleep(SETTLES_WITHIN)
        ours = _watched(service, port, int(most * 1.2 * seconds), seconds)
        await clock.sleep(SETTLES_WITHIN)
    ours["accepted"] = ROOMS * 3 + ours["statuses"].get("204", 0)
    _count(folder, ours["accepted"])
    return ours


def _watched(part: Part, port: int, count: int, seconds: float) -> dict[str, Any]:
    """With the processor time the server took for each answer, in microseconds."""
    used = part.cpu_seconds()
    told = _load(port, count, seconds)
    answers = max(sum(told["statuses"].values()), 1)
    return {**told, "cpu": (part.cpu_seconds() - used) / answers * 1e6}


def _load(
    port: int, count: int, seconds: float, *, opening: bool = False
) -> dict[str, Any]:
    given = {
        "path": "/webhooks/zoom",
        "port": port,
        "rooms": ROOMS,
        "opening": opening,
        "count": count,
        "connections": CONNECTIONS,
        "seconds": seconds,
    }
    part = Part("load", given)
    try:
        told: dict[str, Any] = part.heard()
    finally:
        part.stop()
    refused = set(told["statuses"]) - {"200", "204"}
    if refused:
        raise BenchFailed(f"Requests were answered {', '.join(sorted(refused))}.")
    return told


def _count(folder: Path, accepted: int) -> None:
    path = folder / "chaperone.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        [kept] = db.execute("SELECT count(*) FROM deliveries").fetchone()
        [sealed] = db.execute(
            "SELECT count(*) FROM deliveries WHERE body_sealed IS NOT NULL"
        ).fetchone()
    db.close()
    # A request under way when the load ended may be kept without its answer being read.
    if not accepted <= kept <= accepted + CONNECTIONS or sealed != kept:
        raise BenchFailed(
            f"{accepted} events were accepted, {kept} are kept, {sealed} encrypted."
        )


def _figures(rounds: list[Round]) -> Iterator[Figure]:
    bare = [one.bare["a_second"] for one in rounds]
    yield Figure("bare FastAPI endpoint", median(bare), "requests/s")
    yield Figure(
        "FastAPI endpoint that reads its JSON and stores nothing",
        median([one.reading["a_second"] for one in rounds]),
        "requests/s",
    )
    yield Figure(
        "durable intake",
        median([one.ours["a_second"] for one in rounds]),
        "events/s",
        note=f"({sum(one.ours['accepted'] for one in rounds)} accepted, all kept, "
        "bodies encrypted)",
    )
    shares = [one.against(one.bare) for one in rounds]
    yield Figure(
        "durable intake against bare",
        median(shares),
        "",
        GOAL,
        at_least=True,
        note="rounds: " + ", ".join(f"{share:.2f}" for share in shares),
    )
    yield Figure(
        "durable intake against the one that reads its JSON",
        median([one.against(one.reading) for one in rounds]),
        "",
    )
    yield from _costs(rounds)


def _costs(rounds: list[Round]) -> Iterator[Figure]:
    yield Figure(
        "processor time of an event, its share of settling included",
        median([one.ours["cpu"] for one in rounds]),
        "us",
        note=f"(bare: {median([one.bare['cpu'] for one in rounds]):.0f} us)",
    )
    yield Figure("intake p50", median([one.ours["p50"] for one in rounds]), "ms")
    yield Figure(
        f"intake p99 at {CONNECTIONS} connections",
        median([one.ours["p99"] for one in rounds]),
        "ms",
        GOAL_P99,
        note=f"(longest {max(one.ours['max'] for one in rounds):.0f} ms)",
    )
