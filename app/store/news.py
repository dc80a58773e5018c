"""What came into the log since: for processes that share it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.core.presses import MeetingBound
from app.store.log import log

BOUND = MeetingBound.__name__


@dataclass(frozen=True, slots=True)
class News:
    """Whom it concerns: sessions by id, meetings as (platform, meeting id).

    ``last``: the place in the log it goes up to. ``bound``: whether a meeting was bound.
    """

    last: int
    sessions: Sequence[str] = ()
    meetings: Sequence[tuple[str, str]] = ()
    bound: bool = False


def end_of(db: Connection) -> int:
    """The last place in the log."""
    return int(db.execute(select(func.max(log.c.seq))).scalar() or 0)


def since(db: Connection, place: int) -> News:
    """What came after that place. Numbers appear in order (app.store.on_postgresql)."""
    rows = db.execute(
        select(
            log.c.session_id,
            log.c.platform,
            log.c.meeting_id,
            func.max(log.c.seq).label("last"),
            func.bool_or(log.c.kind == BOUND).label("bound"),
        )
        .where(log.c.seq > place)
        .group_by(log.c.session_id, log.c.platform, log.c.meeting_id)
    ).all()
    return News(
        last=max((row.last for row in rows), default=place),
        sessions=[row.session_id for row in rows if row.session_id],
        meetings=[(row.platform, row.meeting_id) for row in rows if row.meeting_id],
        bound=any(row.bound for row in rows),
    )
