"""A contact that is confirmed while an alarm rings hears of it as well (I9)."""

import pytest

from app.clock import ManualClock
from app.store import contacts, queue
from app.store.contacts import Contact
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio

LATE = "late@charity.example"


def confirm_late(tonight: Evening) -> None:
    """Somebody gives a code back, in another process: the engine is not told."""
    store, now = tonight.store, tonight.clock.now()
    with store.unit() as db:
        contact = Contact(channel="mail", address=LATE)
        late, code = contacts.add(db, store, contact, now)
        assert contacts.confirm(db, store, late, code, now)
        assert contacts.confirm(db, store, late, code, now)


def heard(tonight: Evening) -> list[str]:
    """The rules of the alarms that reached the late contact."""
    return [one.key.split(":")[0] for one in tonight.letters if one.address == LATE]


async def test_whoever_is_confirmed_late_hears_of_what_is_open(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.leave("anna", "sam")
        await tonight.join("anna", "sam")  # safe again; it rings until it is taken
        await tonight.wait(30)
        confirm_late(tonight)
        await tonight.wait(60)

        rung = heard(tonight)
        assert rung
        await tonight.wait(60)
        assert len(heard(tonight)) > len(rung)


async def test_even_when_nobody_was_there_to_hear_it_before(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        store = tonight.store
        with store.unit() as db:
            for one in contacts.listed(db, store):
                contacts.remove(db, one.id)
        await tonight.join("anna", "sam", "ben")
        await tonight.leave("anna", "sam")
        await tonight.join("anna", "sam")
        await tonight.wait(30)
        confirm_late(tonight)
        await tonight.wait(60)

        assert heard(tonight)


async def test_what_somebody_has_taken_rings_for_nobody_new(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.leave("anna", "sam")
        await tonight.join("anna", "sam")
        await tonight.wait(30)
        for key in {one.key for one in tonight.letters}:
            with tonight.store.unit() as db:
                queue.acknowledge(db, key, "anna", clock.now())
        confirm_late(tonight)
        await tonight.wait(60)

        assert heard(tonight) == []
