"""The pages three people live with: how fast they come, how fast news reaches them, how big.

Over real HTTP from the outside, for a room of two workers and 28 young people. The
yardstick is a bare template of as many rows behind the same server in the same run.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.bench import bodies
from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.bench.visitor import Visitor, hear
from app.clock import Clock

CLIENTS = 28
SAMPLES = 20
PAGE_GOAL, NEWS_GOAL, LOAD_GOAL = 20.0, 300.0, 150.0
FILES = re.compile(rb'(?:src|href)="(/static/[^"]+)"')
EVENTS = ROUNDS


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """Raises BenchFailed."""
    told = folder / "ways-in.json"
    ports = free_port(), free_port(), free_port()
    with ExitStack() as running:
        for part, port in zip(_parts(folder, told, ports), ports, strict=True):
            running.callback(part.stop)
            await part.answers(port, clock)
        known = json.loads(told.read_text())
        return await _figures(known, ports[2], ports[1], clock)


def _parts(folder: Path, told: Path, ports: tuple[int, int, int]) -> list[Part]:
    """Zoom, the bare page and the service; each listens on its port."""
    served: dict[str, Any] = {
        "what": "service",
        "port": ports[2],
        "rooms": 1,
        "clients": CLIENTS,
        "ways_in": str(told),
        "live_roster": False,
    }
    environ = settings(folder, ports[2], f"http://127.0.0.1:{ports[0]}")
    return [
        Part("server", {"what": "rooms", "port": ports[0]}),
        Part("server", {"what": "bare", "port": ports[1]}),
        Part("server", served, environ),
    ]


async def _figures(
    known: dict[str, Any], port: int, bare_port: int, clock: Clock
) -> list[Figure]:
    anna, sam, bare = Visitor(port), Visitor(port), Visitor(bare_port)
    try:
        for one, link in zip((anna, sam), known["links"], strict=True):
            await one.enter(link)
        live = f"/sessions/{known['session']}/live"
        await _fill(anna, clock)
        figures = await _pages(anna, bare, known["session"], clock)
        news = await _news(anna, sam, live, clock)
        size = await _first_load(anna, live)
    finally:
        for one in (anna, sam, bare):
            await one.close()
    return [
        *figures,
        Figure("an event on two live pages after its 204", news, "ms", NEWS_GOAL),
        Figure("first load of the live page", size / 1000, "kB", LOAD_GOAL),
    ]


async def _fill(visitor: Visitor, clock: Clock) -> None:
    """Both workers come, and all young people but those whose coming is measured."""
    now = clock.now()
    for body in bodies.opening(0, now):
        await _webhook(visitor.port, body, clock)
    for client in range(CLIENTS - EVENTS):
        await _webhook(visitor.port, bodies.coming(0, client, now), clock)


async def _webhook(port: int, body: bytes, clock: Clock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(bodies.request("/webhooks/zoom", port, body, clock.now()))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    if b" 204 " not in head.split(b"\r\n")[0]:
        raise BenchFailed("A webhook of the bench was not taken.")


async def _pages(
    anna: Visitor, bare: Visitor, session: str, clock: Clock
) -> list[Figure]:
    yardstick = await _took(lambda: bare.get(f"/page?people={CLIENTS + 2}"), clock)
    figures = []
    for name in ("checklist", "live"):

        async def look(name: str = name) -> object:
            return await anna.get(f"/sessions/{session}/{name}")

        took = await _took(look, clock)
        figures.append(
            Figure(
                f"the {name} page of {CLIENTS + 2}",
                took,
                "ms",
                PAGE_GOAL,
                note=f"({took / yardstick:.1f} times a bare template)",
            )
        )
    return figures


async def _took(look: Callable[[], Awaitable[object]], clock: Clock) -> float:
    """Milliseconds: the median, after a few to warm up."""
    times = []
    for _ in range(SAMPLES * ROUNDS):
        begun = clock.monotonic()
        await look()
        times.append((clock.monotonic() - begun) * 1000)
    return median(times[SAMPLES:])


async def _news(anna: Visitor, sam: Visitor, live: str, clock: Clock) -> float:
    """Somebody comes: until both pages have drawn it, counted from the answer."""
    streams = [await one.listen(f"{live}/events") for one in (anna, sam)]
    for stream in streams:
        await hear(stream, b"event: version")
    times = []
    for client in range(CLIENTS - EVENTS, CLIENTS):
        await _webhook(anna.port, bodies.coming(0, client, clock.now()), clock)
        begun = clock.monotonic()
        drawn = (
            _drawn(one, stream, live, f">Client {client}<")
            for one, stream in zip((anna, sam), streams, strict=True)
        )
        await asyncio.gather(*drawn)
        times.append((clock.monotonic() - begun) * 1000)
    return median(times)


async def _drawn(
    one: Visitor, stream: asyncio.StreamReader, live: str, words: str
) -> None:
    """What live.js does: at news the part that changes is fetched."""
    while words.encode() not in (await one.get(f"{live}?part=main")).body:
        await hear(stream, b"event: version")


async def _first_load(anna: Visitor, live: str) -> int:
    """The page and every file it names, as they go over the wire, heads left out."""
    page = await anna.get(live)
    files = {path.decode() for path in FILES.findall(page.body)}
    return page.size + sum([(await anna.get(path)).size for path in files])
