import pytest

from app.clock import ManualClock
from tests.integrations.rehearsal.stage import Stage


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return Stage(clock)
