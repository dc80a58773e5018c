"""Checks of the meeting's *effective* settings (guidance T1, T7, S8, 001.4, A5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.facts import MeetingFacts
from app.core.gates import recording_gate
from app.core.readiness_items.finding import Check, Finding, Result, listed, passed
from app.core.readiness_items.plain_settings import SETTINGS, unreadable
from app.core.session import GroupSession

READ_AT_LEAST_EVERY = timedelta(hours=24)
"""Settings are read at T-24 h at the latest (DESIGN §5, line 3)."""


def invite_only(_: GroupSession, facts: MeetingFacts) -> Finding:
    """Personal links approved by us, or signing in to a known account (guidance S8)."""
    ways = (facts.invite_only, facts.sign_in_required)
    if True in ways:
        how = "personal links" if facts.invite_only else "signing in"
        return Finding(Result.OK, f"Only invited people, by {how}.")
    if None in ways:
        return unreadable("Whether only invited people can come")
    return Finding(Result.FAULT, "Anyone who has the link can come: no personal links.")


def link_private(session: GroupSession, facts: MeetingFacts) -> Finding:
    """The link is neither published by us nor shown by the platform (guidance S8)."""
    if session.plan is not None and session.plan.link_is_public:
        return Finding(Result.FAULT, "The plan says that the link was made public.")
    if any(instance.leaked_at for instance in session.instances.values()):
        return Finding(Result.FAULT, "The platform found the link in public.")
    if facts.link_hidden is None:
        return unreadable("Whether the meeting shows its link")
    return passed(
        facts.link_hidden,
        f"The meeting shows its link to everybody: {_on(not facts.link_hidden)}.",
    )


def own_room(session: GroupSession, facts: MeetingFacts) -> Finding:
    """Neither a personal nor a returning room (DESIGN §5, line 16)."""
    faults = [
        sentence
        for found, sentence in (
            (facts.personal_room, "This is somebody's personal room"),
            (facts.recurring, "This room comes back with the same link"),
            (
                bool(session.bindings) and session.bindings[-1].watch_only,
                "Chaperone only watches this room",
            ),
        )
        if found
    ]
    if faults:
        return Finding(Result.FAULT, listed(faults))
    if None in (facts.personal_room, facts.recurring):
        return unreadable("Whether the room is used for this session only")
    return Finding(Result.OK, "The room was made for this session only.")


def automatic_recording(session: GroupSession, facts: MeetingFacts) -> Finding:
    """Off, unless a reason and everybody's consent are recorded (T7, 001.10)."""
    if facts.auto_recording is None:
        return unreadable("Automatic recording")
    if not facts.auto_recording:
        return Finding(Result.OK, "Automatic recording: off.")
    why_not = recording_gate(session.plan)
    if why_not:
        return Finding(Result.FAULT, listed(["Automatic recording: on", *why_not]))
    return Finding(
        Result.OK, "Automatic recording: on, with a reason and everybody's consent."
    )


def rename(session: GroupSession, facts: MeetingFacts) -> Finding:
    """As the policy wants; where no platform answers, a worker's tick counts (T2)."""
    if session.policy.rename_allowed:
        return Finding(Result.OK, "The policy lets people change their own name.")
    if facts.rename_possible is not None:
        return passed(
            not facts.rename_possible,
            f"Changing one's own name: {_on(facts.rename_possible)}.",
        )
    tick = session.ticks.get("rename_decided")
    if tick is not None and tick.ticked and tick.by:
        return Finding(Result.OK, "The platform does not say; a worker has looked.")
    return unreadable("Changing one's own name")


def meeting(session: GroupSession, now: datetime) -> Finding:
    """A meeting is bound to the session and the platform knows it (invariant I5)."""
    if not session.bindings:
        return Finding(Result.FAULT, "No meeting belongs to this session.", None, now)
    if session.facts is None or session.facts.exists is None:
        return unreadable("Whether the meeting exists")
    found = passed(
        session.facts.exists,
        "The meeting exists on the platform."
        if session.facts.exists
        else "The platform does not know this meeting.",
    )
    return _aged(found, session, now)


def settings_read(session: GroupSession, now: datetime) -> Finding:
    """What we know is young enough to be relied on (guidance 002.12)."""
    old = _outdated(session, now)
    if old:
        return Finding(Result.UNKNOWN, old, None, session.facts_at)
    return Finding(
        Result.OK,
        "The settings were read within the last 24 hours.",
        None,
        session.facts_at,
    )


SettingCheck = Callable[[GroupSession, MeetingFacts], Finding]

_OWN: dict[str, SettingCheck] = {
    "invite_only": invite_only,
    "link_private": link_private,
    "own_room": own_room,
    "automatic_recording": automatic_recording,
    "rename": rename,
}


def _read(look: SettingCheck, what: str) -> Check:
    """Make a check of the facts: unknown while there are none, or while they are old."""

    def check(session: GroupSession, now: datetime) -> Finding:
        if session.facts is None:
            return unreadable(what)
        return _aged(look(session, session.facts), session, now)

    return check


def _aged(found: Finding, session: GroupSession, now: datetime) -> Finding:
    # A fault stays a fault however old; only "all well" needs a fresh look.
    old = _outdated(session, now) if found.result is Result.OK else ""
    result = Result.UNKNOWN if old else found.result
    evidence = f"{found.evidence} {old}".strip()
    return replace(found, result=result, evidence=evidence, checked_at=session.facts_at)


def _outdated(session: GroupSession, now: datetime) -> str:
    read_at = session.facts_at
    if read_at is None:
        return "The settings were never read."
    if now - read_at > READ_AT_LEAST_EVERY:
        hours = int((now - read_at) / timedelta(hours=1))
        return f"The settings were last read {hours} hours ago."
    if session.bindings and session.bindings[-1].at > read_at:
        return "The settings were read before this meeting was chosen."
    if any(i.changed_at and i.changed_at > read_at for i in session.instances.values()):
        return "The meeting was changed after its settings were read."
    return ""


def _on(value: bool) -> str:
    return "on" if value else "off"


CHECKS: dict[str, Check] = {
    "meeting": meeting,
    "settings_read": settings_read,
    **{name: _read(setting.look, setting.what) for name, setting in SETTINGS.items()},
    **{name: _read(look, "This setting") for name, look in _OWN.items()},
}
