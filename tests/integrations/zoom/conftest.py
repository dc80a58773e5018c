import pytest

from app.clock import ManualClock
from tests.integrations.zoom.scripted import Scripted


@pytest.fixture
def scripted(clock: ManualClock) -> Scripted:
    return Scripted(clock)
