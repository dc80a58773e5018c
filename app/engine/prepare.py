"""Before a session: the plan taken from the tables, the safe meeting, the own links."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.core.events import MeetingEvent
from app.core.facts import Hands
from app.core.gates import invitation_gate
from app.core.plan import Plan
from app.core.presses import (
    FactsRead,
    HandsProbed,
    LinkChanged,
    LinkIssued,
    LinkState,
    MeetingBound,
    SessionEvent,
    SessionPlanned,
)
from app.core.readiness import one_to_one_excepted
from app.core.session import GroupSession
from app.engine.contract import UnknownSession
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.sessions import Held, Sessions
from app.store import plans, queue, rooms
from app.store import sessions as session_rows
from app.store.refusals import Unknown
from integrations.base import (
    IssuedLink,
    Mended,
    PermanentFailure,
    Platform,
    PlatformFailure,
)

OVER = "This session is over: its personal links are dead, and no new one is made."
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
        self._wake = wake

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
            await self._append(session_id, [fact])

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
            session, platform = await self._current(held)
            if not held.bound:
                try:
                    await self._make_meeting(session, platform, by)
                except PlatformFailure as failure:
                    return [_sentence("The meeting could not be made", failure)]
                session, platform = await self._current(held)
            problems = await self._links(session, platform, by)
        problems += await self.check_now(session_id)
        return problems

    async def _make_meeting(
        self, session: GroupSession, platform: Platform, by: str
    ) -> None:
        plan = _plan(session)
        store = self._footing.store
        row = await store.read(
            lambda db: session_rows.get(db, store, session.session_id)
        )
        made = await platform.create_meeting(plan, row.marker)
        await self._bind(
            session, platform.name, made.meeting_id, by, join_url=made.join_url
        )

    async def bind(
        self,
        session_id: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        watch_only: bool = False,
    ) -> None:
        """Adopt a meeting somebody made."""
        await self.plan_changed(session_id, by)
        held = await self._sessions.held(session_id)
        session, platform = await self._current(held)
        await self._bind(
            session,
            platform.name,
            meeting_id,
            by,
            instance=instance,
            watch_only=watch_only,
            adopted=True,
        )
        await self.check_now(session_id)

    async def _bind(
        self,
        session: GroupSession,
        platform: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        join_url: str = "",
        watch_only: bool = False,
        adopted: bool = False,
    ) -> None:
        plan, now = _plan(session), self._footing.clock.now()
        opens, closes = plan.starts_at - BEFORE, plan.ends_at + AFTER
        if instance:
            # "Is this your session?": whatever its time, exactly this occurrence.
            opens, closes = min(opens, now - BEFORE), max(closes, now + AFTER)
        fact = MeetingBound(
            at=now,
            by=by,
            platform=platform,
            meeting_id=meeting_id,
            instance=instance,
            opens_at=opens,
            closes_at=closes,
            watch_only=watch_only,
            adopted=adopted,
        )
        row = rooms.BoundMeeting(
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
        store = self._footing.store
        key = (platform, meeting_id)
        if not instance:
            for other in self._intake.bound.get(key, set()) - {session.session_id}:
                await self._make_room(other, fact, plan)
        asked = f"unplanned:{platform}:{instance}"

        def keep(db: Connection) -> None:
            rooms.bind(db, store, row)
            if instance:
                queue.acknowledge(db, asked, by, now)  # "Is this your session?": yes.

        await self._append(session.session_id, [fact], keep)
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
                await self._append(other_id, [cut])
                return

    async def renew_links(self, session_id: str) -> list[str]:
        """A new link for whoever lost theirs because it was in other hands (S8, K01)."""
        held = await self._sessions.held(session_id)
        async with held.preparing:
            session, platform = await self._current(held)
            if self._is_over(session):
                return []
            return await self._links(session, platform, "")

    async def _links(
        self, session: GroupSession, platform: Platform, by: str
    ) -> list[str]:
        """An own link for each client who may be invited and each worker without account."""
        plan = _plan(session)
        meeting_id = self._meeting_id(session)
        if not meeting_id or any(b.watch_only for b in session.bindings):
            return []
        if self._is_over(session):
            return [OVER]
        has_link = {
            link.person_id
            for link in session.links.values()
            if link.state is not LinkState.CANCELLED
        }
        due = [
            c.person_id
            for c in plan.clients
            if not self._gate(session, c.person_id) and c.person_id not in has_link
        ]
        due += [
            w.person_id
            for w in plan.workers
            if not w.platform_user_id and w.person_id not in has_link
        ]
        problems = []
        for person_id in due:
            turn = sum(k.person_id == person_id for k in session.links.values())
            try:
                await self._issue(
                    session, platform, meeting_id, person_id, by, turn=turn
                )
            except PlatformFailure as failure:
                problems.append(_sentence("A personal link could not be made", failure))
        return problems

    @staticmethod
    def _gate(session: GroupSession, person_id: str) -> tuple[str, ...]:
        client = _plan(session).client(person_id)
        if client is None:
            return ("Not on the list.",)
        policy = session.policy
        if one_to_one_excepted(session, person_id):
            policy = replace(policy, one_to_ones_needed=0)
        return invitation_gate(policy, client)

    async def _issue(
        self,
        session: GroupSession,
        platform: Platform,
        meeting_id: str,
        person_id: str,
        by: str,
        *,
        turn: int = 0,
    ) -> None:
        session_id = session.session_id
        alias = self._alias(session_id, person_id, turn)
        label = session.names.get(person_id, "Guest")
        made = await platform.issue_link(meeting_id, alias, label)
        await self._keep(
            session_id, platform.name, meeting_id, person_id, alias, made, by
        )

    async def _keep(
        self,
        session_id: str,
        platform: str,
        meeting_id: str,
        person_id: str,
        alias: str,
        made: IssuedLink,
        by: str,
    ) -> None:
        now, store = self._footing.clock.now(), self._footing.store
        row = rooms.PersonalLink(
            session_id=session_id,
            person_id=person_id,
            registrant_id=made.registrant_id,
            platform=platform,
            meeting_id=meeting_id,
            alias=alias,
            url=made.join_url,
            created_at=now,
        )
        fact = LinkIssued(
            at=now,
            by=by,
            person_id=person_id,
            registrant_id=made.registrant_id,
            meeting_id=meeting_id,
        )
        await self._append(
            session_id, [fact], lambda db: rooms.keep_link(db, store, row)
        )

    def _alias(self, session_id: str, person_id: str, turn: int) -> str:
        """A pseudonymous address: the child's own never goes to the platform."""
        text = f"{session_id}/{person_id}/{turn}"
        digest = self._footing.store.keys.digest("alias", text)
        short = "".join(c for c in digest.lower() if c.isalnum())[:20]
        return f"guest-{short}@{self._footing.alias_domain}"

    async def rotate_link(self, session_id: str, person_id: str, by: str) -> None:
        """Cancel a personal link and make a new one."""
        held = await self._sessions.held(session_id)
        async with held.preparing:
            await self._rotate(held, person_id, by)

    def _is_over(self, session: GroupSession) -> bool:
        """Links die with the session; none is made after the goodbye (DESIGN §5, 6)."""
        dead = _plan(session).ends_at + session.policy.links_die_after_end
        said_goodbye = session.closed is not None or session.closing is not None
        return said_goodbye or self._footing.clock.now() >= dead

    async def _rotate(self, held: Held, person_id: str, by: str) -> None:
        session, platform = await self._current(held)
        if self._is_over(session):
            raise PermanentFailure(OVER, "Plan a new session to invite people again.")
        session_id, store = session.session_id, self._footing.store
        old = await store.read(
            lambda db: rooms.link_of(db, store, session_id, person_id)
        )
        turn = sum(link.person_id == person_id for link in session.links.values())
        if old is not None and old.registrant_id:
            await platform.change_link(
                old.meeting_id, old.registrant_id, old.alias, "cancelled"
            )
            fact = LinkChanged(
                at=self._footing.clock.now(),
                by=by,
                registrant_id=old.registrant_id,
                state=LinkState.CANCELLED,
            )
            await self._append(session_id, [fact])
        meeting_id = self._meeting_id(session)
        await self._issue(session, platform, meeting_id, person_id, by, turn=turn)

    # --- settings and hands -------------------------------------------------------

    async def check_now(self, session_id: str) -> list[str]:
        """Read settings and hands; returns what could not be read."""
        held = await self._sessions.held(session_id)
        session, platform = await self._current(held)
        meeting_id = self._meeting_id(session)
        problems: list[str] = []
        facts: list[SessionEvent] = []
        if meeting_id:
            try:
                read = await platform.read_facts(meeting_id)
                facts.append(FactsRead(at=self._footing.clock.now(), facts=read))
            except PlatformFailure as failure:
                problems.append(_sentence("The settings could not be read", failure))
            try:
                hands = await platform.probe(meeting_id)
                hands = _keep_known(session.hands, hands)
                facts.append(HandsProbed(at=self._footing.clock.now(), hands=hands))
            except PlatformFailure as failure:
                problems.append(_sentence("The hands could not be probed", failure))
        await self._append(session_id, facts)
        return problems

    async def mend(self, session_id: str, wish: str, by: str) -> Mended:
        """Make one setting safe and read it back."""
        held = await self._sessions.held(session_id)
        session, platform = await self._current(held)
        meeting_id = self._meeting_id(session)
        if not meeting_id:
            raise PermanentFailure(
                "This session has no meeting yet.", "Make the meeting first."
            )
        mended = await platform.mend(meeting_id, [wish])
        fact = FactsRead(at=self._footing.clock.now(), by=by, facts=mended.facts)
        await self._append(session_id, [fact])
        return mended

    # --- inside -------------------------------------------------------------------

    async def _current(self, held: Held) -> tuple[GroupSession, Platform]:
        held = await self._sessions.held(held.session.session_id)
        async with held.lock:
            session = await self._sessions.catch_up(held)
        platform = self._footing.platforms.get(_plan(session).platform)
        if platform is None:
            raise PermanentFailure(
                "The platform of this session is not switched on.",
                "Set its credentials and start Chaperone again.",
            )
        return session, platform

    @staticmethod
    def _meeting_id(session: GroupSession) -> str:
        return session.bindings[-1].meeting_id if session.bindings else ""

    async def _append(
        self,
        session_id: str,
        facts: Sequence[SessionEvent | MeetingEvent],
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        if facts or also is not None:
            await self._intake.accept_facts(facts, session_id, also)
            self._wake(session_id)


def _plan(session: GroupSession) -> Plan:
    if session.plan is None:
        raise PermanentFailure("This session has no plan.", "Plan the session first.")
    return session.plan


def _sentence(what: str, failure: PlatformFailure) -> str:
    fix = getattr(failure, "fix", "")
    return f"{what}: {failure} {fix}".strip()


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
