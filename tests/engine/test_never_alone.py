"""The main promise, end to end through the engine: nobody stays without a worker."""

import pytest

from app.clock import ManualClock
from app.core.presses import ActionState
from tests.engine.room import evening

pytestmark = pytest.mark.anyio


async def test_the_room_is_ended_when_the_grace_is_over(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        assert tonight.count("end_meeting") == 0

        await tonight.wait(1)

        assert tonight.count("end_meeting") == 1
        await tonight.ended()
        facts = (await tonight.state()).actions.values()
        [end] = [f for f in facts if f.kind == "end_meeting"]
        assert end.state is ActionState.CONFIRMED
        assert end.proof == "The platform reports that this meeting is over."


async def test_a_worker_who_comes_back_stops_the_clock(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(58)
        await tonight.join("anna")
        await tonight.wait(300)

        assert tonight.count("end_meeting") == 0
