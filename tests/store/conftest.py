"""A store in memory, and the people of the Tuesday group in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection

from app.core.plan import HEADINGS, GroundRule
from app.crypto import Keyring
from app.store import groups, people, sessions
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate

NOW = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[Store]:
    engine = open_engine("sqlite://")
    migrate(engine)
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
    group = groups.add(db, groups.Group(name="Tuesday group", leads=(anna,)), NOW).id
    rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
    groups.agree_rules(db, group, rules, anna, NOW)
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
