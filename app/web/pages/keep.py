"""Freeze the record with the attendance: its own row, beside earlier ones (DESIGN §5.13)."""

from datetime import timedelta
from typing import Any

import orjson

from app.core.presses import AttendanceConfirmed
from app.core.readiness import Card, readiness
from app.core.record import build_record
from app.core.record_parts import ChecklistFacts, ChecklistLine, Named, Record
from app.store import notes
from app.web.pages.visit import Visit


def record_of(visit: Visit) -> Record:
    """The record as it is now, with every name the visitor may see."""
    session = visit.here
    card = readiness(session, visit.house.pack, visit.now)
    return build_record(session, visit.now, session.names, _checklist(visit, card))


def _checklist(visit: Visit, card: Card) -> ChecklistFacts:
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
                excepted_by=Named(item.exception.by, visit.name(item.exception.by))
                if item.exception is not None
                else None,
                excepted_why=item.exception.reason if item.exception else "",
            )
            for item in card.items
        ),
    )


async def freeze_record(visit: Visit) -> None:
    """Keep the record as it is and write down that it was confirmed."""
    store, me, now = visit.house.store, visit.person_id, visit.now
    content = orjson.dumps(record_of(visit), default=_plain)
    kept = await store.write(
        lambda db: notes.freeze(db, store, visit.session_id, content, me, now)
    )
    await visit.press(AttendanceConfirmed(at=now, by=me, version=kept.version))


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    raise TypeError(type(value).__name__)
