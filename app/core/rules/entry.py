"""Who comes in: strangers, callers, and clients who are not ready to join.

Invariants I2 (who must not be there is out) and I4 (never a worker, never a listed
client without a worker's press); guidance S8, T8, T9. What links, names and host rights
give away is in :mod:`app.core.rules.links` and :mod:`app.core.rules.likeness`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import (
    AlertStaff,
    Audience,
    HoldParticipant,
    Level,
    RemoveParticipant,
    WakeAt,
    Wish,
)
from app.core.gates import has_one_to_one
from app.core.identity import Who
from app.core.readiness import one_to_one_excepted
from app.core.rules import likeness, links, unproven
from app.core.rules.here import (
    Here,
    alert,
    ask,
    at_the_door,
    first_few,
    inside,
    one_a_minute,
)
from app.core.session import GroupSession, Instance

_MINUTE = timedelta(minutes=1)
_FLOOD_IS_NEWS_AGAIN = 10


def stranger_in_room(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Whoever is not on the list goes out at once, and again when they return (I2, S8).

    A recorder or note-taker is treated alike (N21). Bounded by
    ``policy.removals_per_minute`` for each instance; beyond it the workers lock the room.
    Who may be a client who had no way to prove it is asked about instead (I4).
    """
    found = list(inside(session, Who.STRANGER, Who.RECORDER))
    if not found:
        return
    proven = [unproven.is_proven(session, person) for person in found]
    strangers = [p for p, is_proven in zip(found, proven, strict=True) if is_proven]
    others = [p for p, is_proven in zip(found, proven, strict=True) if not is_proven]
    yield from unproven.questions(others, now)
    for instance in session.live():
        here = [person for person in strangers if person.instance is instance]
        here.sort(key=lambda person: not person.has_host_rights)
        if here:
            yield from _remove_some(session, instance, here, now)
    for episode, person in one_a_minute(strangers):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.stranger_in_room",
            clause="I2",
            reason="Somebody who is not on this session's list is in the room.",
            what_to_do=(
                "If they are still there in 15 seconds, remove them yourself. If they "
                "belong here, say who they are."
            ),
            episode=episode,
        )


def _remove_some(
    session: GroupSession, instance: Instance, here: list[Here], now: datetime
) -> Iterator[Wish]:
    limit = session.policy.removals_per_minute
    recent = recent_removals(session, instance, now)
    left = limit - len(recent)
    for person in here:
        wish = _remove(person)
        if wish.key not in session.actions:
            left -= 1
        if left < 0 and wish.key not in session.actions:
            yield _flood(instance, limit, now)
            yield WakeAt(min(recent, default=now) + _MINUTE, "removals may go on")
            return
        yield wish


def _remove(person: Here) -> RemoveParticipant:
    recorder = person.standing.who is Who.RECORDER
    return RemoveParticipant(
        key=f"entry.stranger:{person.episode}",
        reason=(
            "A recorder or note-taker nobody allowed is in the room."
            if recorder
            else "This person is not on this session's list."
        ),
        clause="N21" if recorder else "S8",
        rule="entry.stranger_in_room",
        **person.aim(),
    )


def recent_removals(
    session: GroupSession, instance: Instance, now: datetime
) -> list[datetime]:
    """When removals were wanted in this instance within the last minute."""
    return [
        fact.wanted_at
        for fact in session.actions.values()
        if fact.kind == RemoveParticipant.kind
        and fact.meeting == instance.ref
        and fact.wanted_at > now - _MINUTE
    ]


def _flood(instance: Instance, limit: int, now: datetime) -> AlertStaff:
    minute = now.minute - now.minute % _FLOOD_IS_NEWS_AGAIN
    since = now.replace(minute=minute, second=0, microsecond=0)
    return AlertStaff(
        key=f"entry.flood:{instance.ref.instance}:{since.isoformat()}",
        reason=f"Strangers keep coming: {limit} removals within one minute.",
        clause="I2",
        rule="entry.stranger_in_room",
        level=Level.RED,
        audience=Audience.WORKERS,
        what_to_do="Lock the meeting now, then check who is inside.",
    )


