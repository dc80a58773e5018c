"""Many entries into the log in one step, on the one road where each millisecond is waited
for.

The SQLite driver gives the interpreter lock away and takes it back around every statement
and every row it steps through, and a busy event loop makes each taking-back wait. So what
belongs to an entry (its row, its erasable half, the webhook it came in) is handed over
together, for all entries of a batch, in one statement: an INSERT into a temporary view
whose trigger puts the parts into their tables (https://www.sqlite.org/lang_createtrigger.html,
INSTEAD OF). Alone in its transaction the statement also begins and commits by itself.
Measured by ``chaperone bench --only intake``; docs/decisions/0013, 0017.
"""

import base64
import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import orjson
import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.store.on_postgresql import LOCK


class Entry(NamedTuple):
    """A fact ready to be stored, in the driver's values.

    ``at``, ``heard_at``: microseconds since 1970. ``fields_sealed``: the personal half, if
    it has one. From ``delivery`` on: the webhook it came in, on the first of its facts
    only; ``delivery`` is its reference.
    """

    ref: str
    session_id: str | None
    platform: str
    meeting_id: str
    instance: str
    kind: str
    source: str
    at: int
    heard_at: int
    public: str
    fields_sealed: bytes | None
    delivery: str | None = None
    event_type: str | None = None
    body_sealed: bytes | None = None
    late: bool = False


# SQLite took at most 999 values in a statement until 2020 (sqlite.org/limits.html).
MOST = 999 // len(Entry._fields)

_READY = "chaperone: arrivals"
_VIEW = f"""CREATE TEMP VIEW IF NOT EXISTS arrivals AS SELECT
{", ".join(f"NULL AS {name}" for name in Entry._fields)}"""

# What is there already stays as it is (I12). "changes() = 1": the row is new; names that
# were erased do not come back with a repeated webhook.
_TRIGGER = """CREATE TEMP TRIGGER IF NOT EXISTS arrival INSTEAD OF INSERT ON arrivals BEGIN
INSERT INTO log (ref, session_id, platform, meeting_id, instance, kind, source, at,
heard_at, public) VALUES (NEW.ref, NEW.session_id, NEW.platform, NEW.meeting_id,
NEW.instance, NEW.kind, NEW.source, NEW.at, NEW.heard_at, NEW.public)
ON CONFLICT DO NOTHING;
INSERT INTO log_personal (ref, heard_at, fields_sealed)
SELECT NEW.ref, NEW.heard_at, NEW.fields_sealed
WHERE changes() = 1 AND NEW.fields_sealed IS NOT NULL;
INSERT INTO deliveries (ref, platform, event_type, meeting_id, received_at, body_sealed,
late) SELECT NEW.delivery, NEW.platform, NEW.event_type, NEW.meeting_id, NEW.heard_at,
NEW.body_sealed, NEW.late WHERE NEW.delivery IS NOT NULL
ON CONFLICT DO NOTHING;
END"""


def add(db: Connection, entries: Sequence[Entry]) -> None:
    """Append; an entry whose ``ref`` is there already changes nothing (I12).

    Not even when its names have been erased since.
    """
    if not entries:
        return
    if db.dialect.name != "sqlite":
        _add_in_one(db, entries)
        return
    if not db.info.get(_READY):
        # Undone with the transaction if it fails, so not ready for good.
        for statement in (_VIEW, _TRIGGER):
            db.exec_driver_sql(statement)
    for start in range(0, len(entries), MOST):
        _insert_some(db, entries[start : start + MOST])


def add_alone(db: Connection, entries: Sequence[Entry]) -> bool:
    """Append and commit in one step where the store can; False: nothing was done.

    ``db`` is in no transaction. Raises SQLAlchemy errors.
    """
    if db.dialect.name != "sqlite":
        return _add_by_function(db, entries)
    if not 0 < len(entries) <= MOST:
        return False
    try:
        make_ready(db)
    except sqlite3.Error as error:
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error
    _insert_some(db, entries)
    return True


def _insert_some(db: Connection, entries: Sequence[Entry]) -> None:
    driver: sqlite3.Connection = db.connection.driver_connection  # type: ignore[assignment]
    values = tuple(chain.from_iterable(entries))
    try:
        # Of many rows nobody asks for the last one's number: one taking-back less.
        driver.executemany(_insert(len(entries)), (values,)).close()
    except sqlite3.Error as error:
        # As when SQLAlchemy runs it: who waits tells trouble of the store by its class.
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error


