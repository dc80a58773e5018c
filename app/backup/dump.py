"""All rows of a database as lines, the same for both stores, and a tally of each table.

    {"table": "log", "columns": [["at", "number"], ...]}
    [1763405400000000, ...]
    {"end": "log", "rows": 1, "digest": "..."}
    {"whole": ["log", ...]}

Tables and columns are taken from the database itself, not from this version's code, so
that an older database can be read. The digest is a sum over the rows, in no order: the
two stores sort texts differently.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    select,
)

VERSION_TABLE = "alembic_version"
AT_ONCE = 1000
_MODULUS = 1 << 256
# Told in this order: a column of truths is a kind of number for SQLAlchemy's SQLite.
KINDS: tuple[tuple[str, type[Any]], ...] = (
    ("flag", Boolean),
    ("number", Integer),
    ("bytes", LargeBinary),
    ("date", Date),
    ("json", JSON),
    ("text", String),
)

Tallies = dict[str, "Tally"]
Line = bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows, and the sum of their hashes in hex."""

    rows: int
    digest: str


class UnknownColumn(Exception):
    """A column of a type that a backup cannot carry."""


def tables_of(db: Connection) -> Sequence[Table]:
    """The tables that are there, referred-to ones first; without alembic's own."""
    found = MetaData()
    found.reflect(db)
    return [table for table in found.sorted_tables if table.name != VERSION_TABLE]


def kind_of(column: Any) -> str:
    """What a column holds. Raises UnknownColumn."""
    for kind, known in KINDS:
        if isinstance(column.type, known):
            return kind
    raise UnknownColumn(f"{column.table.name}.{column.name} is {column.type!r}")


def columns_of(table: Table) -> list[tuple[str, str]]:
    """Names and kinds, by name: a migration may have put them in another order."""
    return sorted((column.name, kind_of(column)) for column in table.columns)


def dump(db: Connection, tell: Callable[[bytes], None]) -> Tallies:
    """Hand every line to `tell`; the tally of each table. Raises UnknownColumn."""
    tallies: Tallies = {}
    for table in tables_of(db):
        columns = columns_of(table)
        tell(orjson.dumps({"table": table.name, "columns": columns}) + b"\n")
        tally = _Adding(columns)
        for row in _rows(db, table, columns):
            line = orjson.dumps(row)
            tell(line + b"\n")
            tally.add(row, line)
        tallies[table.name] = done = tally.done()
        end = {"end": table.name, "rows": done.rows, "digest": done.digest}
        tell(orjson.dumps(end) + b"\n")
    tell(orjson.dumps({"whole": list(tallies)}) + b"\n")
    return tallies


def tally(db: Connection) -> Tallies:
    """The same tallies, of what lies in a database now."""
    return dump(db, lambda line: None)


def to_plain(kind: str) -> Callable[[Any], Any] | None:
    """How a value becomes JSON; None: as it is."""
    if kind == "bytes":
        return lambda value: None if value is None else base64.b64encode(value).decode()
    if kind == "date":
        return lambda value: None if value is None else value.isoformat()
    return None


def from_plain(kind: str) -> Callable[[Any], Any] | None:
    """The way back."""
    if kind == "bytes":
        return lambda value: None if value is None else base64.b64decode(value)
    if kind == "date":
        return lambda value: None if value is None else date.fromisoformat(value)
    return None


def _rows(
    db: Connection, table: Table, columns: Sequence[tuple[str, str]]
) -> Iterator[list[Any]]:
    turns = [
        (place, turn)
        for place, (_, kind) in enumerate(columns)
        if (turn := to_plain(kind)) is not None
    ]
    asked = select(*(table.c[name] for name, _ in columns))
    for found in db.execute(asked.execution_options(yield_per=AT_ONCE)):
        row = list(found)
        for place, turn in turns:
            row[place] = turn(row[place])
        yield row


class _Adding:
    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._texts = [p for p, (_, kind) in enumerate(columns) if kind == "text"]
        self._rows = self._sum = 0

    def add(self, row: list[Any], line: bytes) -> None:
        if b"\\u0000" in line:
            # PostgreSQL's text has no zero character (app.store.on_postgresql).
            row = list(row)
            for place in self._texts:
                if row[place] is not None:
                    row[place] = row[place].replace("\0", "\ufffd")
            line = orjson.dumps(row)
        self._rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    def done(self) -> Tally:
        return Tally(self._rows, f"{self._sum % _MODULUS:064x}")