_AT_THE_DOOR = {
    Who.STRANGER: ("confirm_identity", "Somebody waits who is not on the list."),
    Who.RECORDER: ("confirm_identity", "A recorder or note-taker waits to be let in."),
    Who.PHONE: ("identify_phone", "A phone caller waits whom nobody has identified."),
    Who.DOUBTFUL: ("who_are_you", "Somebody waits, and it is not sure who it is."),
}


def stranger_at_the_door(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Ask about whoever waits and cannot be let in as they are (T1, S8, N20)."""
    unsure = [
        person
        for person in at_the_door(session, *_AT_THE_DOOR)
        if person.standing.who is not Who.PHONE or not person.standing.person_id
    ]
    for person in first_few(unsure):
        press, reason = _AT_THE_DOOR[person.standing.who]
        yield ask(
            person,
            press,
            rule="entry.stranger_at_the_door",
            clause="T1",
            reason=f"{reason} Do not admit them before you know who it is.",
        )
    for episode, person in one_a_minute(unsure):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.stranger_at_the_door",
            clause="T1",
            reason=_AT_THE_DOOR[person.standing.who][1],
            what_to_do="Do not admit them. If they belong here, say who they are first.",
            episode=episode,
        )


def phone_caller(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A caller is nobody until a worker says who it is, and never a worker (N20).

    With ``policy.hold_phone_callers`` they wait outside meanwhile.
    """
    # A telephone tied to a worker's own connection is known; it just does not count.
    callers = [p for p in inside(session, Who.PHONE) if not p.standing.person_id]
    if session.policy.hold_phone_callers:
        for person in callers:
            yield HoldParticipant(
                key=f"entry.hold_phone:{person.episode}",
                reason="A phone caller nobody has identified waits outside.",
                clause="N20",
                rule="entry.phone_caller",
                **person.aim(),
            )
    for person in first_few(callers):
        yield ask(
            person,
            "identify_phone",
            rule="entry.phone_caller",
            clause="N20",
            reason="A phone caller is in the room. Ask who it is, and say so here.",
        )
    for episode, person in one_a_minute(callers):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.phone_caller",
            clause="N20",
            reason="A phone caller nobody has identified is in the room.",
            what_to_do="Ask who it is. If nobody can tell, take them out.",
            episode=episode,
        )


def without_one_to_one(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A client without the talk that comes first waits outside, or a worker is asked (T9).

    Held once for each connection: a worker who lets them in again has decided.
    """
    yield from session.remember_room(
        "entry.without_one_to_one", lambda: tuple(_without_one_to_one(session))
    )


def _without_one_to_one(session: GroupSession) -> Iterator[Wish]:
    for person in inside(session, Who.CLIENT, Who.DOUBTFUL):
        person_id = person.standing.person_id
        client = session.plan.client(person_id) if session.plan is not None else None
        if client is None or has_one_to_one(session.policy, client):
            continue
        if one_to_one_excepted(session, person_id):
            continue
        reason = "This client has no one-to-one with a lead worker on file yet."
        key = f"{person.instance.ref.instance}:{person.connection.key}"
        yield HoldParticipant(
            key=f"entry.one_to_one:{key}",
            reason=reason,
            clause="T9",
            rule="entry.without_one_to_one",
            **person.aim(),
        )
        yield alert(
            person,
            Level.AMBER,
            rule="entry.without_one_to_one",
            clause="T9",
            reason=reason,
            what_to_do=(
                "Take them to the waiting room and talk first, or give an exception "
                "with your name and a reason."
            ),
        )


RULES = (
    ("entry.stranger_in_room", stranger_in_room),
    ("entry.stranger_at_the_door", stranger_at_the_door),
    ("entry.phone_caller", phone_caller),
    ("entry.without_one_to_one", without_one_to_one),
    *links.RULES,
    *likeness.RULES,
)
