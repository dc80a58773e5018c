"""Occurrences that run and that no webhook told us of: found at the door of a meeting."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.core.events import UNSEEN, MeetingRef
from app.core.session import GroupSession, Instance
from app.core.stays import STALE_ROSTER
from app.engine.footing import Footing
from app.engine.seen import Seen, started
from app.engine.sessions import Held
from integrations.base import Platform, TemporaryFailure
from integrations.base import (
    StatusRead as PlatformStatus,
)

Status = Callable[[Platform, MeetingRef], Awaitable[PlatformStatus]]


class Unseen:
    """Asks whether a bound meeting runs; ``status`` is how."""

    def __init__(
        self,
        footing: Footing,
        seen: Seen,
        status: Status,
        wake: Callable[[str], None],
    ) -> None:
        self._footing = footing
        self._seen = seen
        self._status = status
        self._wake = wake

    async def look(self, held: Held) -> None:
        """Whether a bound meeting runs that no webhook told us of (DESIGN §5, line 8)."""
        plan = held.session.plan
        platform = self._footing.platforms.get(plan.platform) if plan else None
        if platform is None:
            return
        for name, meeting_id in held.bound:
            ref = MeetingRef(platform=name, meeting_id=meeting_id)
            try:
                status = await self._status(platform, ref)
            except TemporaryFailure as problem:
                self._footing.log.warning(
                    "meeting status not readable", meeting=meeting_id, why=str(problem)
                )
                raise
            if not status.started:
                continue
            seen = held.session.instances.get(replace(ref, instance=status.instance))
            known = status.instance
            if not known or (seen is not None and seen.opened_at is None):
                # News of the plan bears the plan's name, and so may a status: whether
                # it is the occurrence's, only a webhook from inside can tell.
                known, seen = f"{UNSEEN}{status.read_at.isoformat()}", None
            found = replace(status, instance=known)
            ended = seen.closed_at if seen is not None else None
            # A status may trail the end a little; long after it, the end was not true.
            runs_on = ended is not None and status.read_at - ended >= STALE_ROSTER
            if seen is None or runs_on:
                await self._seen.record(held, [started(ref, found)])
                self._wake(held.session.session_id)


def has_real_name(session: GroupSession, made_up: Instance) -> bool:
    return any(
        other.ref.meeting_id == made_up.ref.meeting_id and other.heard_at is not None
        for other in session.live()
        if other is not made_up
    )
