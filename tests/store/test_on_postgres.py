"""What only PostgreSQL could do otherwise, and an evening on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    InternalError,
    OperationalError,
    PendingRollbackError,
    ProgrammingError,
)

from app.clock import ManualClock
from app.core.events import ParticipantJoined
from app.core.presses import ActionState
from app.crypto import Keyring
from app.main import lock_of
from app.store import log
from app.store.database import (
    Appending,
    InlineDoor,
    Store,
    ThreadDoor,
    open_engine,
)
from app.store.lock import AlreadyRunning, DatabaseLock
from tests.engine.room import Evening, evening
from tests.engine.test_guard_goes_on import restart
from tests.store.conftest import NOW
from tests.store.postgres import Server
from tests.store.test_database import note, noted
from tests.store.test_entries import entry, expected, stored
from tests.web.conftest import settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def on_postgres(server: Server) -> Iterator[Store]:
    engine = open_engine(server.cleared())
    store = Store(engine, Keyring([b"k" * 32]), ThreadDoor(engine))
    yield store
    store.close()


def seconds_of_patience(address: str, wait: str) -> str:
    return f"{address}&options=-c%20lock_timeout%3D{wait}"


def noted_by_name(db: Connection) -> list[str]:
    return list(db.execute(text("SELECT name FROM periodic ORDER BY name")).scalars())


def locks(server: Server, *, granted: bool = True) -> int:
    """How many of our locks are held, or waited for, in the database of these tests."""
    where = f"host={server.folder} user=postgres dbname=chaperone"
    with psycopg.connect(where) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND datname = 'chaperone' AND granted = %s",
            (granted,),
        ).fetchone()
    return int(found[0]) if found else 0


def until(happened: Callable[[], bool]) -> None:
    for _look in range(2000):
        if happened():
            return
    raise AssertionError("It did not happen.")


# --- as on SQLite -----------------------------------------------------------------


async def test_only_one_writes_at_a_time(server: Server) -> None:
    """Numbers of the log appear in their order, whoever writes beside the service."""
    address = server.cleared()
    first = open_engine(address)
    second = open_engine(seconds_of_patience(address, "50ms"))
    service = Store(first, Keyring([b"k" * 32]), InlineDoor(first))
    beside = Store(second, Keyring([b"k" * 32]), InlineDoor(second))
    with service.unit() as db:
        note("first")(db)
        with pytest.raises(OperationalError, match="lock timeout"):
            await beside.write(note("second"))
        assert await beside.read(lambda db: db.execute(text("SELECT 1")).scalar()) == 1
    await beside.write(note("second"))

    assert noted(service) == {"first", "second"}
    for store in (service, beside):
        store.close()


async def test_a_writer_who_waited_sees_what_was_written_meanwhile(
    server: Server, on_postgres: Store
) -> None:
    """Or "is it there already?" would be answered from the past."""
    with on_postgres.unit() as db:
        waiting = asyncio.create_task(on_postgres.write(noted_by_name))
        await asyncio.to_thread(until, lambda: locks(server, granted=False) == 1)
        note("meanwhile")(db)

    assert await waiting == ["meanwhile"]


async def test_a_reader_sees_one_moment(on_postgres: Store) -> None:
    """Else a fold could take in a fact, and not the one before it."""

    await on_postgres.write(note("before"))
    with on_postgres.engine.connect() as db, db.begin():
        assert noted_by_name(db) == ["before"]
        await on_postgres.write(note("meanwhile"))
        assert noted_by_name(db) == ["before"]
    assert await on_postgres.read(noted_by_name) == ["before", "meanwhile"]


async def test_a_reader_cannot_write(on_postgres: Store) -> None:
    """It would go past the lock of the writers."""
    with pytest.raises(InternalError, match="read-only"):
        await on_postgres.read(note("unseen"))
    assert await on_postgres.write(note("seen")) == "seen"


async def test_a_failure_that_is_swallowed_is_not_answered_as_stored(
    on_postgres: Store,
) -> None:
    def swallows(db: Connection) -> None:
        note("half")(db)
        try:
            db.execute(text("SELECT nonsense"))
        except ProgrammingError:
            return

    with pytest.raises(PendingRollbackError):
        await on_postgres.write(swallows)
    assert noted(on_postgres) == set()


async def test_a_database_that_restarts_is_found_again(
    server: Server, on_postgres: Store
) -> None:
    await on_postgres.write(note("before"))
    await on_postgres.read(noted_by_name)
    server.restart()

    assert await on_postgres.write(note("after")) == "after"
    assert await on_postgres.read(noted_by_name) == ["after", "before"]


async def test_webhooks_are_stored_once_after_a_restart(
    server: Server, on_postgres: Store
) -> None:
    """The connection that is gone had a function of its own."""
    some = [entry(number) for number in range(5)]
    await on_postgres.write(Appending(some[:3]))
    server.restart()
    await on_postgres.write(Appending(some))

    assert await on_postgres.read(stored) == expected(some)


async def test_who_may_make_nothing_temporary_stores_webhooks_all_the_same(
    server: Server,
) -> None:
    some = [entry(number) for number in range(3)]
    address = server.cleared()
    server.ask("REVOKE TEMPORARY ON DATABASE chaperone FROM PUBLIC")
    server.ask("DROP ROLE IF EXISTS plain")
    server.ask("CREATE ROLE plain LOGIN IN ROLE pg_read_all_data, pg_write_all_data")
    engine = open_engine(address.replace("postgres@", "plain@"))
    store = Store(engine, Keyring([b"k" * 32]), ThreadDoor(engine))
    try:
        await store.write(Appending(some[:2]))
        await store.write(Appending(some[1:]))
        assert await store.read(stored) == expected(some)
    finally:
        store.close()
        server.ask("GRANT TEMPORARY ON DATABASE chaperone TO PUBLIC")


async def test_webhooks_wait_for_who_writes_beside_the_service(
    server: Server, on_postgres: Store
) -> None:
    """Numbers of the log appear in their order, also of what commits by itself."""
    with on_postgres.unit() as db:
        waiting = asyncio.create_task(on_postgres.write(Appending([entry(2)])))
        await asyncio.to_thread(until, lambda: locks(server, granted=False) == 1)
        log.add(db, [entry(1)])
    await waiting

    with on_postgres.engine.connect() as db:
        rows = db.execute(text("SELECT ref FROM log ORDER BY seq")).scalars().all()
    assert rows == ["ref-1.0", "ref-2.0"]


async def test_a_zero_character_from_outside_is_kept_as_a_mark(
    on_postgres: Store,
) -> None:
    """A signed webhook with it is accepted, here as on SQLite."""
    await on_postgres.write(lambda db: log.count(db, "unknown:zoom:a\0b", NOW))
    await on_postgres.write(lambda db: log.count(db, "unknown:zoom:a\0b", NOW))

    assert await on_postgres.read(log.counted) == {"unknown:zoom:a\ufffdb": (2, NOW)}


# --- one process ------------------------------------------------------------------


def test_a_second_service_is_told_and_may_come_later(server: Server) -> None:
    address = server.cleared()
    url = address.replace("+psycopg", "")
    first, second, third = (
        lock_of(settings(CHAPERONE_DATABASE_URL=url)) for _number in range(3)
    )
    assert first is not None
    assert second is not None
    assert third is not None
    first.take()
    with pytest.raises(AlreadyRunning, match="already serves this database"):
        second.take()
    second.release()
    first.release()
    third.take()
    third.release()


def test_another_database_of_the_server_is_free(server: Server) -> None:
    first = DatabaseLock(make_url(server.cleared()))
    second = DatabaseLock(make_url(server.empty_database()))
    first.take()
    second.take()
    first.release()
    second.release()


def cut(server: Server) -> None:
    """End every connection but the one that asks; they are gone when this returns."""
    server.ask(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )


def test_a_lock_that_was_cut_is_taken_again(server: Server) -> None:
    address = server.cleared()
    stopped = Event()
    lock = DatabaseLock(make_url(address), look_every=0.01, lost=stopped.set)
    lock.take()
    cut(server)
    until(lambda: locks(server) == 1)

    with pytest.raises(AlreadyRunning):
        DatabaseLock(make_url(address)).take()
    lock.release()
    assert locks(server) == 0
    assert not stopped.is_set()


def test_who_lost_the_lock_to_another_stops(server: Server) -> None:
    address = server.cleared()
    stopped = Event()
    slow = DatabaseLock(make_url(address), look_every=0.3, lost=stopped.set)
    slow.take()
    cut(server)
    quick = DatabaseLock(make_url(address))
    quick.take()

    assert stopped.wait(10)
    slow.release()
    quick.release()


# --- an evening -------------------------------------------------------------------


@asynccontextmanager
async def evening_on(
    server: Server, clock: ManualClock, door: type[Any]
) -> AsyncIterator[Evening]:
    engine = open_engine(server.cleared())
    store = Store(engine, Keyring([b"k" * 32]), door(engine))
    async with evening(clock, store=store) as tonight:
        yield tonight
    store.close()


DOORS = pytest.mark.parametrize("door", [InlineDoor, ThreadDoor])


@DOORS
async def test_the_lead_is_lost_and_the_room_is_ended(
    server: Server, clock: ManualClock, door: type[Any]
) -> None:
    async with evening_on(server, clock, door) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        assert tonight.count("end_meeting") == 0

        await tonight.wait(1)

        assert tonight.count("end_meeting") == 1
        await tonight.ended()
        facts = (await tonight.state()).actions.values()
        [end] = [fact for fact in facts if fact.kind == "end_meeting"]
        assert end.state is ActionState.CONFIRMED


@DOORS
async def test_a_restart_keeps_the_deadline(
    server: Server, clock: ManualClock, door: type[Any]
) -> None:
    async with evening_on(server, clock, door) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(40)
        clock.advance(timedelta(seconds=15))  # killed, and down for so long
        restart(tonight)
        await tonight.engine.step()
        await tonight.wait(4)
        assert tonight.count("end_meeting") == 0

        await tonight.wait(1)

        assert tonight.count("end_meeting") == 1


async def test_many_webhooks_at_once_are_kept_once_and_in_order(
    server: Server, clock: ManualClock
) -> None:
    async with evening_on(server, clock, ThreadDoor) as tonight:
        await tonight.join("anna", "sam", "ben")
        before = tonight.number
        for _twice in range(2):
            tonight.number = before
            await asyncio.gather(
                *(tonight.tell(ParticipantJoined, "ben") for _n in range(40))
            )
        await tonight.engine.step()

        def stored(db: Connection) -> list[str]:
            rows = db.execute(
                text(
                    "SELECT ref FROM log WHERE kind = 'ParticipantJoined' ORDER BY seq"
                )
            )
            return list(rows.scalars())

        refs = await tonight.store.read(stored)
        assert len(refs) == len(set(refs)) == 3 + 40
