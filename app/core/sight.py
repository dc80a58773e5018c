"""Whether we can see the room, and since when not (DESIGN §5, line 8)."""

from datetime import datetime, timedelta

from app.core.events import SightLost, SightRegained, Source
from app.core.rooms import rooms
from app.core.session import GroupSession, Instance

SLACK = timedelta(seconds=5)


def interval(session: GroupSession, instance: Instance) -> timedelta:
    """The gap between looks at this instance now (P of the safety-time budget)."""
    policy = session.policy
    here = [room for room in rooms(session) if room.instance is instance]
    if any(room.unsafe_since is not None for room in here):
        return policy.poll_unsafe
    workers = {p.standing.person_id for room in here for p in room.workers}
    if len(workers) <= 1 or policy.grace == timedelta(0):
        return policy.poll_watchful
    return policy.poll_calm


def blind_at(
    session: GroupSession, instance: Instance
) -> tuple[datetime, datetime, str]:
    """(not seen since, blind from, why), if nothing more is heard from now on."""
    policy = session.policy
    if instance.failing_since is not None:
        since = instance.failing_since
        return since, since + policy.blind_after, "The platform does not answer us."
    opened = opened_at(instance)
    if session.hands.live_roster is False:
        if instance.connections:
            # Only the meeting's own status is watched here: the weaker promise.
            heard = (instance.heard_at, instance.checked_at, opened)
            proof = max(m for m in heard if m is not None)
            allowed = policy.poll_calm + 2 * policy.call_deadline + SLACK
            return proof, proof + max(allowed, policy.blind_after), "No news."
        why = "The meeting runs and no webhook has come."
        return opened, opened + policy.blind_after, why
    proof = max(instance.proof_at or opened, opened)
    allowed = interval(session, instance) + 2 * policy.call_deadline + SLACK
    return proof, proof + allowed, "The room has not been read for too long."


def opened_at(instance: Instance) -> datetime:
    """When we first knew that a live instance runs. Raises ValueError for another."""
    if instance.opened_at is None:
        raise ValueError("this instance never opened")
    return instance.opened_at


def is_lost(instance: Instance) -> bool:
    """Whether the log says that we are blind now."""
    return bool(instance.sight) and instance.sight[max(instance.sight)] == "lost"


def changes(session: GroupSession, now: datetime) -> list[SightLost | SightRegained]:
    """The facts to add to the log, now that it is this late."""
    found: list[SightLost | SightRegained] = []
    for instance in session.live():
        since, blind_from, why = blind_at(session, instance)
        if now >= blind_from and not is_lost(instance):
            last = max(instance.sight, default=None)
            start = (
                since if last is None else max(since, last + timedelta(microseconds=1))
            )
            found.append(
                SightLost(meeting=instance.ref, at=start, source=Source.POLL, why=why)
            )
        elif now < blind_from and is_lost(instance):
            found.append(
                SightRegained(meeting=instance.ref, at=now, source=Source.POLL)
            )
    return found
