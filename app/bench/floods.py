"""Two evil evenings: a flood of forged webhooks, and 500 people at the door in 10 s.

Issue and assurance §12: valid webhooks are answered within 1 s at p99 while forged ones
come as fast as they can be sent; the last of a storm is decided on within 5 s, with at most
5 alarms. The service is the shipped one in a process of its own, on a real disk.
"""

import asyncio
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from app.bench import bodies
from app.bench.figures import Figure, share
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.clock import Clock

ROOMS = 20
FORGERS = 64  # connections
GOAL_P99 = 1000.0
STORM, STORM_SECONDS = 500, 10.0
GOAL_DECIDED = 5.0
GOAL_ALARMS = 5
GIVE_UP = 60.0
SLOWEST_ANSWER = 30.0


async def flood(folder: Path, seconds: float, clock: Clock) -> list[Figure]:
    """Valid webhooks alone, then beside the flood. Raises BenchFailed."""
    with ExitStack() as running:
        port = await _service(running, folder, ROOMS, clock)
        calm = await asyncio.to_thread(_valid, port, seconds, opening=True)
        given = {"port": port, "connections": FORGERS, "seconds": seconds + 1}
        forgers = Part("forgers", given)
        running.callback(forgers.stop)
        forgers.heard()  # they are at it
        during = await asyncio.to_thread(_valid, port, seconds, opening=False)
        refused = forgers.heard()
    if set(refused["statuses"]) - {"401", "429", "503"}:
        raise BenchFailed(f"Forged webhooks were answered {refused['statuses']}.")
    return [
        Figure("valid webhooks, nobody else there: p99", calm["p99"], "ms"),
        Figure(
            "valid webhooks during a flood of forged ones: p99",
            during["p99"],
            "ms",
            GOAL_P99,
            note=f"(p50 {during['p50']:.0f} ms, longest {during['max']:.0f} ms; "
            f"{during['a_second']:.0f} valid a second, {refused['a_second']:.0f} forged "
            f"refused, over {FORGERS} connections)",
        ),
    ]


async def storm(folder: Path, clock: Clock, joins: int = STORM) -> list[Figure]:
    """So many strangers in 10 s; the last one has a worker's name. Raises BenchFailed."""
    with ExitStack() as running:
        port = await _service(running, folder, 1, clock)
        now = clock.now()
        sent = [*bodies.opening(0, now)]
        await _paced(
            port, [bodies.request(_PATH, port, b, now) for b in sent], 0, clock
        )
        await clock.sleep(1)
        gap = STORM_SECONDS / joins if joins == STORM else 0.02
        crowd = [bodies.stranger(0, n, f"Guest {n}", now) for n in range(joins - 1)]
        crowd.append(bodies.stranger(0, joins, "Anna", now))
        ready = [bodies.request(_PATH, port, body, now) for body in crowd]
        took = await _paced(port, ready, gap, clock)
        begun = clock.monotonic()
        while not _decided(folder):
            if clock.monotonic() - begun > GIVE_UP:
                raise BenchFailed("The last of the storm was never decided on.")
            await clock.sleep(0.02)
        decided = clock.monotonic() - begun
        await clock.sleep(2)
        alarms = _count(folder, "SELECT count(*) FROM alarms")
    return [
        Figure(f"{joins} joins: slowest answer", max(took) * 1000, "ms"),
        Figure(f"{joins} joins: p99 of the answers", share(took, 0.99) * 1000, "ms"),
        Figure(f"{joins} joins: decided after the last", decided, "s", GOAL_DECIDED),
        Figure(f"{joins} joins: alarms", alarms, "", GOAL_ALARMS),
    ]


_PATH = "/webhooks/zoom"


async def _service(running: ExitStack, folder: Path, rooms: int, clock: Clock) -> int:
    platform, port = free_port(), free_port()
    for what, where in (("rooms", platform), ("service", port)):
        given = {"what": what, "port": where, "rooms": rooms, "live_roster": False}
        environ = settings(folder, port, f"http://127.0.0.1:{platform}")
        part = Part("server", given, environ if what == "service" else None)
        running.callback(part.stop)
        await part.answers(where, clock)
    return port


def _valid(port: int, seconds: float, *, opening: bool) -> dict[str, Any]:
    """Four connections of the platform, one request after the other on each."""
    told: dict[str, Any] = {}
    for first in (True, False) if opening else (False,):
        given = {
            "path": _PATH,
            "port": port,
            "rooms": ROOMS,
            "opening": first,
            # Others than before: what came twice costs nothing.
            "count": ROOMS * 3 if first else int(4000 * seconds),
            "connections": 4,
            "seconds": seconds,
        }
        part = Part("load", given)
        try:
            told = part.heard()
        finally:
            part.stop()
        if set(told["statuses"]) - {"204"}:
            raise BenchFailed(f"Valid webhooks were answered {told['statuses']}.")
    return told


async def _paced(
    port: int, requests: list[bytes], gap: float, clock: Clock
) -> list[float]:
    """Send at fixed moments over eight connections; how long each answer took."""
    ways = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    turns = [asyncio.Lock() for _ in ways]
    begun = clock.monotonic()

    async def one(number: int, request: bytes) -> float:
        await clock.sleep(begun + number * gap - clock.monotonic())
        due = clock.monotonic()
        reader, writer = ways[number % len(ways)]
        async with turns[number % len(ways)], asyncio.timeout(SLOWEST_ANSWER):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 204"):
            raise BenchFailed(f"A join was answered {head[9:12].decode()}.")
        return clock.monotonic() - due

    try:
        return list(await asyncio.gather(*(one(n, r) for n, r in enumerate(requests))))
    finally:
        for _, writer in ways:
            writer.close()


def _decided(folder: Path) -> bool:
    query = "SELECT count(*) FROM actions WHERE body LIKE '%entry.copied_name%'"
    return _count(folder, query) > 0


def _count(folder: Path, query: str) -> int:
    path = folder / "chaperone.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return int(db.execute(query).fetchone()[0])
