"""The key is changed: every sealed value lies under the new one, and opens."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, func, select
from sqlmodel import SQLModel

from app.checkup.keys import keys
from app.crypto import Keyring
from app.privacy import sealed
from app.store import access_rows, accounts, log
from app.store.database import InlineDoor, Store
from tests.privacy.everything import joined, opened
from tests.store.conftest import NOW, Evening

FIRST, SECOND, THIRD = (letter * 32 for letter in (b"k", b"l", b"m"))
IDS = {key: Keyring([key]).key_ids[0] for key in (FIRST, SECOND, THIRD)}
T = TypeVar("T")


def ring(store: Store, *given: bytes) -> Store:
    """The same database, opened with these keys."""
    return Store(store.engine, Keyring(given), InlineDoor(store.engine))


def do(store: Store, work: Callable[[Connection], T]) -> T:
    with store.unit() as db:
        return work(db)


def silent(_column: str, _done: int, _of: int) -> None:
    """Nobody looks on."""


def everything(store: Store) -> list[tuple[str, str]]:
    return do(store, lambda db: sorted(opened(db, store)))


def test_every_sealed_column_is_in_the_list_and_filled_here(
    store: Store, full: Evening
) -> None:
    """So that what follows is about each of them."""
    ends = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }

    def empty(db: Connection) -> set[str]:
        return {
            one.name
            for one in sealed.sealed_columns()
            if not db.scalar(select(func.count(one.table.c[one.column])))
        }

    assert {one.name for one in sealed.sealed_columns()} == ends
    assert do(store, empty) == set()


def test_the_key_is_changed_three_times_over(store: Store, full: Evening) -> None:
    before = everything(store)
    number = do(store, sealed.counted)[IDS[FIRST]]

    for new, old in ((SECOND, FIRST), (THIRD, SECOND)):
        both = ring(store, new, old)
        assert sealed.re_encrypt(both, NOW, silent) == sealed.Rewritten(number, 0)
        assert do(both, sealed.counted) == {IDS[new]: number}

    only = ring(store, THIRD)
    assert without_digests(everything(only)) == without_digests(before)
    assert do(only, lambda db: accounts.by_email(db, only, "Anna@charity.example"))
    assert sealed.re_encrypt(only, NOW, silent) == sealed.Rewritten(0, 0)


def without_digests(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    new = ("accounts.email_digest", "periodic.name", "periodic.last_at")
    return [one for one in found if one[0] not in new]


def many_more(store: Store) -> None:
    """More than two portions of facts."""

    def fill(db: Connection) -> None:
        facts = [joined(f"U-{n}", "", f"Name {n}", "") for n in range(450)]
        log.add(db, [log.entry(store, f, f"f-{n}", NOW) for n, f in enumerate(facts)])

    do(store, fill)


def test_after_a_kill_it_goes_on_where_it_stood(store: Store, full: Evening) -> None:
    many_more(store)
    both = ring(store, SECOND, FIRST)
    told: list[tuple[str, int, int]] = []

    def killed(column: str, done: int, of: int) -> None:
        told.append((column, done, of))
        if (column, done) == ("log_personal.fields_sealed", 400):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sealed.re_encrypt(both, NOW, killed)
    left = do(both, sealed.counted)[IDS[FIRST]]
    number = sum(do(both, sealed.counted).values())
    of = told[-1][2]

    assert told[-2:] == [
        ("log_personal.fields_sealed", 200, of),
        ("log_personal.fields_sealed", 400, of),
    ]
    assert sealed.re_encrypt(both, NOW, silent) == sealed.Rewritten(left, 0)
    assert do(both, sealed.counted) == {IDS[SECOND]: number}


def test_what_no_key_opens_stays_as_it_is_and_is_counted(
    store: Store, full: Evening
) -> None:
    def damage(db: Connection) -> None:
        row = log.personal.c.ref == "chloe.0"
        value = db.scalar(select(log.personal.c.fields_sealed).where(row))
        assert value is not None
        broken = bytes(value[:-1]) + bytes([value[-1] ^ 1])
        db.execute(log.personal.update().where(row).values(fields_sealed=broken))

    do(store, damage)
    many_more(store)
    both = ring(store, SECOND, FIRST)

    assert sealed.re_encrypt(both, NOW, silent).closed == 1
    assert do(both, sealed.counted)[IDS[FIRST]] == 1


@pytest.mark.anyio
async def test_the_check_says_where_the_change_stands(
    store: Store, full: Evening
) -> None:
    number = do(store, sealed.counted)[IDS[FIRST]]
    both, wrong = ring(store, SECOND, FIRST), ring(store, THIRD)
    do(store, lambda db: access_rows.make_token(db, store, "old", ["x"], NOW))
    old, new = IDS[FIRST], IDS[SECOND]

    [one] = await keys(store)
    assert (one.state, one.sentence) == ("ok", f"{number} values lie under key {old}.")
    [lost] = await keys(wrong)
    assert (lost.state, lost.sentence) == (
        "fault",
        f"{number} values lie under key {old}; CHAPERONE_SECRET_KEY does not have it.",
    )
    [begun] = await keys(both)
    assert (begun.state, begun.sentence, begun.fix) == (
        "warn",
        f"{number} values lie under key {old}; the first key is {new}.",
        "Stop the service, then: chaperone re-encrypt.",
    )

    sealed.re_encrypt(both, NOW + timedelta(hours=1), silent)
    later = NOW + timedelta(hours=2)
    do(both, lambda db: access_rows.make_token(db, both, "new", ["x"], later))
    [done] = await keys(both)
    assert done.sentence == (
        f"Nothing lies under {old} any more. Made before the change: 1 API tokens, "
        "0 accounts joined to a provider."
    )
    assert "take the older key off CHAPERONE_SECRET_KEY" in done.fix
    [ended] = await keys(ring(store, SECOND))
    assert ended.state == "ok"


def test_an_empty_database_has_nothing_to_change(store: Store) -> None:
    assert sealed.re_encrypt(ring(store, SECOND, FIRST), NOW, silent) == (
        sealed.Rewritten(0, 0)
    )
    assert do(store, sealed.counted) == {}
