"""A store and a platform that fail at a chosen point, and a process that dies there.

A point is one write of the store or one call of the platform. The room, the clock and
what is committed outlive the process; everything else is gone with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from app.clock import ManualClock
from app.core.events import (
    MeetingEnded,
    MeetingEvent,
    MeetingRef,
    MeetingStarted,
    ParticipantJoined,
    ParticipantLeft,
)
from app.core.presses import ActionState
from app.core.safety_times import Clear, clears
from app.core.session import GroupSession
from app.crypto import Keyring
from app.engine.alarms import Alarms, Letter
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.engine.upkeep import register
from app.store.database import InlineDoor, Store, Work, open_engine
from integrations.base import Delivery, TemporaryFailure
from tests.engine.room import MEETING, Room, RoomPlatform, seat

KEYS = [b"k" * 32]
DOWN = timedelta(seconds=5)


class Fault(StrEnum):
    """What happens at the point."""

    KILLED_BEFORE = "killed before it"
    KILLED_AFTER = "killed right after it"
    FAILED = "it fails"
    UNANSWERED = "it takes effect and the answer is lost"


class Fate(StrEnum):
    """What becomes of a webhook."""

    NOW = "comes at once"
    TWICE = "comes at once and again later"
    LATE = "comes later, after newer ones"
    LOST = "never comes"


class Killed(BaseException):
    """The process is gone; nothing of it does anything any more."""


@dataclass
class Points:
    """Counts the points of one process's life and strikes at one of them."""

    strikes: dict[int, Fault] = field(default_factory=dict)
    full_from: int | None = None
    passed: list[str] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(
        self, what: str, do: Callable[[], Awaitable[Any]], failure: Exception
    ) -> Any:
        """Do it, with whatever is meant to go wrong."""
        self.alive()
        fault = self.strikes.get(len(self.passed))
        if self.is_full and what == "write":
            fault = Fault.FAILED
        self.passed.append(what)
        if fault is Fault.KILLED_BEFORE:
            self._die()
        if fault is Fault.FAILED:
            raise failure
        done = await do()
        if fault is Fault.KILLED_AFTER:
            self._die()
        if fault is Fault.UNANSWERED:
            raise failure
        return done

    @property
    def is_full(self) -> bool:
        """Whether the disk is full by now."""
        return self.full_from is not None and len(self.passed) >= self.full_from

    def alive(self) -> None:
        """Raises Killed when the process is gone."""
        if self.dead.is_set():
            raise Killed

    def _die(self) -> None:
        self.dead.set()
        raise Killed


class PointDoor(InlineDoor):
    """A door of the store with points."""

    def __init__(self, database: Database, points: Points) -> None:
        super().__init__(database)
        self._points = points

    async def write(self, work: Work) -> Any:
        full = OperationalError("", {}, Exception("database or disk is full"))
        write = partial(InlineDoor.write, self, work)
        return await self._points.run("write", write, full)

    async def read(self, work: Work) -> Any:
        self._points.alive()
        return await super().read(work)


class PointPlatform:
    """A platform with points: every call that would leave the machine is one."""

    def __init__(self, platform: RoomPlatform, points: Points) -> None:
        self._platform = platform
        self._points = points

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._platform, name)
        if not asyncio.iscoroutinefunction(found) or name == "close":
            return found

        async def call(*given: Any) -> Any:
            failure = TemporaryFailure("Zoom answered 500.")
            return await self._points.run(name, lambda: found(*given), failure)

        return call


@dataclass
class Planned:
    """An evening that is prepared and has not begun: a database, and who is who."""

    tables: bytes
    session_id: str
    began_at: datetime


