"""The waiting room in the record: when somebody stood at the door."""

from datetime import datetime

from app.core.connections import Connection, MarkKind
from app.core.spans import Span, minus

_AT_DOOR = frozenset({MarkKind.WAITING, MarkKind.SEEN_WAITING, MarkKind.HELD})


def at_door(
    connection: Connection, ended_at: datetime | None, now: datetime
) -> tuple[Span, ...]:
    """When this connection waited to be let in; the room itself never counts."""
    found: list[Span] = []
    since: datetime | None = None
    for mark in connection.marks:
        if ended_at is not None and mark.at >= ended_at:
            break
        if mark.kind in _AT_DOOR:
            since = since or mark.at
        elif since is not None:
            found.append(Span(since, mark.at))
            since = None
    last = min(now, ended_at) if ended_at is not None else now
    if since is not None:
        found.append(Span(since, last))
    inside = [
        Span(stay.start, stay.end or now)
        for stay in connection.whereabouts(ended_at).stays
        if stay.start is not None
    ]
    return minus([Span(s.start, min(s.end, last)) for s in found], inside)
