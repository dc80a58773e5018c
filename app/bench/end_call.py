"""From the last worker leaving to the end call on the wire (issue: <= 250 ms).

Grace 0, over real HTTP in both directions against a simulated Zoom in another process,
with the re-read before the harmful act. The clock starts when the leave happens in the
room, so it holds signing, sending and accepting the webhook as well.
"""

from contextlib import ExitStack
from pathlib import Path

from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import Part, free_port, settings
from app.clock import Clock

GOAL = 250.0


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """Five rooms, one after the other. Raises BenchFailed."""
    platform, port, plan = free_port(), free_port(), folder / "plan.json"
    with ExitStack() as running:
        given = {
            "rooms": ROUNDS,
            "port": platform,
            "plan": str(plan),
            "webhook": f"http://127.0.0.1:{port}/webhooks/zoom",
        }
        rooms = Part("simulated", given)
        running.callback(rooms.stop)
        rooms.heard()
        served = {
            "what": "service",
            "port": port,
            "plan": str(plan),
            "policy": {"grace": 0},
            "live_roster": True,
        }
        environ = settings(folder, port, f"http://127.0.0.1:{platform}")
        service = Part("server", served, environ)
        running.callback(service.stop)
        await service.answers(port, clock)
        rooms.tell("open")
        rooms.heard()
        rooms.tell("go")
        took: list[float] = rooms.heard()
    told = ", ".join(f"{ms:.0f}" for ms in took)
    return [
        Figure(
            "last worker left to end call", median(took), "ms", GOAL, note=f"({told})"
        )
    ]
