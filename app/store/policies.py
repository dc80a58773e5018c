"""The organisation's policy: every version of it, who made it, when and why.

A version holds only what differs from the policy as shipped; the shipped one is version 1
and has no row. A session goes by the version that was in force at its planned start: no
number changes under a running session, and a past one is told as it was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from app.core import codec
from app.core.checklist import FIXED
from app.core.policy import Policy
from app.store.database import Store
from app.store.people import has_letters, text_faults
from app.store.refusals import Refused, Stale
from app.store.tables import SessionRow
from app.store.tables_policies import PolicyVersionRow

versions = PolicyVersionRow.__table__  # type: ignore[attr-defined]
sessions = SessionRow.__table__  # type: ignore[attr-defined]

SHIPPED = 1
LONGEST_REASON = 500
KINDS = (
    "end_meeting",
    "remove_participant",
    "hold_participant",
    "admit_participant",
    "post_ground_rules",
    "send_reminder",
    "send_warning",
    "tell_waiting_room",
    "change_link",
    "stop_recording",
    "stop_live_stream",
)
"""Kinds of action that may be watched, asked or done. Looking into the room, asking a
worker, alarms and tasks for people are not among them: nothing silences those (I9, I20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version. ``changes``: what differs from the policy as shipped, encoded."""

    number: int
    changes: Mapping[str, Any]
    by: str = ""
    made_at: datetime | None = None
    reason: str = ""


def policy_for(db: Connection, at: datetime | None, own: Mapping[str, Any]) -> Policy:
    """The policy in force at that moment (None: the newest) with a session's ``own``."""
    query = select(versions).order_by(versions.c.version.desc()).limit(1)
    if at is not None:
        query = query.where(versions.c.made_at <= at)
    row = db.execute(query).first()
    return merged(row.changes if row else {}, own, row.version if row else SHIPPED)


def merged(
    changes: Mapping[str, Any], own: Mapping[str, Any], version: int = SHIPPED
) -> Policy:
    """The policy as shipped, with the organisation's changes, with a session's ``own``."""
    whole: dict[str, Any] = {"version": version, **changes, **own}
    for name in ("modes", "weights"):
        whole[name] = {**changes.get(name, {}), **own.get(name, {})}
    policy: Policy = codec.decode(Policy, whole)
    return policy


def newest(db: Connection, store: Store) -> Version:
    """The version in force for sessions to come."""
    return listed(db, store)[0]


def listed(db: Connection, store: Store) -> list[Version]:
    """Every version, the newest first; the last one is the policy as shipped."""
    rows = db.execute(select(versions).order_by(versions.c.version.desc()))
    found = [
        Version(
            number=row.version,
            changes=row.changes,
            by=row.by,
            made_at=row.made_at,
            reason=store.open(row.reason_sealed, _place(row.version)).decode(),
        )
        for row in rows
    ]
    return [*found, Version(number=SHIPPED, changes={})]


def keep(
    db: Connection,
    store: Store,
    changes: Mapping[str, Any],
    *,
    reason: str,
    by: str,
    now: datetime,
    on_version: int,
) -> int:
    """Keep a new version for every session that has not begun; returns its number.

    ``on_version``: the one its author looked at. Raises Refused and Stale.
    """
    top = int(db.scalar(select(func.max(versions.c.version))) or SHIPPED)
    if top != on_version:
        raise Stale(top)
    now_so = policy_for(db, None, {})
    faults = text_faults({"reason": reason}, LONGEST_REASON)
    if not has_letters(reason):
        faults["reason"] = "Write why: whoever reads it in a year wants to know."
    if wrong := unsafe(changes):
        faults[""] = " ".join(wrong)
    elif merged(changes, {}, now_so.version) == now_so:
        faults[""] = "Nothing is different from the policy in force."
    if faults:
        raise Refused(faults)
    number = top + 1
    db.execute(
        versions.insert().values(
            version=number,
            changes=dict(changes),
            reason_sealed=store.seal(reason.strip().encode(), _place(number)),
            made_at=now,
            by=by,
        )
    )
    return number


def unsafe(changes: Mapping[str, Any]) -> list[str]:
    """Why these changes cannot be a policy, as plain sentences; empty when they can."""
    known = {one.name for one in fields_of(Policy)} - {"version"}
    if set(changes) - known:
        return ["The policy has no setting of that name."]
    try:
        policy = merged(changes, {})
    except (TypeError, ValueError, OverflowError, AttributeError):
        return ["These settings of the policy cannot be read."]
    found = policy.faults()
    if set(policy.modes) - set(KINDS):
        found.append("How far the bot goes can be set for its own acts only.")
    if set(policy.weights) & FIXED:
        found.append("The live guard and the emergency line always stop a session.")
    for one in fields_of(Policy):
        value = getattr(policy, one.name)
        if isinstance(value, timedelta) and value < timedelta(0):
            found.append("No time may be less than nothing.")
    return list(dict.fromkeys(found))


def not_begun(db: Connection, now: datetime) -> list[str]:
    """Sessions to come: those a new version counts for."""
    query = select(sessions.c.id).where(
        sessions.c.state == "planned", sessions.c.starts_at > now
    )
    return list(db.scalars(query.order_by(sessions.c.starts_at)))


def past(db: Connection, now: datetime, most: int) -> list[str]:
    """Sessions that are over, the latest first."""
    query = select(sessions.c.id).where(
        sessions.c.state != "cancelled", sessions.c.ends_at < now
    )
    latest = query.order_by(sessions.c.starts_at.desc(), sessions.c.id)
    return list(db.scalars(latest.limit(most)))


def _place(version: int) -> str:
    return f"policy_versions:reason:{version}"
