"""Nobody of the staff has come: young people may be waiting in front of a shut door."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import AlertStaff, Audience, Level, WakeAt, Wish
from app.core.rooms import worker_stays
from app.core.session import GroupSession


def nobody_came(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Alarm some minutes after the planned start when no worker has been in (B2, U16)."""
    plan = session.plan
    if plan is None or not session.bindings or session.closed is not None:
        return
    due = plan.starts_at + session.policy.nobody_came_after
    if now >= plan.ends_at or worker_was_in(session):
        return
    if now < due:
        yield WakeAt(due, "has a worker come?")
        return
    yield AlertStaff(
        key=f"arrival.nobody_came:{plan.starts_at.isoformat()}",
        reason="The session should have started and no worker has come.",
        clause="B2",
        rule="arrival.nobody_came",
        level=Level.RED,
        audience=Audience.STANDBY,
        what_to_do=(
            "Open the meeting now, or tell the young people that it does not take place."
        ),
    )


def worker_was_in(session: GroupSession) -> bool:
    """Whether a verified worker has been in any room of this session."""
    return any(
        worker_stays(session, instance) for instance in session.instances.values()
    )


RULES = (("arrival.nobody_came", nobody_came),)
