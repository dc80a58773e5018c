"""What the engine remembers from one process to the next, by name."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from app.store.bulk import insert_once, insert_or_change
from app.store.tables import RememberedRow

remembered = RememberedRow.__table__  # type: ignore[attr-defined]


def remember(db: Connection, name: str, value: str, at: datetime) -> None:
    """Keep a value under a name; the last one stays."""
    row = {"name": name, "value": value, "at": at}
    db.execute(insert_or_change(db, remembered), row)


def recall(db: Connection, beginning: str) -> dict[str, str]:
    """Every value whose name begins so, by the rest of its name."""
    rows = db.execute(
        select(remembered.c.name, remembered.c.value).where(
            remembered.c.name.startswith(beginning, autoescape=True)
        )
    )
    return {row.name.removeprefix(beginning): row.value for row in rows}


def first_time(db: Connection, name: str, at: datetime) -> bool:
    """Take note of a name; False when it was noted before."""
    done = db.execute(
        insert_once(db, remembered), {"name": name, "value": "", "at": at}
    )
    return bool(done.rowcount)


def forget(db: Connection, beginning: str) -> None:
    """Forget every name that begins so."""
    db.execute(
        delete(remembered).where(
            remembered.c.name.startswith(beginning, autoescape=True)
        )
    )
