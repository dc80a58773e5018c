"""The long terms at work: what there is, what is due, and deleting it (I24).

The pure half is :mod:`app.privacy.terms`; the short terms are
:mod:`app.store.retention`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import orjson
from sqlalchemy import Connection, and_, delete, func, or_, select

from app.privacy.holds import held, holds
from app.privacy.sealed import rewrite, sealed_column
from app.privacy.terms import (
    Kept,
    KeptPerson,
    KeptRow,
    KeptSession,
    Kind,
    Term,
    calendar,
    due,
)
from app.store import consents, dossiers
from app.store.access_rows import tokens
from app.store.database import Store
from app.store.drafts import drafts
from app.store.groups import ground_rules
from app.store.log import last_seen, log, meetings, personal
from app.store.notes import notes, records
from app.store.people import erase_account, people, talks
from app.store.queue import actions, alarms, deadlines, outbox
from app.store.rooms import links
from app.store.sessions import sessions
from app.store.tables_invitations import InvitationRow
from app.store.tables_privacy import ErasureRow

invitations = InvitationRow.__table__  # type: ignore[attr-defined]
erasures = ErasureRow.__table__  # type: ignore[attr-defined]

# What is known only to reach somebody; the name goes with the register.
CONTACT_FIELDS = (
    "email",
    "phone",
    "contact",
    "referrer",
    "emergency_note",
    "reference",
)


def terms_of(db: Connection) -> list[Term]:
    """When everything with a long term goes, the earliest first."""
    return calendar(_kept(db), held(db))


def due_by(db: Connection, now: datetime) -> list[Term]:
    """What has to go by now and is not on hold."""
    return due(_kept(db), held(db), now)


def carry_out(db: Connection, store: Store, term: Term) -> bool:
    """Delete what this term is about; False when it was put on hold meanwhile."""
    if _on_hold(db, term):
        return False
    _DELETE[term.kind](db, store, term.id)
    return True


# --- what there is ----------------------------------------------------------------


def _kept(db: Connection) -> Kept:
    return Kept(
        sessions=tuple(_sessions(db)), people=tuple(_people(db)), rows=tuple(_rows(db))
    )


def _sessions(db: Connection) -> list[KeptSession]:
    noted = set(db.scalars(select(notes.c.session_id).distinct()))
    rows = db.execute(
        select(
            sessions.c.id,
            sessions.c.ends_at,
            sessions.c.closed_at,
            sessions.c.clients,
            sessions.c.workers,
        )
    )
    return [
        KeptSession(
            id=row.id,
            ends_at=max(row.ends_at, row.closed_at or row.ends_at),
            clients=frozenset(row.clients),
            workers=frozenset(worker["person_id"] for worker in row.workers),
            has_notes=row.id in noted,
        )
        for row in rows
    ]


def _people(db: Connection) -> list[KeptPerson]:
    talked = {
        row.client_id: row
        for row in db.execute(
            select(
                talks.c.client_id,
                func.max(talks.c.held_on).label("held_on"),
                func.count(talks.c.outcome_sealed).label("outcomes"),
                func.count(talks.c.channel_sealed).label("channels"),
            ).group_by(talks.c.client_id)
        )
    }
    found = []
    for row in db.execute(select(people)):
        talk = talked.get(row.id)
        found.append(
            KeptPerson(
                id=row.id,
                left_at=None if row.active else row.updated_at,
                talked_at=_end_of(talk.held_on) if talk is not None else None,
                has_contacts=row.details_sealed is not None and not row.contacts_gone,
                has_outcomes=talk is not None and bool(talk.outcomes or talk.channels),
            )
        )
    return found


def _end_of(day: Any) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _rows(db: Connection) -> list[KeptRow]:
    newer = ground_rules.alias()
    replaced = (
        select(func.min(newer.c.adopted_at))
        .where(
            newer.c.group_id == ground_rules.c.group_id,
            newer.c.version > ground_rules.c.version,
        )
        .scalar_subquery()
    )
    rules = db.execute(
        select(ground_rules.c.group_id, ground_rules.c.version, replaced.label("since"))
    )
    queries = {
        Kind.ALARM: select(alarms.c.id, alarms.c.raised_at).where(
            alarms.c.session_id.is_(None)
        ),
        Kind.TOKEN: select(tokens.c.id, tokens.c.revoked_at).where(
            tokens.c.revoked_at.is_not(None)
        ),
        Kind.HOLD: select(holds.c.id, holds.c.lifted_at).where(
            holds.c.lifted_at.is_not(None)
        ),
        Kind.CERTIFICATE: select(erasures.c.person_id, erasures.c.erased_at),
    }
    return [
        KeptRow(kind=Kind.RULES, id=f"{row.group_id}/{row.version}", since=row.since)
        for row in rules
        if row.since is not None
    ] + [
        KeptRow(kind=kind, id=row_id, since=since)
        for kind, query in queries.items()
        for row_id, since in db.execute(query)
    ]


# --- deleting it ------------------------------------------------------------------


def _on_hold(db: Connection, term: Term) -> bool:
    now_held = held(db)
    if term.kind in (Kind.SESSION, Kind.NOTES):
        row = db.execute(
            select(sessions.c.clients, sessions.c.workers).where(
                sessions.c.id == term.id
            )
        ).first()
        part = {*row.clients, *(w["person_id"] for w in row.workers)} if row else set()
        return term.id in now_held.sessions or bool(part & now_held.people)
    if term.kind in (Kind.CONTACTS, Kind.PERSON, Kind.TALKS):
        return term.id in now_held.people | now_held.rows
    return False


def facts_of(db: Connection, session_id: str) -> Any:
    """The condition that finds a session's facts in the log.

    A meeting bound to several sessions is shared out by the time each was open.
    """
    mine = db.execute(select(meetings).where(meetings.c.session_id == session_id)).all()
    clauses = [log.c.session_id == session_id]
    for row in mine:
        of_room = and_(
            log.c.session_id.is_(None),
            log.c.platform == row.platform,
            log.c.meeting_id == row.meeting_id,
        )
        others = db.scalar(
            select(func.count())
            .select_from(meetings)
            .where(
                meetings.c.platform == row.platform,
                meetings.c.meeting_id == row.meeting_id,
                meetings.c.session_id != session_id,
            )
        )
        if others:
            of_room = and_(of_room, log.c.at.between(row.opens_at, row.closes_at))
        clauses.append(of_room)
    return or_(*clauses)


_OF_A_SESSION = (
    alarms,
    actions,
    deadlines,
    drafts,
    invitations,
    links,
    notes,
    records,
    meetings,
)


def _delete_session(db: Connection, _store: Store, session_id: str) -> None:
    refs = select(log.c.ref).where(facts_of(db, session_id))
    db.execute(delete(personal).where(personal.c.ref.in_(refs)))
    db.execute(delete(log).where(facts_of(db, session_id)))
    raised = select(alarms.c.id).where(alarms.c.session_id == session_id)
    db.execute(delete(outbox).where(outbox.c.alarm_id.in_(raised)))
    rooms = select(meetings.c.meeting_id).where(meetings.c.session_id == session_id)
    db.execute(delete(last_seen).where(last_seen.c.meeting_id.in_(rooms)))
    for table in _OF_A_SESSION:
        db.execute(delete(table).where(table.c.session_id == session_id))
    db.execute(delete(sessions).where(sessions.c.id == session_id))


def _delete_notes(db: Connection, _store: Store, session_id: str) -> None:
    db.execute(delete(notes).where(notes.c.session_id == session_id))


def _delete_outcomes(db: Connection, _store: Store, client_id: str) -> None:
    """That they talked, and when, stays with the person: gate T9 asks for it."""
    db.execute(
        talks.update()
        .where(talks.c.client_id == client_id)
        .values(outcome_sealed=None, channel_sealed=None)
    )


def _delete_contacts(db: Connection, store: Store, person_id: str) -> None:
    def change(plain: bytes) -> bytes:
        details = orjson.loads(plain)
        return orjson.dumps(details | dict.fromkeys(CONTACT_FIELDS, ""))

    details = sealed_column("people.details_sealed")
    rewrite(db, store, details, people.c.id == person_id, change)
    db.execute(
        people.update()
        .where(people.c.id == person_id)
        .values(has_contact=False, has_referrer=False, contacts_gone=True)
    )
    erase_account(db, person_id)


def _delete_person(db: Connection, _store: Store, person_id: str) -> None:
    erase_account(db, person_id)
    dossiers.forget(db, person_id)
    consents.forget(db, person_id)
    db.execute(delete(talks).where(talks.c.client_id == person_id))
    db.execute(delete(links).where(links.c.person_id == person_id))
    db.execute(delete(people).where(people.c.id == person_id))


def _delete_rules(db: Connection, _store: Store, row_id: str) -> None:
    group_id, version = row_id.rsplit("/", 1)
    db.execute(
        delete(ground_rules).where(
            ground_rules.c.group_id == group_id, ground_rules.c.version == int(version)
        )
    )


def _delete_alarm(db: Connection, _store: Store, alarm_id: str) -> None:
    db.execute(delete(outbox).where(outbox.c.alarm_id == alarm_id))
    db.execute(delete(alarms).where(alarms.c.id == alarm_id))


def _by(column: Any) -> Callable[[Connection, Store, str], None]:
    def work(db: Connection, _store: Store, row_id: str) -> None:
        db.execute(delete(column.table).where(column == row_id))

    return work


_DELETE: dict[Kind, Callable[[Connection, Store, str], None]] = {
    Kind.SESSION: _delete_session,
    Kind.NOTES: _delete_notes,
    Kind.TALKS: _delete_outcomes,
    Kind.CONTACTS: _delete_contacts,
    Kind.PERSON: _delete_person,
    Kind.RULES: _delete_rules,
    Kind.ALARM: _delete_alarm,
    Kind.TOKEN: _by(tokens.c.id),
    Kind.HOLD: _by(holds.c.id),
    Kind.CERTIFICATE: _by(erasures.c.person_id),
}
