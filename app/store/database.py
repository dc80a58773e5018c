"""Open the database, and the two doors to it: ``write`` and ``read``.

SQLite runs in WAL mode with ``synchronous=FULL``: what is committed survives a power cut
(https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous).
PostgreSQL is made to keep the same promises (`app.store.on_postgresql`).
Writes go through one thread that puts everything waiting into one transaction, each
piece of work in its own savepoint, so that many requests share one disk flush.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from app.crypto import Keyring
from app.store.entries import Entry, add, add_alone
from app.store.on_postgresql import open_postgresql
from app.store.recent import Recent

Work = Callable[[Connection], Any]
Done = Callable[[BaseException | None], None]
MAX_BATCH = 512


def open_engine(url: str | URL) -> Engine:
    """Connect and set the store up for durability. Raises SQLAlchemy errors."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address)
    return open_postgresql(address)


def _open_sqlite(address: URL) -> Engine:
    in_memory = address.database in (None, "", ":memory:")
    engine = create_engine(
        address,
        connect_args={"check_same_thread": False, "timeout": 10},
        **({"poolclass": StaticPool} if in_memory else {}),
    )
    event.listen(engine, "connect", _set_sqlite_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_sqlite_up(connection: Any, _record: Any) -> None:
    # The driver's own transaction control is off: we say BEGIN IMMEDIATE ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    # References are hashes, so every event touches pages all over the indexes: keep them
    # in memory, and move them out of the write-ahead log a few hundred events at a time.
    cursor.execute("PRAGMA cache_size=-32768")
    cursor.execute("PRAGMA wal_autocheckpoint=8000")
    cursor.close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN").close()
    except sqlite3.Error as error:
        # As when SQLAlchemy runs it: who waits tells trouble of the store by its class.
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error


class Door(Protocol):
    """Runs work against the database for the event loop."""

    async def write(self, work: Work) -> Any:
        """Run in one transaction of its own outcome; committed when this returns."""

    async def read(self, work: Work) -> Any:
        """Run in a reading transaction."""

    def close(self) -> None:
        """Finish what is waiting and stop."""


class Appending:
    """Work that only adds entries to the log: the store may do it in one step."""

    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def __call__(self, db: Connection) -> None:
        add(db, self.entries)


class InlineDoor:
    """Runs everything in the caller's thread: for tests and the simulated world."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def write(self, work: Work) -> Any:
        with self._engine.connect().execution_options(writing=True) as db, db.begin():
            return work(db)

    async def read(self, work: Work) -> Any:
        with self._engine.connect() as db, db.begin():
            return work(db)

    def close(self) -> None:
        """Nothing is waiting."""


@dataclass(slots=True)
class _Job:
    work: Work
    done: "Future[Any]"


class StoreClosed(SQLAlchemyError):
    """The door is shut: nothing is written or read any more."""


class ThreadDoor:
    """One writing thread with group commit, two reading threads.

    Whoever stops waiting before the work begins takes it back; work that has begun is
    finished, whether or not somebody still waits.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="store-read")
        self._writer = threading.Thread(target=self._run, name="store-write")
        self._writer.daemon = True
        self._closed = False
        self._own: Connection | None = None
        self._writer.start()

    async def write(self, work: Work) -> Any:
        if self._closed:
            raise StoreClosed("The store is closed.")
        job = _Job(work, Future())
        self._jobs.put(job)
        return await asyncio.wrap_future(job.done)

    def begin(self, work: Work, done: Done, within: float) -> None:
        """See Store.begin; ``done`` comes one turn of the loop after the commit."""
        job = _Job(work, Future())
        loop = asyncio.get_running_loop()

        told = False

        def tell(problem: BaseException | None) -> None:
            nonlocal told
            if not told:
                told = True
                patience.cancel()
                done(problem)

        def late() -> None:
            # Not begun: taken back. Begun: finished, though nobody waits any more.
            job.done.cancel()
            tell(TimeoutError("The store took too long."))

        def over(future: "Future[Any]") -> None:
            if not future.cancelled():
                loop.call_soon_threadsafe(tell, future.exception())

        patience = loop.call_later(within, late)
        job.done.add_done_callback(over)
        if self._closed:
            job.done.set_exception(StoreClosed("The store is closed."))
        else:
            self._jobs.put(job)

    async def read(self, work: Work) -> Any:
        if self._closed:
            raise StoreClosed("The store is closed.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, work)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._writer.join(timeout=30)
            self._readers.shutdown()

    def _read(self, work: Work) -> Any:
        with self._engine.connect() as db, db.begin():
            return work(db)

    def _run(self) -> None:
        last = False
        while not last and (first := self._jobs.get()) is not None:
            batch, last = self._batch(first)
            self._commit(batch)
        if self._own is not None:
            self._own.close()

    def _batch(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """The writer's connection, the same one as long as nothing fails.

        The pages SQLite has read are good as long as nobody else wrote, and hardly anybody
        else does. PostgreSQL knows our statements, and what it made for this connection.
        """
        db = self._own
        if db is None:
            db = self._engine.connect().execution_options(writing=True)
        self._own = None
        try:
            yield db
        except BaseException:
            db.close()
            raise
        self._own = db

    def _commit_alone(self, job: _Job) -> bool:
        if not isinstance(job.work, Appending):
            return False
        try:
            with self._connected() as db:
                done = add_alone(db, job.work.entries)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            job.done.set_exception(error)
            return True
        if done:
            job.done.set_result(None)
        return done

    def _commit(self, asked: Sequence[_Job]) -> None:
        # From here on nobody can take a job back: its outcome would have no place.
        batch = [job for job in asked if job.done.set_running_or_notify_cancel()]
        if not batch or (len(batch) == 1 and self._commit_alone(batch[0])):
            return
        try:
            with self._connected() as db, db.begin():
                results = _run(db, batch)
        except BaseException as error:  # noqa: BLE001 - every waiter must hear of it
            for job in batch:
                job.done.set_exception(error)
            return
        for job, value, problem in results:
            if problem is not None:
                job.done.set_exception(problem)
            else:
                job.done.set_result(value)


def _run(
    db: Connection, batch: Sequence[_Job]
) -> list[tuple[_Job, Any, BaseException | None]]:
    """Each with its value, or with what undid it alone. Raises what undid the only one."""
    if len(batch) == 1:
        return [(batch[0], batch[0].work(db), None)]
    db.exec_driver_sql("SAVEPOINT job")
    results = []
    for number, job in enumerate(batch):
        if number:
            _next_savepoint(db)
        results.append(_run_alone(db, job))
    return results


def _run_alone(db: Connection, job: _Job) -> tuple[_Job, Any, BaseException | None]:
    """Run one job in the savepoint that is open, so that its failure undoes only itself."""
    try:
        return job, job.work(db), None
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        db.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
        return job, None, error


def _next_savepoint(db: Connection) -> None:
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("RELEASE SAVEPOINT job")
        db.exec_driver_sql("SAVEPOINT job")
    else:
        db.exec_driver_sql("RELEASE SAVEPOINT job; SAVEPOINT job")


class Store:
    """The database with its keys. ``unit`` is for the command line and set-up."""

    def __init__(self, engine: Engine, keys: Keyring, door: Door | None = None) -> None:
        self.engine = engine
        self.keys = keys
        self.door: Door = door if door is not None else ThreadDoor(engine)
        self.recent = Recent()
        self._begun: set[asyncio.Task[None]] = set()

    async def write(self, work: Work) -> Any:
        """Run ``work(connection)`` in a transaction; durable when this returns."""
        return await self.door.write(work)

    def begin(self, work: Work, done: Done, within: float) -> None:
        """As :meth:`write`, for who cannot wait: ``done`` is called in the event loop, with
        what went wrong or with None; with a TimeoutError after ``within`` seconds."""
        if isinstance(self.door, ThreadDoor):
            self.door.begin(work, done, within)
            return
        task = asyncio.get_running_loop().create_task(self._awaited(work, done, within))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _awaited(self, work: Work, done: Done, within: float) -> None:
        problem: Exception | None = None
        try:
            async with asyncio.timeout(within):
                await self.door.write(work)
        except Exception as error:  # noqa: BLE001 - told to who began it
            problem = error
        done(problem)

    async def read(self, work: Work) -> Any:
        """Run ``work(connection)`` in a reading transaction."""
        return await self.door.read(work)

    @contextmanager
    def unit(self) -> Iterator[Connection]:
        """One writing transaction in this thread."""
        with self.engine.connect().execution_options(writing=True) as db, db.begin():
            yield db

    def seal(self, text: bytes, place: str) -> bytes:
        """Encrypt for one place, ``table:column:row``."""
        return self.keys.encrypt(text, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt; raises CannotDecrypt."""
        return self.keys.decrypt(sealed, place.encode())

    def writable(self) -> bool:
        """Whether the store takes a write now (for /readyz)."""
        with self.unit() as db:
            db.execute(text("UPDATE periodic SET name = name WHERE name = ''"))
        return True

    def close(self) -> None:
        """Finish waiting writes and disconnect."""
        self.door.close()
        self.engine.dispose()
