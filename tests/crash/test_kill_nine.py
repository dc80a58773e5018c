"""kill -9 of the real service at random moments: nothing acknowledged is lost, and the
deadline stays where it was (I1, I11, F11)."""

import subprocess
from pathlib import Path

import anyio
import pytest

from tests.crash.stage import on_stage
from tests.crash.story import GRACE, play

pytestmark = pytest.mark.anyio


async def test_killed_again_and_again_in_one_evening(tmp_path: Path) -> None:
    await play(tmp_path, kills=2, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 52))
async def test_killed_on_many_evenings(tmp_path: Path, seed: int) -> None:
    """Five hundred kills (`python -m tests.crash --count 500` counts them)."""
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
