"""The settings and hands of a meeting: read before and during a session, and mended."""

from datetime import datetime, timedelta

from app.core.facts import Hands
from app.core.plan import Plan
from app.core.presses import FactsRead, HandsProbed, SessionEvent
from app.engine.footing import Footing
from app.engine.planned import Planned, meeting_id_of, sentence
from app.engine.sessions import Sessions
from integrations.base import Mended, PermanentFailure, PlatformFailure


class Checks:
    """Asks the platform; what it answers becomes a fact."""

    def __init__(self, footing: Footing, sessions: Sessions, planned: Planned) -> None:
        self._footing = footing
        self._sessions = sessions
        self._planned = planned

    async def check_now(self, session_id: str) -> list[str]:
        """Read settings and hands; returns what could not be read."""
        held = await self._sessions.held(session_id)
        session, platform = await self._planned.current(held)
        meeting_id = meeting_id_of(session)
        problems: list[str] = []
        facts: list[SessionEvent] = []
        if meeting_id:
            try:
                read = await platform.read_facts(meeting_id)
                facts.append(FactsRead(at=self._footing.clock.now(), facts=read))
            except PlatformFailure as failure:
                problems.append(sentence("The settings could not be read", failure))
            try:
                hands = await platform.probe(meeting_id)
                hands = _keep_known(session.hands, hands)
                facts.append(HandsProbed(at=self._footing.clock.now(), hands=hands))
            except PlatformFailure as failure:
                problems.append(sentence("The hands could not be probed", failure))
        await self._planned.append(session_id, facts)
        return problems

    async def mend(self, session_id: str, wish: str, by: str) -> Mended:
        """Make one setting safe and read it back."""
        held = await self._sessions.held(session_id)
        session, platform = await self._planned.current(held)
        meeting_id = meeting_id_of(session)
        if not meeting_id:
            raise PermanentFailure(
                "This session has no meeting yet.", "Make the meeting first."
            )
        mended = await platform.mend(meeting_id, [wish])
        fact = FactsRead(at=self._footing.clock.now(), by=by, facts=mended.facts)
        await self._planned.append(session_id, [fact])
        return mended


def _keep_known(old: Hands, new: Hands) -> Hands:
    """What was learned by trying is kept where the new probe does not know."""
    values = {
        name: getattr(new, name)
        if getattr(new, name) is not None
        else getattr(old, name)
        for name in (
            "live_roster",
            "end_for_all",
            "remove_one",
            "hold_one",
            "admit_one",
            "waiting_text",
            "room_chat",
            "links",
        )
    }
    return Hands(**values, problems=new.problems)


def due_checks(plan: Plan, last: datetime | None, now: datetime) -> bool:
    """Whether the settings are to be read again: T-24 h, T-30 min, T-0 (DESIGN §5, 3)."""
    moments = [
        plan.starts_at - timedelta(hours=24),
        plan.starts_at - timedelta(minutes=30),
        plan.starts_at,
    ]
    return any(m <= now and (last is None or last < m) for m in moments)
