"""The engine's heart: wake a session, settle it, send what is due, look when it is time.

``run`` is for the service; ``step`` does everything that is due at this moment and waits
for it, which is what tests and the simulated world drive.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.clock import SteadyClock
from app.core.actions import AlertStaff
from app.core.events import MeetingEvent
from app.core.presses import AlarmAcknowledged, SessionClosed, SessionEvent
from app.core.session import GroupSession
from app.engine.alarms import CALM_REPEAT, Alarms
from app.engine.clocks import Clocks
from app.engine.commits import settle
from app.engine.contract import EngineStatus, UnknownSession, WebhookAnswer
from app.engine.dispatch import Dispatch
from app.engine.footing import Footing
from app.engine.intake import NO_CONTENT, Intake
from app.engine.periodic import Every, Job
from app.engine.prepare import Prepare
from app.engine.report import status_of
from app.engine.routes import LONGEST_WAIT
from app.engine.sessions import Held, Sessions
from app.engine.settle import Settle
from app.engine.spool import FAILING, Spool
from app.engine.unplanned import Unplanned
from app.engine.unreadable import Unreadable
from app.engine.watch import Watch
from app.store import log, queue
from app.store import sessions as session_rows
from integrations.base import BadWebhook, Delivery, Mended

TURN_PAUSE = timedelta(seconds=1)
# News settle a few sessions at a time; while webhooks queue for the same processor, one
# turn begins every 25 ms, so that facts are safe first. A deadline waits for neither.
TURNS = 8
TURN_EVERY_WHILE_BUSY = 0.025
FAR = timedelta(days=3650)
FAR_AWAY = datetime.max.replace(tzinfo=UTC)
BOUND_KEPT = timedelta(days=1)  # an occurrence is over a day after its window
FARTHEST_BACK = timedelta(days=1)
LETTERS_AGAIN = timedelta(seconds=5)
STOP_WITHIN = 10.0  # seconds

STORE_FAILS = (
    "Chaperone cannot write to its store. It goes on guarding the rooms from memory."
)
WATCH_THE_STORE = (
    "Look at the disk and the database now. Until it is mended, keep two workers in "
    "every call and do not start Chaperone anew."
)
NOTHING_WRITES = (
    "Chaperone can write neither to its store nor to its second file. What happens now is "
    "in its memory only and is lost if it stops; it goes on guarding the rooms."
)
TURN_FAILS = "Chaperone cannot work out what to do in one session."
WATCH_BY_HAND = (
    "Join this session's call and watch it by hand. Send the log to whoever looks after "
    "Chaperone."
)


class Engine:
    """Implements app.engine.contract.EngineDoor."""

    def __init__(self, footing: Footing, alarms: Alarms) -> None:
        self._footing = footing
        self.sessions = Sessions(footing)
        self.intake = Intake(footing, self.wake)
        self.clocks = Clocks(footing, self.intake)
        self.spool = Spool(footing, self.sessions)
        self.spool.on_trouble = self._store_failed
        self.spool.on_lost = self._spool_failed
        self.intake.on_trouble = self._store_failed
        self.watch = Watch(footing, self.spool, self.wake)
        self.watch.measured = self._measured
        self._settle = Settle(footing, self.sessions, self.spool)
        self._settle.on_unstored_alarm = self._cry
        self._dispatch = Dispatch(
            footing, self.sessions, self.watch, self.wake, self.spool
        )
        self.alarms = alarms
        self.prepare_work = Prepare(footing, self.sessions, self.intake, self.wake)
        self._dispatch.on_link_cancelled = self._renew_links
        self.every = Every(footing)
        self.unplanned = Unplanned(footing)
        self._unreadable = Unreadable(footing, self.sessions, self.intake, self.wake)
        self.intake.on_look = self._look_soon
        self.intake.on_unbound = self._heard_of_stranger_meeting
        self._dirty: dict[str, None] = {}
        self._timers: dict[str, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause_until = 0.0
        self._bell = asyncio.Event()
        self._changed: dict[str, asyncio.Event] = {}
        self._letters_at: datetime | None = None
        self._sending = False
        self._awake = False
        self._stopping = False

    # --- the five calls: accept, wake, want (settle), at (timers), every -----------

    def wake(self, session_id: str) -> None:
        """Something happened for this session: settle it soon."""
        self._dirty[session_id] = None
        self._bell.set()

    async def accept_webhook(
        self, platform: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WebhookAnswer:
        """See EngineDoor."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer = self.take_webhook(platform, headers, body, settle(kept))
        if answer is not None:
            return answer
        await kept
        return NO_CONTENT

    def take_webhook(
        self,
        platform: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        kept: Callable[[BaseException | None], None],
    ) -> WebhookAnswer | None:
        """See EngineDoor."""
        try:
            return self.intake.take(platform, headers, body, kept)
        except BadWebhook as problem:
            self.intake.refuse(platform, problem)
            raise

    async def accept_press(self, session_id: str, *facts: SessionEvent) -> None:
        """See EngineDoor."""
        held = await self.sessions.held(session_id)

        def also(db: Connection) -> None:
            for fact in facts:
                if isinstance(fact, AlarmAcknowledged):
                    key = f"{held.session.session_id}:{fact.key}"
                    queue.acknowledge(db, key, fact.by, fact.at)
                elif isinstance(fact, SessionClosed):
                    session_rows.close(db, session_id, fact.at)

        await self.intake.accept_facts(facts, session_id, also)
        self.wake(session_id)

    async def alarms_stored(self) -> None:
        """See EngineDoor."""
        self._letters_at = self._footing.clock.now()
        self._bell.set()

    async def state(self, session_id: str) -> GroupSession:
        """See EngineDoor."""
        held = await self.sessions.held(session_id)
        async with held.lock:
            return await self.sessions.catch_up(held)

    async def state_at(self, session_id: str, when: datetime) -> GroupSession:
        """See EngineDoor."""
        return await self.sessions.as_of(session_id, when)

    async def plan_changed(self, session_id: str, by: str = "") -> None:
        """See EngineDoor."""
        await self.prepare_work.plan_changed(session_id, by)

    async def person_changed(self, person_id: str, by: str = "") -> None:
        """See EngineDoor."""
        await self.prepare_work.person_changed(person_id, by)

    async def prepare(self, session_id: str, by: str = "") -> Sequence[str]:
        """See EngineDoor."""
        return await self.prepare_work.prepare(session_id, by)

    async def bind(
        self,
        session_id: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        watch_only: bool = False,
    ) -> None:
        """See EngineDoor."""
        await self.prepare_work.bind(
            session_id, meeting_id, by, instance=instance, watch_only=watch_only
        )

    async def check_now(self, session_id: str) -> Sequence[str]:
        """See EngineDoor."""
        return await self.prepare_work.check_now(session_id)

    async def mend(self, session_id: str, wish: str, by: str) -> Mended:
        """See EngineDoor."""
        return await self.prepare_work.mend(session_id, wish, by)

    async def rotate_link(self, session_id: str, person_id: str, by: str) -> None:
        """See EngineDoor."""
        await self.prepare_work.rotate_link(session_id, person_id, by)

    async def changes(self, session_id: str) -> AsyncIterator[int]:
        """See EngineDoor."""
        await self.sessions.held(session_id)
        while not self._stopping:
            event = self._changed.setdefault(session_id, asyncio.Event())
            session = await self.state(session_id)
            yield session.version
            if not self._stopping:
                await event.wait()

    def press_hint(self, session_id: str, press: str) -> str:
        """See EngineDoor."""
        held = self.sessions.known(session_id)
        plan = held.session.plan if held is not None else None
        platform = self._footing.platforms.get(plan.platform) if plan else None
        return platform.press_hint(press) if platform is not None else ""

    async def status(self) -> EngineStatus:
        """See EngineDoor."""
        return await status_of(
            self._footing.store,
            self._footing.platforms,
            self.sessions.all().values(),
            awake=self._awake,
            problems=self.clocks.problems(),
        )

    # --- life ----------------------------------------------------------------------

    async def start(self) -> None:
        """Read what was left to do: bound meetings, deadlines, open actions.

        To be awaited before the first webhook is taken: until the bound meetings are
        known every meeting is a stranger's. Raises what the store raises.
        """
        if self._awake:
            return
        await self.spool.recover()
        last = await self._footing.store.read(log.last_sign)
        if last is not None:
            self._not_before(last)
        since = self._footing.clock.now() - BOUND_KEPT

        def work(db: Connection) -> tuple[list[tuple[str, datetime]], list[str]]:
            self.intake.load(db)
            self.clocks.load(db)
            self.every.load(db)
            sessions = queue.sessions_with_work(db)
            return (
                queue.all_deadlines(db),
                sessions + log.sessions_bound_after(db, since),
            )

        deadlines, working = await self._footing.store.read(work)
        await self.alarms.remember()
        now = self._footing.clock.now()
        for session_id, at in deadlines:
            self._timers[session_id] = at
        for session_id in working:
            self._dirty[session_id] = None
        for session_id in self.spool.owing():
            self._dirty[session_id] = None
        self._letters_at = now
        self._awake = True

    def _not_before(self, moment: datetime) -> None:
        """The wall clock may have been set back while we were down (I19)."""
        clock = self._footing.clock
        if not isinstance(clock, SteadyClock) or moment <= clock.now():
            return
        if moment - clock.now() > FARTHEST_BACK:
            self._footing.log.error("log is of the future", at=moment.isoformat())
            return
        clock.not_before(moment)

    async def run(self) -> None:
        """Work until :meth:`stop`; a mistake in here must not end the guard (I20)."""
        await self.start()
        while not self._stopping:
            self._bell.clear()
            try:
                self._start_due()
                await self._rest()
            except Exception as problem:  # noqa: BLE001 - told, and on we go
                self._footing.log.error("engine loop", why=repr(problem)[:300])
                await self._footing.clock.sleep(TURN_PAUSE.total_seconds())

    async def stop(self) -> None:
        """Finish what is under way, for a few seconds, and go to sleep."""
        self._stopping = True
        self._awake = False
        self._bell.set()
        for event in self._changed.values():
            event.set()
        await self.intake.drained()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def step(self) -> None:
        """Do everything that is due at this moment, and what follows from it."""
        if not self._awake:
            await self.start()
        for _ in range(1000):
            self._start_due(everything=True)
            if not self._tasks:
                return
            await asyncio.gather(*self._tasks)
        raise RuntimeError("the engine does not come to rest")

    def guards(self) -> bool:
        """Whether a room is open, so that seconds count."""
        return any(any(h.session.live()) for h in self.sessions.all().values())

    async def clock_followed(self) -> None:
        """The clock follows a step of the wall: what waits by it is looked at anew."""
        now = self._footing.clock.now()
        for session_id, held in self.sessions.all().items():
            held.looked_at.clear()
            for one in held.actions.values():
                if one.next_at is not None:
                    one.next_at = min(one.next_at, now + LONGEST_WAIT)
            self.wake(session_id)
        self.every.clock_followed()
        await self._footing.store.write(
            lambda db: queue.hurry_letters(db, now, CALM_REPEAT)
        )
        self._letters_at = now

    def next_at(self) -> datetime | None:
        """The next moment at which something is due."""
        return self._next_of(self._timers)

    def _next_of(self, sessions: Iterable[str]) -> datetime | None:
        moments = [self._timers[session_id] for session_id in sessions]
        if self._letters_at is not None and not self._sending:
            moments.append(self._letters_at)
        job = self.every.next_at()
        if job is not None:
            moments.append(job)
        return min(moments, default=None)

    def add_job(self, name: str, gap: timedelta, job: Job) -> None:
        """Periodic work, remembered in the store."""
        self.every.add(name, gap, job)

    # --- inside --------------------------------------------------------------------

    def _start_due(self, *, everything: bool = False) -> None:
        now = self._footing.clock.now()
        for _, session_id in sorted(
            (at, session_id) for session_id, at in self._timers.items() if at <= now
        ):
            self._start_turn(session_id)
        for session_id in [*self._dirty]:
            if not everything and self._is_full():
                break
            self._start_turn(session_id)
        due_letters = self._letters_at is not None and self._letters_at <= now
        if due_letters and not self._sending:
            self._letters_at, self._sending = None, True
            self._spawn(self._send_letters())
        for job in self.every.due(now):
            self._spawn(self.every.run(job))

    def _start_turn(self, session_id: str) -> None:
        if session_id in self._running:
            return
        self._dirty.pop(session_id, None)
        self._timers.pop(session_id, None)
        if not self._stopping:
            self._running[session_id] = self._spawn(self._turn(session_id))
        self._pause_until = self._footing.clock.monotonic() + TURN_EVERY_WHILE_BUSY

    def _is_full(self) -> bool:
        if len(self._running) >= TURNS:
            return True
        return self.intake.is_busy and self._pause_left() > 0

    def _pause_left(self) -> float:
        return self._pause_until - self._footing.clock.monotonic()

    async def _rest(self) -> None:
        next_at = self._next_of(s for s in self._timers if s not in self._running)
        ready = self._dirty.keys() - self._running.keys()
        if ready and not self._is_full():
            return
        wait = FAR if next_at is None else next_at - self._footing.clock.now()
        seconds = min(wait, FAR).total_seconds()
        if ready and len(self._running) < TURNS:
            seconds = min(seconds, self._pause_left())
        sleeper = asyncio.create_task(self._footing.clock.sleep(seconds))
        bell = asyncio.create_task(self._bell.wait())
        await asyncio.wait({sleeper, bell}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sleeper, bell):
            task.cancel()
        await asyncio.gather(sleeper, bell, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bell.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._footing.log.error("engine work failed", why=repr(problem)[:300])

    async def _turn(self, session_id: str) -> None:
        try:
            held = await self.sessions.held(session_id)
            try:
                async with held.lock:
                    await self._settle.settle(held)
            finally:
                # Whatever went wrong with deciding: what is decided is carried out.
                self._start_work(session_id, held)
            if self._settle.took_alarms():
                self._letters_at = self._footing.clock.now()
            if held.session.version != held.told_version:
                held.told_version = held.session.version
                self._tell(session_id)
        except UnknownSession:
            self._timers.pop(session_id, None)
        except Exception as problem:  # noqa: BLE001 - put off first, then told
            self._turn_failed(session_id, problem)
        finally:
            self._running.pop(session_id, None)
            self._bell.set()

    def _turn_failed(self, session_id: str, problem: Exception) -> None:
        """One bad session must neither stop the others, nor spin, nor be silent (I20)."""
        self._footing.log.error(
            "session turn failed", session=session_id, why=repr(problem)[:300]
        )
        self._timers[session_id] = self._footing.clock.now() + TURN_PAUSE
        if isinstance(problem, FAILING):
            self._store_failed(problem)
            return
        self._spawn(
            self.alarms.cry(f"turn:{session_id}", TURN_FAILS, WATCH_BY_HAND, session_id)
        )

    def _store_failed(self, problem: BaseException) -> None:
        self._footing.log.error("store fails", why=repr(problem)[:300])
        self._spawn(self.alarms.cry("store", STORE_FAILS, WATCH_THE_STORE))

    def _spool_failed(self, why: str) -> None:
        self._footing.log.error("in memory only", why=why)
        self._spawn(self.alarms.cry("spool", NOTHING_WRITES, WATCH_THE_STORE))

    def _cry(self, session: GroupSession, alert: AlertStaff) -> None:
        """An alarm the store did not take goes out all the same."""
        key = f"{session.session_id}:{alert.key}"
        self._spawn(
            self.alarms.cry(key, alert.reason, alert.what_to_do, session.session_id)
        )

    def _start_work(self, session_id: str, held: Held) -> None:
        now = self._footing.clock.now()
        for key in self._dispatch.due(held, now):
            held.busy.add(key)
            self._spawn(self._dispatch.dispatch(held, key))
        looks = self.watch.due(held)
        for name, at in looks.items():
            busy = f"look:{name}"
            if at <= now and busy not in held.busy:
                held.busy.add(busy)
                self._spawn(self._look(held, name))
        moments = [at for at in looks.values() if at > now]
        moments += [
            one.next_at
            for key, one in held.actions.items()
            if one.next_at is not None and key not in held.busy
        ]
        if held.deadline is not None:
            moments.append(held.deadline)
        if moments:
            self._timers[session_id] = max(min(moments), now)
        if (
            self.spool.owes(session_id)
            or held.stale_actions
            or held.unsettled
            or min(moments, default=FAR_AWAY) <= now
        ):
            # Not at rest: soon again, and never at once for ever.
            self._timers[session_id] = now + TURN_PAUSE

    async def _look(self, held: Held, name: str) -> None:
        try:
            await self.watch.look(held, name)
        finally:
            held.busy.discard(f"look:{name}")
            self.wake(held.session.session_id)

    async def _send_letters(self) -> None:
        next_at: datetime | None = self._footing.clock.now() + LETTERS_AGAIN
        try:
            next_at = await self.alarms.send_due()
        except Exception as problem:  # noqa: BLE001 - told by another way, tried again
            self._store_failed(problem)
        finally:
            self._sending = False
        if next_at is not None and (
            self._letters_at is None or next_at < self._letters_at
        ):
            self._letters_at = next_at

    def _tell(self, session_id: str) -> None:
        event = self._changed.pop(session_id, None)
        if event is not None:
            event.set()

    def _look_soon(self, platform: str, delivery: Delivery) -> None:
        self._unreadable.look_soon(platform, delivery)
        if delivery.meeting is None:
            self._spawn(self._tell_unreadable(platform))

    async def _tell_unreadable(self, platform: str) -> None:
        await self._unreadable.tell(platform)
        self._letters_at = self._footing.clock.now()

    def _renew_links(self, session_id: str) -> None:
        self._spawn(self._renew(session_id))

    async def _renew(self, session_id: str) -> None:
        for problem in await self.prepare_work.renew_links(session_id):
            self._footing.log.warning("link not renewed", why=problem)

    def _heard_of_stranger_meeting(self, event: MeetingEvent) -> None:
        self._spawn(self._ask_about(event))

    async def _ask_about(self, event: MeetingEvent) -> None:
        if await self.unplanned.heard(event):
            self._letters_at = self._footing.clock.now()

    def _measured(self, platform: str, offset: timedelta) -> None:
        if self.clocks.measured(platform, offset):
            self._spawn(self._tell_clock(platform))

    async def _tell_clock(self, platform: str) -> None:
        try:
            await self.clocks.tell(platform)
        except FAILING as problem:  # The next answer tries again.
            self._store_failed(problem)
        else:
            self._letters_at = self._footing.clock.now()
