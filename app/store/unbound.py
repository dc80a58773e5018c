"""Meetings that run now and belong to no session: "is this your session?" (DESIGN §5.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, and_, select

from app.store.log import log, meetings
from app.store.people import people

WINDOW = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Running:
    """A running meeting with this worker in it. ``seen_at``: their join."""

    platform: str
    meeting_id: str
    instance: str
    seen_at: datetime


def running_with(db: Connection, person_id: str, now: datetime) -> list[Running]:
    """Unbound meetings this worker joined by their own account and that have not ended."""
    account = db.execute(
        select(people.c.platform_user_id).where(people.c.id == person_id)
    ).scalar()
    if not account:
        return []
    rows = db.execute(
        select(
            log.c.platform,
            log.c.meeting_id,
            log.c.instance,
            log.c.kind,
            log.c.at,
            log.c.public,
        )
        .select_from(
            log.outerjoin(
                meetings,
                and_(
                    meetings.c.platform == log.c.platform,
                    meetings.c.meeting_id == log.c.meeting_id,
                ),
            )
        )
        .where(
            meetings.c.session_id.is_(None),
            log.c.session_id.is_(None),
            log.c.heard_at >= now - WINDOW,
            log.c.kind.in_(("ParticipantJoined", "MeetingEnded")),
        )
        .order_by(log.c.seq)
    )
    found: dict[tuple[str, str, str], Running] = {}
    ended = set()
    for row in rows:
        key = (row.platform, row.meeting_id, row.instance)
        if row.kind == "MeetingEnded":
            ended.add(key)
        elif orjson.loads(row.public).get("platform_user_id") == account:
            found.setdefault(key, Running(*key, row.at))
    return [one for key, one in found.items() if key not in ended]
