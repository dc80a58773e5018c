"""Make a backup: read one moment, write, put it back on trial; only then it has a name."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL

from app.backup import erased, folder, schema
from app.backup.dump import Tallies, dump
from app.backup.envelope import Closing, Head, NotABackup, opened
from app.backup.load import Differs, lines_of, load, verify
from app.backup_key import key_id
from app.clock import Clock
from app.crypto import Keyring
from app.store.database import open_engine

_LEVEL = 1  # most of it is encrypted and does not get smaller


class NothingToBackUp(Exception):
    """There is no database of Chaperone at that address. A sentence."""


@dataclass(frozen=True, slots=True)
class Made:
    """A good backup. ``trial``: how long putting it back took, read again and compared."""

    path: Path
    tables: int
    rows: int
    size: int
    took: timedelta
    trial: timedelta


def make(
    address: URL, keys: Keyring, into: Path, key: X25519PublicKey, clock: Clock
) -> Made:
    """Back the store at `address` up, whether or not the service runs.

    Raises:
        NothingToBackUp, AnotherRuns, Differs, BadList: with a sentence.
        OSError, SQLAlchemy errors.
    """
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with folder.alone(into), _swept(into):
        begun, now = clock.monotonic(), clock.now()
        final = into / folder.name_of(now)
        unfinished = into / f"{folder.UNFINISHED}{final.name}"
        with reading(address) as db:
            head = _head(db, keys, key, now)
            with open(unfinished, "xb", opener=_private) as file:
                content_key, tallies = _write(db, file, head, key)
            gone = erased.in_store(db)
        written = clock.monotonic()
        _try_out(unfinished, content_key, head.schema, tallies)
        tried = clock.monotonic()
        erased.add(into, keys, gone, now)
        folder.put_in_place(unfinished, final)
    return Made(
        path=final,
        tables=len(tallies),
        rows=sum(tally.rows for tally in tallies.values()),
        size=final.stat().st_size,
        took=timedelta(seconds=written - begun),
        trial=timedelta(seconds=tried - written),
    )


def thin_out(into: Path, now: datetime, longest: timedelta) -> int:
    """Delete what is no longer needed; how many went. Raises OSError."""
    gone = list(folder.superfluous(folder.listed(into), now, longest))
    for one in gone:
        one.path.unlink()
    return len(gone)


@contextmanager
def _swept(into: Path) -> Iterator[None]:
    """Nothing unfinished before, and nothing after, whatever happens."""
    folder.sweep(into)
    try:
        yield
    finally:
        folder.sweep(into)


@contextmanager
def reading(address: URL) -> Iterator[Connection]:
    """One moment of the store, held while it is read. Raises NothingToBackUp."""
    if (
        address.get_backend_name() == "sqlite"
        and not Path(str(address.database)).exists()
    ):
        raise NothingToBackUp(f"There is no database at {address.database}.")
    engine = open_engine(address)
    try:
        with engine.connect() as db, db.begin():
            yield db
    finally:
        engine.dispose()


def _head(db: Connection, keys: Keyring, key: X25519PublicKey, now: datetime) -> Head:
    revision = schema.revision_of(db)
    if revision is None:
        raise NothingToBackUp("The database has no tables of Chaperone.")
    return Head(
        made_at=now.isoformat(timespec="seconds"),
        schema=revision,
        program=version("chaperone"),
        backup_key=key_id(key),
        secret_keys=list(keys.key_ids),
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(
    db: Connection, file: Any, head: Head, key: X25519PublicKey
) -> tuple[bytes, Tallies]:
    closed, packing = Closing(file, head, key), zlib.compressobj(_LEVEL)
    tallies = dump(db, lambda line: closed.write(packing.compress(line)))
    closed.write(packing.flush())
    closed.close()
    return closed.key, tallies


def unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Undo the packing. Raises NotABackup."""
    unpacking = zlib.decompressobj()
    for piece in pieces:
        # In portions: a piece of nothing but zeros grows a thousandfold.
        yield unpacking.decompress(piece, 1 << 20)
        while unpacking.unconsumed_tail:
            yield unpacking.decompress(unpacking.unconsumed_tail, 1 << 20)
    if not unpacking.eof:
        raise NotABackup("This backup has no end.")


def _try_out(path: Path, key: bytes, revision: str, tallies: Tallies) -> None:
    """Restore the file as it lies on the disk into a database that is thrown away."""
    scratch = path.with_name(f"{path.name}.trial")
    with quick_engine(scratch) as engine, path.open("rb") as file:
        with engine.begin() as db:
            schema.bring_to(db, revision)
            told = load(db, lines_of(unpacked(opened(file, content_key=key))))
        with engine.begin() as db:
            if told != tallies or schema.revision_of(db) != revision:
                raise Differs("The backup on the disk is not what was written.")
            verify(db, told)
    scratch.unlink()


@contextmanager
def quick_engine(path: Path) -> Iterator[Engine]:
    """A new SQLite file that may be lost half-way: nothing is flushed on the way."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _hurry)
    event.listen(engine, "begin", lambda db: db.exec_driver_sql("BEGIN"))
    try:
        yield engine
    finally:
        engine.dispose()


def _hurry(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
