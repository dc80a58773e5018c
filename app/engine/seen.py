"""What a look at a room showed, compared with the log: only differences are kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.core import roster
from app.core.events import MeetingEnded, MeetingEvent, MeetingRef, Source, StatusRead
from app.core.fold import LAG, Fact
from app.core.presses import HandsProbed
from app.core.session import GroupSession, Instance
from app.core.sight import opened_at
from app.engine.footing import Footing
from app.engine.sessions import Held
from app.engine.spool import Spool
from app.engine.writing import Step, Writing
from integrations.base import RosterRead
from integrations.base import (
    StatusRead as PlatformStatus,
)


class Seen:
    """Writes down what was seen; while the store fails it counts all the same (I20)."""

    def __init__(
        self, footing: Footing, spool: Spool, wake: Callable[[str], None]
    ) -> None:
        self._footing = footing
        self._spool = spool
        self._wake = wake

    async def keep_roster(
        self, held: Held, instance: Instance, read: RosterRead
    ) -> None:
        """Keep what a list of the room shows that the log does not."""
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
            session.look_noted()
            row = _last_look(current.ref, current.proof_at, current.failing_since, seen)
            await self.record(held, changes, row)
            if session.hands.live_roster is None and read.complete:
                known = replace(session.hands, live_roster=True)
                fact = HandsProbed(at=self._footing.clock.now(), hands=known)
                await self.record(held, [fact])
        self._wake(session.session_id)

    async def keep_status(
        self, held: Held, instance: Instance, status: PlatformStatus
    ) -> None:
        """Keep what the meeting's status shows that the log does not."""
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
        elif is_another(held.session, status, instance):
            # Another occurrence runs now, so ours is over (I5, W26).
            facts.append(
                MeetingEnded(
                    meeting=instance.ref, at=status.read_at, source=Source.POLL
                )
            )
            facts.append(started(instance.ref, status))
        async with held.lock:
            session = await self._spool.newest(held)
            current = session.instances.get(instance.ref, instance)
            if status.started and current.ended_at is not None and not facts:
                facts.append(started(instance.ref, status))
            current.checked_at = status.read_at
            current.failing_since = None
            session.look_noted()
            proof = current.proof_at
            if session.hands.live_roster is False:
                proof = status.read_at
            row = _last_look(current.ref, proof, None, ())
            only = None if session.hands.live_roster is not False else row
            await self.record(held, facts, only)
        self._wake(session.session_id)

    async def record(
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

    async def give_up_made_up(self, held: Held, instance: Instance) -> None:
        """A webhook told the occurrence's real name: what we called it until then is over."""
        over = MeetingEnded(
            meeting=instance.ref, at=self._footing.clock.now(), source=Source.POLL
        )
        await self.record(held, [over])
        self._wake(held.session.session_id)

    async def failed(self, held: Held, instance: Instance, why: str) -> None:
        """A look that told nothing: since when do we not see the room?"""
        async with held.lock:
            session = await self._spool.newest(held)
            current = session.instances.get(instance.ref, instance)
            if current.failing_since is None:
                current.failing_since = self._footing.clock.now()
                session.look_noted()
                row = _last_look(
                    current.ref,
                    current.proof_at or current.checked_at,
                    current.failing_since,
                    _proved(current),
                )
                await self.record(held, [], row)
        self._footing.log.warning(
            "room not readable",
            meeting=instance.ref.meeting_id,
            why=why,
        )
        self._wake(session.session_id)


def is_another(
    session: GroupSession, status: PlatformStatus, instance: Instance
) -> bool:
    """Whether another occurrence runs instead of ours.

    The platform says so, or it names a later one known by its own webhooks: a status
    alone may name the occurrence that was planned and not the one that runs, so a
    strange name proves nothing.
    """
    if status.started and status.another:
        # It may trail our own beginning a little (F10).
        return status.read_at - opened_at(instance) >= LAG
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


def started(ref: MeetingRef, status: PlatformStatus) -> StatusRead:
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
