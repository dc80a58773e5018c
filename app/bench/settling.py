"""How long one event takes to settle in a session of 500, whatever else is loaded."""

from collections.abc import Sequence
from pathlib import Path

from app.bench import bodies
from app.bench.figures import ROUNDS, Figure, median, share
from app.bench.processes import settings
from app.bench.seed import bench_rooms, plant
from app.clock import Clock
from app.config import load_settings
from app.crypto import new_token
from app.engine.footing import Footing
from app.engine.settle import Settle
from app.main import Service, build

EVENTS = 500
SAMPLES = 20
LOADED = (1, 100, 1000)
GOAL = 5.0
GOAL_FLAT = 1.5


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """The service in this process, on a real database file; its engine's loop is still."""
    figures, flat = [], []
    for loaded in LOADED:
        environ = settings(folder / f"settle-{loaded}", 1, "http://127.0.0.1:1")
        service = build(load_settings(environ))
        try:
            times = await _one(service, loaded, clock)
        finally:
            for platform in service.platforms.values():
                await platform.close()
            service.store.close()
        flat.append(median(times))
        figures.append(
            Figure(
                f"settle one event of {EVENTS}, {loaded} sessions loaded",
                median(times),
                "ms",
                GOAL,
                note=f"(p95 {share(times, 0.95):.1f} ms)",
            )
        )
    figures.append(
        Figure(
            f"settle with {LOADED[-1]} sessions against {LOADED[0]}",
            flat[-1] / flat[0],
            "",
            GOAL_FLAT,
        )
    )
    return figures


async def _one(service: Service, loaded: int, clock: Clock) -> Sequence[float]:
    store, engine = service.store, service.engine
    ids = plant(
        store, bench_rooms(loaded), service.clock.now(), policy={}, live_roster=False
    )
    await store.read(engine.intake.load)
    footing = Footing(store, service.clock, service.platforms, new_token)
    settle = Settle(footing, engine.sessions)
    for session_id in ids:
        await engine.sessions.held(session_id)
    held = await engine.sessions.held(ids[0])
    for body in bodies.opening(0, service.clock.now()):
        await _accept(service, body)
    for number in range(EVENTS):
        await _accept(service, _event(service, number))
    async with held.lock:
        await settle.settle(held)
    times = []
    for number in range(EVENTS, EVENTS + ROUNDS * SAMPLES):
        await _accept(service, _event(service, number))
        begun = clock.monotonic()
        async with held.lock:
            await settle.settle(held)
        times.append((clock.monotonic() - begun) * 1000)
    return [
        median(times[start : start + SAMPLES])
        for start in range(0, len(times), SAMPLES)
    ]


def _event(service: Service, number: int) -> bytes:
    return bodies.coming_and_going(0, number, service.clock.now())


async def _accept(service: Service, body: bytes) -> None:
    headers = bodies.headers(body, service.clock.now())
    await service.engine.accept_webhook("zoom", headers, body)
