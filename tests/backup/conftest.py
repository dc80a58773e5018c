"""The Tuesday group in a store of either kind, a folder for backups, and both keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url

from app.backup.make import Made, make
from app.backup.restore import Order, Restored, restore
from app.backup_key import Pair, new_pair, private_key, public_key
from app.clock import ManualClock
from app.core.presses import LinkIssued
from app.crypto import Keyring, new_token
from app.store import log
from app.store.database import InlineDoor, Store, open_engine
from app.store.log import last_seen, quarantine
from tests.store.conftest import KINDS, Evening, image, plan, server
from tests.store.postgres import Server

__all__ = ["image", "server"]

KEYS = Keyring([b"k" * 32])


@dataclass
class Home:
    """A store at an address, and where its backups go."""

    address: URL
    folder: Path
    pair: Pair
    clock: ManualClock
    evening: Evening

    def open(self, address: URL | None = None) -> Store:
        engine = open_engine(address or self.address)
        return Store(engine, KEYS, InlineDoor(engine))

    def make(self) -> Made:
        """A backup now; a second later it is another moment."""
        key = public_key(self.pair.public)
        made = make(self.address, KEYS, self.folder, key, self.clock)
        self.clock.advance(timedelta(seconds=1))
        return made

    def order(self, file: Path, address: URL | str, **more: object) -> Order:
        key = private_key(self.pair.private)
        now = self.clock.now()
        return Order(file, key, make_url(address), KEYS, now, **more)  # type: ignore[arg-type]

    def restore(self, file: Path, address: URL | str, **more: object) -> Restored:
        return restore(self.order(file, address, **more))


def happens(db: Connection, store: Store, now: datetime, count: int = 3) -> None:
    """So many facts of the log."""
    entries = [
        log.entry(
            store,
            LinkIssued(
                at=now, person_id="ben", registrant_id=f"r-{number}", meeting_id="81"
            ),
            new_token(),
            now,
        )
        for number in range(count)
    ]
    log.add(db, entries)


def odd_values(db: Connection, now: datetime) -> None:
    """What may lie in a column and is easily lost on the way."""
    db.execute(
        quarantine.insert().values(
            ref="odd", platform="zoom", why="a\x00b \u2028 Zoë 😀 =1+1", received_at=now
        )
    )
    db.execute(
        last_seen.insert().values(
            platform="zoom",
            meeting_id="81",
            instance="",
            proof_at=None,
            failing_since=now,
            seen=["a\x00b", "Zoë", ""],
        )
    )


# SQLite is enough where the stores do not differ.
FROM_EITHER = pytest.mark.parametrize("address", KINDS, indirect=True)
INTO_EITHER = pytest.mark.parametrize("nowhere", KINDS, indirect=True)


def kind(request: pytest.FixtureRequest) -> str:
    """The store a test asks for."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path, image: bytes) -> str:
    """The address of a database with tables."""
    if kind(request) == "sqlite":
        path = tmp_path / "chaperone.db"
        path.write_bytes(image)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("server")
    return server.cleared()


@pytest.fixture
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, beside the store's own."""
    if kind(request) == "sqlite":
        return f"sqlite:///{tmp_path / 'elsewhere.db'}"
    server: Server = request.getfixturevalue("server")
    return server.empty_database()


@pytest.fixture
def home(address: str, tmp_path: Path, clock: ManualClock) -> Home:
    """The Tuesday group after a few facts; each test runs on both kinds of store."""
    engine = open_engine(address)
    store = Store(engine, KEYS, InlineDoor(engine))
    with store.unit() as db:
        evening = plan(db, store)
        happens(db, store, clock.now())
        odd_values(db, clock.now())
    store.close()
    return Home(make_url(address), tmp_path / "backups", new_pair(), clock, evening)
