"""No young person stays in a call without a worker (guidance E1; I1, I1b, I1c).

The clock starts at the last *proof* of a worker, not when we noticed. A restart or a
client who leaves and returns never gives a second grace.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    EndCause,
    EndMeeting,
    Expect,
    HoldParticipant,
    Level,
    ReadRoom,
    TellWaitingRoom,
    WakeAt,
    Wish,
)
from app.core.events import MAIN_ROOM
from app.core.policy import LONGEST_GRACE, SHORTEST_FIRST_GRACE
from app.core.presses import ActionState
from app.core.rooms import Room, rooms
from app.core.session import GroupSession

HOLD_FIRST = timedelta(seconds=10)
STOPPED_TITLE = "This session has been stopped"
STOPPED_TEXT = (
    "No worker is in the call right now, so nobody is let in. You have done nothing wrong. "
    "A worker will be in touch. If you need to talk to somebody now, call Childline on "
    "0800 1111. In an emergency call 999."
)


def guard(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Alert at once, then hold where hands can, then end for all when grace is over."""
    for room in rooms(session):
        if room.unsafe_since is None:
            continue
        yield _alert(session, room)
        if room.name != MAIN_ROOM:
            yield _ask_for_breakout(room)
        due = deadline(session, room)
        if now < due:
            yield WakeAt(due, "grace of an unsupervised room")
            if heard_too_late(session, room):
                yield _look_first(room)
            continue
        yield from _clear(session, room, due, now)


def deadline(session: GroupSession, room: Room) -> datetime:
    """When a room has to be cleared (the safety-time budget; DESIGN §5, lines 7 and 12).

    ``room.unsafe_since`` must be set. Bounds hold whatever the policy says: E1 has
    times, but no off switch.
    """
    policy = session.policy
    since = room.unsafe_since
    if since is None:
        raise ValueError("a safe room has no deadline")
    heard, looked = _heard(room)
    if not room.worker_ever:
        due = since + _first_grace(session, room)
        if looked:
            return due
        # Without a live list there is no look to wait for that would show a worker.
        blind = session.hands.live_roster is False
        return max(
            due, heard + (policy.grace_late_news if blind else 2 * policy.poll_calm)
        )
    if heard_too_late(session, room):
        return heard + policy.grace_late_news
    return since + _grace(session)


def heard_too_late(session: GroupSession, room: Room) -> bool:
    """Whether the grace was over when the news came, and nobody looked since: the news
    may be older than a return of which we have not heard (DESIGN §5, line 12)."""
    since = room.unsafe_since
    if since is None or not room.worker_ever:
        return False
    heard, looked = _heard(room)
    return heard >= since + _grace(session) and heard > since and not looked


def _grace(session: GroupSession) -> timedelta:
    return max(timedelta(0), min(session.policy.grace, LONGEST_GRACE))


def _first_grace(session: GroupSession, room: Room) -> timedelta:
    """Before the first worker: G0, from when they came or were first seen.

    Whom only a look showed may have come right after the look before, and that was the
    last proof that nobody was alone (the safety-time budget).
    """
    policy = session.policy
    first = max(policy.grace_first_worker, SHORTEST_FIRST_GRACE)
    first = min(first, LONGEST_GRACE)
    if _came_unheard(room):
        unseen = policy.poll_calm + policy.call_deadline
        return max(first - unseen, SHORTEST_FIRST_GRACE)
    return first


def _came_unheard(room: Room) -> bool:
    """Whether it was a look that showed the first of them, and nobody told us since."""
    return any(
        stay.by_poll and stay.begins == room.unsafe_since
        for connection in room.instance.connections.values()
        for stay in connection.whereabouts(room.instance.closed_at).stays
    )


def _heard(room: Room) -> tuple[datetime, bool]:
    """When we had heard all that makes it unsafe, and whether we looked after that."""
    since = room.unsafe_since
    if since is None:
        raise ValueError("nothing makes this room unsafe")
    heard = max(since, room.news_at or since)
    proof = room.instance.proof_at
    return heard, proof is not None and proof >= heard


def _look_first(room: Room) -> ReadRoom:
    return ReadRoom(
        key=f"never_alone.look:{_episode(room)}",
        reason="The news is older than the grace: look at the room before acting.",
        clause="I8",
        rule="never_alone.guard",
        meeting=room.instance.ref,
    )


