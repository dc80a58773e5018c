"""The main promise, end to end through the engine: nobody stays without a worker."""

from dataclasses import replace

import pytest

from app.clock import ManualClock
from app.core.actions import EndMeeting
from app.core.events import ParticipantJoined
from app.core.policy import Mode
from app.core.presses import ActionState
from tests.engine.room import evening

pytestmark = pytest.mark.anyio
END = "end_meeting"


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


@pytest.mark.parametrize("mode", Mode)
async def test_no_policy_makes_the_end_a_question_or_a_note(
    clock: ManualClock, mode: Mode
) -> None:
    """E1 has times, but no off switch (I21)."""
    async with evening(clock) as tonight:
        state = await tonight.state()
        state.policy = replace(state.policy, modes={EndMeeting.kind: mode})
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(60)

        assert tonight.count("end_meeting") == 1


async def test_a_worker_who_comes_back_stops_the_clock(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(58)
        await tonight.join("anna")
        await tonight.wait(300)

        assert tonight.count("end_meeting") == 0


async def test_a_worker_back_while_the_end_is_on_its_way_is_called_a_race(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        tonight.room.ghost = True  # heard, and carried out some seconds later
        await tonight.wait(60)
        assert tonight.count("end_meeting") == 1
        await tonight.wait(2)
        await tonight.join("anna")
        await tonight.wait(1)
        await tonight.ended()
        await tonight.wait(10)

        state = await tonight.state()
        [end] = [f for f in state.actions.values() if f.kind == "end_meeting"]
        assert (end.state, end.race) == (ActionState.CONFIRMED, True)
        assert any(k.startswith("never_alone.race") for k in state.actions)
        assert all(link.state == "active" for link in state.links.values())
        assert tonight.count("end_meeting") == 1


async def test_an_end_that_did_not_happen_is_taken_back_after_its_flight(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        tonight.room.ghost = True
        await tonight.wait(60)
        await tonight.join("anna")

        async def state() -> ActionState:
            actions = (await tonight.state()).actions.values()
            [end] = [f for f in actions if f.kind == "end_meeting"]
            return end.state

        await tonight.wait(9)
        assert await state() is ActionState.SENT
        await tonight.wait(2)
        assert await state() is ActionState.WITHDRAWN


async def test_a_way_back_heard_after_the_proof_is_called_a_race_as_well(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        came = clock.now()
        await tonight.wait(1)
        await tonight.ended()
        proved = clock.now()
        await tonight.wait(10)
        [end] = [f for f in (await tonight.state()).actions.values() if f.kind == END]
        assert (end.state, end.race) == (ActionState.CONFIRMED, False)

        await tonight.tell(ParticipantJoined, "anna", at=came, uuid="U-anna-2")
        await tonight.wait(2)

        state = await tonight.state()
        [end] = [f for f in state.actions.values() if f.kind == END]
        assert (end.state, end.race) == (ActionState.CONFIRMED, True)
        assert end.confirmed_at == proved
        assert end.proof == "The platform reports that this meeting is over."
        assert any(k.startswith("never_alone.race") for k in state.actions)
        assert all(link.state == "active" for link in state.links.values())
