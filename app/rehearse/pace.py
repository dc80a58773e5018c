"""Fast where nothing happens, slow where seconds count."""

from datetime import datetime, timedelta

from app.clock import FastClock, SystemClock
from app.rehearse.plan import Planned
from integrations.rehearsal.scene import Scene
from integrations.rehearsal.truth import workers
from integrations.rehearsal.world import World

FAST = 90.0
NEAR_SPEED = 30.0
UNSAFE_SPEED = 15.0
NEAR = timedelta(seconds=4)
LOOK = 0.03
LEASH = 0.09
"""Real seconds the evening may run on between two looks of ours."""


async def keep_pace(
    scene: Scene, world: World, clock: FastClock, began: datetime, planned: Planned
) -> None:
    """Set the clock's speed until cancelled: real requests need real milliseconds."""
    clock.leash = LEASH
    try:
        await _pace(scene, world, clock, began, planned)
    finally:
        clock.leash = None


async def _pace(
    scene: Scene, world: World, clock: FastClock, began: datetime, planned: Planned
) -> None:
    real, staff = SystemClock(), workers(*scene.workers)
    while True:
        clock.tick()
        now = clock.now()
        near = any(abs(began + step.at - now) <= NEAR for step in scene.steps)
        unsafe = planned.meeting_id and any(
            each.end >= now - NEAR
            for each in world.alone_intervals(planned.meeting_id, staff)
        )
        speed = UNSAFE_SPEED if unsafe else NEAR_SPEED if near else FAST
        if clock.speed != speed:
            clock.speed = speed
        await real.sleep(LOOK)
