"""Links that were asked for, or opened, by other hands than ours (guidance S8)."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import AlertStaff, Audience, Level, Wish
from app.core.session import GroupSession

OPEN = "approved"
ASKED = "pending"


def foreign_registration(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody registered by themselves, or somebody else approved a link.

    Nobody gets in by it unseen: who is not on the list stays a stranger. One alert per
    occurrence and kind, however many ask (I10).
    """
    if session.closed is not None:
        return
    for instance in session.instances.values():
        strange = {
            status
            for registrant_id, (_, status) in instance.registrations.items()
            if registrant_id not in session.links and status in (OPEN, ASKED)
        }
        for status in sorted(strange):
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
