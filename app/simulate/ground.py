"""The ground every evening stands on: migrated tables with the same people in them.

Made once in a process and copied in for each scenario: migrating costs more than playing.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine

from app.core.plan import HEADINGS, GroundRule
from app.crypto import Keyring
from app.simulate.cast import CLIENTS, WORKERS
from app.simulate.chance import stream
from app.simulate.door import Connections
from app.simulate.scenario import Scenario
from app.store import contacts, groups, ids, people, sessions
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate

KEYS = Keyring([bytes(range(32))])
WITHOUT_TALK = "isla"
"""Everybody else had their one-to-one with Anna."""
ENTERED_AT = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
STARTS_IN = timedelta(seconds=150)
LENGTH = timedelta(hours=1)
CONTACTS = (("webhook", "https://phone.example/"), ("mail", "duty@charity.example"))
"""Who is called when nobody in the session takes an alarm."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`database` is reused from evening to evening; `lay` empties it first."""

    database: Engine
    connections: Connections
    tables: bytes
    people: dict[str, str]
    group_id: str

    def lay(self) -> None:
        """As it was before the first evening."""
        with closing(self.database.raw_connection()) as connection:
            driver: Any = connection.driver_connection
            driver.deserialize(self.tables)

    def plan(self, scenario: Scenario) -> str:
        """Plan the scenario's session as the pages do; returns its id."""
        store = Store(self.database, KEYS, InlineDoor(self.database))
        drawn = stream(scenario.seed, "session id")
        mark = ids.DRAWN.set(lambda size: drawn.randbytes(size).hex())
        try:
            with store.unit() as db:
                return sessions.add(
                    db, store, self._entered(scenario), ("zoom",), scenario.begins
                ).id
        finally:
            ids.DRAWN.reset(mark)

    def _entered(self, scenario: Scenario) -> dict[str, Any]:
        starts = scenario.begins + STARTS_IN
        clock_on_the_wall = starts.replace(tzinfo=None)
        roles = ("lead", "support", "standby", "standby")
        roster = tuple(
            sessions.Rostered(person_id=self.people[key], role=role)
            for key, role in zip(scenario.workers, roles, strict=False)
        )
        return {
            **sessions.times(
                clock_on_the_wall,
                clock_on_the_wall + LENGTH,
                "Etc/UTC",
                scenario.begins,
            ),
            "group_id": self.group_id,
            "platform": "zoom",
            "title": "Tuesday group",
            "purpose": "Talking about worries",
            "workers": roster,
            "clients": tuple(self.people[key] for key in scenario.clients),
            "policy": {
                "grace": scenario.grace,
                "grace_first_worker": scenario.grace_first_worker,
            },
        }


@cache
def new_ground() -> Ground:
    """Migrate a database in memory and enter everybody; once in a process."""
    database = open_engine("sqlite://")
    migrate(database)
    store = Store(database, KEYS, InlineDoor(database))
    drawn = stream(0, "people's ids")
    mark = ids.DRAWN.set(lambda size: drawn.randbytes(size).hex())
    try:
        with store.unit() as db:
            known, group_id = _enter(db, store)
    finally:
        ids.DRAWN.reset(mark)
    with closing(database.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        tables: bytes = driver.serialize()
    return Ground(database, Connections.of(database), tables, known, group_id)


def _enter(db: Connection, store: Store) -> tuple[dict[str, str], str]:
    known: dict[str, str] = {}
    for key, person in WORKERS.items():
        entered = people.Person(
            kind="worker",
            name=person.name,
            email=person.email,
            platform_user_id=person.zoom_user_id,
        )
        known[key] = people.add(db, store, entered, ENTERED_AT).id
    for key, person in CLIENTS.items():
        entered = people.Person(
            kind="client",
            name=person.name,
            contact="A parent",
            referrer="The school",
            known_to=known["anna"],
            consent_to_take_part=True,
            age_years=15,
        )
        known[key] = people.add(db, store, entered, ENTERED_AT).id
        if key != WITHOUT_TALK:
            talk = people.Talk(
                client_id=known[key],
                worker_id=known["anna"],
                held_on=date(2026, 8, 20),
            )
            people.add_talk(db, store, talk, ENTERED_AT)
    group = groups.Group(name="Tuesday group", leads=(known["anna"], known["sam"]))
    group_id = groups.add(db, store, group, ENTERED_AT).id
    rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
    groups.agree_rules(db, store, group_id, rules, known["anna"], ENTERED_AT)
    _contacts(db, store)
    return known, group_id


def _contacts(db: Connection, store: Store) -> None:
    for channel, address in CONTACTS:
        contact = contacts.Contact(
            channel=channel,
            address=address,
            label=f"By {channel}",
            secret="whsec_c2VjcmV0" if channel == "webhook" else "",
        )
        made, code = contacts.add(db, store, contact, ENTERED_AT)
        contacts.confirm(db, store, made, code, ENTERED_AT)
