from collections.abc import AsyncIterator

import pytest

from app.clock import ManualClock
from tests.integrations.rehearsal.stage import Stage
from tests.integrations.rehearsal.teams_stage import Room, opened


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return Stage(clock)


@pytest.fixture
async def room(clock: ManualClock) -> AsyncIterator[Room]:
    async with opened(clock) as made:
        yield made
