"""Is the database whole? What is damaged is found at the start, not in the evening."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnClause, Engine, literal_column, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import SQLModel

LOOKED_THROUGH = 256 * 2**20
"""Bytes; a larger file would keep a restart waiting, and `chaperone check` reads it."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CLOSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}


class Unsound(Exception):
    """The database is damaged. A sentence."""


def sentence(problem: SQLAlchemyError) -> str:
    """What went wrong with the database and what to do, for a person."""
    cause = getattr(problem, "orig", None)
    why = str(cause or type(problem).__name__).splitlines()[0]
    # The lower eight bits are the kind (https://www.sqlite.org/rescode.html).
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return damaged(why)
    if code in _CLOSED:
        return (
            f"The database cannot be opened ({why}): see that it is a file, no folder, "
            "and that it belongs to the account that Chaperone runs as."
        )
    return f"The database does not answer as it should ({why})."


def damaged(why: str) -> str:
    """The sentence for a damaged file."""
    return (
        f"The database is damaged, or is none ({why}). Nothing was changed. Put the last "
        "good backup back with `chaperone restore --replace` (docs/restore.md), which "
        "keeps the damaged file aside."
    )


def look_at_the_start(engine: Engine, through: int = LOOKED_THROUGH) -> None:
    """Read both ends of each table, and all of a file of up to ``through`` bytes.

    Raises Unsound.
    """
    try:
        _ends(engine)
    except DBAPIError as problem:
        raise Unsound(sentence(problem)) from problem
    if _size(engine) <= through and (why := found(engine)):
        raise Unsound(damaged(why))


def found(engine: Engine) -> str:
    """The first damage in the whole of an SQLite file, "" for none. Reads all of it."""
    if engine.dialect.name != "sqlite":
        return ""  # PostgreSQL looks after its own pages.
    try:
        with engine.connect() as db:
            # https://www.sqlite.org/pragma.html#pragma_quick_check
            first = str(db.execute(text("PRAGMA quick_check(1)")).scalar())
    except DBAPIError as problem:
        return str(problem.orig)
    return "" if first == "ok" else first.rpartition("***")[2].strip()[:200]


def _ends(engine: Engine) -> None:
    # Not by the primary key: its index would be read, and an empty one ends the search.
    by: list[ColumnClause[Any]] = (
        [literal_column("rowid")] if engine.dialect.name == "sqlite" else []
    )
    with engine.connect() as db:
        for table in SQLModel.metadata.sorted_tables:
            for order in (by, [one.desc() for one in by]):
                db.execute(table.select().order_by(*order).limit(1)).first()


def _size(engine: Engine) -> int:
    path = Path(engine.url.database or "")
    return path.stat().st_size if path.is_file() else 0
