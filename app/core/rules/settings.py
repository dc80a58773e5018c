"""A setting that turns unsafe while the session is live (guidance T1, T7, S8, A5).

The rules read the latest facts of the meeting (read every five minutes and on each
change) and what the room itself reported. They never touch a person.
"""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    Level,
    ReadRoom,
    Wish,
)
from app.core.policy import Weight
from app.core.presses import ActionState
from app.core.readiness import exception_of
from app.core.readiness_items import CHECKS
from app.core.readiness_items.finding import Result, listed
from app.core.rules import recording
from app.core.session import GroupSession, Instance

WATCHED: dict[str, Level] = {
    "workers_admit": Level.RED,
    "join_before_host": Level.RED,
    "invite_only": Level.RED,
    "automatic_recording": Level.AMBER,
    "live_stream": Level.AMBER,
    "screen_share": Level.AMBER,
    "remote_control": Level.AMBER,
    "private_chat": Level.AMBER,
    "file_transfer": Level.AMBER,
    "lasting_chat": Level.AMBER,
}
"""Checklist items whose setting is watched while live; RED lets strangers in."""


def waiting_room_off(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The waiting room is off while people are there: anybody walks in (T1, A5)."""
    facts = session.facts
    if facts is None or facts.waiting_room_for_everyone is not False:
        return
    if _accepted(session, "waiting_room", Level.RED):
        return
    for instance in _live(session):
        begin = f"settings.waiting_room_off:{instance.ref.instance}:"
        episode = _episode(session, begin)
        reason = "The waiting room is off: anybody with a link walks straight in."
        yield AskWorker(
            key=f"settings.ask_waiting_room:{instance.ref.instance}:{episode}",
            reason=reason,
            clause="T1",
            rule="settings.waiting_room_off",
            meeting=instance.ref,
            press="switch_waiting_room_on",
        )
        yield AlertStaff(
            key=f"{begin}{episode}",
            reason=reason,
            clause="T1",
            rule="settings.waiting_room_off",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "The host switches the waiting room on in the meeting's security menu "
                "and looks who is in the room."
            ),
        )


def weakened(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Another setting is unsafe while live, and nobody accepted that (A5)."""
    if session.facts is None:
        return
    # A fault stays one however old it is (readiness_items.settings): `now` changes nothing.
    found = session.remember_room("settings.faults", lambda: _faults(session, now))
    if not found:
        return
    items = "+".join(item for item, _, _ in found)
    for instance in _live(session):
        begin = f"settings.weakened:{instance.ref.instance}:{items}:"
        yield AlertStaff(
            key=f"{begin}{_episode(session, begin)}",
            reason=listed(evidence for _, _, evidence in found),
            clause="A5",
            rule="settings.weakened",
            level=max(level for _, level, _ in found),
            audience=Audience.WORKERS,
            what_to_do="Mend the setting on the checklist page, or in the meeting.",
        )


def _faults(session: GroupSession, now: datetime) -> list[tuple[str, Level, str]]:
    return [
        (item, level, finding.evidence)
        for item, level in WATCHED.items()
        if (finding := CHECKS[item](session, now)).result is Result.FAULT
        and not _accepted(session, item, level)
    ]


def in_before_host(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody was let in before any host: the setting is not what it should be (T1)."""
    for instance in session.live():
        at = instance.before_host_at
        if at is None:
            continue
        yield AlertStaff(
            key=f"settings.in_before_host:{instance.ref.instance}:{at.isoformat()}",
            reason="Somebody was in the meeting before any host.",
            clause="T1",
            rule="settings.in_before_host",
            level=Level.RED,
            audience=Audience.STANDBY,
            what_to_do="A worker joins now, and switches off joining before the host.",
        )


def unreadable_news(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """News that nobody could read may have been a safety fact: look (DESIGN §5, line 10).

    The room is read for each; the administrator is told once per meeting.
    """
    for instance in session.live():
        at = instance.unreadable_at
        if at is None:
            continue
        reason = "The platform sent news that we could not read."
        if instance.proof_at is None or instance.proof_at < at:
            yield ReadRoom(
                key=f"settings.look:{instance.ref.instance}:{at.isoformat()}",
                reason=reason,
                clause="I20",
                rule="settings.unreadable_news",
                meeting=instance.ref,
            )
        yield AlertStaff(
            key=f"settings.unreadable_news:{instance.ref.instance}",
            reason=reason,
            clause="I20",
            rule="settings.unreadable_news",
            level=Level.AMBER,
            audience=Audience.OPERATOR,
            what_to_do="Look at the stored message; the platform may have changed.",
        )


def _live(session: GroupSession) -> Iterator[Instance]:
    """Live instances of the meeting whose settings were read: the one bound last."""
    for instance in session.live():
        if instance.ref.meeting_id == session.bindings[-1].meeting_id:
            yield instance


def _accepted(session: GroupSession, item: str, level: Level) -> bool:
    """Whether the organisation, or a named person where one may, took this on."""
    weight = session.policy.weights.get(item)
    if weight is Weight.INFORM:
        return True
    if level is Level.RED and weight is not Weight.WARN:
        return False
    return weight is not Weight.BLOCK and exception_of(session, item) is not None


def _episode(session: GroupSession, begin: str) -> str:
    """When this episode began: the read that found it.

    Settings are read again and again while one stays unsafe. An alarm that rings, or
    was acknowledged after the latest read, goes on as it is; a read that still finds it
    unsafe after the acknowledgement rings anew.
    """
    read_at = session.facts_at
    found = read_at.isoformat() if read_at is not None else ""
    rung = max((key for key in session.actions if key.startswith(begin)), default="")
    if not rung or session.actions[rung].state is ActionState.WITHDRAWN:
        return found
    heard = session.acknowledged.get(rung)
    if heard is not None and read_at is not None and heard[0] < read_at:
        return found
    return rung.removeprefix(begin)


RULES = (
    ("settings.waiting_room_off", waiting_room_off),
    ("settings.weakened", weakened),
    ("settings.in_before_host", in_before_host),
    ("settings.unreadable_news", unreadable_news),
    *recording.RULES,
)
