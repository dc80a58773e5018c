"""What stands out in an attendance line: late, left early, removed, turned away."""

from collections.abc import Iterator
from datetime import datetime

from app.core.attendance_line import Flag, Line
from app.core.rules.follow_ups import is_forced_out
from app.core.session import GroupSession


def judged(session: GroupSession, line: Line, now: datetime) -> Iterator[Flag]:
    """The flags that follow from the times of a line, corrected or not."""
    if line.amendments:
        yield Flag.AMENDED
    if removed(session, line):
        yield Flag.REMOVED
    if not line.stays and not line.spans:
        yield from _never_in(session, line, now)
        return
    yield Flag.PRESENT
    if _late(session, line):
        yield Flag.LATE
    if _left_early(session, line, now):
        yield Flag.LEFT_EARLY
    if len(line.spans) > 1:
        yield Flag.RETURNED


def _never_in(session: GroupSession, line: Line, now: datetime) -> Iterator[Flag]:
    if line.waits:
        yield Flag.WAITING if line.waits[-1].end >= now else Flag.TURNED_AWAY
    plan = session.plan
    if line.expected and plan is not None and now >= plan.starts_at:
        yield Flag.ABSENT


def _late(session: GroupSession, line: Line) -> bool:
    plan = session.plan
    if plan is None or line.joined_at is None or not line.expected:
        return False
    return line.joined_at > plan.starts_at + session.policy.late_after


def _left_early(session: GroupSession, line: Line, now: datetime) -> bool:
    """Gone well before the end, once the end is known not to bring them back."""
    plan = session.plan
    if plan is None or line.left_at is None or not line.expected:
        return False
    end = plan.ends_at
    for pressed in (session.closing, session.closed):
        end = min(end, pressed[0]) if pressed is not None else end
    last = max(line.stays, key=lambda stay: stay.end or now, default=None)
    # Ended for everyone, or put out: not this person's choice.
    if (last is not None and last.cause == "ended") or removed(session, line):
        return False
    return now >= end and line.left_at < end - session.policy.left_early_before


def removed(session: GroupSession, line: Line) -> bool:
    """Put out by a worker, the bot or a host; the goodbye at closing does not count."""
    for fact in session.actions.values():
        if fact.kind != "remove_participant" or not is_forced_out(fact):
            continue
        theirs = fact.connection in line.connections or (
            line.person_id != "" and fact.person_id == line.person_id
        )
        if theirs and fact.confirmed_at is not None:
            return True
    goodbye = session.closing[0] if session.closing is not None else None
    return any(
        stay.cause == "removed"
        and stay.end is not None
        and (goodbye is None or stay.end < goodbye)
        for stay in line.stays
    )
