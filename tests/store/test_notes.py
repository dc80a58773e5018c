"""Notes are never overwritten; a confirmed record stays as it was; contacts confirm."""

import pytest
from sqlalchemy import Connection, text

from app.store import contacts, notes, plans
from app.store.database import Store
from app.store.refusals import Refused, Unknown
from tests.store.conftest import NOW


def test_each_saving_is_a_version(db: Connection, store: Store) -> None:
    assert notes.latest(db, store, "s").version == 0

    first = notes.save(db, store, "s", "A calm start.", "anna", on_version=0, now=NOW)
    second = notes.save(db, store, "s", "A calm end.", "sam", on_version=1, now=NOW)

    assert notes.versions(db, store, "s") == [first, second]
    assert (first.version, second.version) == (1, 2)


def test_the_slower_writer_gets_both_texts(db: Connection, store: Store) -> None:
    stored = notes.save(db, store, "s", "Anna's words", "anna", on_version=0, now=NOW)

    with pytest.raises(notes.StaleNotes) as stale:
        notes.save(db, store, "s", "Sam's words", "sam", on_version=0, now=NOW)

    assert (stale.value.stored, stale.value.typed) == (stored, "Sam's words")
    assert notes.latest(db, store, "s") == stored


def test_a_double_click_saves_once(db: Connection, store: Store) -> None:
    first = notes.save(db, store, "s", "Words", "anna", on_version=0, now=NOW)
    again = notes.save(db, store, "s", "Words", "anna", on_version=0, now=NOW)

    assert again == first


def test_notes_have_an_end_and_lie_sealed(db: Connection, store: Store) -> None:
    notes.save(db, store, "s", "q" * notes.LONGEST_NOTES, "anna", on_version=0, now=NOW)
    rows = repr(db.execute(text("SELECT * FROM notes")).all())
    assert "qqq" not in rows

    for words in ("q" * (notes.LONGEST_NOTES + 1), "\x00"):
        with pytest.raises(Refused):
            notes.save(db, store, "s", words, "anna", on_version=1, now=NOW)


def test_a_confirmed_record_stays_beside_a_later_one(
    db: Connection, store: Store
) -> None:
    assert notes.frozen(db, store, "s") is None

    first = notes.freeze(db, store, "s", lambda _: b'{"a":1}', "anna", NOW)
    second = notes.freeze(db, store, "s", lambda _: b'{"a":2}', "sam", NOW)

    assert (first.version, second.version) == (1, 2)
    assert notes.frozen(db, store, "s") == second
    assert notes.frozen(db, store, "s", 1) == first
    with pytest.raises(Unknown):
        notes.frozen(db, store, "s", 3)


def test_a_contact_counts_once_its_code_came_back(db: Connection, store: Store) -> None:
    contact = contacts.Contact(channel="mail", address="lead@charity.example")
    contact_id, code = contacts.add(db, store, contact, NOW)
    wrong = f"{(int(code) + 1) % 10**8:08}"

    assert not contacts.confirm(db, store, contact_id, wrong, NOW)
    assert plans.contacts_confirmed(db) == 0

    assert contacts.confirm(db, store, contact_id, f" {code} ", NOW)
    assert plans.contacts_confirmed(db) == 1
    assert [c.address for c in contacts.listed(db, store, confirmed_only=True)] == [
        "lead@charity.example"
    ]

    later = contacts.new_code(db, store, contact_id)
    assert later == code or not contacts.confirm(db, store, contact_id, code, NOW)
    contacts.remove(db, contact_id)
    with pytest.raises(Unknown):
        contacts.confirm(db, store, contact_id, later, NOW)


@pytest.mark.parametrize(
    ("channel", "address", "field"),
    [
        ("pigeon", "x@y.example", "channel"),
        ("mail", "nobody", "address"),
        ("mail", "a@b\r\nBcc: c@d", "address"),
        ("webhook", "http://gateway.example", "address"),
        ("webhook", " ", "address"),
    ],
)
def test_a_contact_that_cannot_be_reached_is_refused(
    db: Connection, store: Store, channel: str, address: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        contacts.add(db, store, contacts.Contact(channel=channel, address=address), NOW)

    assert list(refused.value.faults) == [field]
