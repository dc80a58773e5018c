"""Words at the door are sent once and never called done: no room can show them."""

import pytest

from app.clock import ManualClock
from app.core.presses import ActionState
from integrations.base import TemporaryFailure
from tests.engine.room import evening

pytestmark = pytest.mark.anyio


async def test_they_stay_sent_and_are_sent_once(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(120)
        await tonight.leave("ben", "anna", "sam")
        await tonight.ended()
        await tonight.wait(60)

        [words] = [
            f
            for f in (await tonight.state()).actions.values()
            if f.kind == "tell_waiting_room"
        ]
        assert (words.state, words.route) == (ActionState.SENT, "api")
        assert words.confirmed_at is None
        assert tonight.count("tell_waiting_room") == 1


async def test_they_are_sent_again_when_the_platform_did_not_take_them(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.room.cannot["tell_waiting_room"] = TemporaryFailure("busy")
        await tonight.join("anna", "sam", "ben")
        assert tonight.count("tell_waiting_room") == 1
        del tonight.room.cannot["tell_waiting_room"]
        await tonight.wait(2)

        assert tonight.count("tell_waiting_room") == 2
        await tonight.wait(60)
        assert tonight.count("tell_waiting_room") == 2
