"""Everything that stands around one evening: World, platform, store, the bot's lives."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select, text

from app.core.presses import SessionEvent
from app.engine.alarms import Letter
from app.simulate.cast import CAST
from app.simulate.chance import ids, stream
from app.simulate.clocks import TrueClock, WallClock
from app.simulate.dice import WindowDice
from app.simulate.door import FaultyDoor, Killed
from app.simulate.ground import Ground
from app.simulate.life import Life, Parts
from app.simulate.scenario import Fault, Scenario
from app.simulate.second_file import SecondFile
from app.simulate.wire import ToBot, ToPlatform
from app.store.tables_acts import DeadlineRow
from integrations.base import TemporaryFailure
from integrations.http import AsyncClient, ConnectError
from integrations.rehearsal.people import Account
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer

deadlines = DeadlineRow.__table__  # type: ignore[attr-defined]
WATCHDOG = 10.0
"""Seconds until a process that could not start is started again."""
DOOM_WITHIN = 15.0

Change = Callable[[Parts], Parts]


@dataclass
class Noted:
    """The bot's log: kept, so that what it says can be judged."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def _keep(self, level: str) -> Callable[..., None]:
        return lambda event, **more: self.lines.append((level, event, more))

    def __getattr__(self, level: str) -> Callable[..., None]:
        return self._keep(level)


@dataclass
class Down:
    """The bot did not run."""

    since: datetime
    until: datetime | None = None
    asked: float = 0.0
    deadline: datetime | None = None
    """What the store then held as the session's deadline, by the bot's clock."""
    ahead: timedelta = timedelta()
    """How far the bot's clock was ahead of the true one."""