def make_ready(db: Connection) -> None:
    """Set SQLite's connection up for :func:`add`, once for all its life.

    ``db`` is in no transaction. Raises sqlite3.Error.
    """
    driver: sqlite3.Connection = db.connection.driver_connection  # type: ignore[assignment]
    if not db.info.get(_READY):
        for statement in (_VIEW, _TRIGGER):
            driver.execute(statement).close()
        db.info[_READY] = True


@cache
def _insert(count: int) -> str:
    row = f"({', '.join('?' * len(Entry._fields))})"
    names = ", ".join(Entry._fields)
    return f"INSERT INTO arrivals ({names}) VALUES {', '.join([row] * count)}"  # noqa: S608


def _add_in_one(db: Connection, entries: Sequence[Entry]) -> None:
    """PostgreSQL: all of it in one statement with one value.

    The server takes the JSON apart in less time than the driver would need to hand over
    each value (``chaperone bench --only many``).
    """
    db.exec_driver_sql(_IN_ONE, (_in_json(entries),))


def _add_by_function(db: Connection, entries: Sequence[Entry]) -> bool:
    """PostgreSQL: one way there and back, with the lock and the commit."""
    words = _in_json(entries)
    for is_last in (False, True):
        driver: Any = db.connection.driver_connection
        try:
            if not _has_function(db, driver):
                return False
            driver.execute(f"SELECT {_FUNCTION}(%s::json)", (words,)).close()
        except psycopg.Error as error:
            if driver.closed:
                db.invalidate(error)
                if not is_last:
                    continue  # Done or not: done twice it is the same (I12).
            raise DBAPIError.instance(None, None, error, psycopg.Error) from error
        break
    return True


def _has_function(db: Connection, driver: Any) -> bool:
    """Whether this connection has it; False where nothing temporary may be made."""
    if _READY not in db.info:
        try:
            driver.execute(_MAKE_FUNCTION).close()
        except psycopg.errors.InsufficientPrivilege:
            db.info[_READY] = False
        else:
            db.info[_READY] = True
    return bool(db.info[_READY])


def _in_json(entries: Sequence[Entry]) -> str:
    rows = [_plain(number, one) for number, one in enumerate(entries)]
    return orjson.dumps(rows).decode()


def _plain(number: int, entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"n": number, **entry._asdict()}
    for name in ("fields_sealed", "body_sealed"):
        if row[name] is not None:
            row[name] = base64.b64encode(row[name]).decode()
    for name, value in row.items():
        # PostgreSQL's text has no zero character (app.store.on_postgresql).
        if isinstance(value, str) and "\0" in value:
            row[name] = value.replace("\0", "\ufffd")
    return row


_KINDS = {"at": "bigint", "heard_at": "bigint", "late": "boolean"}
_LOG = ", ".join(Entry._fields[:10])
_IN_ONE = f"""WITH given AS (SELECT * FROM json_to_recordset(%s::json) AS given (n integer,
{", ".join(f"{name} {_KINDS.get(name, 'text')}" for name in Entry._fields)})),
added AS (INSERT INTO log ({_LOG}) SELECT {_LOG} FROM given ORDER BY n
ON CONFLICT DO NOTHING RETURNING ref),
halves AS (INSERT INTO log_personal (ref, heard_at, fields_sealed)
SELECT DISTINCT ON (ref) ref, heard_at, decode(fields_sealed, 'base64')
FROM given JOIN added USING (ref) WHERE fields_sealed IS NOT NULL ORDER BY ref, n
ON CONFLICT DO NOTHING)
INSERT INTO deliveries (ref, platform, event_type, meeting_id, received_at, body_sealed,
late) SELECT delivery, platform, event_type, meeting_id, heard_at,
decode(body_sealed, 'base64'), late FROM given WHERE delivery IS NOT NULL ORDER BY n
ON CONFLICT DO NOTHING"""  # noqa: S608

# In a folder of the connection's own: no migration knows of it, as of SQLite's trigger.
_FUNCTION = "pg_temp.add_arrivals"
_MAKE_FUNCTION = f"""CREATE OR REPLACE FUNCTION {_FUNCTION}(json) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN PERFORM {LOCK}; {_IN_ONE % "$1"}; END $$"""
