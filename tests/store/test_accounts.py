"""Accounts keep nothing anybody could read or use, end on time, and go with the person."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from app.crypto import Keyring
from app.store import access_rows, accounts, people, sign_in_tries
from app.store.accounts import Account
from app.store.database import Store
from app.store.passwords import hash_password, password_fault, password_matches
from app.store.refusals import Refused, Unknown
from tests.store.conftest import NOW, Evening

MAIL = "anna@riverside.example"
TICK = timedelta(microseconds=1)
TABLES = ("accounts", "account_links", "account_identities", "sign_in_tries")


def anna(db: Connection, store: Store, evening: Evening) -> tuple[Account, str]:
    return accounts.invite(db, store, evening.anna, MAIL, ["worker"], NOW)


def test_an_invitation_works_once_and_until_its_end(
    db: Connection, store: Store, evening: Evening
) -> None:
    account, link = anna(db, store, evening)
    ends = NOW + accounts.INVITATION_LASTS

    assert accounts.link_opens(db, store, link, ends) is None
    assert accounts.link_opens(db, store, link, ends - TICK) == (account, "invite")
    assert accounts.waiting(db, ends - TICK) == {account.id}
    assert accounts.waiting(db, ends) == set()
    assert accounts.use_link(db, store, link, NOW) == (account, "invite")
    assert accounts.use_link(db, store, link, NOW) is None
    assert accounts.link_opens(db, store, "guessed", NOW) is None


def test_only_an_active_worker_is_invited_and_only_once(
    db: Connection, store: Store, evening: Evening
) -> None:
    anna(db, store, evening)
    for nobody in ("person-none", evening.ben):
        with pytest.raises(Unknown):
            accounts.invite(db, store, nobody, "x@y.example", ["worker"], NOW)
    faults: dict[str, str] = {}
    for person, email, roles in (
        (evening.anna, "new@y.example", ["worker"]),
        (evening.sam, MAIL.upper(), ["worker"]),
        (evening.sam, "new@y.example", []),
    ):
        with pytest.raises(Refused) as refused:
            accounts.invite(db, store, person, email, roles, NOW)
        faults |= refused.value.faults
    assert set(faults) == {"person_id", "email", "roles"}


def test_everything_is_found_again_after_a_change_of_keys(
    db: Connection, store: Store, evening: Evening
) -> None:
    account, link = anna(db, store, evening)
    accounts.set_password(db, store, account.id, "phc", NOW)
    accounts.join_identity(db, store, account.id, "https://i.example", "a-7", NOW)
    later = Store(store.engine, Keyring([b"n" * 32, b"k" * 32]), store.door)

    found = accounts.by_email(db, later, f" {MAIL.upper()} ")
    assert found is not None
    assert (found.email, found.password) == (MAIL, "phc")
    assert accounts.by_identity(db, later, "https://i.example", "a-7") == found
    assert accounts.link_opens(db, later, link, NOW) == (found, "invite")


def test_an_identity_is_issuer_and_subject_and_of_one_account(
    db: Connection, store: Store, evening: Evening
) -> None:
    account, _ = anna(db, store, evening)
    sam, _ = accounts.invite(db, store, evening.sam, "s@y.example", ["worker"], NOW)
    accounts.join_identity(db, store, account.id, "https://i.example", "a-7", NOW)
    accounts.join_identity(db, store, account.id, "https://i.example", "a-7", NOW)

    for issuer, subject in (
        ("https://i.example", "a-8"),
        ("https://j.example", "a-7"),
        ("https://i.example:a", "-7"),
    ):
        assert accounts.by_identity(db, store, issuer, subject) is None
    with pytest.raises(Refused):
        accounts.join_identity(db, store, sam.id, "https://i.example", "a-7", NOW)
    assert accounts.has_identity(db, account.id)
    assert not accounts.has_identity(db, sam.id)


def test_nothing_in_the_tables_can_be_read(
    db: Connection, store: Store, evening: Evening
) -> None:
    account, link = anna(db, store, evening)
    kept = hash_password("kettle moss ninety")
    accounts.set_password(db, store, account.id, kept, NOW)
    accounts.join_identity(db, store, account.id, "https://i.example", "a-7", NOW)
    sign_in_tries.note(db, store, MAIL, "", "password", False, NOW)
    stored = " ".join(
        str(tuple(bytes(c) if isinstance(c, memoryview) else c for c in row))
        for table in TABLES
        for row in db.execute(text(f"SELECT * FROM {table}"))
    )

    for secret in (MAIL, "riverside", link, "argon2", kept, "i.example", "a-7"):
        assert secret not in stored
    assert account.id in stored


def test_an_account_goes_with_the_person(
    db: Connection, store: Store, evening: Evening
) -> None:
    account, link = anna(db, store, evening)
    accounts.join_identity(db, store, account.id, "https://i.example", "a-7", NOW)
    people.deactivate(db, evening.anna, NOW)
    assert not accounts.open_to(db, account)
    assert accounts.link_opens(db, store, link, NOW) is None

    people.erase(db, evening.anna, NOW)

    assert accounts.listed(db, store) == []
    for table in TABLES:
        assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_links_and_tries_are_forgotten_in_time(
    db: Connection, store: Store, evening: Evening
) -> None:
    anna(db, store, evening)
    sign_in_tries.note(db, store, MAIL, "", "password", False, NOW)

    def left(after: timedelta) -> list[int]:
        access_rows.forget_old(db, NOW + after)
        return [
            int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)
            for table in ("account_links", "sign_in_tries")
        ]

    assert left(accounts.INVITATION_LASTS - TICK) == [1, 1]
    assert left(accounts.INVITATION_LASTS) == [0, 1]
    assert left(access_rows.TRIES_KEPT - TICK) == [0, 1]
    assert left(access_rows.TRIES_KEPT) == [0, 0]


# --- passwords ----------------------------------------------------------------------


def test_a_password_is_kept_as_argon2id_and_never_twice_alike() -> None:
    one, other = (
        hash_password("kettle moss ninety"),
        hash_password("kettle moss ninety"),
    )

    assert one.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert one != other
    assert password_matches(one, "kettle moss ninety")
    assert not password_matches(one, "Kettle moss ninety")
    assert not password_matches(one, "kettle moss ninety ")
    assert not password_matches(None, "kettle moss ninety")


def test_a_password_is_the_same_from_every_keyboard() -> None:
    """An accent typed as one sign or as two (SP 800-63B-4 §3.1.1.2)."""
    assert password_matches(
        hash_password("caf\u00e9 moss ninety"), "cafe\u0301 moss ninety"
    )


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("kettle moss", "at least 12 characters; this is 11"),
        ("kettle moss9", ""),
        ("\u00e9" * 6, "at least 12 characters; this is 6"),
        ("kettle moss ninety " * 6 + "12345678901234", ""),
        ("kettle moss ninety " * 6 + "123456789012345", "at most 128"),
        ("kettle moss\x00ninety", "control characters"),
        ("aaaaaaaaaaaa", "tried first"),
        ("abcdefghijkl", "tried first"),
        ("1q2w3e4r5t6y", "tried first"),
        ("Liverpool2024!", "tried first"),
        ("Riverside2024!", "tried first"),
        ("anna@riverside.example", "tried first"),
        ("\U0001f9a9 \U0001f40c \U0001f9a5 \U0001f986 \U0001f43f\ufe0f kettle", ""),
    ],
)
def test_what_may_be_a_password(password: str, says: str) -> None:
    fault = password_fault(password, ["Anna", MAIL, "Riverside"])

    assert (says in fault) if says else (fault == "")
