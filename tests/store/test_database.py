"""The two doors: what is answered is on the disk, and nobody's fault hits another."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.crypto import Keyring
from app.store.database import (
    MAX_BATCH,
    InlineDoor,
    Store,
    StoreClosed,
    ThreadDoor,
    open_engine,
)
from tests.store.conftest import NOW

pytestmark = pytest.mark.anyio


class Commits:
    """Counts what one database commits, and refuses to when told."""

    def __init__(self, engine: Any) -> None:
        self.count = 0
        self.refuse = False
        event.listen(engine, "commit", self._commit)

    def _commit(self, _db: Connection) -> None:
        if self.refuse:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))
        self.count += 1


class Gate:
    """Work that keeps the writing thread busy until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self._go: Future[None] = Future()

    def __call__(self, _db: Connection) -> None:
        self.began.set()
        self._go.result(10)

    def open(self) -> None:
        self._go.set_result(None)


@pytest.fixture
def file_store(address: str) -> Iterator[Store]:
    store = Store(open_engine(address), Keyring([b"k" * 32]))
    yield store
    store.close()


def note(name: str) -> Any:
    """Work that leaves a trace."""

    def work(db: Connection) -> str:
        db.execute(
            text("INSERT INTO periodic (name, last_at) VALUES (:n, 1)"), {"n": name}
        )
        return name

    return work


def noted(store: Store) -> set[str]:
    with store.engine.connect() as db:
        return {row.name for row in db.execute(text("SELECT name FROM periodic"))}


async def held_up(store: Store) -> tuple[Gate, "asyncio.Task[Any]"]:
    gate = Gate()
    busy = asyncio.create_task(store.write(gate))
    await asyncio.to_thread(gate.began.wait, 10)
    return gate, busy


async def queued(*tasks: "asyncio.Task[Any]") -> None:
    """Let the tasks put their work into the queue."""
    for _ in range(3):
        await asyncio.wait(tasks, timeout=0)


async def test_what_was_answered_survives_a_power_cut(tmp_path: Path) -> None:
    """On PostgreSQL the server's settings decide, and `chaperone check` reads them."""
    engine = open_engine(f"sqlite:///{tmp_path / 'chaperone.db'}")
    store = Store(engine, Keyring([b"k" * 32]))

    def pragmas(db: Connection) -> tuple[str, int, int, int]:
        journal, synchronous, keys, erased = (
            db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        )
        return str(journal), int(synchronous or 0), int(keys or 0), int(erased or 0)

    full = ("wal", 2, 1, 1)  # 2 is FULL
    assert await store.write(pragmas) == full
    assert await store.read(pragmas) == full
    store.close()


async def test_many_waiters_share_one_commit(file_store: Store) -> None:
    commits = Commits(file_store.engine)
    gate, busy = await held_up(file_store)
    waiting = [asyncio.create_task(file_store.write(note(f"n{i}"))) for i in range(100)]
    await queued(*waiting)
    gate.open()

    assert await asyncio.gather(*waiting) == [f"n{i}" for i in range(100)]
    await busy
    assert commits.count == 2  # the gate's own, and one for all the others
    assert len(noted(file_store)) == 100


async def test_one_commit_holds_no_more_than_its_share(file_store: Store) -> None:
    commits = Commits(file_store.engine)
    gate, busy = await held_up(file_store)
    names = [f"n{i}" for i in range(MAX_BATCH + 1)]
    waiting = [asyncio.create_task(file_store.write(note(name))) for name in names]
    await queued(*waiting)
    gate.open()
    await asyncio.gather(busy, *waiting)

    assert commits.count == 3


async def test_work_that_fails_undoes_only_itself(file_store: Store) -> None:
    gate, busy = await held_up(file_store)

    def twice(db: Connection) -> None:
        note("half")(db)
        note("first")(db)

    waiting = [
        asyncio.create_task(file_store.write(work))
        for work in (note("first"), twice, note("last"))
    ]
    await queued(*waiting)
    gate.open()
    told = await asyncio.gather(busy, *waiting, return_exceptions=True)

    assert told[1] == "first"
    assert isinstance(told[2], IntegrityError)
    assert told[3] == "last"
    assert noted(file_store) == {"first", "last"}


async def test_a_commit_that_fails_is_told_to_every_waiter(file_store: Store) -> None:
    commits = Commits(file_store.engine)
    gate, busy = await held_up(file_store)
    waiting = [asyncio.create_task(file_store.write(note(n))) for n in ("a", "b")]
    await queued(*waiting)
    commits.refuse = True
    gate.open()
    told = await asyncio.gather(busy, *waiting, return_exceptions=True)

    assert [type(one) for one in told] == [OperationalError] * 3
    assert noted(file_store) == set()

    commits.refuse = False
    assert await file_store.write(note("again")) == "again"


async def test_who_hangs_up_takes_nobody_along(file_store: Store) -> None:
    """A cancelled request once ended the writing thread, and every write after it."""
    gate, busy = await held_up(file_store)
    gone = asyncio.create_task(file_store.write(note("gone")))
    stays = asyncio.create_task(file_store.write(note("stays")))
    await queued(gone, stays)
    gone.cancel()
    busy.cancel()
    await asyncio.wait({gone, busy})
    gate.open()

    assert await stays == "stays"
    assert await file_store.write(note("later")) == "later"
    assert noted(file_store) == {"stays", "later"}


async def test_closing_finishes_what_waits_and_takes_no_more(address: str) -> None:
    engine = open_engine(address)
    door = ThreadDoor(engine)
    store = Store(engine, Keyring([b"k" * 32]), door)
    gate, busy = await held_up(store)
    waiting = asyncio.create_task(store.write(note("waits")))
    await queued(waiting)
    closing = asyncio.create_task(asyncio.to_thread(door.close))
    await queued(closing)
    gate.open()

    assert await waiting == "waits"
    await asyncio.gather(busy, closing)
    for late in (store.write(note("late")), store.read(lambda _db: None)):
        with pytest.raises(StoreClosed):
            await late
    door.close()
    assert noted(store) == {"waits"}
    engine.dispose()


async def test_a_process_that_dies_has_kept_what_it_answered(address: str) -> None:
    """Another connection, as after a restart, sees each answered write."""
    store = Store(open_engine(address), Keyring([b"k" * 32]))
    await store.write(note("answered"))

    after = open_engine(address)
    with after.connect() as db:
        found = db.execute(text("SELECT name FROM periodic")).scalars().all()
    after.dispose()
    store.close()
    assert found == ["answered"]


async def test_inline_work_that_fails_leaves_nothing(address: str) -> None:
    engine = open_engine(address)
    store = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))

    def fails(db: Connection) -> None:
        note("half")(db)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(fails)

    assert noted(store) == set()
    assert store.writable()
    assert NOW.tzinfo is not None
    store.close()