@dataclass
class Stage:
    """One evening while it is played, and what there is to judge afterwards."""

    scenario: Scenario
    ground: Ground
    change: Change = lambda parts: parts
    letters: list[tuple[datetime, Letter]] = field(default_factory=list)
    letters_lost: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    downs: list[Down] = field(default_factory=list)
    told: list[tuple[datetime, str]] = field(default_factory=list)
    pressed: list[SessionEvent] = field(default_factory=list)
    log: Noted = field(default_factory=Noted)
    second_file: SecondFile = field(default_factory=SecondFile)
    life: Life | None = None
    lives: int = 0
    session_id: str = ""
    meeting_id: int = 0
    links: dict[str, str] = field(default_factory=dict)
    lies: dict[str, int] = field(default_factory=dict)
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """(seconds passed, seconds taken, status; 0: nobody waited for it any longer)."""
    log_seen: list[tuple[datetime, dict[int, str]]] = field(default_factory=list)
    bound_at: datetime | None = None
    """When the bot knew that this meeting is the session's."""

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.clock = TrueClock(scenario.begins)
        self.wall = WallClock(scenario.begins)
        self.account = replace(
            Account(),
            plan="business" if scenario.live_roster else "pro",
            remove_enabled=scenario.remove_enabled,
            **scenario.account,
        )
        self.world = World(self.clock, self.account, scenario.seed % 1000)
        for person in CAST.values():
            self.world.add_person(person)
        self.dice = WindowDice(scenario, self.clock, self._struck)
        self.server = ZoomServer(
            self.world,
            self.clock,
            dice=self.dice,
            client=cast(AsyncClient, ToBot(self._take)),
        )
        self.began = self.clock.now()
        self._pauses = stream(scenario.seed, "pauses")
        self._fails = stream(scenario.seed, "store fails")
        self._around: dict[asyncio.Task[Any], None] = {}
        self._wake = asyncio.Event()
        self.world.wakers.append(self._wake.set)
        self.world.listeners.append(lambda _happening: self._wake.set())

    # --- what is told -----------------------------------------------------------------

    @property
    def passed(self) -> float:
        """Seconds since the evening began."""
        return (self.clock.now() - self.began).total_seconds()

    def tell(self, sentence: str) -> None:
        """A line for the timeline."""
        self.told.append((self.clock.now(), sentence))

    def _struck(self, code: str, kind: str) -> None:
        self.struck[f"{code} {kind}"] += 1

    def broken(self, code: str, kind: str = "") -> Fault | None:
        """The fault of this code that has its window now."""
        passed = self.passed
        for fault in self.scenario.faults:
            if fault.code == code and kind in ("", fault.kind) and fault.covers(passed):
                return fault
        return None

    # --- the bot ----------------------------------------------------------------------

    async def begin_life(self) -> None:
        """Start the bot; when it cannot start, the watchdog tries again."""
        while True:
            self.lives += 1
            life = Life(self.lives, self._died)
            life.build(self._parts(life))
            self.life = life
            try:
                await life.wake()
            except Killed:
                return
            except Exception as problem:  # noqa: BLE001 - whatever a start may meet
                self.tell(f"the bot cannot start: {type(problem).__name__}")
                life.dead = True
                await life.bury()
                await self.clock.sleep(WATCHDOG)
                continue
            if self.downs and self.downs[-1].until is None:
                self.downs[-1].until = self.clock.now()
            return

    def _parts(self, life: Life) -> Parts:
        door = FaultyDoor(
            self.ground.database,
            self.ground.connections,
            life.passed,
            self._store_trouble,
            self._pause,
        )
        return self.change(
            Parts(
                database=self.ground.database,
                clock=self.wall,
                transport=ToPlatform(
                    self.server.app,
                    self.around,
                    life.passed,
                    self.dice.connection_lost,
                ),
                door=door,
                ways={"webhook": self._keeper(life), "mail": self._keeper(life)},
                new_id=ids(self.scenario.seed, f"ids of life {life.number}"),
                account=self.account,
                log=self.log,
                spool_file=self.second_file,
            )
        )

    def _keeper(self, life: Life) -> Callable[[Letter, datetime], Any]:
        async def keep(letter: Letter, _now: datetime) -> None:
            life.passed("before letter")
            await self.clock.sleep(self._pause())
            channel = "mail" if "@" in letter.address else "webhook"
            fault = self.broken("F16", channel)
            if fault is not None:
                self.letters_lost += 1
                self._struck("F16", channel)
                raise TemporaryFailure("The gateway does not answer.")
            life.passed("letter")
            self.letters.append((self.clock.now(), letter))

        return keep

    def _store_trouble(self) -> str:
        for kind in ("full", "I/O error"):
            fault = self.broken("F12", kind)
            if fault is not None and self._fails.random() < fault.rate:
                self._struck("F12", kind)
                return (
                    "database or disk is full" if kind == "full" else "disk I/O error"
                )
        return ""

    def _pause(self) -> float:
        busy = self.broken("F12", "busy")
        if busy is not None and self._pauses.random() < busy.rate:
            self._struck("F12", "busy")
            return busy.amount
        return self._pauses.uniform(0.0, 0.01)

    async def _take(
        self, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        if self.life is None:
            raise ConnectError("nobody listens")
        asked_at = self.passed
        try:
            answer = await self.life.take(headers, body)
        except asyncio.CancelledError:
            self.answers.append((asked_at, self.passed - asked_at, 0))
            raise
        self.answers.append((asked_at, self.passed - asked_at, answer[0]))
        return answer

    # --- what the store holds ---------------------------------------------------------

    def log_rows(self) -> dict[int, str]:
        """Each row of the log, without what may be erased."""
        query = "SELECT seq, ref, kind, at, public FROM log"
        with self.ground.database.connect() as db:
            return {row.seq: repr(tuple(row)) for row in db.execute(text(query))}

    def note_the_log(self) -> None:
        """What is in the log now must be in it at the end (I15)."""
        self.log_seen.append((self.clock.now(), self.log_rows()))

    def _stored_deadline(self) -> datetime | None:
        query = select(deadlines.c.at).where(deadlines.c.session_id == self.session_id)
        with self.ground.database.connect() as db:
            return db.execute(query).scalar()

    # --- death ------------------------------------------------------------------------

    def _died(self, life: Life) -> None:
        self.tell(f"the bot is killed ({life.doom or 'at once'})")
        ahead = life.footing.clock.now() - self.clock.now()
        at = self._stored_deadline()
        self.downs.append(Down(self.clock.now(), deadline=at, ahead=ahead))
        self.note_the_log()
        self.around(self._after_death(life))

    async def _after_death(self, life: Life) -> None:
        await life.bury()
        await self.clock.sleep(self.downs[-1].asked or self._down_for)
        self.tell("the bot is started again")
        await self.begin_life()

    _down_for: float = 1.0

    async def kill(self, fault: Fault) -> None:
        """Kill the bot at the next point of the fault's kind, or soon anyhow."""
        life = self.life
        if life is None or life.dead:
            return
        self._struck("F11", fault.kind)
        self._down_for = fault.lasts
        life.doom = fault.kind
        if fault.kind != "at once":
            await self.clock.sleep(DOOM_WITHIN)
        if not life.dead:
            life.doom = "at once"
            life.die()

    # --- around the bot ---------------------------------------------------------------

    def around(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start work that is not the bot's: the platform's, or fate's."""
        loop = asyncio.get_running_loop()
        from app.simulate.loop import OWNER

        mark = OWNER.set(self._around)
        try:
            return loop.create_task(work)
        finally:
            OWNER.reset(mark)

    async def move_the_world(self) -> None:
        """Make the World's planned changes and bring its webhooks, each at its time."""
        while True:
            self._wake.clear()
            self.world.catch_up()
            for due in self.server.courier.take_due():
                self.around(self._bring(due))
            next_at = self.server.next_at()
            seconds = 3600.0
            if next_at is not None:
                seconds = max(0.0, (next_at - self.clock.now()).total_seconds())
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _bring(self, due: Any) -> None:
        sending = await self.server.courier.bring(due)
        if sending.is_accepted and sending.retry_num:
            self.marks["webhook came at a repeat"] += 1
        self._wake.set()

    async def close(self) -> None:
        """The evening is over."""
        if self.life is not None:
            self.life.dead = True
            await self.life.bury()
        for task in list(self._around):
            task.cancel()
        await asyncio.gather(*self._around, return_exceptions=True)

    def at(self, seconds: float) -> datetime:
        """That many seconds after the beginning."""
        return self.began + timedelta(seconds=seconds)
