"""Two limits of time: no act after its last moment, and no event after it was heard.

An act may be overtaken by its own last moment between the decision and the request: the
look before it took so long (I16). And no sender's clock makes a grace longer (I1, I19).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import ManualClock
from app.core.actions import RemoveParticipant, Wish
from app.core.events import ParticipantLeft
from app.core.presses import ActionState
from app.core.session import GroupSession
from integrations.base import RosterRead
from tests.engine.room import Evening, evening, seat
from tests.engine.test_guard_goes_on import restart

pytestmark = pytest.mark.anyio


def removal_until(moment: datetime) -> Any:
    """A rule that wants Eve out of the room, and only until then."""

    def rule(session: GroupSession, _now: datetime) -> Iterator[Wish]:
        for instance in session.live():
            if "U-eve" in instance.connections:
                yield RemoveParticipant(
                    key="test.out",
                    reason="Eve has to leave before then.",
                    clause="S8",
                    rule="test.out",
                    not_after=moment,
                    meeting=instance.ref,
                    connection="U-eve",
                    uuid="U-eve",
                )

    return [("test.out", rule)]


def looks_take(tonight: Evening, seconds: float) -> None:
    plain = tonight.platform.read_roster

    async def read_roster(meeting: Any) -> RosterRead:
        read = await plain(meeting)
        tonight.clock.advance(timedelta(seconds=seconds))
        return read

    tonight.platform.read_roster = read_roster  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("seconds", "removed"), [(2.999, True), (3, False), (3.001, False)]
)
async def test_an_act_is_not_sent_at_its_last_moment_or_later(
    clock: ManualClock, seconds: float, removed: bool
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        restart(tonight, rules=removal_until(clock.now() + timedelta(seconds=3)))
        looks_take(tonight, seconds)
        await tonight.join("eve")

        assert ("U-eve" not in tonight.room.inside) is removed
        assert tonight.count("remove_participant") == int(removed)
        if not removed:
            await tonight.wait(2)
            known = (await tonight.state()).actions["test.out"]
            assert known.state is ActionState.EXPIRED


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [(-1, -1), (-0.001, -0.001), (0, 0), (0.001, 0), (1.9, 0), (3600, 0)],
)
async def test_no_event_lies_after_the_moment_it_was_heard(
    clock: ManualClock, seconds: float, heard: float
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.wait(5)
        now = clock.now()
        tonight.room.inside.pop(seat("anna").uuid)
        await tonight.tell(ParticipantLeft, "anna", at=now + timedelta(seconds=seconds))
        await tonight.engine.step()

        state = await tonight.state()
        left = state.instances[tonight.ref].connections["U-anna"].whereabouts()
        assert left.room == ""
        assert left.stays[-1].end == now + timedelta(seconds=heard)
        await tonight.wait(60)
        assert tonight.count("end_meeting") == 1  # the grace counts from then at latest
