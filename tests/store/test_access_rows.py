"""Tokens, sign-in links and browser sessions keep digests only and end when they must."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from app.crypto import Keyring
from app.store import access_rows, people
from app.store.database import Store
from app.store.refusals import Unknown
from tests.store.conftest import NOW, Evening


def test_a_token_opens_until_it_is_revoked(db: Connection, store: Store) -> None:
    made, secret = access_rows.make_token(db, store, "case system", ["a", "b"], NOW)

    assert access_rows.token_of(db, store, secret) == made
    assert access_rows.token_of(db, store, secret + "x") is None

    access_rows.revoke_token(db, made.id, NOW)

    assert access_rows.token_of(db, store, secret) is None
    with pytest.raises(Unknown):
        access_rows.revoke_token(db, "token-none", NOW)


def test_a_token_outlives_a_change_of_keys(db: Connection, store: Store) -> None:
    made, secret = access_rows.make_token(db, store, "case system", ["a"], NOW)
    later = Store(store.engine, Keyring([b"n" * 32, b"k" * 32]), store.door)

    assert access_rows.token_of(db, later, secret) == made


def test_a_sign_in_link_works_once(
    db: Connection, store: Store, evening: Evening
) -> None:
    link = access_rows.make_sign_in_link(db, store, evening.anna, "worker", NOW)

    assert access_rows.sign_in_link_holds(db, store, link, NOW)
    assert access_rows.sign_in_link_holds(db, store, link, NOW)
    first = access_rows.sign_in(db, store, link, NOW)
    second = access_rows.sign_in(db, store, link, NOW)

    assert first is not None
    assert second is None
    assert not access_rows.sign_in_link_holds(db, store, link, NOW)
    assert access_rows.web_session_of(db, store, first[1], NOW) == first[0]


def test_a_sign_in_link_ends_on_time(
    db: Connection, store: Store, evening: Evening
) -> None:
    ends = NOW + access_rows.LINK_LASTS
    link = access_rows.make_sign_in_link(db, store, evening.anna, "worker", NOW)

    assert access_rows.sign_in(db, store, link, ends) is None
    just_before = ends - timedelta(microseconds=1)
    assert access_rows.sign_in(db, store, link, just_before) is not None


def test_only_an_active_worker_gets_a_way_in(
    db: Connection, store: Store, evening: Evening
) -> None:
    for somebody in (evening.ben, "nobody"):
        with pytest.raises(Unknown):
            access_rows.make_sign_in_link(db, store, somebody, "worker", NOW)


def test_who_leaves_is_out_at_once(
    db: Connection, store: Store, evening: Evening
) -> None:
    link = access_rows.make_sign_in_link(db, store, evening.sam, "worker", NOW)
    _, cookie = access_rows.open_web_session(db, store, evening.sam, "worker", NOW)

    people.deactivate(db, evening.sam, NOW)

    assert access_rows.sign_in(db, store, link, NOW) is None
    assert access_rows.web_session_of(db, store, cookie, NOW) is None


def test_a_forgotten_browser_is_signed_out(
    db: Connection, store: Store, evening: Evening
) -> None:
    made, cookie = access_rows.open_web_session(db, store, evening.anna, "worker", NOW)
    idle = NOW + access_rows.IDLE

    almost = access_rows.web_session_of(
        db, store, cookie, idle - timedelta(microseconds=1)
    )
    assert almost == made
    assert access_rows.web_session_of(db, store, cookie, idle) is None

    access_rows.touch_web_session(db, store, cookie, idle)
    assert access_rows.web_session_of(db, store, cookie, idle) is not None


def test_eight_hours_are_the_end_however_busy(
    db: Connection, store: Store, evening: Evening
) -> None:
    _, cookie = access_rows.open_web_session(db, store, evening.anna, "worker", NOW)
    end = NOW + access_rows.ABSOLUTE
    access_rows.touch_web_session(db, store, cookie, end)

    assert access_rows.web_session_of(db, store, cookie, end) is None
    just_before = end - timedelta(microseconds=1)
    assert access_rows.web_session_of(db, store, cookie, just_before) is not None


def test_a_cookie_after_sign_out_opens_nothing(
    db: Connection, store: Store, evening: Evening
) -> None:
    _, cookie = access_rows.open_web_session(db, store, evening.anna, "worker", NOW)
    _, other = access_rows.open_web_session(db, store, evening.anna, "worker", NOW)

    access_rows.close_web_session(db, store, cookie)
    assert access_rows.web_session_of(db, store, cookie, NOW) is None
    assert access_rows.web_session_of(db, store, other, NOW) is not None

    access_rows.close_web_sessions_of(db, evening.anna)
    assert access_rows.web_session_of(db, store, other, NOW) is None


def test_no_secret_lies_in_the_database(
    db: Connection, store: Store, evening: Evening
) -> None:
    _, token = access_rows.make_token(db, store, "x", ["a"], NOW)
    link = access_rows.make_sign_in_link(db, store, evening.anna, "worker", NOW)
    _, cookie = access_rows.open_web_session(db, store, evening.anna, "worker", NOW)
    whole = repr(
        [
            db.execute(text(f"SELECT * FROM {table}")).all()
            for table in ("tokens", "sign_in_links", "web_sessions")
        ]
    )

    assert not any(secret in whole for secret in (token, link, cookie))
    access_rows.forget_old(db, NOW + access_rows.ABSOLUTE)
    assert db.execute(text("SELECT * FROM sign_in_links, web_sessions")).all() == []
