"""Many entries into the log in one step, on the one road where each millisecond is waited
for.

The SQLite driver gives the interpreter lock away and takes it back around every statement
and every row it steps through, and a busy event loop makes each taking-back wait. So what
belongs to an entry (its row, its erasable half, the webhook it came in) is handed over
together, for all entries of a batch, in one statement: an INSERT into a temporary view
whose trigger puts the parts into their tables (https://www.sqlite.org/lang_createtrigger.html,
INSTEAD OF). Alone in its transaction the statement also begins and commits by itself.
Measured by ``chaperone bench --only intake``; docs/decisions/0012.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.store.bulk import insert_once
from app.store.columns import moment_of
from app.store.tables import DeliveryRow, LogPersonalRow, LogRow

log = LogRow.__table__  # type: ignore[attr-defined]
personal = LogPersonalRow.__table__  # type: ignore[attr-defined]
deliveries = DeliveryRow.__table__  # type: ignore[attr-defined]


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
        _add_by_table(db, entries)
        return
    if not db.info.get(_READY):
        # Undone with the transaction if it fails, so not ready for good.
        for statement in (_VIEW, _TRIGGER):
            db.exec_driver_sql(statement)
    for start in range(0, len(entries), MOST):
        some = entries[start : start + MOST]
        db.exec_driver_sql(_insert(len(some)), tuple(chain.from_iterable(some)))


def add_alone(db: Connection, entries: Sequence[Entry]) -> bool:
    """Append and commit in one step where the store can; False: nothing was done.

    ``db`` is in no transaction. Raises SQLAlchemy errors.
    """
    if db.dialect.name != "sqlite" or not 0 < len(entries) <= MOST:
        return False
    driver: sqlite3.Connection = db.connection.driver_connection  # type: ignore[assignment]
    values = tuple(chain.from_iterable(entries))
    try:
        make_ready(db)
        driver.execute(_insert(len(entries)), values).close()
    except sqlite3.Error as error:
        # As when SQLAlchemy runs it: who waits tells trouble of the store by its class.
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error
    return True


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


def _add_by_table(db: Connection, entries: Sequence[Entry]) -> None:
    rows = [_columns(one, _LOG) for one in entries]
    added = db.execute(insert_once(db, log).returning(log.c.ref), rows)
    left = set(added.scalars())
    halves: list[dict[str, Any]] = []
    webhooks: list[dict[str, Any]] = []
    for one in entries:
        if one.ref in left and one.fields_sealed is not None:
            left.discard(one.ref)
            halves.append(_columns(one, _PERSONAL))
        if one.delivery is not None:
            moment = moment_of(one.heard_at)
            came = {"ref": one.delivery, "received_at": moment}
            webhooks.append(came | _columns(one, _DELIVERY))
    for table, some in ((personal, halves), (deliveries, webhooks)):
        if some:
            db.execute(insert_once(db, table), some)


_LOG = Entry._fields[:10]
_PERSONAL = ("ref", "heard_at", "fields_sealed")
_DELIVERY = ("platform", "event_type", "meeting_id", "body_sealed", "late")


def _columns(entry: Entry, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in names}
    for name in ("at", "heard_at"):
        if name in values:
            values[name] = moment_of(values[name])
    return values
