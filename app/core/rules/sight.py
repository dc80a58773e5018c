"""Silence is alarming: say within 30 s that we are blind, and what to do by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from app.core.actions import AlertStaff, Audience, Level, ReadRoom, WakeAt, Wish
from app.core.session import GroupSession, Instance
from app.core.sight import blind_at, is_lost

LOUD_AFTER = timedelta(seconds=60)
BY_HAND = (
    "Chaperone cannot see the room. Keep two workers in the call, count everybody "
    "yourselves every few minutes, admit nobody you do not know, and let the last worker "
    "end the meeting for everyone."
)


def blind(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Tell the workers at once, and the alarm contacts when it lasts a minute (I9)."""
    for instance in session.live():
        _, blind_from, why = blind_at(session, instance)
        if now < blind_from:
            yield WakeAt(blind_from, "blind unless the room is seen")
        if not is_lost(instance):
            continue
        lost_at = max(instance.sight)
        yield AlertStaff(
            key=f"sight.blind:{instance.ref.instance}:{lost_at.isoformat()}",
            reason=f"We cannot see the room. {why}",
            clause="I9",
            rule="sight.blind",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do=BY_HAND,
        )
        loud = lost_at + LOUD_AFTER
        if now < loud:
            yield WakeAt(loud, "still blind after a minute")
            continue
        yield AlertStaff(
            key=f"sight.blind_long:{instance.ref.instance}:{lost_at.isoformat()}",
            reason="We have not been able to see the room for a minute.",
            clause="I9",
            rule="sight.blind",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do=BY_HAND,
        )


def door_before_host(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody was reported inside before any host: look at the room now (zoom §4)."""
    for instance in session.live():
        at = instance.before_host_at
        if at is not None and (instance.proof_at is None or instance.proof_at < at):
            yield ReadRoom(
                key=f"sight.before_host:{instance.ref.instance}:{at.isoformat()}",
                reason="Somebody is inside before any worker: look at the room.",
                clause="I1c",
                rule="sight.door_before_host",
                meeting=instance.ref,
            )


def does_not_fit(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A leave without a join, or both at one moment: look at the room (W22, W24)."""
    for instance in session.live():
        at = session.remember_room(
            f"sight.doubt:{instance.ref.instance}",
            partial(_doubt_at, instance),
        )
        if at is not None and (instance.proof_at is None or instance.proof_at < at):
            yield ReadRoom(
                key=f"sight.does_not_fit:{instance.ref.instance}:{at.isoformat()}",
                reason="Somebody left whom we had not seen there: look at the room.",
                clause="I20",
                rule="sight.does_not_fit",
                meeting=instance.ref,
            )


def _doubt_at(instance: Instance) -> datetime | None:
    """When news about somebody last did not fit what was known of them."""
    ended = instance.closed_at
    doubts = [c.whereabouts(ended).doubt_at for c in instance.connections.values()]
    return max(filter(None, doubts), default=None)


RULES = (
    ("sight.blind", blind),
    ("sight.does_not_fit", does_not_fit),
    ("sight.door_before_host", door_before_host),
)
