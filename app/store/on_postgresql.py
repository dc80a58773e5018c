"""PostgreSQL made to keep the promises that SQLite keeps by itself.

One writer at a time, a reader who sees one moment, nobody who waits for ever, and any
text that can be sent to us can be stored.
"""

from typing import Any

from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, PendingRollbackError

# Seconds for us, milliseconds for the kernel, and what the server does about a client
# that is gone (https://www.postgresql.org/docs/15/libpq-connect.html).
PATIENCE = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "options": (
        "-c lock_timeout=10s -c tcp_keepalives_idle=10"
        " -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    ),
}
# Advisory locks are two numbers in each database: "CHAP", and which of ours
# (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS).
OURS = 0x43484150
WRITING, SERVING, MIGRATING = 1, 2, 3

# A process that is frozen in the middle of writing (SIGSTOP, a paused machine) must not
# keep the others from writing until their leases are over.
MOST_IDLE = "3s"


# Numbers of the log are given out before the commit: with two writers at once a lower one
# could appear after a reader has gone past it. The lock also makes "look, then add" as
# safe as BEGIN IMMEDIATE does. Each statement of the writer must see what was committed
# while it waited, hence READ COMMITTED.
LOCK = f"pg_advisory_xact_lock({OURS}, {WRITING})"
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT set_config("
    f"'idle_in_transaction_session_timeout', '{MOST_IDLE}', true), {LOCK}"
)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def open_postgresql(address: URL) -> Engine:
    """A pool of connections; one that is found dead is replaced before it is used."""
    engine = create_engine(patient(address))
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", _nothing_failed)
    return engine


def patient(address: URL) -> URL:
    """The address with our time limits, where it names none of its own."""
    return address.set(query={**PATIENCE, **address.query})


class _WithoutNul(StrDumper):
    """PostgreSQL's text has no zero character; JSON's has, and a webhook may hold one."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


def _set_up(connection: Any, _record: Any) -> None:
    # The driver's own transaction control is off: we say BEGIN ourselves, with all that
    # belongs to it in one way there and back.
    connection.autocommit = True
    connection.adapters.register_dumper(str, _WithoutNul)


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    words = _WRITE if writing else _READ
    try:
        connection.exec_driver_sql(words)
    except DBAPIError as problem:
        if not problem.connection_invalidated:
            raise
        # It was gone before anything was done on it; now it is another one.
        connection.exec_driver_sql(words)


def _nothing_failed(connection: Connection) -> None:
    # After a failed statement PostgreSQL answers COMMIT with a silent rollback.
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status is TransactionStatus.INERROR:
        raise PendingRollbackError("A statement failed; nothing can be committed.")
