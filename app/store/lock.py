"""Who may serve a database, and who must be alone with it.

SQLite: one process, a second one would act a second time (DESIGN §5, line 14). PostgreSQL:
any number of services share it (:mod:`app.store.leases`); a restore or a new key wants it
alone.
"""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

import structlog
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from app.store.on_postgresql import OURS, SERVING, patient

LOOK_EVERY = 5.0  # seconds


class AlreadyRunning(Exception):
    """Another process serves this database."""

    def __init__(self) -> None:
        super().__init__(
            "Another Chaperone already serves this database. Stop it first. (Several may "
            "serve one PostgreSQL, but not while a backup is put back or keys change.)"
        )


class Lock(Protocol):
    """Held from ``take`` to ``release``; freed when the process dies."""

    def take(self) -> None:
        """Raises AlreadyRunning."""

    def release(self) -> None:
        """Let the next process in."""


class LockFile:
    """The lock of an SQLite file: the system frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises AlreadyRunning."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise AlreadyRunning from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let the next process in."""
        if self._file is not None:
            self._file.close()
            self._file = None


def stop_this_process() -> None:
    """As an administrator would: what has begun is finished."""
    os.kill(os.getpid(), signal.SIGTERM)


class DatabaseLock:
    """The lock of a PostgreSQL database, held by a connection of its own.

    ``shared``: any number of services hold it at once; else nobody else does.

    The server frees it when that connection ends, which a restart of the database does
    too: so it is looked after, taken again, and if another process was quicker ``lost``
    is called.
    """

    def __init__(
        self,
        address: URL,
        *,
        shared: bool = False,
        look_every: float = LOOK_EVERY,
        lost: Callable[[], None] = stop_this_process,
    ) -> None:
        self._engine = create_engine(
            patient(address), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._how = "_shared" if shared else ""
        self._look_every = look_every
        self._lost = lost
        self._released = threading.Event()
        self._connection: Connection | None = None
        self._watch = threading.Thread(target=self._look, name="lock", daemon=True)

    def take(self) -> None:
        """Raises AlreadyRunning, or SQLAlchemy errors when the database is away."""
        self._connection = self._connect()
        self._watch.start()

    def release(self) -> None:
        """Let the next process in."""
        self._released.set()
        if self._watch.is_alive():
            self._watch.join(timeout=30)
        if self._connection is not None:
            # Closing alone frees it a moment later; a connection that is gone holds none.
            with suppress(SQLAlchemyError):
                self._connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        ask = f"SELECT pg_try_advisory_lock{self._how}({OURS}, {SERVING})"
        if not connection.exec_driver_sql(ask).scalar():
            connection.close()
            raise AlreadyRunning
        return connection

    def _look(self) -> None:
        log = structlog.get_logger()
        while not self._released.wait(self._look_every):
            try:
                if not self._is_held():
                    log.warning("lock of the database lost, taken again")
            except AlreadyRunning:
                log.error("another process serves this database now; stopping")
                self._lost()
                return
            except SQLAlchemyError as problem:
                # Nobody can write either.
                log.warning("database away", why=type(problem).__name__)

    def _is_held(self) -> bool:
        """Whether the connection still stands; if not, the lock is taken anew."""
        if self._connection is not None:
            try:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            except SQLAlchemyError:
                self._connection.close()
                self._connection = None
        self._connection = self._connect()
        return False
