"""A planned session as the work before it finds it, and the way its facts take."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from app.core.events import MeetingEvent
from app.core.plan import Plan
from app.core.presses import SessionEvent
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.sessions import Held, Sessions
from integrations.base import PermanentFailure, Platform, PlatformFailure


class Planned:
    """What meeting, links and settings all need."""

    def __init__(
        self,
        footing: Footing,
        sessions: Sessions,
        intake: Intake,
        wake: Callable[[str], None],
    ) -> None:
        self._footing = footing
        self._sessions = sessions
        self._intake = intake
        self._wake = wake

    async def current(self, held: Held) -> tuple[GroupSession, Platform]:
        """The newest state, and its platform. Raises PermanentFailure without one."""
        held = await self._sessions.held(held.session.session_id)
        async with held.lock:
            session = await self._sessions.catch_up(held)
        platform = self._footing.platforms.get(plan_of(session).platform)
        if platform is None:
            raise PermanentFailure(
                "The platform of this session is not switched on.",
                "Set its credentials and start Chaperone again.",
            )
        return session, platform

    async def append(
        self,
        session_id: str,
        facts: Sequence[SessionEvent | MeetingEvent],
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """Store facts of our own and let them be decided on."""
        if facts or also is not None:
            await self._intake.accept_facts(facts, session_id, also)
            self._wake(session_id)


def plan_of(session: GroupSession) -> Plan:
    """Its plan. Raises PermanentFailure when there is none."""
    if session.plan is None:
        raise PermanentFailure("This session has no plan.", "Plan the session first.")
    return session.plan


def meeting_id_of(session: GroupSession) -> str:
    """The meeting it was bound to last, "" for none."""
    return session.bindings[-1].meeting_id if session.bindings else ""


def sentence(what: str, failure: PlatformFailure) -> str:
    """What went wrong and how to mend it, for a person."""
    fix = getattr(failure, "fix", "")
    return f"{what}: {failure} {fix}".strip()
