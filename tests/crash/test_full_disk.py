"""A real process whose files may not grow any more: it guards on, lies to nobody, and
writes down what it owes when there is room again (I11, I20, F12)."""

import resource
from pathlib import Path

import pytest

from tests.crash.stage import CLIENTS, Service, on_stage
from tests.crash.story import GRACE

pytestmark = pytest.mark.anyio

LIMIT = 4096
"""Bytes: no page of the database or of its log can be written beyond."""


def files_may_grow(service: Service, *, freely: bool) -> None:
    """As setrlimit(2), RLIMIT_FSIZE has it: a write beyond fails with EFBIG."""
    assert service.process is not None
    pid = service.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    soft = hard if freely else LIMIT
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.long
async def test_the_guard_goes_on_without_a_disk(tmp_path: Path) -> None:
    async with on_stage(tmp_path, GRACE) as stage:
        service = stage.service
        await service.start()
        stage.world.start_meeting(stage.meeting_id, "anna")
        for key in CLIENTS[:3]:
            stage.come(key)
        await service.until(
            lambda: len(stage.acknowledged()) >= 5, 20, "no webhook is taken"
        )
        looks = len(stage.looks())
        await service.until(lambda: len(stage.looks()) > looks + 1, 60, "no look")

        files_may_grow(service, freely=False)
        before = stage.acknowledged()
        left_at = stage.clock.now()
        stage.world.leave(stage.meeting_id, "anna")
        await service.until(lambda: not stage.runs, 60, "nobody ended the call")
        assert stage.ends()[0].at >= left_at
        refused = [one.status for one in stage.server.sendings if one.at >= left_at]
        assert 503 in refused
        assert stage.acknowledged() == before

        files_may_grow(service, freely=True)
        await service.until(
            lambda: stage.end_states() == ["confirmed"],
            60,
            "what is owed is not written",
        )
        assert stage.acknowledged() <= stage.stored()
