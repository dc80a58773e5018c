"""What a check of the checklist says, and the words all checks share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.core.plan import InvitedClient, Plan
from app.core.policy import Weight
from app.core.session import GroupSession


class Result(StrEnum):
    """How an item stands. Unknown counts as unsafe."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"
    EXCEPTED = "excepted"
    TICKED = "ticked"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: ``evidence`` is a plain sentence with the value that was read.

    ``weight``: what the circumstances make of the item (a high-risk client, an adults'
    group), None for the pack's own weight. ``checked_at`` None: never looked.
    """

    result: Result
    evidence: str
    weight: Weight | None = None
    checked_at: datetime | None = None


Check = Callable[[GroupSession, datetime], Finding]
PlanCheck = Callable[[GroupSession, Plan, datetime], Finding]


def passed(good: bool, evidence: str, weight: Weight | None = None) -> Finding:
    """OK or a fault, with its evidence."""
    return Finding(Result.OK if good else Result.FAULT, evidence, weight)


def planned(check: PlanCheck) -> Check:
    """Make a check of the plan answer "unknown" while there is none."""

    def look(session: GroupSession, now: datetime) -> Finding:
        if session.plan is None:
            return Finding(Result.UNKNOWN, "This session has no plan yet.")
        return replace(check(session, session.plan, now), checked_at=now)

    return look


def each_client(
    plan: Plan, lacking: Callable[[InvitedClient], str], what: str
) -> Finding:
    """A fault naming (by id) each invited client for whom ``lacking`` gives a reason."""
    if not plan.clients:
        return Finding(Result.OK, "Nobody is invited yet.")
    missing = [(c.person_id, why) for c in plan.clients if (why := lacking(c))]
    if not missing:
        return Finding(
            Result.OK, f"{what}: {len(plan.clients)} of {len(plan.clients)}."
        )
    return Finding(Result.FAULT, listed(f"{who}: {why}" for who, why in missing))


def listed(parts: Iterable[str]) -> str:
    """Several findings as one sentence."""
    return "; ".join(part.rstrip(".") for part in parts) + "."
