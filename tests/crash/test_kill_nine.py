"""kill -9 of the real service at random moments: nothing acknowledged is lost, and the
deadline stays where it was (I1, I11, F11)."""

import random
import subprocess
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from tests.crash.stage import CLIENTS, Stage, on_stage

pytestmark = pytest.mark.anyio

GRACE = timedelta(seconds=6)
WHOLE_SECONDS = timedelta(seconds=1.1)  # Zoom tells when somebody left, in seconds
PROMPT = timedelta(seconds=3)  # look, decide, commit and call, on a busy machine


async def come_and_go(stage: Stage, chance: random.Random) -> None:
    """Webhooks all the time, until cancelled."""
    while stage.runs:
        key = chance.choice(CLIENTS[1:])  # the first one stays
        if stage.is_inside(key):
            stage.world.leave(stage.meeting_id, key)
        else:
            stage.come(key)
        await stage.clock.sleep(0.03)


async def play(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    async with on_stage(folder, GRACE) as stage:
        service = stage.service
        await service.start()
        stage.world.start_meeting(stage.meeting_id, "anna")
        stage.come(CLIENTS[0])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(come_and_go, stage, random.Random(seed + 1))
            for _ in range(kills):
                await stage.takes_more(3)
                await stage.clock.sleep(chance.uniform(0.0, 0.5))
                service.kill()
                await service.start()
            assert stage.runs, "nobody ends a call with a worker in it"
            await the_lead_is_lost(stage, chance)
            tasks.cancel_scope.cancel()
        await check(stage)


async def the_lead_is_lost(stage: Stage, chance: random.Random) -> None:
    """Anna goes; the process dies in the grace and comes back in it."""
    service = stage.service
    left_at = stage.clock.now()
    stage.world.leave(stage.meeting_id, "anna")
    await service.until(
        lambda: stage.was_told_of_leaving("anna"), 5, "the leave is not taken"
    )
    await stage.clock.sleep(chance.uniform(0.0, 0.3))
    service.kill()
    await service.start()
    up_at = stage.clock.now()
    await service.until(lambda: not stage.runs, 30, "nobody ended the call")

    called_at = stage.ends()[0].at
    assert called_at >= left_at + GRACE - WHOLE_SECONDS
    assert called_at <= max(left_at + GRACE, up_at) + PROMPT


async def check(stage: Stage) -> None:
    await stage.service.until(
        lambda: stage.end_states() == ["confirmed"], 15, "the end is not proved"
    )
    stage.service.kill()
    acknowledged = stage.acknowledged()
    assert len(acknowledged) > 10
    assert acknowledged <= stage.stored()
    assert len(stage.ends()) <= 2
    with stage.store.engine.connect() as db:
        assert db.execute(text("PRAGMA integrity_check")).scalar() == "ok"


async def test_killed_again_and_again_in_one_evening(tmp_path: Path) -> None:
    await play(tmp_path, kills=2, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
async def test_killed_on_many_evenings(tmp_path: Path, seed: int) -> None:
    await play(tmp_path, kills=8, seed=seed)


async def test_a_second_process_stays_out(tmp_path: Path) -> None:
    async with on_stage(tmp_path, GRACE) as stage:
        await stage.service.start()
        second = await anyio.run_process(
            stage.service.command(),
            env=stage.service.environment(),
            stderr=subprocess.PIPE,
            check=False,
        )

        assert second.returncode == 1
        assert b"already serves this database" in second.stderr
