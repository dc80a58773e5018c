"""The record of a session as it is now, and as somebody confirmed it (DESIGN §5, line 13)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.core.names import plain
from app.core.presses import AttendanceConfirmed
from app.core.readiness import Card, readiness
from app.core.record import build_record
from app.core.record_parts import ChecklistFacts, ChecklistLine, Named, Record, Signed
from app.core.rooms import stays_of, who_is_who
from app.core.session import GroupSession
from app.exports.record_json import read_record, record_json
from app.store import notes, people
from app.store.notes import FrozenRecord, Notes
from app.web.house import House


async def record_of(house: House, session: GroupSession, now: datetime) -> Record:
    """The record as of ``now``, with names where they are not erased.

    The checklist in it is the one the session started with, whatever was ticked later.
    """
    start = starting(session, now)
    then = await house.engine.state_at(session.session_id, start)
    then.names = session.names
    card = readiness(then, house.pack, start)
    return build_record(session, now, session.names, _checklist(then, card))


async def to_export(house: House, session: GroupSession, now: datetime) -> Record:
    """The latest confirmed record, as it was signed; a draft when there is none.

    The notes are the latest, whatever version was there when the record was confirmed.
    """
    kept, written, _ = await _stored(house, session.session_id)
    record = kept or await record_of(house, session, now)
    return with_notes(record, written, session.names)


async def to_export_by_id(house: House, session_id: str, now: datetime) -> Record:
    """The same; the log is folded only where nothing is confirmed. Raises UnknownSession."""
    kept, written, names = await _stored(house, session_id)
    if kept is None:
        return await to_export(house, await house.engine.state(session_id), now)
    return with_notes(kept, written, names)


async def _stored(
    house: House, session_id: str
) -> tuple[Record | None, Notes, dict[str, str]]:
    """What is confirmed, the notes, and the name of who wrote them."""
    store = house.store

    def look(db: Connection) -> tuple[Record | None, Notes, dict[str, str]]:
        kept = notes.frozen(db, store, session_id)
        written = notes.latest(db, store, session_id)
        names = people.named(db, store, [written.author]) if written.author else {}
        return (read_record(kept.content) if kept else None), written, names

    found: tuple[Record | None, Notes, dict[str, str]] = await store.read(look)
    return found


def with_notes(record: Record, written: Notes, names: Mapping[str, str]) -> Record:
    """The record with the notes as they stand."""
    if not written.version:
        return record
    by = Named(written.author, plain(names.get(written.author, written.author)))
    signed = Signed(version=written.version, at=written.at, by=by)
    return replace(record, notes=signed, notes_text=written.text)


def starting(session: GroupSession, now: datetime) -> datetime:
    """When the first client came in, else the planned start, else now if it is earlier."""
    stays = (
        stay
        for instance in session.instances.values()
        for _, stay in stays_of(instance, who_is_who(session, instance), workers=False)
    )
    first = min((stay.begins for stay in stays), default=None)
    planned = session.plan.starts_at if session.plan is not None else now
    return min(first or planned, now)


async def freeze(house: House, session_id: str, by: str, now: datetime) -> FrozenRecord:
    """Keep the record as its own row and write down who confirmed it (I13).

    What is kept is the published JSON of the record. Raises UnknownSession.
    """
    session = await house.engine.state(session_id)
    record, store = await record_of(house, session, now), house.store

    def write(version: int) -> bytes:
        signed = Signed(version=version, at=now, by=_named(session, by))
        return record_json(
            replace(record, version=version, attendance_confirmed=signed)
        )

    kept: FrozenRecord = await store.write(
        lambda db: notes.freeze(db, store, session_id, write, by, now)
    )
    fact = AttendanceConfirmed(at=now, by=by, version=kept.version)
    await house.engine.accept_press(session_id, fact)
    return kept


def _checklist(session: GroupSession, card: Card) -> ChecklistFacts:
    return ChecklistFacts(
        verdict=str(card.verdict),
        at=card.at,
        pack=card.pack,
        items=tuple(
            ChecklistLine(
                item=item.id,
                clause=item.clause,
                result=str(item.result),
                weight=str(item.weight),
                evidence=item.evidence,
                excepted_by=_named(session, item.exception.by)
                if item.exception is not None
                else None,
                excepted_why=item.exception.reason if item.exception else "",
            )
            for item in card.items
        ),
    )


def _named(session: GroupSession, person_id: str) -> Named:
    return Named(person_id, plain(session.names.get(person_id, person_id)))
