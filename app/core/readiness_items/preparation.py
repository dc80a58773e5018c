"""Checks of what was prepared: purpose, plan, rules, contacts and times."""

from datetime import datetime, timedelta

from app.core.plan import HEADINGS, Plan
from app.core.readiness_items.finding import (
    Check,
    Finding,
    Result,
    listed,
    passed,
    planned,
)
from app.core.session import GroupSession

ALARM_CONTACTS = 2
"""Two, so that one unread telephone is not the end of it (I9, A18)."""

LONGEST_SESSION = timedelta(hours=12)
"""Past this a slip of the pen is likelier than a group session."""


def purpose(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """A clear purpose is written down (guidance S1)."""
    written = bool(plan.purpose.strip())
    return passed(written, f"Purpose written down: {'yes' if written else 'no'}.")


def segments(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """The session has a structure (guidance S7)."""
    return passed(plan.segments > 0, f"Parts in the plan: {plan.segments}.")


def ground_rules(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """The group's own rules stand under all four headings (guidance T3)."""
    covered = {r.heading for r in plan.ground_rules.rules if r.text.strip()}
    missing = [heading for heading in HEADINGS if heading not in covered]
    if missing:
        return Finding(Result.FAULT, f"No agreed rule about: {', '.join(missing)}.")
    rules = plan.ground_rules
    return Finding(
        Result.OK, f"{len(rules.rules)} agreed rules, version {rules.version}."
    )


def emergency_contacts(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """The emergency line and a number for the session are given out (B3, H4, U16)."""
    there = plan.emergency_contacts
    return passed(there, f"Emergency contacts on file: {'yes' if there else 'no'}.")


def alarm_contacts(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """Somebody hears an alarm, and somebody else when they do not (I9, A18)."""
    count = plan.alarm_contacts_confirmed
    told = f"Alarm contacts confirmed: {count}; needed: {ALARM_CONTACTS}."
    if count >= ALARM_CONTACTS and plan.alarm_channels == 1:
        told += " All are reached by the same way: if it fails, nobody hears."
    return passed(count >= ALARM_CONTACTS, told)


def time_window(session: GroupSession, plan: Plan, _: datetime) -> Finding:
    """The end follows the start, and the meeting is watched from start to end (B1, I5)."""
    length = plan.ends_at - plan.starts_at
    faults: list[str] = []
    if length <= timedelta(0):
        faults.append("The session ends before it starts")
    elif length > LONGEST_SESSION:
        faults.append("The session is longer than 12 hours")
    if session.bindings:
        bound = session.bindings[-1]
        if bound.opens_at > plan.starts_at or bound.closes_at < plan.ends_at:
            faults.append("The meeting is not watched for the whole session")
    if faults:
        return Finding(Result.FAULT, listed(faults))
    return Finding(
        Result.OK, f"Planned for {int(length / timedelta(minutes=1))} minutes."
    )


CHECKS: dict[str, Check] = {
    "purpose": planned(purpose),
    "segments": planned(segments),
    "ground_rules": planned(ground_rules),
    "emergency_contacts": planned(emergency_contacts),
    "alarm_contacts": planned(alarm_contacts),
    "time_window": planned(time_window),
}
