"""Somebody was erased: a session is taken anew from the store while it goes on."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.store import people
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tonight(clock: ManualClock) -> AsyncIterator[Evening]:
    async with evening(clock) as one:
        yield one


async def test_the_grace_goes_on_and_the_room_is_ended_once(tonight: Evening) -> None:
    tonight.clock.advance(timedelta(minutes=12))
    await tonight.join("anna", "ben", "chloe")
    await tonight.wait(20)
    await tonight.leave("anna")
    await tonight.wait(30)
    await tonight.engine.forget([tonight.session_id])
    await tonight.wait(25)
    assert tonight.count("end_meeting") == 0
    await tonight.wait(10)
    assert tonight.count("end_meeting") == 1


async def test_an_erased_name_is_gone_from_the_session(tonight: Evening) -> None:
    ben = tonight.people["ben"]
    assert (await tonight.state()).names[ben] == "Ben"
    with tonight.store.unit() as db:
        people.erase(db, ben, tonight.clock.now())
    before = (await tonight.state()).version
    await tonight.engine.forget([tonight.session_id])
    after = await tonight.state()
    assert after.names.get(ben, "") == ""
    # Open pages hear of it.
    assert after.version > before


async def test_what_is_not_in_memory_is_not_brought_there(tonight: Evening) -> None:
    await tonight.engine.forget(["session-of-last-year"])
    assert set(tonight.engine.sessions.all()) == {tonight.session_id}


async def test_facts_that_were_not_folded_yet_are_not_kept(tonight: Evening) -> None:
    """A nickname of somebody in a meeting no session holds yet."""
    recent = tonight.store.recent
    facts = [object()]
    recent.keep("ref-1", facts[0])  # type: ignore[arg-type]
    await tonight.engine.forget([])
    assert "ref-1" not in recent
