"""Inserts that may come twice, and many rows read in one step.

The SQLite driver gives the interpreter lock away and takes it back for every row it
steps through, and while the event loop is busy each taking-back has to wait. Rows put
together inside the database are one step (measured by `chaperone bench --only intake`).
"""

from typing import Any

import orjson
from sqlalchemy import Connection, LargeBinary, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(db: Connection, table: Any) -> Any:
    """An insert that does nothing when the row is there, for either store.

    The result's ``rowcount`` says whether it was added: 1 or 0 for one row.
    """
    maker = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    insert = maker(table).on_conflict_do_nothing()
    return insert.execution_options(preserve_rowcount=True)


def read_rows(db: Connection, query: Select[Any]) -> list[list[Any]]:
    """The rows of a query, in its order, in the driver's values: times as microseconds.

    For columns of text, whole numbers and bytes.
    """
    if db.dialect.name != "sqlite":
        return [list(row) for row in db.execute(query)]
    inner = query.subquery()
    columns = list(inner.columns)
    sealed = [n for n, one in enumerate(columns) if isinstance(one.type, LargeBinary)]
    parts = [func.hex(one) if n in sealed else one for n, one in enumerate(columns)]
    text = db.execute(
        select(func.json_group_array(func.json_array(*parts)))
    ).scalar_one()
    rows: list[list[Any]] = orjson.loads(text)
    for row in rows:
        for n in sealed:
            row[n] = bytes.fromhex(row[n]) if row[n] else None
    return rows
