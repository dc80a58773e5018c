"""The heart: wake a session, settle it, send what is due, look when it is time.

``run`` is for the service; ``step`` does everything that is due at this moment and waits
for it, which is what tests and the simulated world drive.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from app.engine.alarms import CALM_REPEAT, Alarms
from app.engine.clocks import Clocks, not_before
from app.engine.company import ALONE, Company
from app.engine.contract import UnknownSession
from app.engine.dispatch import Dispatch
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.letterbox import Letterbox
from app.engine.periodic import Every, Job
from app.engine.routes import LONGEST_WAIT
from app.engine.sessions import Held, Sessions
from app.engine.settle import Settle
from app.engine.spool import FAILING, Spool
from app.engine.tasks import Tasks
from app.engine.troubles import Troubles
from app.engine.turns import TURN_PAUSE, Turns
from app.engine.watch import Watch
from app.store import log, queue
from app.store.leases import LeaseLost

FAR_AWAY = datetime.max.replace(tzinfo=UTC)
BOUND_KEPT = timedelta(days=1)  # an occurrence is over a day after its window
STOP_WITHIN = 10.0  # seconds


class Heart:
    """Beats until it is stopped; a mistake in one session stops no other (I20)."""

    def __init__(self, footing: Footing, alarms: Alarms) -> None:
        self._footing = footing
        self.alarms = alarms
        self._tasks = Tasks(footing)
        self._troubles = Troubles(footing, self._tasks, lambda: self.alarms)
        store_failed = self._troubles.store_failed
        self._letterbox = Letterbox(footing, lambda: self.alarms, store_failed)
        self.sessions = Sessions(footing)
        self.intake = Intake(footing, self.wake)
        self.intake.on_trouble = store_failed
        self.turns = Turns(footing, self._tasks.bell, lambda: self.intake.is_busy)
        self.clocks = Clocks(footing, self.intake)
        self.spool = Spool(footing, self.sessions)
        self.spool.on_trouble = store_failed
        self.spool.on_lost = self._troubles.spool_failed
        self.watch = Watch(footing, self.spool, self.wake)
        self._settle = Settle(footing, self.sessions, self.spool)
        self._settle.on_unstored_alarm = self._troubles.not_stored
        self._dispatch = Dispatch(
            footing, self.sessions, self.watch, self.wake, self.spool
        )
        self.every = Every(footing)
        self.company: Company = ALONE
        self._changed: dict[str, asyncio.Event] = {}
        self._awake = False
        self._stopping = False
        self._goodbye = False

    def wake(self, session_id: str) -> None:
        """Something happened for this session: settle it soon."""
        if self._footing.leases.holds(session_id):
            self.turns.wake(session_id)
        else:
            self._footing.leases.tell("wake", session_id)

    # --- life ----------------------------------------------------------------------

    async def start(self) -> None:
        """Read what was left to do: bound meetings, deadlines, open actions.

        To be awaited before the first webhook is taken: until the bound meetings are
        known every meeting is a stranger's. Raises what the store raises.
        """
        if self._awake:
            return
        await self.spool.recover()
        await self.company.begin()
        last = await self._footing.store.read(log.last_sign)
        if last is not None:
            not_before(self._footing, last)

        def work(db: Connection) -> None:
            self.intake.load(db)
            self.clocks.load(db)
            self.every.load(db)

        await self._footing.store.read(work)
        await self.alarms.remember()
        await self.take_up(self._footing.leases.holds)
        self._letterbox.soon()
        self._awake = True

    async def take_up(self, ours: Callable[[str], bool]) -> None:
        """Go on with these sessions: deadlines, open actions, rooms that may be open.

        Raises what the store raises.
        """
        since = self._footing.clock.now() - BOUND_KEPT

        def work(db: Connection) -> tuple[list[tuple[str, datetime]], list[str]]:
            sessions = queue.sessions_with_work(db)
            return (
                queue.all_deadlines(db),
                sessions + log.sessions_bound_after(db, since),
            )

        deadlines, working = await self._footing.store.read(work)
        for session_id, at in deadlines:
            if ours(session_id):
                self.turns.come_back(session_id, at)
        for session_id in (*working, *self.spool.owing()):
            if ours(session_id):
                self.watch.taken_up(session_id)
                self.wake(session_id)
        self._tasks.bell.set()

    async def take_up_house(self) -> None:
        """Go on with the work that is done once. Raises what the store raises."""
        await self._footing.store.read(self.every.load)
        self.letters_soon()

    def letters_soon(self) -> None:
        """An alarm was stored, or may have been."""
        self._letterbox.soon()
        self._tasks.bell.set()

    async def run(self) -> None:
        """Work until :meth:`stop`; a mistake in here must not end the guard (I20)."""
        await self.start()
        keeping = asyncio.create_task(self.company.keep())
        while not self._stopping:
            self._tasks.bell.clear()
            try:
                self._start_due()
                await self.turns.rest(self._others_at())
            except Exception as problem:  # noqa: BLE001 - told, and on we go
                self._footing.log.error("engine loop", why=repr(problem)[:300])
                await self._footing.clock.sleep(TURN_PAUSE.total_seconds())
        keeping.cancel()

    async def stop(self) -> None:
        """Finish what is under way, for a few seconds, and go to sleep."""
        self._stopping = True
        self._awake = False
        self._tasks.bell.set()
        self.let_pages_go()
        await self.intake.drained()
        await self._tasks.end(STOP_WITHIN)
        await self.company.leave()

    def let_pages_go(self) -> None:
        """End what open pages follow: the service stops, and waits for them first."""
        self._goodbye = True
        for event in self._changed.values():
            event.set()

    async def step(self) -> None:
        """Do everything that is due at this moment, and what follows from it."""
        if not self._awake:
            await self.start()
        for _ in range(1000):
            self._start_due(everything=True)
            if not self._tasks:
                return
            await self._tasks.over()
        raise RuntimeError("the engine does not come to rest")

    def guards(self) -> bool:
        """Whether a room is open, so that seconds count."""
        return any(any(h.session.live()) for h in self.sessions.all().values())

    async def clock_followed(self) -> None:
        """The clock follows a step of the wall: what waits by it is looked at anew."""
        now = self._footing.clock.now()
        for session_id, held in self.sessions.all().items():
            if not self._footing.leases.holds(session_id):
                continue
            held.looked_at.clear()
            for one in held.actions.values():
                if one.next_at is not None:
                    one.next_at = min(one.next_at, now + LONGEST_WAIT)
            self.wake(session_id)
        self.every.clock_followed()
        await self._footing.store.write(
            lambda db: queue.hurry_letters(db, now, CALM_REPEAT)
        )
        self._letterbox.soon()

    def next_at(self) -> datetime | None:
        """The next moment at which something is due."""
        moments = (self.turns.next_at(), self._others_at())
        return min((at for at in moments if at is not None), default=None)

    def _others_at(self) -> datetime | None:
        moments = (self._letterbox.next_at(), self.every.next_at())
        return min((at for at in moments if at is not None), default=None)

    def add_job(
        self, name: str, gap: timedelta, job: Job, *, once: bool = False
    ) -> None:
        """Periodic work, remembered in the store; ``once``: by one process of several."""
        self.every.add(name, gap, job, once=once)

    # --- one turn ------------------------------------------------------------------

    def _start_due(self, *, everything: bool = False) -> None:
        for session_id in self.turns.due(everything=everything):
            if self._stopping:
                self.turns.over(session_id)
            else:
                self._tasks.start(self._turn(session_id))
        if self._letterbox.is_due():
            self._tasks.start(self._letterbox.send())
        for job in self.every.due(self._footing.clock.now()):
            self._tasks.start(self.every.run(job))

    async def _turn(self, session_id: str) -> None:
        try:
            fence = self._footing.leases.fence_of(session_id)
            if fence is None:
                self._not_ours(session_id)
                return
            held = await self.sessions.held_under(session_id, fence)
            try:
                async with held.lock:
                    await self._settle.settle(held)
            except LeaseLost as lost:
                self._lease_lost(lost)
            finally:
                # Whatever went wrong with deciding: what is decided is carried out.
                self._start_work(session_id, held)
            if self._settle.took_alarms():
                self._letterbox.soon()
            if held.session.version != held.told_version:
                held.told_version = held.session.version
                self.tell_pages(session_id)
                self._footing.leases.tell("changed", session_id)
        except UnknownSession:
            self.turns.forget(session_id)
        except Exception as problem:  # noqa: BLE001 - put off first, then told
            self._turn_failed(session_id, problem)
        finally:
            self.turns.over(session_id)

    def _not_ours(self, session_id: str) -> None:
        """Another process may be in charge: of what, the leases know in a moment."""
        if self._footing.leases.holds(session_id):
            self.turns.pause(session_id)
        else:
            self.turns.forget(session_id)

    def _lease_lost(self, lost: LeaseLost) -> None:
        self.company.lost(lost)

    def _turn_failed(self, session_id: str, problem: Exception) -> None:
        """One bad session must neither stop the others, nor spin, nor be silent (I20)."""
        self._footing.log.error(
            "session turn failed", session=session_id, why=repr(problem)[:300]
        )
        self.turns.pause(session_id)
        if isinstance(problem, FAILING):
            self._troubles.store_failed(problem)
        else:
            self._troubles.turn_failed(session_id)

    def _start_work(self, session_id: str, held: Held) -> None:
        if self._footing.leases.fence_of(session_id) != held.fence:
            self.turns.pause(session_id)
            return
        now = self._footing.clock.now()
        for key in self._dispatch.due(held, now):
            held.busy.add(key)
            self._tasks.start(self._dispatch.dispatch(held, key))
        looks = self.watch.due(held)
        for name, at in looks.items():
            busy = f"look:{name}"
            if at <= now and busy not in held.busy:
                held.busy.add(busy)
                self._tasks.start(self._look(held, name))
        moments = [at for at in looks.values() if at > now]
        moments += [
            one.next_at
            for key, one in held.actions.items()
            if one.next_at is not None and key not in held.busy
        ]
        if held.deadline is not None:
            moments.append(held.deadline)
        next_at = min(moments, default=FAR_AWAY)
        is_behind = self.spool.owes(session_id) or held.stale_actions or held.unsettled
        if is_behind or next_at <= now:
            self.turns.pause(session_id)
        elif moments:
            self.turns.come_back(session_id, next_at)

    async def _look(self, held: Held, name: str) -> None:
        try:
            await self.watch.look(held, name)
        except LeaseLost as lost:
            self._lease_lost(lost)
        finally:
            held.busy.discard(f"look:{name}")
            self.wake(held.session.session_id)

    def tell_pages(self, session_id: str) -> None:
        """Pages that show this session look again."""
        event = self._changed.pop(session_id, None)
        if event is not None:
            event.set()
