"""Workers and clients are kept sealed, checked, and can be erased."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.store import people
from app.store.database import Store
from app.store.refusals import Refused, Unknown
from tests.store.conftest import NOW, Evening


def test_a_person_comes_back_as_entered(db: Connection, store: Store) -> None:
    entered = people.Person(
        kind="client",
        name="=1+1",
        register_name="<script>alert(1)</script>",
        contact="Mother, 01234",
        risk_reviewed_on=date(2026, 11, 1),
        age_years=15,
    )

    made = people.add(db, store, entered, NOW)

    assert people.get(db, store, made.id) == made
    assert (made.name, made.register_name) == ("=1+1", "<script>alert(1)</script>")


def test_no_name_lies_open_in_the_database(
    db: Connection, store: Store, evening: Evening
) -> None:
    rows = db.execute(text("SELECT * FROM people, one_to_ones, sessions")).all()

    whole = repr(rows)

    assert not any(word in whole for word in ("Ben", "parent", "school", "Worries"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200b\u2060"}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Ben\x00"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "Ben\nEve"}, "name"),
        ({"email": "ben@home.example\r\nBcc: all@home.example"}, "email"),
        ({"kind": "robot"}, "kind"),
        ({"age_years": 121}, "age_years"),
        ({"age_years": -1}, "age_years"),
        ({"known_to": "person-nobody"}, "known_to"),
        ({"risk_reviewed_on": date(2026, 11, 18)}, "risk_reviewed_on"),
        ({"emergency_note": "x" * 2001}, "emergency_note"),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_field(
    db: Connection, store: Store, change: dict[str, Any], field: str
) -> None:
    entered = people.Person(**{"kind": "client", "name": "Ben", **change})

    with pytest.raises(Refused) as refused:
        people.add(db, store, entered, NOW)

    assert list(refused.value.faults) == [field]


def test_the_longest_name_and_both_ages_at_the_edge_are_taken(
    db: Connection, store: Store
) -> None:
    for age in (0, 120):
        people.add(
            db, store, people.Person(kind="client", name="x" * 120, age_years=age), NOW
        )


def test_id_and_times_cannot_be_set_from_outside(
    db: Connection, store: Store, evening: Evening
) -> None:
    changed = people.change(
        db, store, evening.ben, {"id": "x", "active": False, "name": "Benny"}, NOW
    )

    assert (changed.id, changed.active, changed.name) == (evening.ben, True, "Benny")


def test_people_come_in_pages(db: Connection, store: Store, evening: Evening) -> None:
    everybody = people.listed(db, store)

    first = people.listed(db, store, limit=3)
    rest = people.listed(db, store, after=first[-1].id, limit=3)

    assert [*first, *rest] == everybody
    assert len(everybody) == 4


def test_an_erased_person_leaves_only_a_number(
    db: Connection, store: Store, evening: Evening
) -> None:
    people.erase(db, evening.ben, NOW)

    erased = people.get(db, store, evening.ben)

    assert (erased.name, erased.contact, erased.active) == ("", "", False)
    assert people.named(db, store, [evening.ben, evening.anna]) == {
        evening.anna: "Anna"
    }


def test_a_talk_in_the_future_is_no_talk(
    db: Connection, store: Store, evening: Evening
) -> None:
    talk = people.Talk(
        client_id=evening.ben, worker_id=evening.ben, held_on=date(2026, 11, 18)
    )

    with pytest.raises(Refused) as refused:
        people.add_talk(db, store, talk, NOW)

    assert set(refused.value.faults) == {"worker_id", "held_on"}


def test_a_talk_entered_by_mistake_goes_away(
    db: Connection, store: Store, evening: Evening
) -> None:
    talk = people.talks_of(db, store, [evening.ben])[evening.ben][0]

    assert people.take_talk_back(db, talk.id) == evening.ben
    assert people.talks_of(db, store, [evening.ben]) == {evening.ben: []}
    with pytest.raises(Unknown):
        people.take_talk_back(db, talk.id)
