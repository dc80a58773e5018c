"""Inserts that may come twice, and many rows read in one step.

The SQLite driver gives the interpreter lock away and takes it back for every row it
steps through, and while the event loop is busy each taking-back has to wait. Rows put
together inside the database are one step (measured by `chaperone bench --only intake`).
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, LargeBinary, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError


def insert_once(db: Connection, table: Any) -> Any:
    """An insert that does nothing when the row is there, for either store.

    The result's ``rowcount`` says whether it was added: 1 or 0 for one row.
    """
    return _insert_once(db.dialect.name, table)


@cache
def _insert_once(dialect: str, table: Any) -> Any:
    maker = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = maker(table).on_conflict_do_nothing()
    return insert.execution_options(preserve_rowcount=True)


def insert_or_change(db: Connection, table: Any) -> Any:
    """An insert that overwrites the row of the same primary key, for either store."""
    return _insert_or_change(db.dialect.name, table)


@cache
def _insert_or_change(dialect: str, table: Any) -> Any:
    maker = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = maker(table)
    key = list(table.primary_key)
    changes = {c.name: insert.excluded[c.name] for c in table.c if c not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=changes)


@dataclass(frozen=True, slots=True)
class Asking:
    """A query in the words of one store, for what is asked again and again: putting it
    together anew costs ten times what the answer costs.

    ``names``: its parameters in their order, and ``sealed``: which columns hold bytes,
    for SQLite, where the rows come as one text; both None for the other store.
    """

    words: str
    names: tuple[str, ...] | None
    sealed: tuple[int, ...] | None

    def rows(self, db: Connection, given: Mapping[str, Any]) -> list[list[Any]]:
        """The rows in their order, in the driver's values: times as microseconds."""
        if self.names is None or self.sealed is None:
            return [list(row) for row in db.exec_driver_sql(self.words, given)]
        driver: Any = db.connection.driver_connection
        try:
            cursor = driver.execute(self.words, [given[n] for n in self.names])
            [[told]] = cursor.fetchall()
            cursor.close()
        except sqlite3.Error as error:
            # As when SQLAlchemy runs it: who asks tells trouble of the store by its class.
            raise DBAPIError.instance(None, None, error, sqlite3.Error) from error
        rows: list[list[Any]] = orjson.loads(told)
        for row in rows:
            for n in self.sealed:
                row[n] = bytes.fromhex(row[n]) if row[n] else None
        return rows


def asking(dialect: Dialect, query: Select[Any]) -> Asking:
    """Put a query into words. For columns, and parameters, of text, whole numbers and
    bytes; each parameter is a ``bindparam`` with a name."""
    if dialect.name != "sqlite":
        return Asking(str(query.compile(dialect=dialect)), None, None)
    inner = query.subquery()
    columns = list(inner.columns)
    sealed = [n for n, one in enumerate(columns) if isinstance(one.type, LargeBinary)]
    parts = [func.hex(one) if n in sealed else one for n, one in enumerate(columns)]
    whole = select(func.json_group_array(func.json_array(*parts)))
    made: Any = whole.compile(dialect=dialect)
    return Asking(str(made), tuple(made.positiontup), tuple(sealed))
