"""Put a backup back: all of it, or nothing.

SQLite: a new file beside the old one, complete and on the disk before it takes its name.
PostgreSQL: one transaction, the old tables moved into a schema of their own.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from app.backup import erased, folder, schema
from app.backup.dump import VERSION_TABLE, tables_of
from app.backup.envelope import Head, head_of, opened
from app.backup.load import go_on_counting, lines_of, load, verify
from app.backup.make import NothingToBackUp, quick_engine, reading, unpacked
from app.crypto import Keyring
from app.privacy.erasure import erase_again
from app.privacy.sealed import counted
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import HERE
from app.store.refusals import Refused

# What a new service writes by itself before anybody has used it.
_BY_ITSELF = frozenset({VERSION_TABLE, "periodic", "counters"})
# Who signed out since must not be signed in again.
_SIGNED_IN = ("web_sessions", "sign_in_links")


class CannotRestore(Exception):
    """It was not done, and nothing was changed. A sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done. ``erased``: whom to erase again, id -> when."""

    file: Path
    key: X25519PrivateKey
    address: URL
    keys: Keyring
    now: datetime
    replace: bool = False
    erased: Mapping[str, int] = field(default_factory=dict)
    migrations: Path = HERE


@dataclass(slots=True)
class Restored:
    """What was done. ``kept_as``: where the old data lies now, "" if there was none.

    ``on_hold``: ids that were to be erased again and are under a hold in this backup.
    """

    rows: int = 0
    kept_as: str = ""
    erased: int = 0
    on_hold: list[str] = field(default_factory=list)


def look(file: Path, keys: Keyring, migrations: Path = HERE) -> Head:
    """What a backup says of itself. Raises NotABackup, CannotRestore, OSError."""
    with file.open("rb") as content:
        head, _ = head_of(content)
    if not schema.knows(head.schema, migrations):
        raise CannotRestore(
            f"This backup was made by a newer Chaperone ({head.program}) than this one: "
            "install that version first."
        )
    if missing := set(head.secret_keys) - set(keys.key_ids):
        raise CannotRestore(
            "The names and notes in this backup are encrypted with another "
            f"CHAPERONE_SECRET_KEY ({', '.join(sorted(missing))}): set that one."
        )
    return head


def in_use(address: URL) -> bool:
    """Whether the target holds anything. A database that is damaged does."""
    if (
        address.get_backend_name() == "sqlite"
        and not Path(str(address.database)).exists()
    ):
        return False
    try:
        with reading(address) as db:
            return any(
                db.execute(select(func.count()).select_from(table)).scalar()
                for table in tables_of(db)
                if table.name not in _BY_ITSELF
            )
    except SQLAlchemyError:
        if address.get_backend_name() == "sqlite":
            return True
        raise


def erased_in(address: URL) -> dict[str, int]:
    """Whom the database that is replaced knows to be erased, if it can still be read."""
    try:
        with reading(address) as db:
            return erased.in_store(db)
    except (NothingToBackUp, SQLAlchemyError, OSError):
        return {}  # damaged or not there: the list beside the backups has them


def to_erase_again(
    folders: Iterable[Path], keys: Keyring, made_at: str
) -> dict[str, int] | None:
    """Everybody on the lists in these folders; None when no list is young enough.

    A list from before the backup knows nobody who was erased after it.
    Raises BadList, OSError.
    """
    found = [one for place in folders if (one := erased.read(place, keys)) is not None]
    if not any(one.as_of >= datetime.fromisoformat(made_at) for one in found):
        return None
    return {who: at for one in found for who, at in one.people.items()}


def may_fill(order: Order) -> bool:
    """Whether the target holds data that will be put aside.

    Raises CannotRestore when it does and nobody asked for that.
    """
    used = in_use(order.address)
    if used and not order.replace:
        raise CannotRestore(
            "There is data in this database already. To put the backup in its place, and "
            "the old data aside, add --replace."
        )
    return used


def restore(order: Order) -> Restored:
    """Do it. The caller holds the store's lock and has asked.

    Raises CannotRestore, NotABackup, WrongKey, Differs, OSError, SQLAlchemy errors.
    """
    look(order.file, order.keys, order.migrations)
    may_fill(order)
    if order.address.get_backend_name() == "sqlite":
        return _into_file(order)
    return _into_postgresql(order)


def _fill(order: Order, db: Connection, store: Store) -> Restored:
    """Everything that happens inside: tables, rows, proof, this version, erasures."""
    with order.file.open("rb") as file:
        head, _ = head_of(file)
        file.seek(0)
        schema.bring_to(db, head.schema, order.migrations)
        pieces = opened(file, key=order.key)
        told = load(db, lines_of(unpacked(pieces)))
    verify(db, told)
    schema.bring_to(db, "head", order.migrations)
    go_on_counting(db)
    if closed := set(counted(db)) - set(order.keys.key_ids):
        raise CannotRestore(
            "Some names and notes in this backup are encrypted with another "
            f"CHAPERONE_SECRET_KEY ({', '.join(sorted(closed))}): add that one."
        )
    done = Restored(rows=sum(tally.rows for tally in told.values()))
    for person_id in order.erased:
        try:
            done.erased += erase_again(db, store, [person_id], order.now)
        except Refused:
            done.on_hold.append(person_id)
    for table in _SIGNED_IN:
        db.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    return done


# --- SQLite --------------------------------------------------------------------------


def _into_file(order: Order) -> Restored:
    target = Path(str(order.address.database))
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.restoring")
    for left in _with_companions(new):
        left.unlink(missing_ok=True)
    new.touch(mode=0o600)
    try:
        with quick_engine(new) as engine, engine.begin() as db:
            done = _fill(order, db, Store(engine, order.keys, InlineDoor(engine)))
        _flush(new)
        if target.exists():
            done.kept_as = _set_aside(target, order.now)
        os.replace(new, target)
        folder.make_names_safe(target.parent)
    finally:
        new.unlink(missing_ok=True)
    return done


def _with_companions(path: Path) -> Iterator[Path]:
    yield path
    for ending in ("-wal", "-shm", "-journal"):
        yield path.with_name(path.name + ending)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _set_aside(target: Path, now: datetime) -> str:
    """A second name for the old file; it keeps the first one until the new has it.

    What still lies in the old write-ahead log goes into the old file first: found beside
    the new one, SQLite would read it as the new one's
    (https://www.sqlite.org/wal.html#walfile).
    """
    aside = target.with_name(f"{target.name}.before-restore-{folder.stamp(now)}")
    engine = open_engine(f"sqlite:///{target}")
    try:
        with engine.connect() as db:
            asked = db.connection.cursor()
            asked.execute("PRAGMA busy_timeout=1000")
            asked.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = (asked.fetchone() or (0,))[0]
    except SQLAlchemyError:
        busy = 0  # damaged: nothing more can be brought in
    finally:
        engine.dispose()
    if busy:
        raise CannotRestore(
            "Another program has the database open: end it (a `chaperone` command, a "
            "backup, a database viewer), then try again."
        )
    os.link(target, aside)
    for old in list(_with_companions(target))[1:]:
        if old.exists():
            old.rename(aside.with_name(aside.name + old.name.removeprefix(target.name)))
    return str(aside)


# --- PostgreSQL ----------------------------------------------------------------------


def _into_postgresql(order: Order) -> Restored:
    engine = open_engine(order.address)
    try:
        with engine.connect().execution_options(writing=True) as db, db.begin():
            aside = _moved_aside(db, order.now) if order.replace else ""
            if not aside:
                _drop_empty(db)
            store = Store(engine, order.keys, InlineDoor(engine))
            done = _fill(order, db, store)
            done.kept_as = aside
        return done
    finally:
        engine.dispose()


def _moved_aside(db: Connection, now: datetime) -> str:
    names = inspect(db).get_table_names()
    if not names:
        return ""
    schema_name = f"before_restore_{folder.stamp(now).lower()}"
    db.exec_driver_sql(f'CREATE SCHEMA "{schema_name}"')
    for name in names:
        db.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA "{schema_name}"')
    return f"schema {schema_name}"


def _drop_empty(db: Connection) -> None:
    """The tables a new service made; they hold nothing."""
    for table in reversed(tables_of(db)):
        db.exec_driver_sql(f'DROP TABLE "{table.name}"')
    db.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION_TABLE}")
