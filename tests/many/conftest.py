"""The Tuesday group on a PostgreSQL that two machines serve at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.clock import ManualClock
from app.crypto import Keyring
from app.engine.alarms import Alarms, Letter
from app.engine.leases import Shared
from app.engine.loop import Engine
from app.engine.together import Together
from app.store.database import Store, open_engine
from tests.engine.room import Evening, evening
from tests.engine.test_guard_goes_on import MoodyDoor
from tests.store.conftest import server
from tests.store.postgres import Server

__all__ = ["server"]

LASTS = timedelta(seconds=60)


@dataclass
class Machine:
    """A process: its engine, its leases, and the clock it tells their age by.

    ``still``: that clock, which a paused machine stops.
    """

    name: str
    store: Store
    door: MoodyDoor
    engine: Engine
    leases: Shared
    together: Together
    still: ManualClock
    letters: list[Letter] = field(default_factory=list)

    async def turn(self) -> None:
        """Its second is over: renew, share, look for news, and do what is due."""
        await self.together.take_turn()
        await self.engine.step()

    def passes(self, seconds: float) -> None:
        """Time as this machine's leases count it."""
        self.still.advance(timedelta(seconds=seconds))


@dataclass
class Two:
    """Two machines and the evening both could guard."""

    evening: Evening
    a: Machine
    b: Machine

    def take_away(self, machine: Machine) -> None:
        """The database finds that this machine's leases are over."""
        with machine.store.unit() as db:
            db.execute(
                text("UPDATE leases SET expires_at = 1 WHERE owner = :name"),
                {"name": machine.name},
            )

    async def give_all_to(self, machine: Machine) -> None:
        """And another one claims them."""
        other = self.a if machine is self.b else self.b
        self.take_away(other)
        await machine.together.take_turn()


def machine(tonight: Evening, address: str, name: str) -> Machine:
    """One more process on this database, beside the same room."""
    database = open_engine(address)
    store = Store(database, Keyring([b"k" * 32]))
    store.door.close()
    door = MoodyDoor(store)
    store.door = door
    still = ManualClock(tonight.clock.now())
    leases = Shared(store, still, name, LASTS)
    letters: list[Letter] = []

    async def keep(letter: Letter, _now: datetime) -> None:
        letters.append(letter)

    numbers = iter(range(10**9))
    footing = replace(
        tonight.footing,
        store=store,
        leases=leases,
        new_id=lambda: f"{name}-{next(numbers):06}",
    )
    engine = Engine(footing, Alarms(footing, {"webhook": keep, "mail": keep}))
    together = Together(footing, leases, engine)
    return Machine(name, store, door, engine, leases, together, still, letters)


@asynccontextmanager
async def two_machines(server: Server, clock: ManualClock) -> AsyncIterator[Two]:
    """A holds everything and guards the room; B has just come and holds nothing."""
    address = server.cleared()
    database = open_engine(address)
    store = Store(database, Keyring([b"k" * 32]))
    async with evening(clock, store=store) as tonight:
        a, b = machine(tonight, address, "a"), machine(tonight, address, "b")
        await a.engine.start()
        tonight.engine = a.engine
        tonight.store = a.store
        await b.engine.start()
        yield Two(tonight, a, b)
        for one in (a, b):
            await one.engine.stop()
            one.store.close()
    store.close()


@pytest.fixture
async def two(server: Server, clock: ManualClock) -> AsyncIterator[Two]:
    async with two_machines(server, clock) as both:
        yield both
