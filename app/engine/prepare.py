"""Before a session: the plan taken from the tables, the safe meeting, the own links."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from app.core.plan import Plan
from app.core.presses import (
    MeetingBound,
    SessionPlanned,
)
from app.core.session import GroupSession
from app.engine.checks import Checks
from app.engine.contract import UnknownSession
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.links import Links
from app.engine.planned import Planned, plan_of, sentence
from app.engine.sessions import Sessions
from app.store import plans, queue, rooms
from app.store import sessions as session_rows
from app.store.refusals import Unknown
from integrations.base import (
    Platform,
    PlatformFailure,
)

BEFORE = timedelta(hours=2)
AFTER = timedelta(hours=4)


class Prepare:
    """Everything that needs the platform and nobody in the room."""

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
        self._planned = Planned(footing, sessions, intake, wake)
        self.links = Links(footing, sessions, self._planned)
        self.checks = Checks(footing, sessions, self._planned)

    # --- the plan -----------------------------------------------------------------

    async def plan_changed(self, session_id: str, by: str = "") -> None:
        """Take the plan from the tables; append it when it differs."""
        store = self._footing.store
        held = await self._sessions.held(session_id)
        try:
            plan: Plan = await store.read(
                lambda db: plans.build_plan(db, store, session_id)
            )
        except Unknown:
            raise UnknownSession(session_id) from None
        async with held.lock:
            session = await self._sessions.catch_up(held)
        if session.plan != plan:
            fact = SessionPlanned(at=self._footing.clock.now(), by=by, plan=plan)
            await self._planned.append(session_id, [fact])

    async def person_changed(self, person_id: str, by: str = "") -> None:
        """The same for every open session of this person."""
        found: list[str] = await self._footing.store.read(
            lambda db: session_rows.sessions_with(db, person_id)
        )
        for session_id in found:
            await self.plan_changed(session_id, by)

    # --- the meeting and its links ------------------------------------------------

    async def prepare(self, session_id: str, by: str = "") -> list[str]:
        """Meeting, binding, links, settings, hands; returns what could not be done."""
        await self.plan_changed(session_id, by)
        held = await self._sessions.held(session_id)
        async with held.preparing:  # Two presses make one meeting.
            session, platform = await self._planned.current(held)
            if not held.bound:
                try:
                    await self._make_meeting(session, platform, by)
                except PlatformFailure as failure:
                    return [sentence("The meeting could not be made", failure)]
                session, platform = await self._planned.current(held)
            problems = await self.links.make(session, platform, by)
        problems += await self.checks.check_now(session_id)
        return problems

    async def _make_meeting(
        self, session: GroupSession, platform: Platform, by: str
    ) -> None:
        plan = plan_of(session)
        store = self._footing.store
        row = await store.read(
            lambda db: session_rows.get(db, store, session.session_id)
        )
        made = await platform.create_meeting(plan, row.marker)
        room = self._room(
            session, platform.name, made.meeting_id, join_url=made.join_url
        )
        await self._bind(session, room, by)

    async def bind(
        self,
        session_id: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        watch_only: bool = False,
    ) -> None:
        """Adopt a meeting somebody made. Raises PlatformFailure for one that is not there:
        a wrong number would have another meeting watched, or none."""
        await self.plan_changed(session_id, by)
        held = await self._sessions.held(session_id)
        session, platform = await self._planned.current(held)
        if not instance:
            await platform.read_facts(meeting_id)
        room = self._room(
            session,
            platform.name,
            meeting_id,
            instance=instance,
            watch_only=watch_only,
        )
        await self._bind(session, room, by, adopted=True)
        await self.checks.check_now(session_id)

    def _room(
        self,
        session: GroupSession,
        platform: str,
        meeting_id: str,
        *,
        instance: str = "",
        join_url: str = "",
        watch_only: bool = False,
    ) -> rooms.BoundMeeting:
        plan, now = plan_of(session), self._footing.clock.now()
        opens, closes = plan.starts_at - BEFORE, plan.ends_at + AFTER
        if instance:
            # "Is this your session?": whatever its time, exactly this occurrence.
            opens, closes = min(opens, now - BEFORE), max(closes, now + AFTER)
        return rooms.BoundMeeting(
            platform=platform,
            meeting_id=meeting_id,
            session_id=session.session_id,
            instance=instance,
            join_url=join_url,
            watch_only=watch_only,
            opens_at=opens,
            closes_at=closes,
            bound_at=now,
        )

    async def _bind(
        self,
        session: GroupSession,
        row: rooms.BoundMeeting,
        by: str,
        *,
        adopted: bool = False,
    ) -> None:
        fact = MeetingBound(
            at=row.bound_at,
            by=by,
            platform=row.platform,
            meeting_id=row.meeting_id,
            instance=row.instance,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            watch_only=row.watch_only,
            adopted=adopted,
        )
        store, key = self._footing.store, (row.platform, row.meeting_id)
        if not row.instance:
            for other in self._intake.bound.get(key, set()) - {session.session_id}:
                await self._make_room(other, fact, plan_of(session))
        asked = f"unplanned:{row.platform}:{row.instance}"

        def keep(db: Connection) -> None:
            rooms.bind(db, store, row)
            if row.instance:  # "Is this your session?": yes.
                queue.acknowledge(db, asked, by, row.bound_at)

        await self._planned.append(session.session_id, [fact], keep)
        self._intake.bound.setdefault(key, set()).add(session.session_id)

    async def _make_room(self, other_id: str, fact: MeetingBound, plan: Plan) -> None:
        """A room that returns belongs to one session at a time: half-way in between (I5)."""
        held = await self._sessions.held(other_id)
        async with held.lock:
            session = await self._sessions.catch_up(held)
        earlier = session.plan
        if earlier is None or earlier.ends_at > plan.starts_at:
            return
        half_way = earlier.ends_at + (plan.starts_at - earlier.ends_at) / 2
        for bound in session.bindings:
            same = (bound.platform, bound.meeting_id) == (
                fact.platform,
                fact.meeting_id,
            )
            if same and not bound.instance and bound.closes_at > half_way:
                cut = replace(bound, at=fact.at, by=fact.by, closes_at=half_way)
                await self._planned.append(other_id, [cut])
                return
