"""Links that were asked for, or opened, by other hands than ours (guidance S8)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import AlertStaff, Audience, Level, WakeAt, Wish
from app.core.session import GroupSession

OPEN = "approved"
ASKED = "pending"
SETTLED = timedelta(seconds=30)
"""The platform tells of a link of ours before it has answered our own request."""


def foreign_registration(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody registered by themselves, or somebody else approved a link.

    Nobody gets in by it unseen: who is not on the list stays a stranger. One alert per
    occurrence and kind, however many ask (I10).
    """
    if session.closed is not None:
        return
    for instance in session.instances.values():
        strange = {
            status: at
            for registrant_id, (at, status) in instance.registrations.items()
            if registrant_id not in session.links and status in (OPEN, ASKED)
        }
        for status, at in sorted(strange.items()):
            if now < at + SETTLED:
                yield WakeAt(at + SETTLED, "is this link ours?")
                continue
            opened = status == OPEN
            yield AlertStaff(
                key=f"registration.foreign:{instance.ref.instance}:{status}",
                reason=(
                    "Somebody else than Chaperone opened a link into this meeting."
                    if opened
                    else "Somebody who was not invited asked for a link."
                ),
                clause="S8",
                rule="registration.foreign_registration",
                level=Level.AMBER if opened else Level.INFO,
                audience=Audience.WORKERS,
                what_to_do=(
                    "Cancel it on the platform, and admit nobody you do not know."
                    if opened
                    else "Do not approve it. Invite people from Chaperone only."
                ),
            )


RULES = (("registration.foreign_registration", foreign_registration),)