@dataclass
class Night:
    """One evening with processes that come and go."""

    planned: Planned
    clock: ManualClock
    room: Room = field(default_factory=Room)
    letters: list[Letter] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    ended_at: datetime | None = None
    lives: list[dict[int, Fault]] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    late: list[tuple[str, MeetingEvent]] = field(default_factory=list)
    down: timedelta = timedelta()
    ends: int = 0
    number: int = 0
    told_end: bool = False
    others: set["asyncio.Task[Any]"] = field(default_factory=asyncio.all_tasks)

    def __post_init__(self) -> None:
        self.database = open_engine("sqlite://")
        connection = self.database.raw_connection()
        connection.driver_connection.deserialize(self.planned.tables)  # type: ignore[union-attr]
        connection.close()
        self.platform = RoomPlatform(self.room, self.clock)
        self.platform.on_perform = lambda action: self._acted(action.kind)
        self.start()

    def _acted(self, kind: str) -> None:
        if kind == "end_meeting":
            self.ends += 1
            self.ended_at = self.ended_at or self.clock.now()

    def _process(self, points: Points) -> Engine:
        store = Store(self.database, Keyring(KEYS), PointDoor(self.database, points))
        self.number += 1
        name, ids = self.number, iter(range(10**9))
        platform: Any = PointPlatform(self.platform, points)

        async def keep(letter: Letter, _now: datetime) -> None:
            points.alive()
            self.letters.append(letter)

        footing = Footing(
            store,
            self.clock,
            {"zoom": platform},
            lambda: f"id-{name}-{next(ids):06}",
        )
        engine = Engine(footing, Alarms(footing, {"webhook": keep, "mail": keep}))
        register(footing, engine)
        return engine

    def start(self, full_from: int | None = None) -> None:
        """A new process, which meets the faults of the next life."""
        strikes = self.lives.pop(0) if self.lives else {}
        self.points = Points(strikes, full_from)
        self.engine = self._process(self.points)

    async def _bury(self) -> None:
        rest = asyncio.all_tasks() - self.others - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _restart(self) -> None:
        await self._bury()
        self.down += DOWN
        self.clock.advance(DOWN)
        self.start()

    async def do(self, work: Coroutine[Any, Any, None]) -> bool:
        """Let the process do it; False when it failed or died of it."""
        task = asyncio.ensure_future(work)
        death = asyncio.ensure_future(self.points.dead.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        if self.points.dead.is_set():
            await self._restart()
            return False
        death.cancel()
        return task.exception() is None

    async def step(self) -> None:
        """Everything that is due now."""
        while not await self.do(self.engine.step()):
            pass

    async def deliver(self, ref: str, event: MeetingEvent) -> bool:
        """One webhook; acknowledged only when the process said so."""
        delivery = Delivery(
            dedupe_key=ref,
            event_type=type(event).__name__,
            meeting=event.meeting,
            events=(event,),
        )
        now = self.clock.now()
        if not self.engine._awake:
            await self.step()
        intake = self.engine.intake
        taken = await self.do(intake.accept_delivery("zoom", delivery, b"{}", now))
        if taken:
            self.acknowledged.add(ref)
        return taken

    async def tell(self, cls: Any, name: str = "") -> None:
        """What happens in the room comes as a webhook, once."""
        given: dict[str, Any] = {}
        if name:
            one = seat(name)
            given = {
                key: getattr(one, key)
                for key in (
                    "uuid",
                    "user_id",
                    "registrant_id",
                    "platform_user_id",
                    "name",
                )
            }
        ref = MeetingRef(
            platform="zoom", meeting_id=MEETING, instance=self.room.instance
        )
        event = cls(meeting=ref, at=self.clock.now(), **given)
        fate = self.fates.pop(0) if self.fates else Fate.NOW
        self.number += 1
        webhook = (f"webhook-{self.number}", event)
        if fate in (Fate.NOW, Fate.TWICE):
            await self.deliver(*webhook)
        if fate in (Fate.LATE, Fate.TWICE):
            self.late.append(webhook)
        await self.step()

    async def catch_up(self) -> None:
        """What was held up arrives at last, the newest first."""
        while self.late:
            await self.deliver(*self.late.pop())
        await self.step()

    async def come(self, *names: str) -> None:
        """They are in the room; the first one opens it."""
        if not self.room.started:
            self.room.started = True
            await self.tell(MeetingStarted)
        for name in names:
            self.room.inside[seat(name).uuid] = seat(name)
            await self.tell(ParticipantJoined, name)

    async def go(self, name: str) -> datetime:
        """They are gone; returns when."""
        left_at = self.clock.now()
        self.room.inside.pop(seat(name).uuid, None)
        await self.tell(ParticipantLeft, name)
        return left_at

    async def wait(self, seconds: float) -> None:
        """Let time pass, from one moment at which something is due to the next."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while (now := self.clock.now()) < until:
            due = self.engine.next_at() or until
            pause = max(due - now, timedelta(milliseconds=100))
            self.clock.advance(min(pause, until - now))
            await self.step()
            if self.ended_at and not self.room.started and not self.told_end:
                self.told_end = True
                await self.tell(MeetingEnded)

    async def state(self) -> GroupSession:
        """As the process sees it."""
        return await self.engine.state(self.planned.session_id)

    async def cleared(self) -> list[Clear]:
        """The safety clears, as the record tells them."""
        return list(clears(await self.state(), self.clock.now()))

    def stored(self) -> set[str]:
        """Webhooks that are in the store."""
        with self.database.connect() as db:
            return {row.ref for row in db.exec_driver_sql("SELECT ref FROM deliveries")}

    def open_acts(self) -> list[str]:
        """Acts on the room that the store still calls unfinished."""
        open_states = (ActionState.WANTED, ActionState.SENT, ActionState.ESCALATED)
        with self.database.connect() as db:
            rows = db.exec_driver_sql("SELECT key, kind, state FROM actions").all()
        return [
            row.key for row in rows if row.state in open_states and row.kind in ACTS
        ]

    async def close(self) -> None:
        """The evening is over."""
        await self._bury()
        self.database.dispose()


ACTS = ("end_meeting", "remove_participant", "hold_participant")
