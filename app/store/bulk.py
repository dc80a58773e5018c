"""Many rows in few steps, on the one road where every millisecond is waited for.

The SQLite driver gives the interpreter lock away and takes it back for every row it
steps through, and while the event loop is busy each taking-back costs milliseconds. One
statement with many rows steps once (measured by `chaperone bench --only intake`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

# Few sizes, so that the driver keeps each statement prepared; 13 columns at most times
# 64 rows stays below SQLite's oldest limit of 999 values (sqlite.org/limits.html).
SIZES = (64, 32, 16, 8, 4, 2, 1)

Row = Mapping[str, Any]


def insert_once(db: Connection, table: Any) -> Any:
    """An insert that does nothing when the row is there, for either store.

    The result's ``rowcount`` says whether it was added: 1 or 0 for one row.
    """
    maker = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    insert = maker(table).on_conflict_do_nothing()
    return insert.execution_options(preserve_rowcount=True)


def insert_rows(db: Connection, table: Any, rows: Sequence[Row]) -> None:
    """Add rows that all have the same columns; those that are there stay as they are.

    Raises ValueError when a column is left out: no default is filled in here.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if left_out := _needed(table) - set(names):
        raise ValueError(f"{table.name} lacks {sorted(left_out)}")
    if db.dialect.name != "sqlite":
        db.execute(insert_once(db, table), list(rows))
        return
    binders = _binders(table, names, db.dialect)
    start = 0
    for size in SIZES:
        while len(rows) - start >= size:
            values = [
                bind(row[name]) if bind is not None else row[name]
                for row in rows[start : start + size]
                for name, bind in binders
            ]
            db.exec_driver_sql(_statement(table, names, size), tuple(values))
            start += size


@cache
def _needed(table: Table) -> frozenset[str]:
    given = table.autoincrement_column
    return frozenset(column.name for column in table.columns if column is not given)


@cache
def _statement(table: Table, names: tuple[str, ...], size: int) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    row = f"({', '.join('?' * len(names))})"
    # Names come from our own tables, never from outside.
    return (
        f'INSERT INTO "{table.name}" ({columns}) VALUES '  # noqa: S608
        f"{', '.join([row] * size)} ON CONFLICT DO NOTHING"
    )


@cache
def _binders(
    table: Table, names: tuple[str, ...], dialect: Any
) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """How each column turns a value into the driver's; None: as it is."""
    return tuple(
        (name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in names
    )
