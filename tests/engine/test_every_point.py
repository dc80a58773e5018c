"""Kill the process, or fail the store or the platform, at each point of a lost lead.

Enumeration instead of chance: the story is played once to count its points, then once
for each point and each fault (assurance §5.1; I1, I3, I6, I9, I11, I20). Chance after
that: several faults in one night, with webhooks lost, doubled, late and out of order.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import ManualClock
from tests.conftest import BEFORE_THE_SESSION
from tests.engine.faults import Fate, Fault, Night, Planned
from tests.engine.room import evening

GRACE = timedelta(seconds=60)
FOUND = timedelta(seconds=20)  # N1 of the budget at G = 60
OUTAGE = timedelta(seconds=20)  # N2 for an outage of 10 s is 20 s more
START = timedelta(seconds=20)  # B + Wd
KILLS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
READ = timedelta(seconds=15)  # P + T: a lost leave counts from the last proof


@contextmanager
def quiet() -> Iterator[None]:
    """Hundreds of nights; their logs say nothing to a reader of this test."""
    with structlog.testing.capture_logs():
        yield


async def _plan() -> Planned:
    clock = ManualClock(BEFORE_THE_SESSION)
    async with evening(clock) as one:
        connection = one.store.engine.raw_connection()
        tables: bytes = connection.driver_connection.serialize()  # type: ignore[union-attr]
        connection.close()
        return Planned(tables, one.session_id, clock.now())


@pytest.fixture(scope="module")
def planned() -> Planned:
    with quiet():
        return asyncio.run(_plan())


@asynccontextmanager
async def night(
    planned: Planned,
    *lives: dict[int, Fault],
    fates: list[Fate] | None = None,
    full_from: int | None = None,
) -> AsyncIterator[Night]:
    one = Night(
        planned, ManualClock(planned.began_at), lives=[*lives], fates=fates or []
    )
    one.points.full_from = full_from
    try:
        with quiet():
            yield one
    finally:
        await one.close()


async def lose_the_lead(one: Night) -> datetime:
    """Anna and Ben meet; Anna is gone; returns when she left."""
    await one.come("anna", "ben")
    await one.wait(11)
    left_at = await one.go("anna")
    await one.wait(62)
    await one.catch_up()
    await one.wait(40 + one.down.total_seconds() * 5)
    return left_at


async def check(one: Night, left_at: datetime, within: timedelta) -> None:
    """Whatever happened: ended in time and not early, and the record knows it all."""
    assert one.ended_at is not None, "nobody ended the room"
    assert left_at + GRACE - READ <= one.ended_at <= left_at + GRACE + within
    assert one.ends <= 3  # a repeat is harmless, a flood is not
    await check_record(one)


async def check_record(one: Night) -> None:
    assert one.ended_at is not None
    assert one.acknowledged <= one.stored()
    assert one.open_acts() == []
    [clear] = [c for c in await one.cleared() if c.confirmed_at is not None]
    assert clear.sent_at is not None
    assert clear.sent_at <= one.ended_at
    assert clear.proof == "The platform reports that this meeting is over."
    told = {letter.address for letter in one.letters if "never_alone" in letter.key}
    assert told >= {"https://alarm0.example/", "https://alarm1.example/"}


async def play(planned: Planned, *lives: dict[int, Fault]) -> Night:
    async with night(planned, *lives) as one:
        left_at = await lose_the_lead(one)
        await check(one, left_at, FOUND + one.down)
        return one


# Killed before a point is the same as killed after the one before it.
@pytest.mark.parametrize("fault", [f for f in Fault if f != Fault.KILLED_BEFORE])
def test_one_fault_at_every_point(planned: Planned, fault: Fault) -> None:
    async def every() -> None:
        points = (await play(planned)).points.passed
        assert {"write", "perform", "read_roster", "read_status"} <= {*points}
        for at, what in enumerate(points):
            try:
                await play(planned, {at: fault})
            except AssertionError as broken:
                broken.add_note(f"{fault} at point {at} ({what})")
                raise

    asyncio.run(every())


def test_a_store_that_fails_from_any_point_on(planned: Planned) -> None:
    """Full disk: the room is ended, people hear of it, and the record is made good."""

    async def every() -> None:
        points = (await play(planned)).points.passed
        for at in range(0, points.index("perform") + 2, 3):
            async with night(planned, full_from=at) as one:
                left_at = await lose_the_lead(one)
                assert one.ended_at is not None, f"full from {at} on"
                assert one.ended_at <= left_at + GRACE + FOUND
                assert any(letter.key == "store" for letter in one.letters)
                assert one.acknowledged <= one.stored()

                one.points.full_from = None
                await one.wait(60)
                await check_record(one)

    asyncio.run(every())


faults = st.dictionaries(
    st.integers(0, 40), st.sampled_from(list(Fault)), max_size=2
).map(dict)


@settings(max_examples=25)
@given(
    lives=st.lists(faults, min_size=1, max_size=4),
    fates=st.lists(st.sampled_from(list(Fate)), max_size=5),
)
def test_any_night(
    planned: Planned, lives: list[dict[int, Fault]], fates: list[Fate]
) -> None:
    kills = sum(fault in KILLS for life in lives for fault in life.values())

    async def once() -> None:
        async with night(planned, *lives, fates=fates) as one:
            left_at = await lose_the_lead(one)
            within = FOUND + OUTAGE + one.down + kills * START
            await check(one, left_at, within)

    asyncio.run(once())
