"""Every sealed column, which key its values lie under, and writing them anew.

The list is made from the tables themselves: a column ending in ``_sealed`` is in it, and
its values are bound to ``table:column:key`` as :mod:`app.store` writes them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, and_, func, select, tuple_
from sqlmodel import SQLModel

import app.store
from app.crypto import CannotDecrypt, key_id_of
from app.store import accounts, queue
from app.store.database import Store
from app.store.tables import TokenRow
from app.store.tables_accounts import IdentityRow

tokens = TokenRow.__table__  # type: ignore[attr-defined]
identities = IdentityRow.__table__  # type: ignore[attr-defined]

ENDING = "_sealed"
AT_ONCE = 200
_HEAD = 5  # version and key id, see app.crypto
# A meeting's address is bound to the room, whichever session it belongs to.
_BOUND_TO = {"meetings": ("platform", "meeting_id")}

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of encrypted values."""

    table: Table
    column: str

    @property
    def name(self) -> str:
        """As docs/data-inventory.md writes it: ``people.details_sealed``."""
        return f"{self.table.name}.{self.column}"

    @property
    def keys(self) -> list[str]:
        """The columns of the primary key, in order."""
        return [column.name for column in self.table.primary_key]

    def place(self, row: Mapping[str, Any]) -> str:
        """Where a value of that row is bound to."""
        keys = _BOUND_TO.get(self.table.name) or self.keys
        found = ":".join(str(row[key]) for key in keys)
        return f"{self.table.name}:{self.column.removesuffix(ENDING)}:{found}"

    def is_row(self, row: Mapping[str, Any]) -> Any:
        """The condition that names that row."""
        return and_(*(self.table.c[key] == row[key] for key in self.keys))


@cache
def sealed_columns() -> tuple[SealedColumn, ...]:
    """All of them, in the order of their names."""
    for found in iter_modules(app.store.__path__):
        if found.name.startswith("tables"):
            import_module(f"app.store.{found.name}")
    return tuple(
        SealedColumn(table, column.name)
        for _, table in sorted(SQLModel.metadata.tables.items())
        for column in table.columns
        if column.name.endswith(ENDING)
    )


def sealed_column(name: str) -> SealedColumn:
    """One of them, by ``table.column``. Raises KeyError."""
    return {one.name: one for one in sealed_columns()}[name]


def rewrite(
    db: Connection,
    store: Store,
    one: SealedColumn,
    where: Any,
    change: Callable[[bytes], bytes | None],
) -> int:
    """Put another text in place of each that ``change`` returns; how many there were.

    ``change`` returns what it was given to leave a value as it is, and None to take the
    value away. Raises CannotDecrypt.
    """
    sealed = one.table.c[one.column]
    changed = 0
    for row in db.execute(select(one.table).where(sealed.is_not(None), where)).all():
        at = row._asdict()
        plain = store.open(at[one.column], one.place(at))
        after = change(plain)
        if after == plain:
            continue
        value = None if after is None else store.seal(after, one.place(at))
        db.execute(one.table.update().where(one.is_row(at)).values({one.column: value}))
        changed += 1
    return changed


# --- changing the key -------------------------------------------------------------


def counted(db: Connection) -> dict[str, int]:
    """Key id -> how many values lie under it, in the whole database."""
    found: dict[str, int] = {}
    for one in sealed_columns():
        sealed = one.table.c[one.column]
        head = func.substr(sealed, 1, _HEAD, type_=LargeBinary)
        rows = db.execute(
            select(head, func.count()).where(sealed.is_not(None)).group_by(head)
        )
        for start, number in rows:
            key_id = key_id_of(bytes(start))
            found[key_id] = found.get(key_id, 0) + int(number)
    return found


@dataclass(frozen=True, slots=True)
class Rewritten:
    """How it went. ``closed``: values that no key on the ring opens; they are as before."""

    values: int
    closed: int


def re_encrypt(store: Store, now: datetime, tell: Progress) -> Rewritten:
    """Write every value of an older key anew under the first one, in portions.

    Each portion is one transaction, and what is done no longer is looked for: after a
    kill it goes on where it stood. ``tell(column, done, of)`` hears of every portion.
    """
    values = closed = 0
    for one in sealed_columns():
        for done, failed in _portions(store, one, tell):
            values += done
            closed += failed
    with store.unit() as db:
        _find_accounts_by_the_first_key(db, store)
        queue.note_ran(db, _job(store.keys.key_ids[0]), now)
    return Rewritten(values, closed)


def _portions(
    store: Store, one: SealedColumn, tell: Progress
) -> Iterator[tuple[int, int]]:
    old = _older(store, one)
    with store.unit() as db:
        of = int(db.scalar(select(func.count()).select_from(one.table).where(old)) or 0)
    seen, after = 0, None
    while seen < of:
        with store.unit() as db:
            rows = _next(db, one, old, after)
            done = sum(_anew(db, store, one, row) for row in rows)
        if not rows:
            return
        after = [rows[-1][key] for key in one.keys]
        seen += len(rows)
        tell(one.name, seen, of)
        yield done, len(rows) - done


def _older(store: Store, one: SealedColumn) -> Any:
    first = store.keys.encrypt(b"", b"")[:_HEAD]
    sealed = one.table.c[one.column]
    head = func.substr(sealed, 1, _HEAD, type_=LargeBinary)
    return and_(sealed.is_not(None), head != first)


def _next(
    db: Connection, one: SealedColumn, old: Any, after: list[Any] | None
) -> list[Mapping[str, Any]]:
    keys = [one.table.c[key] for key in one.keys]
    query = select(*keys, one.table.c[one.column]).where(old)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    rows = db.execute(query.order_by(*keys).limit(AT_ONCE))
    return [row._asdict() for row in rows]


def _anew(
    db: Connection, store: Store, one: SealedColumn, row: Mapping[str, Any]
) -> bool:
    before, place = row[one.column], one.place(row)
    try:
        after = store.seal(store.open(before, place), place)
    except CannotDecrypt:
        return False
    db.execute(
        one.table.update()
        .where(one.is_row(row), one.table.c[one.column] == before)
        .values({one.column: after})
    )
    return True


def _find_accounts_by_the_first_key(db: Connection, store: Store) -> None:
    """The address lies sealed, so the digest it is found by can be made anew."""
    table, email = accounts.accounts, sealed_column("accounts.email_sealed")
    for row in db.execute(select(table.c.id, table.c.email_sealed)).all():
        try:
            opened = store.open(row.email_sealed, email.place(row._asdict())).decode()
        except CannotDecrypt:
            continue  # Counted among those no key opens.
        db.execute(
            table.update()
            .where(table.c.id == row.id)
            .values(email_digest=accounts.email_digest(store, opened))
        )


def _job(key_id: str) -> str:
    return f"re-encrypted {key_id}"


@dataclass(frozen=True, slots=True)
class BoundToOldKeys:
    """What only keyed digests are kept of, made before the values were written anew."""

    tokens: int
    identities: int


def bound_to_old_keys(db: Connection, store: Store) -> BoundToOldKeys:
    """What stops working when the older keys are taken off the ring."""
    since = queue.ran(db, _job(store.keys.key_ids[0]))

    def count(table: Table, *conditions: Any) -> int:
        query = select(func.count()).select_from(table).where(*conditions)
        if since is not None:
            query = query.where(table.c.created_at < since)
        return int(db.scalar(query) or 0)

    return BoundToOldKeys(
        count(tokens, tokens.c.revoked_at.is_(None)), count(identities)
    )
