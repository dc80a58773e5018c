"""A hold keeps somebody's data until a named person lifts it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text

from app.privacy import holds
from app.store.database import Store
from app.store.refusals import Refused, Unknown
from tests.store.conftest import NOW, Evening

T = TypeVar("T")


def do(store: Store, work: Callable[[Connection], T]) -> T:
    with store.unit() as db:
        return work(db)


def place(
    store: Store,
    subject: str,
    subject_id: str,
    reason: str = "A claim by the family.",
    review_on: date = date(2027, 1, 1),
) -> holds.Hold:
    return do(
        store,
        lambda db: holds.place(
            db,
            store,
            subject,
            subject_id,
            reason=reason,
            by="sam",
            review_on=review_on,
            now=NOW,
        ),
    )


def test_a_hold_is_kept_sealed_and_lifted_once(store: Store, planned: Evening) -> None:
    person = place(store, holds.PERSON, planned.ben)
    session = place(store, holds.SESSION, planned.session)

    assert do(store, holds.held) == holds.Held(
        frozenset({planned.ben}), frozenset({planned.session})
    )
    assert do(store, lambda db: holds.listed(db, store)) == [
        *sorted([person, session], key=lambda one: one.id)
    ]
    rows = do(store, lambda db: repr(db.execute(text("SELECT * FROM holds")).all()))
    assert "family" not in rows

    do(store, lambda db: holds.lift(db, person.id, "sam", NOW + timedelta(days=1)))
    assert do(store, holds.held).people == frozenset()
    assert do(store, lambda db: holds.listed(db, store)) == [session]
    lifted = do(store, lambda db: holds.listed(db, store, lifted=True))
    assert {one.lifted_by for one in lifted} == {"sam", ""}
    with pytest.raises(Unknown):
        do(store, lambda db: holds.lift(db, person.id, "sam", NOW))


def test_a_hold_needs_a_reason_and_a_day(store: Store, planned: Evening) -> None:
    today = NOW.date()
    for reason, review_on, field in (
        (" ", date(2027, 1, 1), "reason"),
        ("x" * (holds.LONGEST_REASON + 1), date(2027, 1, 1), "reason"),
        ("A claim.", today, "review_on"),
    ):
        with pytest.raises(Refused) as refused:
            place(store, holds.PERSON, planned.ben, reason, review_on)
        assert list(refused.value.faults) == [field]
    place(store, holds.PERSON, planned.ben, "A claim.", today + timedelta(days=1))


def test_a_hold_is_on_somebody_or_some_evening(store: Store, planned: Evening) -> None:
    with pytest.raises(Unknown):
        place(store, holds.PERSON, planned.session)
    with pytest.raises(Unknown):
        place(store, holds.SESSION, planned.ben)
    with pytest.raises(Refused):
        place(store, "group", planned.group)
