"""Work that comes back: settings, catching up, reports, forgetting."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.engine.footing import Footing
from app.store import queue

LONGEST = 600.0  # seconds; a job that hangs must not be its own last run

Job = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Job:
    name: str
    gap: timedelta
    job: Job
    next_at: datetime
    once: bool
    running: bool = False


class Every:
    """Runs each job once per gap; remembers in the store when it last ran."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._jobs: dict[str, _Job] = {}

    def add(self, name: str, gap: timedelta, job: Job, *, once: bool) -> None:
        """Register a job; the first run is one gap from now.

        ``once``: by one of the processes that share a database, not by each.
        """
        now = self._footing.clock.now()
        self._jobs[name] = _Job(name, gap, job, now + gap, once)

    def load(self, db: Connection) -> None:
        """Go on where the last process stopped: an overdue job runs at once."""
        now = self._footing.clock.now()
        for job in self._jobs.values():
            last_at = queue.ran(db, job.name)
            if last_at is not None:
                job.next_at = min(max(now, last_at + job.gap), now + job.gap)

    def clock_followed(self) -> None:
        """No job waits longer than its gap, however far the clock went back."""
        now = self._footing.clock.now()
        for job in self._jobs.values():
            job.next_at = min(job.next_at, now + job.gap)

    def next_at(self) -> datetime | None:
        """When the next job is due."""
        return min((j.next_at for j in self._waiting()), default=None)

    def _waiting(self) -> list[_Job]:
        ours = self._footing.leases.has_house()
        jobs = self._jobs.values()
        return [j for j in jobs if not j.running and (ours or not j.once)]

    def due(self, now: datetime) -> list[str]:
        """Names of the jobs to run now; each is then running until :meth:`run` ends."""
        found = [job for job in self._waiting() if job.next_at <= now]
        for job in found:
            job.running = True
        return [job.name for job in found]

    async def run(self, name: str) -> None:
        """Run one job; a failure is logged and tried again at the next gap."""
        job = self._jobs[name]
        now = self._footing.clock.now()
        job.next_at = now + job.gap
        try:
            async with asyncio.timeout(LONGEST):
                await job.job()
            await self._footing.store.write(lambda db: queue.note_ran(db, name, now))
        except Exception as problem:  # noqa: BLE001 - logged; the next run tries again
            self._footing.log.error(
                "periodic work failed", job=name, why=repr(problem)[:300]
            )
        finally:
            job.running = False
