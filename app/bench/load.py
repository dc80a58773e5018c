"""The load: requests made beforehand, sent over connections that stay open.

Run as a process of its own: ``python -m app.bench.load`` with one JSON argument. Prints
one line of JSON. Raw sockets, because an HTTP client in Python costs more than the server
it would measure.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import uvloop

from app.bench import bodies
from app.bench.figures import plain, share
from app.clock import SystemClock


class _Connection(asyncio.Protocol):
    """One request at a time; notes how long each took."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._transport: Any = None
        self._begun = 0.0
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = self._load.take()
        if request is None:
            self._transport.close()
            return
        self._begun = self._load.clock.monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        seen = self._seen + data
        head, found, rest = seen.partition(b"\r\n\r\n")
        length = 0
        if found and (at := head.lower().find(b"content-length:")) >= 0:
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if not found or len(rest) < length:
            self._seen = seen
            return
        self._seen = b""
        self._load.note(int(head[9:12]), self._begun)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.gone()


class Load:
    """`requests` over `connections` for at most `seconds`."""

    def __init__(
        self, requests: Iterator[bytes], connections: int, seconds: float
    ) -> None:
        self.clock = SystemClock()
        self._requests = requests
        self._open = connections
        self._seconds = seconds
        self._until = 0.0
        self._took: list[float] = []
        self._statuses: dict[int, int] = {}
        self._over = asyncio.Event()

    def take(self) -> bytes | None:
        """The next request, or None when it is over."""
        if self.clock.monotonic() >= self._until:
            return None
        return next(self._requests, None)

    def note(self, status: int, begun: float) -> None:
        """An answer came."""
        self._took.append((self.clock.monotonic() - begun) * 1000)
        self._statuses[status] = self._statuses.get(status, 0) + 1

    def gone(self) -> None:
        """A connection is closed."""
        self._open -= 1
        if self._open == 0:
            self._over.set()

    async def run(self, port: int) -> dict[str, Any]:
        """Returns requests a second, latencies in ms, and answers by status."""
        loop = asyncio.get_running_loop()
        begun = self.clock.monotonic()
        self._until = begun + self._seconds
        for _ in range(self._open):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
        await self._over.wait()
        lasted = self.clock.monotonic() - begun
        took = self._took or [0.0]
        return {
            "a_second": len(self._took) / lasted,
            "p50": share(took, 0.5),
            "p99": share(took, 0.99),
            "max": max(took),
            "statuses": self._statuses,
        }


def requests(given: dict[str, Any]) -> list[bytes]:
    """Everything that is sent, made before the clock starts."""
    now, rooms = SystemClock().now(), given["rooms"]
    made = (
        bodies.coming_and_going(number % rooms, number // rooms, now)
        for number in range(given["count"])
    )
    if given["opening"]:
        made = (body for room in range(rooms) for body in bodies.opening(room, now))
    return [bodies.request(given["path"], given["port"], body, now) for body in made]


def main() -> None:
    """Send what the argument describes."""
    given = json.loads(sys.argv[1])
    ready = requests(given)

    async def send() -> dict[str, Any]:
        load = Load(iter(ready), given["connections"], given["seconds"])
        return await load.run(given["port"])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(plain(runner.run(send())))


if __name__ == "__main__":
    main()
