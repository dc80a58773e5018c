"""Many entries in one step: nothing is lost, doubled or stored in another form."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.crypto import Keyring
from app.store import entries, log
from app.store.bulk import asking
from app.store.database import Appending, InlineDoor, Store, ThreadDoor, open_engine
from app.store.entries import MOST, Entry
from tests.store.conftest import NOW

pytestmark = pytest.mark.anyio

EVE = "<script>=1+1 é\U0001f600"
TICKS = int(NOW.timestamp()) * 1_000_000
TABLES = {
    "log": "ref, session_id, platform, meeting_id, instance, kind, source, at, heard_at,"
    " public",
    "log_personal": "ref, heard_at, fields_sealed",
    "deliveries": "ref, platform, event_type, meeting_id, received_at, body_sealed, late",
}


def entry(number: int, prefix: str = "ref", **changed: Any) -> Entry:
    """Every third came in no webhook, every second names nobody."""
    one = Entry(
        ref=f"{prefix}-{number}.0",
        session_id=None if number % 5 else "session-1",
        platform="zoom",
        meeting_id="81000000019",
        instance=EVE,
        kind="ParticipantJoined",
        source="webhook",
        at=TICKS - number,
        heard_at=TICKS + number,
        public='{"uuid":"U"}',
        fields_sealed=b"\x00half\xff" if number % 2 else None,
    )
    if number % 3:
        one = log.delivered(
            one, f"{prefix}-{number}", "meeting.x", b"\x00\xff", late=number % 4 == 1
        )
    return one._replace(**changed)


def stored(db: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            tuple(row)
            for row in db.execute(text(f"SELECT {columns} FROM {table} ORDER BY ref"))
        )
        for table, columns in TABLES.items()
    }


def expected(some: list[Entry]) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "log": sorted(tuple(one[:10]) for one in some),
        "log_personal": sorted(
            (one.ref, one.heard_at, one.fields_sealed)
            for one in some
            if one.fields_sealed is not None
        ),
        "deliveries": sorted(
            (
                one.delivery,
                one.platform,
                one.event_type,
                one.meeting_id,
                one.heard_at,
                one.body_sealed,
                one.late,
            )
            for one in some
            if one.delivery is not None
        ),
    }


@pytest.mark.parametrize("count", [0, 1, 2, MOST - 1, MOST, MOST + 1, 2 * MOST + 1])
def test_every_part_arrives_as_it_was(db: Connection, count: int) -> None:
    some = [entry(number) for number in range(count)]
    entries.add(db, some)

    assert stored(db) == expected(some)


def test_the_order_of_the_log_is_the_order_they_came_in(db: Connection) -> None:
    entries.add(db, [entry(number) for number in (5, 3, 9, 1)])

    refs = db.execute(text("SELECT ref FROM log ORDER BY seq")).scalars().all()
    assert refs == ["ref-5.0", "ref-3.0", "ref-9.0", "ref-1.0"]


def test_what_is_there_stays_as_it_is(db: Connection) -> None:
    some = [entry(number) for number in range(1, 6)]
    entries.add(db, some)
    changed = [entry(n, kind="Other", fields_sealed=b"other") for n in range(1, 8)]
    entries.add(db, [*changed, *changed])

    assert stored(db) == expected([*some, changed[5], changed[6]])


def test_no_statement_has_more_values_than_the_oldest_sqlite_takes() -> None:
    assert MOST * len(Entry._fields) <= 999
    assert (MOST + 1) * len(Entry._fields) > 999


@pytest.fixture
def in_file(address: str) -> Iterator[Store]:
    """A store with a writing thread, on both kinds."""
    made = threaded(address)
    yield made
    made.close()


def threaded(address: str) -> Store:
    engine = open_engine(address)
    return Store(engine, Keyring([b"k" * 32]), ThreadDoor(engine))


async def begun(store: Store, work: Any, within: float = 10.0) -> BaseException | None:
    told: asyncio.Future[BaseException | None] = (
        asyncio.get_running_loop().create_future()
    )
    store.begin(work, told.set_result, within)
    return await told


async def test_alone_or_together_the_same_is_stored(in_file: Store) -> None:
    """The first goes the long way, the rest each in a step of their own."""
    some = [entry(number) for number in range(20)]
    for start in (0, 1, 5, 15):
        batch = Appending(some[start : start * 2 + 1] + some[start:20])
        assert await begun(in_file, batch) is None

    def read(db: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return stored(db)

    assert await in_file.read(read) == expected(some)


async def test_a_step_of_its_own_is_there_for_everybody_at_once(
    in_file: Store,
) -> None:
    for number in range(3):
        assert await begun(in_file, Appending([entry(number)])) is None
        with in_file.engine.connect() as other:
            seen = other.execute(text("SELECT count(*) FROM log")).scalar_one()
        assert seen == number + 1


async def test_a_step_that_fails_stores_no_part_of_it(in_file: Store) -> None:
    good = [entry(number) for number in range(3)]
    assert await begun(in_file, Appending(good)) is None
    bad = [entry(7), entry(8, public=None)]
    problem = await begun(in_file, Appending(bad))

    assert isinstance(problem, IntegrityError)
    assert await in_file.read(stored) == expected(good)
    assert await begun(in_file, Appending([entry(9)])) is None


async def test_what_failed_once_is_no_trouble_afterwards(
    tmp_path: Path, image: bytes
) -> None:
    """The trigger made in a transaction that is undone is made again."""
    (tmp_path / "here.db").write_bytes(image)
    here = threaded(f"sqlite:///{tmp_path / 'here.db'}")

    def fail(db: Connection) -> None:
        entries.add(db, [entry(1)])
        raise ArithmeticError

    for _ in range(2):
        assert isinstance(await begun(here, fail), ArithmeticError)
    assert await begun(here, lambda db: entries.add(db, [entry(2)])) is None
    assert await begun(here, Appending([entry(3)])) is None
    assert isinstance(await begun(here, fail), ArithmeticError)
    assert await begun(here, Appending([entry(4)])) is None
    found = await here.read(stored)
    here.close()

    assert found == expected([entry(2), entry(3), entry(4)])


async def test_trouble_of_the_store_is_told_by_its_class(
    tmp_path: Path, image: bytes
) -> None:
    (tmp_path / "here.db").write_bytes(image)
    here = threaded(f"sqlite:///{tmp_path / 'here.db'}")
    assert await begun(here, Appending([entry(1)])) is None
    with here.unit() as db:
        db.execute(text("DROP TABLE deliveries"))
    problem = await begun(here, Appending([entry(2)]))
    here.close()

    assert isinstance(problem, OperationalError)


async def test_who_waits_too_long_is_told_and_taken_back(in_file: Store) -> None:
    held, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_db: Connection) -> None:
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)

    first = asyncio.create_task(begun(in_file, slow, within=0.05))
    await held.wait()
    second = await begun(in_file, Appending([entry(1)]), within=0.05)
    assert isinstance(second, TimeoutError)
    assert isinstance(await first, TimeoutError)
    go_on.set()

    assert await begun(in_file, Appending([entry(2)])) is None
    assert await in_file.read(stored) == expected([entry(2)])


async def test_a_closed_store_says_so(in_file: Store) -> None:
    in_file.close()
    problem = await begun(in_file, Appending([entry(1)]))

    assert problem is not None
    assert "closed" in str(problem)


async def test_without_a_thread_it_is_awaited(store: Store) -> None:
    assert isinstance(store.door, InlineDoor)
    assert await begun(store, Appending([entry(1)])) is None
    with store.unit() as db:
        assert stored(db) == expected([entry(1)])


def test_rows_read_in_one_step_are_the_rows(db: Connection) -> None:
    some = [entry(number) for number in range(7)]
    entries.add(db, some)
    query = (
        log.log.select()
        .with_only_columns(
            log.log.c.seq, log.log.c.instance, log.personal.c.fields_sealed
        )
        .select_from(
            log.log.outerjoin(log.personal, log.personal.c.ref == log.log.c.ref)
        )
        .where(log.log.c.ref != bindparam("but"))
        .order_by(log.log.c.seq.desc())
    )
    found = asking(db.dialect, query).rows(db, {"but": "nobody"})

    seqs = [row[0] for row in found]
    assert seqs == sorted(seqs, reverse=True)
    assert [row[1:] for row in reversed(found)] == [
        [one.instance, one.fields_sealed] for one in some
    ]
    nobody = query.where(log.log.c.ref == bindparam("ref"))
    both = {"ref": "nobody", "but": "somebody"}
    assert asking(db.dialect, nobody).rows(db, both) == []
