"""What has been kept long enough, class by class (docs/data-inventory.md has the table).

Each function erases what is older than ``before`` and nothing else. The caller knows how
long each class lasts.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, or_, select

from app.store.log import deliveries, last_seen, log, meetings, personal, quarantine
from app.store.rooms import links
from app.store.sessions import sessions

_AT_ONCE = 500


def forget_deliveries(db: Connection, before: datetime) -> None:
    """Delete what is left of a webhook; each platform's latest stays as its last sign."""
    newer = deliveries.alias()
    latest = (
        select(func.max(newer.c.received_at))
        .where(newer.c.platform == deliveries.c.platform)
        .scalar_subquery()
    )
    db.execute(
        delete(deliveries).where(
            deliveries.c.received_at < before, deliveries.c.received_at < latest
        )
    )


def forget_refused(db: Connection, before: datetime) -> None:
    """Delete the hashes of what was refused."""
    db.execute(delete(quarantine).where(quarantine.c.received_at < before))


def forget_looks(db: Connection, before: datetime) -> None:
    """Delete the last look at a room that nobody has looked at since."""
    db.execute(
        delete(last_seen).where(
            *(
                or_(column.is_(None), column < before)
                for column in (last_seen.c.proof_at, last_seen.c.failing_since)
            )
        )
    )


def forget_addresses(db: Connection, before: datetime) -> None:
    """Erase the ways into sessions that ended before then: personal links, rooms."""
    ended = select(sessions.c.id).where(sessions.c.ends_at < before)
    db.execute(
        links.update()
        .where(links.c.session_id.in_(ended), links.c.url_sealed.is_not(None))
        .values(url_sealed=None)
    )
    db.execute(
        meetings.update()
        .where(
            meetings.c.session_id.in_(ended), meetings.c.join_url_sealed.is_not(None)
        )
        .values(join_url_sealed=None)
    )


def unbound(db: Connection, before: datetime) -> list[str]:
    """Refs of old facts about meetings that never became a session's."""
    return list(db.scalars(select(log.c.ref).where(log.c.heard_at < before, _loose())))


def parts(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    """In portions that hold the store up for no noticeable time."""
    for start in range(0, len(refs), _AT_ONCE):
        yield refs[start : start + _AT_ONCE]


def forget_unbound(db: Connection, refs: Sequence[str]) -> None:
    """Delete these facts, but none whose meeting was bound meanwhile."""
    still = list(db.scalars(select(log.c.ref).where(log.c.ref.in_(refs), _loose())))
    for table in (log, personal):
        db.execute(delete(table).where(table.c.ref.in_(still)))


def _loose() -> Any:
    ours = exists().where(
        meetings.c.platform == log.c.platform,
        meetings.c.meeting_id == log.c.meeting_id,
    )
    return and_(log.c.session_id.is_(None), ~ours)
