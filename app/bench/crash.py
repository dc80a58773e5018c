"""From kill -9 to enforcing again, with 100 live rooms (issue: <= 10 s).

Every worker of every room leaves while the process is dead, so nobody tells it: the next
process has to read its store, look at each room and end it. The clock runs from the kill
to the end call of the last room; the process is started again at once. Grace 0.
"""

import json
from contextlib import ExitStack
from pathlib import Path

from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import Part, free_port, settings
from app.bench.seed import Room, plant
from app.clock import Clock
from app.config import load_settings
from app.main import open_store

ROOMS = 100
SETTLE_FIRST = 5.0
WITHIN = 120.0
GOAL = 10.0


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """Five evenings. Raises BenchFailed."""
    took, used = [], []
    for number in range(ROUNDS):
        there = folder / str(number)
        there.mkdir()
        seconds, processor = await _one(there, clock)
        took.append(seconds)
        used.append(processor)
    told = ", ".join(f"{seconds:.1f}" for seconds in took)
    told += f"; {median(used):.1f} s of processor"
    what = f"kill -9 to the last of {ROOMS} rooms ended"
    return [Figure(what, median(took), "s", GOAL, note=f"({told})")]


async def _one(folder: Path, clock: Clock) -> tuple[float, float]:
    """(seconds, those of the processor that the new process took for it)."""
    platform, port, plan = free_port(), free_port(), folder / "plan.json"
    environ = settings(folder, port, f"http://127.0.0.1:{platform}")
    words = ["serve", "--port", str(port)]
    with ExitStack() as running:
        given = {
            "rooms": ROOMS,
            "port": platform,
            "plan": str(plan),
            "webhook": f"http://127.0.0.1:{port}/webhooks/zoom",
            "crash": True,
            "within": WITHIN,
        }
        rooms = Part("simulated", given)
        running.callback(rooms.stop)
        rooms.heard()
        _planted(environ, plan, clock)
        first = Part("", None, environ, words=words)
        running.callback(first.stop)
        await first.answers(port, clock)
        rooms.tell("open")
        rooms.heard()
        await clock.sleep(SETTLE_FIRST)
        first.kill()
        killed_at = clock.now().timestamp()
        second = Part("", None, environ, words=words)
        running.callback(second.stop)
        rooms.tell("lose")
        rooms.heard()
        last: float = rooms.heard()
        return last - killed_at, second.cpu_seconds()


def _planted(environ: dict[str, str], plan: Path, clock: Clock) -> None:
    """The sessions, as if they had been planned and prepared before."""
    store = open_store(load_settings(environ))
    rooms = [
        Room(one["id"], one["registrants"]) for one in json.loads(plan.read_text())
    ]
    plant(store, rooms, clock.now(), policy={"grace": 0}, live_roster=True)
    store.close()
