"""Two workers, one of them leading (guidance S2, S3, U1-U3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    Expect,
    Level,
    WakeAt,
    Wish,
)
from app.core.connections import Stay
from app.core.rooms import (
    Room,
    covered_since,
    rooms,
    stays_of,
    who_is_who,
    worker_stays,
)
from app.core.session import GroupSession, Instance

LEAD_MISSED_AFTER = timedelta(seconds=30)


def too_few(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Fewer verified workers than the policy wants while a client is there."""
    for instance in session.live():
        since = short_since(session, instance)
        if since is None or session.closing is not None:
            continue
        yield AlertStaff(
            key=f"two_workers.too_few:{instance.ref.instance}:{since.isoformat()}",
            reason=(
                f"Fewer than {session.policy.workers_needed} verified workers are in the "
                "call."
            ),
            clause="S2",
            rule="two_workers.too_few",
            level=Level.AMBER,
            audience=Audience.STANDBY,
            what_to_do="The missing or standby worker joins now.",
        )


def short_since(session: GroupSession, instance: Instance) -> datetime | None:
    """Since when too few workers are with at least one client; None when all is well."""
    return session.remember_room(
        f"two_workers.short:{instance.ref.instance}",
        lambda: _short_since(session, instance),
    )


def _short_since(session: GroupSession, instance: Instance) -> datetime | None:
    known = who_is_who(session, instance)
    here = [
        room for room in rooms(session) if room.instance is instance and room.at_risk
    ]
    if not here:
        return None
    workers = worker_stays(session, instance)
    needed = session.policy.workers_needed
    if len({person for person, stay in workers if stay.end is None}) >= needed:
        return None
    clients = covered_since(
        (s for _, s in stays_of(instance, known, workers=False)),
        session.policy.grace,
    )
    enough_until = _last_time_enough(workers, needed)
    moments = [m for m in (clients, enough_until) if m is not None]
    return max(moments, default=None)


def _last_time_enough(workers: list[tuple[str, Stay]], needed: int) -> datetime | None:
    """The last moment at which that many different workers were there together."""
    ends = sorted(
        (stay.end for _, stay in workers if stay.end is not None), reverse=True
    )
    for moment in ends:
        there = {
            person
            for person, stay in workers
            if stay.begins < moment and (stay.end is None or stay.end >= moment)
        }
        if len(there) >= needed:
            return moment
    return None


def one_to_one_by_accident(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """One worker alone with one client in a room is its own alarm (guidance U3, 001.2)."""
    for room in rooms(session):
        if len({p.standing.person_id for p in room.workers}) != 1:
            continue
        persons = {p.standing.person_id or p.connection.key for p in room.at_risk}
        if len(persons) != 1:
            continue
        since = _last_change(room)
        yield AlertStaff(
            key=f"two_workers.alone_with_one:{room.instance.ref.instance}:"
            f"{room.name}:{since.isoformat()}",
            reason="One worker is alone with one young person.",
            clause="U3",
            rule="two_workers.one_to_one_by_accident",
            level=Level.AMBER,
            audience=Audience.STANDBY,
            what_to_do="A second worker joins now, or the worker closes the call kindly.",
        )


def _last_change(room: Room) -> datetime:
    moments = [p.since for p in room.people if p.since is not None]
    for connection in room.instance.connections.values():
        for stay in connection.whereabouts(room.instance.closed_at).stays:
            if stay.room == room.name and stay.end is not None:
                moments.append(stay.end)
    return max(moments)


def lead_lost(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The lead dropped out or never came: another worker accepts the lead in one press."""
    if session.plan is None or session.closing is not None:
        return
    for instance in session.live():
        stays = worker_stays(session, instance)
        here = {person for person, stay in stays if stay.end is None}
        lead = session.lead_id
        if not here or lead in here:
            continue
        ends = [s.end for person, s in stays if person == lead and s.end is not None]
        gone_at = max(ends, default=session.plan.starts_at)
        due = gone_at + LEAD_MISSED_AFTER
        if now < due:
            yield WakeAt(due, "the lead may come back")
            continue
        yield AskWorker(
            key=f"two_workers.lead:{instance.ref.instance}:{gone_at.isoformat()}",
            reason="The lead worker is not in the call. Please take over the lead.",
            clause="S3",
            rule="two_workers.lead_lost",
            meeting=instance.ref,
            press="accept_lead",
            until=Expect.TICK,
        )


RULES = (
    ("two_workers.too_few", too_few),
    ("two_workers.one_to_one_by_accident", one_to_one_by_accident),
    ("two_workers.lead_lost", lead_lost),
)
