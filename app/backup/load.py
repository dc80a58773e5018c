"""Lines of a dump back into a database whose tables are there and empty."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Table, func, select, text

from app.backup.dump import (
    AT_ONCE,
    Tallies,
    Tally,
    columns_of,
    from_plain,
    tables_of,
    tally,
)
from app.backup.envelope import NotABackup


class Differs(Exception):
    """What was put back is not what was taken. A sentence."""


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines from pieces of any size."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        raise NotABackup("The last line of this backup is not whole.")


def load(db: Connection, lines: Iterable[bytes]) -> Tallies:
    """Put every row in; what the backup says each table holds.

    Raises NotABackup, and Differs when the tables here have another shape.
    """
    tables = {table.name: table for table in tables_of(db)}
    told: Tallies = {}
    whole: list[str] | None = None
    filling: _Filling | None = None
    for line in lines:
        said = orjson.loads(line)
        if isinstance(said, list) and filling is not None:
            filling.add(said)
        elif "table" in said:
            filling = _Filling(db, _same_shape(tables, said), said["columns"])
        elif "end" in said and filling is not None:
            filling.flush()
            told[said["end"]] = Tally(said["rows"], said["digest"])
        else:
            whole = said["whole"]
    if whole is None or whole != list(told):
        raise NotABackup("This backup has no end.")
    if set(told) != set(tables):
        raise Differs(_OTHER_TABLES)
    return told


_OTHER_TABLES = (
    "The tables in this backup are not those of any released Chaperone: it was made by "
    "another state of the program. Use the one that made it."
)


def verify(db: Connection, told: Tallies) -> None:
    """Read everything back: rows, hashes, references. Raises Differs."""
    found = tally(db)
    wrong = sorted(name for name in told if found.get(name) != told[name])
    if wrong:
        raise Differs(
            f"What was put back differs from the backup in {', '.join(wrong)}."
        )
    if db.dialect.name == "sqlite":  # PostgreSQL does not let one in
        if db.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise Differs("A row refers to another one that is not there.")
        if db.exec_driver_sql("PRAGMA quick_check").scalar() != "ok":
            raise Differs("The restored file is damaged: look at the disk.")


def go_on_counting(db: Connection) -> None:
    """New rows get numbers after the restored ones; SQLite does so by itself."""
    if db.dialect.name != "postgresql":
        return
    for table in tables_of(db):
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = db.execute(
            text("SELECT pg_get_serial_sequence(:t, :c)"),
            {"t": f'"{table.name}"', "c": column.name},
        ).scalar()
        if sequence is not None:
            last = db.execute(select(func.max(column))).scalar()
            db.execute(
                text("SELECT setval(:s, :n, :used)"),
                {"s": sequence, "n": last or 1, "used": last is not None},
            )


def _same_shape(tables: dict[str, Table], said: Any) -> Table:
    table = tables.get(said["table"])
    if table is None or columns_of(table) != [tuple(one) for one in said["columns"]]:
        raise Differs(_OTHER_TABLES)
    return table


class _Filling:
    """Rows of one table, put in a thousand at a time."""

    def __init__(
        self, db: Connection, table: Table, columns: Sequence[Sequence[str]]
    ) -> None:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
        self._db, self._insert = db, table.insert()
        self._names = [name for name, _ in columns]
        self._turns = [
            (name, turn)
            for name, kind in columns
            if (turn := from_plain(kind)) is not None
        ]
        self._rows: list[dict[str, Any]] = []

    def add(self, values: list[Any]) -> None:
        row = dict(zip(self._names, values, strict=True))
        for name, turn in self._turns:
            row[name] = turn(row[name])
        self._rows.append(row)
        if len(self._rows) >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._db.execute(self._insert, self._rows)
            self._rows = []
