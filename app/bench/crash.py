"""From kill -9 to enforcing again, with 100 live rooms (looked at: <= 10 s; ended: 20 s).

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
# The list is only believed about who is missing when it must know of their join
# (`roster_staleness`), so the rooms of an evening that has begun are older than that.
SETTLE_FIRST = 65.0
WITHIN = 120.0
GOAL = 10.0
GOAL_ENDED = 20.0
_WORDS = {"looked": "looked at", "ended": "ended"}


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """Five evenings. Raises BenchFailed."""
    rounds = []
    for number in range(ROUNDS):
        there = folder / str(number)
        there.mkdir()
        rounds.append(await _one(there, clock))
    found = []
    for name, goal in (("looked", GOAL), ("ended", GOAL_ENDED)):
        took = [one[name] for one in rounds]
        told = ", ".join(f"{seconds:.1f}" for seconds in took)
        what = f"kill -9 to the last of {ROOMS} rooms {_WORDS[name]}"
        found.append(Figure(what, median(took), "s", goal, note=f"({told})"))
    used = median([one["used"] for one in rounds])
    return [*found, Figure("processor time of the new process", used, "s")]


async def _one(folder: Path, clock: Clock) -> dict[str, float]:
    """Seconds from the kill; `used`: those of the processor in the new process."""
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
        told: dict[str, float] = rooms.heard()
        used = second.cpu_seconds()
    return {**{name: at - killed_at for name, at in told.items()}, "used": used}


def _planted(environ: dict[str, str], plan: Path, clock: Clock) -> None:
    """The sessions, as if they had been planned and prepared before."""
    store = open_store(load_settings(environ))
    rooms = [
        Room(one["id"], one["registrants"]) for one in json.loads(plan.read_text())
    ]
    plant(store, rooms, clock.now(), policy={"grace": 0}, live_roster=True)
    store.close()
