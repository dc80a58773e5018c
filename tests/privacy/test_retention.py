"""What has been kept long enough goes with everything that hangs on it (I24)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select, text
from sqlmodel import SQLModel

from app.core.plan import GroundRule
from app.privacy import erasure, holds, retention
from app.privacy.terms import Kind, Term, years_after
from app.store import access_rows, groups, log, people, queue, rooms, sessions
from app.store.database import Store
from app.store.refusals import Unknown
from tests.privacy.everything import joined, opened, raise_concern
from tests.store.conftest import NOW, Evening

T = TypeVar("T")
TICK = timedelta(microseconds=1)
END = NOW + timedelta(minutes=70)  # 20:00


def do(store: Store, work: Callable[[Connection], T]) -> T:
    with store.unit() as db:
        return work(db)


def pass_by(store: Store, now: datetime) -> list[tuple[Kind, str]]:
    """What the job does at that moment."""
    terms = do(store, lambda db: retention.due_by(db, now))
    for term in terms:
        assert do(store, partial(retention.carry_out, store=store, term=term))
    return [(term.kind, term.id) for term in terms]


def filled(store: Store) -> set[str]:
    """Tables that hold anything."""

    def work(db: Connection) -> set[str]:
        return {
            name
            for name, table in SQLModel.metadata.tables.items()
            if db.execute(select(table)).first() is not None
        }

    return do(store, work)


def test_notes_go_after_three_years_and_the_evening_after_six(
    store: Store, full: Evening
) -> None:
    assert pass_by(store, years_after(END, 3)) == []
    assert {"notes", "sessions"} <= filled(store)
    gone = pass_by(store, years_after(END, 3) + TICK)

    assert (Kind.NOTES, full.session) in gone
    assert "notes" not in filled(store)
    assert Kind.SESSION not in {kind for kind, _ in pass_by(store, years_after(END, 6))}
    assert {"records", "log", "log_personal", "sessions"} <= filled(store)

    assert (Kind.SESSION, full.session) in pass_by(store, years_after(END, 6) + TICK)
    assert filled(store) == {
        "account_links",
        "accounts",
        "concerns",
        "consents",
        "dossiers",
        "contacts",
        "deliveries",
        "export_layouts",
        "ground_rules",
        "groups",
        "one_to_ones",
        "people",
        "policy_versions",
    }


def test_an_evening_that_was_closed_later_ends_later(
    store: Store, planned: Evening
) -> None:
    closed = END + timedelta(hours=3)
    do(store, lambda db: sessions.close(db, planned.session, closed))

    assert pass_by(store, years_after(closed, 6)) == []
    assert pass_by(store, years_after(closed, 6) + TICK) == [
        (Kind.SESSION, planned.session)
    ]


def test_of_a_room_two_sessions_used_each_goes_with_its_own(
    store: Store, full: Evening
) -> None:
    def work(db: Connection) -> None:
        other = rooms.BoundMeeting(
            platform="zoom",
            meeting_id="81000000019",
            session_id="session-other",
            opens_at=NOW + timedelta(days=7),
            closes_at=NOW + timedelta(days=7, hours=2),
            bound_at=NOW,
        )
        rooms.bind(db, store, other)
        when = NOW + timedelta(days=7, hours=1)
        later = replace(joined("U-late", "", "Late", ""), at=when)
        log.add(db, [log.entry(store, later, "later.0", NOW)])

    do(store, work)
    pass_by(store, years_after(END, 6) + TICK)

    assert do(store, lambda db: list(db.scalars(select(log.log.c.ref)))) == ["later.0"]
    assert do(store, lambda db: list(db.scalars(select(log.personal.c.ref)))) == [
        "later.0"
    ]


def test_contacts_go_ninety_days_after_somebody_left_and_the_name_with_the_register(
    store: Store, full: Evening
) -> None:
    do(store, lambda db: people.deactivate(db, full.ben, NOW))
    limit = END + timedelta(days=90)  # The evening was after he left.

    assert pass_by(store, limit) == []
    assert pass_by(store, limit + TICK) == [(Kind.CONTACTS, full.ben)]
    ben = do(store, lambda db: people.get(db, store, full.ben))
    assert (ben.name, ben.register_name) == ("Zephyrin", "Zephyrin Canary")
    assert (ben.email, ben.phone, ben.contact, ben.referrer) == ("", "", "", "")
    assert pass_by(store, limit + timedelta(days=1)) == []

    assert (Kind.PERSON, full.ben) in pass_by(store, years_after(END, 6) + TICK)
    with pytest.raises(Unknown):
        do(store, lambda db: people.get(db, store, full.ben))
    talked = do(store, lambda db: list(db.scalars(select(people.talks.c.client_id))))
    assert talked == []


def test_a_worker_who_left_has_no_account_any_more(store: Store, full: Evening) -> None:
    do(store, lambda db: people.deactivate(db, full.anna, NOW))
    pass_by(store, END + timedelta(days=90) + TICK)

    assert not {"accounts", "account_links"} & filled(store)


def test_a_contact_that_is_entered_again_has_its_term_again(
    store: Store, full: Evening
) -> None:
    do(store, lambda db: people.deactivate(db, full.ben, NOW))
    pass_by(store, END + timedelta(days=91))
    again = END + timedelta(days=92)
    do(
        store,
        lambda db: people.change(
            db, store, full.ben, {"email": "b@home.example"}, again
        ),
    )

    assert pass_by(store, again + timedelta(days=90)) == []
    assert pass_by(store, again + timedelta(days=90) + TICK) == [
        (Kind.CONTACTS, full.ben)
    ]


def test_what_was_said_one_to_one_goes_and_that_they_talked_stays(
    store: Store, full: Evening
) -> None:
    """Gate T9 asks for the talk itself."""
    assert (Kind.TALKS, full.ben) in pass_by(store, years_after(END, 3) + TICK)

    talks = do(store, lambda db: people.talks_of(db, store, [full.ben]))[full.ben]
    assert [(one.channel, one.outcome) for one in talks] == [("", ""), ("", "")]


def test_a_hold_keeps_it_also_when_it_is_placed_at_the_last_moment(
    store: Store, full: Evening
) -> None:
    late = years_after(END, 7)
    due = do(store, lambda db: retention.due_by(db, late))
    placed = do(
        store,
        lambda db: holds.place(
            db,
            store,
            holds.PERSON,
            full.ben,
            reason="A claim.",
            by="sam",
            review_on=date(2040, 1, 1),
            now=late,
        ),
    )
    about_ben = [one for one in due if one.id in (full.ben, full.session)]

    done = [
        do(store, partial(retention.carry_out, store=store, term=one))
        for one in about_ben
    ]

    assert len(done) == 3
    assert not any(done)
    assert all(one.id not in (full.ben, full.session) for one in _due(store, late))
    do(store, lambda db: holds.lift(db, placed.id, "sam", late))
    assert {one.id for one in _due(store, late)} >= {full.ben, full.session}


def test_a_concern_keeps_its_evening_and_the_worker_it_is_about(
    store: Store, full: Evening
) -> None:
    late = years_after(END, 30)
    for person in (full.anna, full.sam):
        do(store, partial(people.deactivate, person_id=person, now=NOW))
    do(store, lambda db: raise_concern(db, store, "One.", session_id=full.session))
    do(store, lambda db: raise_concern(db, store, "Other.", about_worker=full.anna))

    gone = pass_by(store, late)

    assert (Kind.PERSON, full.sam) in gone
    assert not {full.session, full.anna} & {row_id for _, row_id in gone}


def _due(store: Store, now: datetime) -> list[Term]:
    return do(store, lambda db: retention.due_by(db, now))


def test_rows_with_a_term_of_their_own(store: Store, planned: Evening) -> None:
    def work(db: Connection) -> None:
        rules = [GroundRule(heading="respect", text="One at a time.")]
        groups.agree_rules(db, store, planned.group, rules, planned.anna, NOW)
        token, _ = access_rows.make_token(db, store, "old", ["record:read"], NOW)
        access_rows.make_token(db, store, "in use", ["record:read"], NOW)
        access_rows.revoke_token(db, token.id, NOW)
        queue.raise_alarm(
            db,
            alarm_id="alarm-1",
            session_id=None,
            key="clock",
            level="red",
            audience="administrator",
            text="The clock was set.",
            what_to_do="",
            at=NOW,
            send=False,
            persons=(planned.anna,),
        )
        hold = holds.place(
            db,
            store,
            holds.PERSON,
            planned.sam,
            reason="A claim.",
            by="sam",
            review_on=date(2027, 1, 1),
            now=NOW,
        )
        holds.lift(db, hold.id, "sam", NOW)
        sessions.close(db, planned.session, NOW)

    do(store, work)
    erasure_at = NOW
    do(store, lambda db: erasure.erase_again(db, store, [planned.chloe], erasure_at))

    assert {kind for kind, _ in pass_by(store, years_after(NOW, 2) + TICK)} == {
        Kind.CERTIFICATE
    }
    gone = pass_by(store, years_after(END, 6) + TICK)
    assert {Kind.RULES, Kind.TOKEN, Kind.ALARM, Kind.HOLD} <= {kind for kind, _ in gone}
    assert not {"alarms", "outbox", "holds", "erasures"} & filled(store)
    kept = do(store, access_rows.tokens_listed)
    assert [one.name for one in kept] == ["in use"]
    versions = select(groups.ground_rules.c.version)
    assert do(store, lambda db: list(db.scalars(versions))) == [2]


def test_nothing_that_went_can_be_opened(store: Store, full: Evening) -> None:
    """Whatever is left opens: no half row stays behind."""
    pass_by(store, years_after(END, 10))

    said = [
        value for _, value in do(store, lambda db: list(opened(db, store))) if value
    ]
    assert not any("Chloe wrote" in one for one in said)
    assert (
        do(store, lambda db: db.execute(text("SELECT count(*) FROM log")).scalar()) == 0
    )
