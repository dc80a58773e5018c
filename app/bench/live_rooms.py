"""1,000 live rooms of 12, one event a minute each, real polls (issue: < 1 core, 400 MB)."""

from contextlib import ExitStack
from pathlib import Path

from app.bench.figures import Figure
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.clock import Clock

ROOMS = 1000
LEAST_SECONDS = 60.0
SETTLE_FIRST = 30.0
GOAL_CORES = 1.0
GOAL_MB = 400.0


async def measure(folder: Path, seconds: float, clock: Clock) -> list[Figure]:
    """Open the rooms, let them calm down, then watch the service's process."""
    platform, port, plan = free_port(), free_port(), folder / "plan.json"
    seconds = max(seconds, LEAST_SECONDS)
    with ExitStack() as running:
        given = {
            "rooms": ROOMS,
            "port": platform,
            "plan": str(plan),
            "webhook": f"http://127.0.0.1:{port}/webhooks/zoom",
            "seconds": seconds,
        }
        rooms = Part("simulated", given)
        running.callback(rooms.stop)
        rooms.heard()
        served = {
            "what": "service",
            "port": port,
            "plan": str(plan),
            "live_roster": True,
        }
        environ = settings(folder, port, f"http://127.0.0.1:{platform}")
        service = Part("server", served, environ)
        running.callback(service.stop)
        await service.answers(port, clock)
        rooms.tell("open")
        rooms.heard()
        await clock.sleep(SETTLE_FIRST)
        used, begun = service.cpu_seconds(), clock.monotonic()
        rooms.tell("go")
        told = rooms.heard()
        cores = (service.cpu_seconds() - used) / (clock.monotonic() - begun)
        memory = service.memory_mb()
    if told["ended"]:
        raise BenchFailed(
            f"{told['ended']} rooms were ended although workers were there."
        )
    note = f"({told['events']} events, {told['polls']} roster reads in {seconds:.0f} s)"
    return [
        Figure(f"{ROOMS} live rooms: processor", cores, "cores", GOAL_CORES, note=note),
        Figure(f"{ROOMS} live rooms: memory", memory, "MB", GOAL_MB),
    ]
