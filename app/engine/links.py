"""The personal links of a session: one for each person, made, changed, never after its end."""

from dataclasses import replace

from app.core.gates import invitation_gate
from app.core.presses import LinkChanged, LinkIssued, LinkState
from app.core.readiness import one_to_one_excepted
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.planned import Planned, meeting_id_of, plan_of, sentence
from app.engine.sessions import Held, Sessions
from app.store import rooms
from integrations.base import IssuedLink, PermanentFailure, Platform, PlatformFailure

OVER = "This session is over: its personal links are dead, and no new one is made."


class Links:
    """An own link is who somebody is (N18, K01); whoever has it gets in."""

    def __init__(self, footing: Footing, sessions: Sessions, planned: Planned) -> None:
        self._footing = footing
        self._sessions = sessions
        self._planned = planned

    async def renew(self, session_id: str) -> list[str]:
        """A new link for whoever lost theirs because it was in other hands (S8, K01)."""
        held = await self._sessions.held(session_id)
        async with held.preparing:
            session, platform = await self._planned.current(held)
            if self.is_over(session):
                return []
            return await self.make(session, platform, "")

    async def make(
        self, session: GroupSession, platform: Platform, by: str
    ) -> list[str]:
        """An own link for each client who may be invited and each worker without account."""
        plan = plan_of(session)
        meeting_id = meeting_id_of(session)
        if not meeting_id or any(b.watch_only for b in session.bindings):
            return []
        if self.is_over(session):
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
                problems.append(sentence("A personal link could not be made", failure))
        return problems

    async def rotate(self, session_id: str, person_id: str, by: str) -> None:
        """Cancel a personal link and make a new one."""
        held = await self._sessions.held(session_id)
        async with held.preparing:
            await self._rotate(held, person_id, by)

    async def _rotate(self, held: Held, person_id: str, by: str) -> None:
        session, platform = await self._planned.current(held)
        if self.is_over(session):
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
            await self._planned.append(session_id, [fact])
        meeting_id = meeting_id_of(session)
        await self._issue(session, platform, meeting_id, person_id, by, turn=turn)

    def is_over(self, session: GroupSession) -> bool:
        """Links die with the session; none is made after the goodbye (DESIGN §5, 6)."""
        dead = plan_of(session).ends_at + session.policy.links_die_after_end
        said_goodbye = session.closed is not None or session.closing is not None
        return said_goodbye or self._footing.clock.now() >= dead

    @staticmethod
    def _gate(session: GroupSession, person_id: str) -> tuple[str, ...]:
        client = plan_of(session).client(person_id)
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
        await self._planned.append(
            session_id, [fact], lambda db: rooms.keep_link(db, store, row)
        )

    def _alias(self, session_id: str, person_id: str, turn: int) -> str:
        """A pseudonymous address: the child's own never goes to the platform."""
        text = f"{session_id}/{person_id}/{turn}"
        digest = self._footing.store.keys.digest("alias", text)
        short = "".join(c for c in digest.lower() if c.isalnum())[:20]
        return f"guest-{short}@{self._footing.alias_domain}"
