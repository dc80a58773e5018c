"""Durable, verified, deduplicated intake against a bare endpoint (issue: >= 0.6 of it).

Every request is a distinct, validly signed Zoom event of one of 100 planned sessions, which
the engine settles meanwhile. Afterwards the database must hold every event answered 204.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.clock import Clock

ROOMS = 100
CONNECTIONS = 32
GOAL = 0.6
GOAL_P99 = 50.0
MOST_A_SECOND = 12_000
SETTLES_WITHIN = 1.0


async def measure(
    folder: Path, seconds: float, clock: Clock, rounds: int = ROUNDS
) -> list[Figure]:
    """Bare and service in turn, the service on a fresh database each time.

    Raises BenchFailed.
    """
    measured: list[tuple[dict[str, Any], dict[str, Any]]] = []
    platform, bare = free_port(), free_port()
    with ExitStack() as running:
        await _start(running, clock, "rooms", platform)
        yardstick = await _start(running, clock, "bare", bare)
        for number in range(rounds):
            most = int(MOST_A_SECOND * seconds)
            told = _watched(yardstick, bare, most, seconds)
            here = folder / f"round-{number}"
            ours = await _round(here, platform, told["a_second"], seconds, clock)
            measured.append((told, ours))
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


def _figures(
    rounds: list[tuple[dict[str, Any], dict[str, Any]]],
) -> Iterator[Figure]:
    yardstick = median([bare["a_second"] for bare, _ in rounds])
    yield Figure("bare FastAPI endpoint", yardstick, "requests/s")
    yield Figure(
        "durable intake",
        median([ours["a_second"] for _, ours in rounds]),
        "events/s",
        note=f"({sum(ours['accepted'] for _, ours in rounds)} accepted, all kept, "
        "bodies encrypted)",
    )
    yield Figure(
        "durable intake against bare",
        median([ours["a_second"] / bare["a_second"] for bare, ours in rounds]),
        "",
        GOAL,
        at_least=True,
        note="rounds: "
        + ", ".join(
            f"{ours['a_second'] / bare['a_second']:.2f}" for bare, ours in rounds
        ),
    )
    yield Figure(
        "processor time of an event, its share of settling included",
        median([ours["cpu"] for _, ours in rounds]),
        "us",
        note=f"(bare: {median([bare['cpu'] for bare, _ in rounds]):.0f} us)",
    )
    yield Figure("intake p50", median([ours["p50"] for _, ours in rounds]), "ms")
    yield Figure(
        f"intake p99 at {CONNECTIONS} connections",
        median([ours["p99"] for _, ours in rounds]),
        "ms",
        GOAL_P99,
        note=f"(longest {max(ours['max'] for _, ours in rounds):.0f} ms)",
    )
