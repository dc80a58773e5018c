"""Two real processes on one database, killed, frozen and stopped by real signals.

Stated: a worker that is killed or frozen is replaced within its lease (here 5 s) and 2 s; one
that is stopped cleanly at once. Nothing is done twice.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.many.stage import GRACE, LEASE, Stage, on_stage
from tests.store.postgres import Server

pytestmark = pytest.mark.anyio

# Look, decide, commit and call on a machine on which other work runs.
PROMPT = timedelta(seconds=6).total_seconds()
TAKES_OVER = LEASE + 2.0
FAIR_AGAIN = "the shares are not fair again"


async def the_owner_hears_what_the_other_was_told(stage: Stage) -> None:
    """The webhook comes to A, the session is B's, the page is open at A."""
    room = stage.rooms_of(stage.b)[0]
    await stage.open(room)
    async with stage.page(stage.a, room) as page:
        await stage.until(lambda: page.versions > 0, "the page shows nothing")
        before = page.versions
        stage.lead_leaves(room)
        took = await stage.is_ended(room)
        await stage.until(lambda: page.versions > before, "the page stands still")
    assert GRACE.total_seconds() - 1.1 <= took <= GRACE.total_seconds() + PROMPT
    await stage.is_confirmed(room)
    assert stage.ends(room) == 1


async def one_is_frozen_past_its_lease(stage: Stage) -> None:
    """SIGSTOP in the grace; the other ends the call; SIGCONT: it does no harm."""
    room = stage.rooms_of(stage.b)[0]
    await stage.open(room)
    stage.lead_leaves(room)
    stage.b.freeze()

    took = await stage.is_ended(room)

    assert took <= TAKES_OVER + GRACE.total_seconds() + PROMPT
    await stage.is_confirmed(room)
    assert stage.share(stage.a) == 64
    stage.b.go_on()
    await stage.until(lambda: stage.share(stage.b) == 32, FAIR_AGAIN)
    assert stage.ends(room) == 1
    assert stage.said_twice(room) == []


async def one_is_killed(stage: Stage) -> None:
    """kill -9: the other guards within the lease and two seconds."""
    room = stage.rooms_of(stage.b)[0]
    await stage.open(room)
    stage.b.kill()
    stage.lead_leaves(room)

    took = await stage.is_ended(room)

    assert took <= TAKES_OVER + GRACE.total_seconds() + PROMPT
    assert stage.share(stage.a) == 64
    await stage.is_confirmed(room)
    assert stage.ends(room) == 1


async def one_is_stopped_cleanly(stage: Stage) -> None:
    """SIGTERM: it gives its shards back, and nobody waits for a lease to run out."""
    await stage.start(stage.b)
    await stage.until(lambda: stage.share(stage.b) == 32, FAIR_AGAIN)
    stage.b.end()
    assert stage.share(stage.b) == 0

    took = await stage.until(lambda: stage.share(stage.a) == 64, "nobody takes over")

    assert took < LEASE
    assert await stage.metric(stage.a, "chaperone_shards") == 64
    assert await stage.metric(stage.a, "chaperone_processes") == 1


async def test_one_evening_with_two_workers(server: Server, tmp_path: Path) -> None:
    async with on_stage(server, tmp_path) as stage:
        assert await stage.metric(stage.b, "chaperone_shards") == 32
        await the_owner_hears_what_the_other_was_told(stage)
        await one_is_frozen_past_its_lease(stage)
        await one_is_killed(stage)
        await one_is_stopped_cleanly(stage)


@pytest.mark.long
@pytest.mark.parametrize("turn", range(10))
async def test_many_evenings(server: Server, tmp_path: Path, turn: int) -> None:
    async with on_stage(server, tmp_path) as stage:
        for _again in range(2):
            await one_is_frozen_past_its_lease(stage)
            await the_owner_hears_what_the_other_was_told(stage)
        await one_is_killed(stage)
        await one_is_stopped_cleanly(stage)