def _episode(room: Room) -> str:
    if room.unsafe_since is None:
        raise ValueError("a safe room has no episode")
    return f"{room.instance.ref.instance}:{room.name}:{room.unsafe_since.isoformat()}"


def _alert(session: GroupSession, room: Room) -> AlertStaff:
    grace = deadline(session, room) - (room.unsafe_since or deadline(session, room))
    where = "the call" if room.name == MAIN_ROOM else "a breakout room"
    return AlertStaff(
        key=f"never_alone.alert:{_episode(room)}",
        reason=f"Young people are in {where} and no worker is with them.",
        clause="E1",
        rule="never_alone.guard",
        level=Level.RED,
        audience=Audience.STANDBY,
        what_to_do=(
            "Join the call now. If no worker is back within "
            f"{int(grace.total_seconds())} seconds of the last one leaving, the call is "
            "ended for everyone."
        ),
    )


def _ask_for_breakout(room: Room) -> AskWorker:
    return AskWorker(
        key=f"never_alone.breakout:{_episode(room)}",
        reason="A breakout room holds young people and no worker.",
        clause="E1",
        rule="never_alone.guard",
        meeting=room.instance.ref,
        press="close_breakout",
        until=Expect.ROOM_SUPERVISED,
        room=room.name,
    )


def _clear(
    session: GroupSession, room: Room, due: datetime, now: datetime
) -> Iterator[Wish]:
    episode = _episode(room)
    yield TellWaitingRoom(
        key=f"never_alone.door:{episode}",
        reason="Tell everybody at the door that the session was stopped.",
        clause="I7",
        rule="never_alone.guard",
        meeting=room.instance.ref,
        title=STOPPED_TITLE,
        text=STOPPED_TEXT,
        not_after=due + timedelta(minutes=5),
    )
    if session.hands.hold_one:
        for person in room.at_risk:
            seat = person.connection
            yield HoldParticipant(
                key=f"never_alone.hold:{episode}:{seat.key}",
                reason="No worker came back in time: to the waiting room.",
                clause="E1",
                rule="never_alone.guard",
                meeting=room.instance.ref,
                connection=seat.key,
                person_id=person.standing.person_id,
                uuid=seat.uuid,
                user_id=seat.user_id,
                registrant_id=seat.registrant_id,
            )
        if now < due + HOLD_FIRST:
            yield WakeAt(due + HOLD_FIRST, "held before ended")
            return
    yield EndMeeting(
        key=f"never_alone.end:{episode}",
        reason="No worker came back in time, so the call is ended for everyone.",
        clause="E1",
        rule="never_alone.guard",
        meeting=room.instance.ref,
        cause=EndCause.NEVER_ALONE,
    )


def end_does_not_work(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The first failed or unproved end goes to the safeguarding lead (I6, I9, P10)."""
    for fact in session.actions.values():
        if fact.kind != EndMeeting.kind or fact.state is not ActionState.SENT:
            continue
        instance = session.instances.get(fact.meeting) if fact.meeting else None
        if instance is not None and instance.closed_at is not None:
            continue
        proved_by = (fact.sent_at or fact.moved_at) + 2 * session.policy.verify_after
        if not fact.problem and now < proved_by:
            yield WakeAt(proved_by, "is the room proved empty?")
            continue
        yield AlertStaff(
            key=f"never_alone.not_ended:{fact.key}",
            reason="The platform has not ended the call yet. We keep trying.",
            clause="I6",
            rule="never_alone.end_does_not_work",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do=(
                "Join the call now and end it for everyone, or telephone a worker who can."
            ),
        )


def race(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The clear met a worker who was just coming back: say so at once (I8)."""
    if session.closed is not None:
        return
    for fact in session.actions.values():
        if fact.kind != EndMeeting.kind or not fact.race:
            continue
        if session.since_resume(fact.sent_at or fact.wanted_at):
            continue
        yield AlertStaff(
            key=f"never_alone.race:{fact.key}",
            reason=(
                "The call was ended in the same moment as a worker came back. The "
                "personal links work again."
            ),
            clause="I8",
            rule="never_alone.race",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Press Resume, open the call again and let everybody back in.",
        )


RULES = (
    ("never_alone.guard", guard),
    ("never_alone.race", race),
    ("never_alone.end_does_not_work", end_does_not_work),
)
