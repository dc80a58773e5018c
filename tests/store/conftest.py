"""A store of either kind, and the people of the Tuesday group in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection

from app.core.plan import HEADINGS, GroundRule
from app.crypto import Keyring
from app.store import groups, people, sessions
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from tests.store import postgres

NOW = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL for all; without one these tests are skipped, in CI they fail."""
    try:
        with postgres.running() as server:
            yield server
    except postgres.NoPostgres as problem:
        if os.environ.get("CI"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def image() -> bytes:
    """An SQLite database without rows; copying it is quicker than migrating again."""
    engine = open_engine("sqlite://")
    migrate(engine)
    connection = engine.raw_connection()
    tables: bytes = connection.driver_connection.serialize()  # type: ignore[union-attr]
    connection.close()
    engine.dispose()
    return tables


KINDS = ("sqlite", "postgresql")


def _server(request: pytest.FixtureRequest) -> postgres.Server:
    # Only the tests that need one start it.
    return cast(postgres.Server, request.getfixturevalue("server"))


@pytest.fixture(params=KINDS)
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables; each test runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'chaperone.db'}"
    return _server(request).empty_database()


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path, image: bytes) -> str:
    """The address of a database with tables; each test runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "chaperone.db"
        path.write_bytes(image)
        return f"sqlite:///{path}"
    return _server(request).cleared()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, image: bytes) -> Iterator[Store]:
    """Empty, without threads; each test runs on both kinds."""
    if request.param == "sqlite":
        engine = open_engine("sqlite://")
        connection = engine.raw_connection()
        connection.driver_connection.deserialize(image)  # type: ignore[union-attr]
        connection.close()
    else:
        engine = open_engine(_server(request).cleared())
    store = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))
    yield store
    store.close()


@pytest.fixture
def db(store: Store) -> Iterator[Connection]:
    with store.unit() as connection:
        yield connection


@dataclass(frozen=True)
class Evening:
    """Ids of the Tuesday group: Anna leads, Sam supports; Ben and Chloe take part."""

    anna: str
    sam: str
    ben: str
    chloe: str
    group: str
    session: str


@pytest.fixture
def evening(db: Connection, store: Store) -> Evening:
    return plan(db, store)


def plan(db: Connection, store: Store) -> Evening:
    """The Tuesday group with its people and one session."""
    anna, sam = (
        people.add(
            db,
            store,
            people.Person(kind="worker", name=name, platform_user_id=f"zoom-{name}"),
            NOW,
        ).id
        for name in ("Anna", "Sam")
    )
    ben, chloe = (
        people.add(
            db,
            store,
            people.Person(
                kind="client",
                name=name,
                contact="A parent",
                referrer="The school",
                known_to=anna,
                consent_to_take_part=True,
                age_years=15,
            ),
            NOW,
        ).id
        for name in ("Ben", "Chloe")
    )
    talk = people.Talk(client_id=ben, worker_id=anna, held_on=date(2026, 11, 3))
    people.add_talk(db, store, talk, NOW)
    group = groups.add(
        db, store, groups.Group(name="Tuesday group", leads=(anna,)), NOW
    ).id
    rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
    groups.agree_rules(db, store, group, rules, anna, NOW)
    entered = sessions.times(
        datetime.fromisoformat("2026-11-17T19:00"),
        datetime.fromisoformat("2026-11-17T20:00"),
        "Europe/London",
        NOW,
    )
    session = sessions.add(
        db,
        store,
        {
            **entered,
            "group_id": group,
            "platform": "zoom",
            "title": "Worries at school",
            "purpose": "Talking about worries",
            "workers": (
                sessions.Rostered(person_id=anna, role="lead"),
                sessions.Rostered(person_id=sam, role="support"),
            ),
            "clients": (ben, chloe),
        },
        ("zoom",),
        NOW,
    )
    return Evening(anna, sam, ben, chloe, group, session.id)
