"""The record keeps the checklist the session started with."""

from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.core.presses import ItemTicked
from app.web.frozen import starting
from tests.engine.room import evening

pytestmark = pytest.mark.anyio


async def test_a_tick_after_the_start_is_not_in_it(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        anna = tonight.people["anna"]
        await tonight.join("anna", "sam")
        await tonight.wait(5)
        before = ItemTicked(at=clock.now(), by=anna, item="staff_meeting")
        await tonight.engine.accept_press(tonight.session_id, before)
        await tonight.wait(5)
        await tonight.join("ben")
        started = clock.now()
        await tonight.wait(5)
        after = ItemTicked(at=clock.now(), by=anna, item="practised")
        await tonight.engine.accept_press(tonight.session_id, after)
        await tonight.engine.step()

        state = await tonight.state()
        assert starting(state, clock.now()) == started
        then = await tonight.engine.state_at(tonight.session_id, started)
        assert set(then.ticks) == {"staff_meeting"}
        assert set(state.ticks) == {"staff_meeting", "practised"}


async def test_before_anybody_came_it_is_now_or_the_planned_start(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        state = await tonight.state()
        plan = state.plan
        assert plan is not None
        assert starting(state, clock.now()) == clock.now()
        late = plan.starts_at + timedelta(minutes=5)
        assert starting(state, late) == plan.starts_at
