"""A call that is over and opened again, and the news of it got lost (I5, W26)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.core.actions import EndMeeting
from app.core.facts import Hands
from app.engine.seen import is_another
from integrations.base import StatusRead
from tests.core.builders import ALL_HANDS
from tests.engine.room import evening
from tests.engine.test_lost_and_broken import until_ended

pytestmark = pytest.mark.anyio
WEBHOOKS_ONLY = replace(ALL_HANDS, live_roster=False)


@pytest.mark.parametrize("hands", [ALL_HANDS, WEBHOOKS_ONLY])
async def test_i5_the_next_occurrence_is_not_taken_for_the_one_that_is_over(
    clock: ManualClock, hands: Hands
) -> None:
    async with evening(clock, hands=hands) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(30)
        tonight.webhooks = False
        await tonight.reopen("uuid-2", "anna", "ben")
        await tonight.wait(31)

        state = await tonight.state()
        assert [one.ref.instance for one in state.live()] == ["uuid-2"]
        [over] = [i for i in state.instances.values() if i.closed_at is not None]
        assert over.ref.instance == "uuid-1"
        assert "end_meeting" not in tonight.platform.calls


async def test_the_next_occurrence_is_guarded_as_well(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(30)
        tonight.webhooks = False
        await tonight.reopen("uuid-2", "anna", "ben")
        await tonight.wait(45)
        await tonight.leave("anna")

        assert await until_ended(tonight, 80) <= 80
        [end] = [a for a in tonight.platform.performed if isinstance(a, EndMeeting)]
        assert end.meeting.instance == "uuid-2"


@pytest.mark.parametrize("hands", [ALL_HANDS, WEBHOOKS_ONLY])
async def test_i5_no_end_for_the_old_one_reaches_the_new(
    clock: ManualClock, hands: Hands
) -> None:
    """It is looked at once more in the very moment before."""
    async with evening(clock, hands=hands) as tonight:
        await tonight.join("anna", "ben")
        await tonight.wait(30)
        await tonight.leave("anna")
        await tonight.wait(59)
        assert "end_meeting" not in tonight.platform.calls
        tonight.webhooks = False
        await tonight.reopen("uuid-2", "anna", "ben")
        await tonight.wait(60)

        assert "end_meeting" not in tonight.platform.calls
        assert [i.ref.instance for i in (await tonight.state()).live()] == ["uuid-2"]


@pytest.mark.parametrize(("seconds", "over"), [(9, False), (10, True)])
async def test_a_status_may_trail_our_own_beginning_a_little(
    clock: ManualClock, seconds: float, over: bool
) -> None:
    async with evening(clock, hands=WEBHOOKS_ONLY) as tonight:
        await tonight.join("anna", "ben")
        began = clock.now()
        clock.advance(timedelta(seconds=seconds))
        session = await tonight.state()
        [instance] = session.live()
        status = StatusRead(
            read_at=began + timedelta(seconds=seconds), started=True, another=True
        )
        assert is_another(session, status, instance) is over
