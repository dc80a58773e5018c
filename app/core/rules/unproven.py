"""Who might be on the list, for all that could be told: asked about, never put out (I4).

A live list tells no personal link (platforms' dashboards reference), so whoever's own
news was lost, or comes late, looks there like somebody nobody invited. And a meeting for
which no link was ever given out lets nobody prove that they were.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from app.core.actions import Level, WakeAt, Wish
from app.core.connections import MarkKind
from app.core.events import Source
from app.core.rules.here import Here, alert, ask, first_few, one_a_minute
from app.core.session import GroupSession

NEWS_MAY_TRAIL = timedelta(seconds=10)
"""So long the list may be ahead of the news of a join before anybody is asked."""

_TELLS_THE_LINK = frozenset(
    {
        MarkKind.WAITING,
        MarkKind.STOPPED_WAITING,
        MarkKind.ADMITTED,
        MarkKind.HELD,
        MarkKind.JOINED,
        MarkKind.BREAKOUT_JOINED,
        MarkKind.BREAKOUT_LEFT,
        MarkKind.LEFT,
    }
)


def is_proven(session: GroupSession, person: Here) -> bool:
    """Whether we know that this connection came in by none of our links, or by one."""
    connection, meeting_id = person.connection, person.instance.ref.meeting_id
    if all(link.meeting_id != meeting_id for link in session.links.values()):
        return False
    return bool(connection.registrant_id) or any(
        mark.kind in _TELLS_THE_LINK and mark.source is not Source.POLL
        for mark in connection.marks
    )


def questions(people: Sequence[Here], now: datetime) -> Iterator[Wish]:
    """Ask who these are, once their news is late."""
    late = []
    for person in people:
        due = person.since + NEWS_MAY_TRAIL
        if now < due:
            yield WakeAt(due, "is there news of who this is?")
        else:
            late.append(person)
    reason = "Somebody is in the room, and nothing tells who it is."
    for person in first_few(late):
        yield ask(
            person,
            "who_are_you",
            rule="entry.stranger_in_room",
            clause="I2",
            reason=f"{reason} Ask who it is, and say so here.",
        )
    for episode, person in one_a_minute(late):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.stranger_in_room",
            clause="I2",
            reason=reason,
            what_to_do="Say who it is, or remove them yourself if nobody knows them.",
            episode=f"unproven:{episode}",
        )
