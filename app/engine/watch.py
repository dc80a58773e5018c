"""Look at the rooms: roster reads where the platform lists who is there, else its status."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.core import roster
from app.core.actions import EndMeeting
from app.core.events import MeetingEnded, MeetingEvent, MeetingRef, Source, StatusRead
from app.core.fold import Fact
from app.core.presses import ActionState, HandsProbed
from app.core.session import GroupSession, Instance
from app.core.sight import interval, opened_at
from app.core.stays import STALE_ROSTER
from app.engine.footing import Footing
from app.engine.sessions import Held
from app.engine.spool import Spool
from app.engine.writing import Step, Writing
from integrations.base import (
    PermanentFailure,
    Platform,
    RosterRead,
    TemporaryFailure,
)
from integrations.base import (
    StatusRead as PlatformStatus,
)

DOOR = ""
UNSEEN = "unseen:"
"""Begins the name we give an occurrence that runs and that no webhook told us of."""

WATCH_FROM = timedelta(minutes=30)


class Watch:
    """Reads, compares, and keeps only differences."""

    def __init__(
        self, footing: Footing, spool: Spool, wake: Callable[[str], None]
    ) -> None:
        self._footing = footing
        self._spool = spool
        self._wake = wake
        self.measured: Callable[[str, timedelta], None] = lambda _platform, _gap: None

    # --- when -------------------------------------------------------------------

    def due(self, held: Held) -> dict[str, datetime]:
        """Instance -> when to look next; ``DOOR`` for "has it started unseen?"."""
        session, plan = held.session, held.session.plan
        found: dict[str, datetime] = {}
        live = list(session.live())
        for instance in live:
            name = instance.ref.instance
            last = held.looked_at.get(name, opened_at(instance))
            found[name] = last + self._gap(session, instance)
        if not live and plan is not None and held.bound and session.closed is None:
            opens = plan.starts_at - WATCH_FROM
            closes = plan.ends_at + session.policy.links_die_after_end
            last_look = held.looked_at.get(DOOR)
            next_look = last_look + session.policy.poll_calm if last_look else opens
            if next_look <= closes:
                found[DOOR] = max(next_look, opens)
        return found

    @staticmethod
    def _gap(session: GroupSession, instance: Instance) -> timedelta:
        ending = any(
            fact.kind == EndMeeting.kind
            and fact.state is ActionState.SENT
            and fact.meeting == instance.ref
            for fact in session.actions.values()
        )
        if ending:
            return session.policy.poll_unsafe
        return interval(session, instance)

    # --- looking ----------------------------------------------------------------

    async def look(self, held: Held, name: str, limit: timedelta | None = None) -> bool:
        """Look once, for so long at the most; True when the platform answered.

        Whatever the platform does or answers, nothing is raised: somebody who cannot
        look acts on what is known.
        """
        session = held.session
        held.looked_at[name] = self._footing.clock.now()
        longest = limit or 2 * session.policy.call_deadline
        if name == DOOR:
            return await self._within(longest, self._look_at_door(held)) == ""
        instance = next(
            (i for i in session.instances.values() if i.ref.instance == name), None
        )
        plan = session.plan
        if instance is None or plan is None:
            return True
        platform = self._footing.platforms.get(plan.platform)
        if platform is None:
            return False
        if instance.heard_at is None and _has_real_name(session, instance):
            await self._give_up_made_up(held, instance)
            return True
        read = self._read_roster
        if session.hands.live_roster is False:
            read = self._read_status
        problem = await self._within(longest, read(held, instance, platform))
        if problem:
            await self._failed(held, instance, problem)
        return not problem

    async def _within(
        self, longest: timedelta, looking: Coroutine[Any, Any, None]
    ) -> str:
        """Do it; returns why it failed, in words, "" when it did not."""
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await looking
        except TimeoutError:
            return "The platform did not answer in time."
        except TemporaryFailure as problem:
            return str(problem)
        except Exception as problem:  # noqa: BLE001 - as good as no answer (I20)
            self._footing.log.error("look not usable", why=repr(problem)[:200])
            return "The platform's answer could not be used."
        return ""

    async def _read_roster(
        self, held: Held, instance: Instance, platform: Platform
    ) -> None:
        try:
            read = await platform.read_roster(instance.ref)
        except PermanentFailure as problem:
            await self._no_roster(held, instance, platform, problem)
            return
        except TemporaryFailure as problem:
            # The list of a meeting that is over answers nothing: is it over? (P04)
            status = await self._status(platform, instance.ref)
            if not status.started:
                await self._keep_status(held, instance, status)
                return
            if held.session.hands.live_roster is None and instance.failing_since:
                # It runs, and the list never worked: an account without one.
                await self._without_roster(held, instance, status, str(problem))
                return
            raise
        if read.offset is not None:
            self.measured(platform.name, read.offset)
        if not read.entries and read.complete:
            # An empty list is what a meeting that is over looks like: ask (P04).
            await self._read_status(held, instance, platform)
        await self._keep(held, instance, read)

    async def _no_roster(
        self,
        held: Held,
        instance: Instance,
        platform: Platform,
        problem: PermanentFailure,
    ) -> None:
        session = held.session
        status = await self._status(platform, instance.ref)
        if not status.started or self._other(session, status, instance):
            await self._keep_status(held, instance, status)
            return
        if session.hands.live_roster is None:
            await self._without_roster(held, instance, status, str(problem))
            return
        # It could list the room before, so this is a loss of sight, not a small plan.
        raise TemporaryFailure(str(problem))

    async def _without_roster(
        self, held: Held, instance: Instance, status: PlatformStatus, why: str
    ) -> None:
        """From now on "webhooks only", with the meeting's status as heartbeat."""
        session = held.session
        hands = replace(
            session.hands, live_roster=False, problems=(*session.hands.problems, why)
        )
        fact = HandsProbed(at=self._footing.clock.now(), hands=hands)
        await self._record(held, [fact])
        await self._keep_status(held, instance, status)

    async def _keep(self, held: Held, instance: Instance, read: RosterRead) -> None:
        async with held.lock:
            session = await self._spool.newest(held)
            current = session.instances.get(instance.ref, instance)
            changes = roster.differences(
                session,
                current,
                read.entries,
                started_at=read.started_at,
                complete=read.complete,
            )
            seen = roster.prove(
                current,
                read.entries,
                started_at=read.started_at,
                complete=read.complete,
            )
            session.version += 1
            row = _last_look(current.ref, current.proof_at, current.failing_since, seen)
            await self._record(held, changes, row)
            if session.hands.live_roster is None and read.complete:
                known = replace(session.hands, live_roster=True)
                fact = HandsProbed(at=self._footing.clock.now(), hands=known)
                await self._record(held, [fact])
        self._wake(session.session_id)

    async def _read_status(
        self, held: Held, instance: Instance, platform: Platform
    ) -> None:
        status = await self._status(platform, instance.ref)
        await self._keep_status(held, instance, status)

    async def _status(self, platform: Platform, ref: MeetingRef) -> PlatformStatus:
        try:
            status = await platform.read_status(ref)
        except PermanentFailure as problem:
            raise TemporaryFailure(str(problem)) from problem
        if status.offset is not None:
            self.measured(platform.name, status.offset)
        return status

    @staticmethod
    def _other(
        session: GroupSession, status: PlatformStatus, instance: Instance
    ) -> bool:
        """Whether a later occurrence, known by its own webhooks, runs instead of ours.

        A status alone may name the occurrence that was planned and not the one that
        runs, so a strange name proves nothing.
        """
        later = session.instances.get(
            MeetingRef(
                platform=instance.ref.platform,
                meeting_id=instance.ref.meeting_id,
                instance=status.instance,
            )
        )
        return (
            status.started
            and later is not None
            and later is not instance
            and later.heard_at is not None
            and (later.started_at is not None or bool(later.connections))
            and opened_at(later) > opened_at(instance)
        )

    async def _keep_status(
        self, held: Held, instance: Instance, status: PlatformStatus
    ) -> None:
        facts: list[Fact] = []
        if not status.started:
            facts.append(
                StatusRead(
                    meeting=instance.ref,
                    at=status.read_at,
                    source=Source.POLL,
                    started=False,
                )
            )
        elif self._other(held.session, status, instance):
            # Another occurrence runs now, so ours is over (I5, W26).
            facts.append(
                MeetingEnded(
                    meeting=instance.ref, at=status.read_at, source=Source.POLL
                )
            )
            facts.append(_started(instance.ref, status))
        async with held.lock:
            session = await self._spool.newest(held)
            current = session.instances.get(instance.ref, instance)
            if status.started and current.ended_at is not None and not facts:
                facts.append(_started(instance.ref, status))
            current.checked_at = status.read_at
            current.failing_since = None
            session.version += 1
            proof = current.proof_at
            if session.hands.live_roster is False:
                proof = status.read_at
            row = _last_look(current.ref, proof, None, ())
            only = None if session.hands.live_roster is not False else row
            await self._record(held, facts, only)
        self._wake(session.session_id)

    async def _record(
        self, held: Held, facts: Sequence[Fact], row: Step | None = None
    ) -> None:
        """Store what was seen; while the store fails it counts all the same (I20)."""
        now = self._footing.clock.now()
        told = [
            replace(fact, heard_at=now) if isinstance(fact, MeetingEvent) else fact
            for fact in facts
        ]
        if not told and row is None:
            return
        session_id = held.session.session_id
        writing = Writing(
            session_id=session_id,
            entries=self._spool.entries(told, session_id),
            steps=() if row is None else (row,),
        )
        await self._spool.write_or_keep(held, writing, told)

    async def _look_at_door(self, held: Held) -> None:
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
                await self._record(held, [_started(ref, found)])
                self._wake(held.session.session_id)

    async def _give_up_made_up(self, held: Held, instance: Instance) -> None:
        """A webhook told the occurrence's real name: what we called it until then is over."""
        over = MeetingEnded(
            meeting=instance.ref, at=self._footing.clock.now(), source=Source.POLL
        )
        await self._record(held, [over])
        self._wake(held.session.session_id)

    async def _failed(self, held: Held, instance: Instance, why: str) -> None:
        async with held.lock:
            session = await self._spool.newest(held)
            current = session.instances.get(instance.ref, instance)
            if current.failing_since is None:
                current.failing_since = self._footing.clock.now()
                session.version += 1
                row = _last_look(
                    current.ref,
                    current.proof_at or current.checked_at,
                    current.failing_since,
                    _proved(current),
                )
                await self._record(held, [], row)
        self._footing.log.warning(
            "room not readable",
            meeting=instance.ref.meeting_id,
            why=why,
        )
        self._wake(session.session_id)


def _has_real_name(session: GroupSession, made_up: Instance) -> bool:
    return any(
        other.ref.meeting_id == made_up.ref.meeting_id and other.heard_at is not None
        for other in session.live()
        if other is not made_up
    )


def _proved(instance: Instance) -> tuple[str, ...]:
    return tuple(
        key
        for key, connection in instance.connections.items()
        if connection.proved_at is not None
        and connection.proved_at == instance.proof_at
    )


def _last_look(
    ref: MeetingRef,
    proof_at: datetime | None,
    failing_since: datetime | None,
    seen: tuple[str, ...],
) -> Step:
    given = {"ref": ref, "proof_at": proof_at, "failing_since": failing_since}
    return ("look", {**given, "seen": list(seen)})


def _started(ref: MeetingRef, status: PlatformStatus) -> StatusRead:
    return StatusRead(
        meeting=MeetingRef(
            platform=ref.platform,
            meeting_id=ref.meeting_id,
            instance=status.instance or ref.instance,
        ),
        at=status.read_at,
        source=Source.POLL,
        started=True,
    )
