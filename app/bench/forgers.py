"""Forged webhooks as fast as they can be sent: ``python -m app.bench.forgers``.

Each is well-formed and fresh and has a signature of the right length that is wrong, so
that the whole check is done. One JSON argument; prints a line when it begins and one with
what it was answered.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

import uvloop

from app.bench import bodies
from app.bench.figures import plain
from app.bench.load import Load
from app.clock import SystemClock

DISTINCT = 500


def forged(port: int) -> list[bytes]:
    """Requests whose signature is of another body."""
    now = SystemClock().now()
    made = []
    for number in range(DISTINCT):
        body = bodies.coming_and_going(number % 20, number, now)
        right = bodies.request("/webhooks/zoom", port, body, now)
        other = bodies.request("/webhooks/zoom", port, body + b" ", now)
        made.append(right.replace(_signature(right), _signature(other)))
    return made


def _signature(request: bytes) -> bytes:
    return request.split(b"x-zm-signature: v0=", 1)[1][:64]


def main() -> None:
    """Send what the argument describes."""
    given = json.loads(sys.argv[1])
    ready = itertools.cycle(forged(given["port"]))

    async def send() -> dict[str, Any]:
        load = Load(ready, given["connections"], given["seconds"])
        return await load.run(given["port"])

    print(plain({"begun": True}), flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(plain(runner.run(send())))


if __name__ == "__main__":
    main()
