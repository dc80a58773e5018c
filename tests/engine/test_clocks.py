"""The platform's clock and ours: told when they differ by more than 2 s (I9, I19)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.clock import ManualClock
from app.core.events import ParticipantJoined
from app.engine.clocks import Clocks
from integrations.base import RosterRead
from tests.engine.room import Evening, evening, seat
from tests.engine.test_guard_goes_on import moody, restart

pytestmark = pytest.mark.anyio


def answers_with(tonight: Evening, **seconds: float) -> None:
    """From now on the platform's answers bear a Date that is so far ahead of ours."""
    offset = timedelta(**seconds)
    plain = type(tonight.platform).read_roster

    async def read_roster(meeting: Any) -> RosterRead:
        return replace(await plain(tonight.platform, meeting), offset=offset)

    tonight.platform.read_roster = read_roster  # type: ignore[method-assign]


def told(tonight: Evening) -> list[str]:
    return [one.text for one in tonight.letters if one.key.startswith("clock:")]


async def problems(tonight: Evening) -> list[str]:
    found = (await tonight.engine.status()).problems
    return [one for one in found if "clock" in one]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.999, ""),
        (2, ""),
        (2.001, "The clock of Room is 2 s ahead of Chaperone's."),
        (-2, ""),
        (-2.001, "The clock of Room is 2 s behind Chaperone's."),
        (3600, "The clock of Room is 3600 s ahead of Chaperone's."),
    ],
)
async def test_more_than_two_seconds_are_told(
    clock: ManualClock, seconds: float, words: str
) -> None:
    async with evening(clock) as tonight:
        answers_with(tonight, seconds=seconds)
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(61)  # two calm looks

        assert set(told(tonight)) == ({words} if words else set())
        assert {one.address for one in tonight.letters if one.text == words} == (
            {"https://alarm0.example/", "https://alarm1.example/"} if words else set()
        )
        assert [one.split(" Look at")[0] for one in await problems(tonight)] == (
            [words] if words else []
        )


async def test_one_slow_answer_is_no_wrong_clock(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        for seconds in (-5, 0, -5, 5, -5, 0):
            answers_with(tonight, seconds=seconds)
            await tonight.wait(30)

        assert told(tonight) == []


async def test_it_is_repeated_until_it_is_well_again(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        answers_with(tonight, seconds=5)
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(61)
        first = len(told(tonight))
        await tonight.wait(61)
        again = len(told(tonight))
        assert again > first >= 2
        assert (await tonight.engine.status()).unacknowledged_alarms == 1

        answers_with(tonight, seconds=0)
        await tonight.wait(31)
        rung = len(told(tonight))
        assert await problems(tonight) == []
        assert (await tonight.engine.status()).unacknowledged_alarms == 0
        await tonight.wait(120)
        assert len(told(tonight)) == rung

        answers_with(tonight, seconds=5)  # and another time is another alarm
        await tonight.wait(61)
        assert len(told(tonight)) > rung


async def test_the_difference_and_its_alarm_survive_a_restart(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        answers_with(tonight, seconds=90)
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(61)
        restart(tonight)
        await tonight.engine.start()
        assert tonight.engine.intake.offsets == {"zoom": timedelta(seconds=90)}
        assert len(await problems(tonight)) == 1

        # The very first webhook is put right already.
        at = clock.now() + timedelta(seconds=90)
        await tonight.tell(ParticipantJoined, "chloe", at=at)
        state = await tonight.state()
        joined = state.instances[tonight.ref].connections[seat("chloe").uuid]
        assert joined.whereabouts().since == clock.now()

        answers_with(tonight, seconds=0)
        await tonight.wait(61)
        assert await problems(tonight) == []
        assert (await tonight.engine.status()).unacknowledged_alarms == 0


async def test_a_store_that_fails_is_asked_again_at_the_next_answer(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        answers_with(tonight, seconds=5)
        with moody(tonight) as door:
            door.writes_fail = True
            await tonight.wait(61)
        assert told(tonight) == []
        await tonight.wait(31)

        assert told(tonight)


async def test_the_store_is_not_written_to_for_less_than_a_second(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        clocks: Clocks = tonight.engine.clocks
        assert clocks.measured("zoom", timedelta(seconds=-0.4))
        await clocks.tell("zoom")
        assert not clocks.measured("zoom", timedelta(seconds=0.599))
        assert clocks.measured("zoom", timedelta(seconds=0.6))
        await clocks.tell("zoom")
        with tonight.store.unit() as db:
            kept = db.execute(text("SELECT name, value FROM remembered")).all()

        assert [tuple(row) for row in kept] == [("clock:zoom", "0.600 ")]
