"""What processes that share a PostgreSQL tell one another: LISTEN and NOTIFY.

Words are short and hold ids only, never a name. One may get lost (a connection that
breaks); whoever must not miss something looks into the tables as well
(https://www.postgresql.org/docs/15/sql-notify.html).
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from psycopg import Error
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from app.store.on_postgresql import patient

CHANNEL = "chaperone"
LISTENS_FOR = 0.5  # seconds until it looks whether it is to stop
AGAIN = 1.0  # seconds after the connection broke

Heard = Callable[[str, str], None]


class Post:
    """Two connections of its own: one thread listens, another sends.

    ``process``: our own id; what we sent is not handed to ``heard``, which is called in
    the listening thread with (what, which).
    """

    def __init__(self, address: URL, process: str) -> None:
        # A word need not survive a power cut: no flush for it.
        options = patient(address).query["options"]
        quick = {"options": f"{options} -c synchronous_commit=off"}
        self._engine = create_engine(
            patient(address).update_query_dict(quick),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self._process = process
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="post-send")
        self._connection: Connection | None = None
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._listener: threading.Thread | None = None
        self._log = structlog.get_logger("chaperone")

    def listen(self, heard: Heard) -> None:
        """Begin to listen, in a thread, until :meth:`close`."""
        self._listener = threading.Thread(
            target=self._listen, args=(heard,), name="post-listen", daemon=True
        )
        self._listener.start()

    def send(self, what: str, which: str) -> None:
        """Soon; the same word twice at once is one. Waits for nothing, raises nothing."""
        with self._lock:
            first = not self._waiting
            self._waiting[f"{self._process} {what} {which}"] = None
        if first and not self._stopped.is_set():
            self._sender.submit(self._send_all)

    def close(self) -> None:
        """Send what waits, and stop."""
        self._stopped.set()
        self._sender.shutdown()
        if self._listener is not None:
            self._listener.join(timeout=10)
        if self._connection is not None:
            self._connection.close()

    def _send_all(self) -> None:
        with self._lock:
            words, self._waiting = list(self._waiting), {}
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            self._connection.execute(
                text(
                    "SELECT pg_notify(:channel, word)"
                    " FROM unnest(CAST(:words AS text[])) AS word"
                ),
                {"channel": CHANNEL, "words": words},
            )
        except SQLAlchemyError as problem:
            self._log.warning("word not sent", why=type(problem).__name__)
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _listen(self, heard: Heard) -> None:
        while not self._stopped.is_set():
            try:
                with self._engine.connect() as connection:
                    driver: Any = connection.connection.driver_connection
                    driver.execute(f"LISTEN {CHANNEL}")
                    # Something may have been said while nobody listened.
                    heard("all", "")
                    while not self._stopped.is_set():
                        for note in driver.notifies(timeout=LISTENS_FOR):
                            self._take(note.payload, heard)
            except (SQLAlchemyError, Error) as problem:
                self._log.warning("nothing is heard", why=type(problem).__name__)
                self._stopped.wait(AGAIN)

    def _take(self, word: str, heard: Heard) -> None:
        process, _, rest = word.partition(" ")
        what, _, which = rest.partition(" ")
        if process != self._process:
            heard(what, which)
