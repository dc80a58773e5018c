"""Work that comes back: settings, catching up, reports, forgetting."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.engine.footing import Footing
from app.store import queue

Job = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Job:
    name: str
    gap: timedelta
    job: Job
    next_at: datetime
    running: bool = False


class Every:
    """Runs each job once per gap; remembers in the store when it last ran."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._jobs: dict[str, _Job] = {}

    def add(self, name: str, gap: timedelta, job: Job) -> None:
        """Register a job; the first run is one gap from now."""
        now = self._footing.clock.now()
        self._jobs[name] = _Job(name, gap, job, now + gap)

    def next_at(self) -> datetime | None:
        """When the next job is due."""
        return min(
            (j.next_at for j in self._jobs.values() if not j.running), default=None
        )

    def due(self, now: datetime) -> list[str]:
        """Names of the jobs to run now."""
        return [
            j.name for j in self._jobs.values() if j.next_at <= now and not j.running
        ]

    async def run(self, name: str) -> None:
        """Run one job; a failure is logged and tried again at the next gap."""
        job = self._jobs[name]
        job.running = True
        now = self._footing.clock.now()
        job.next_at = now + job.gap
        try:
            await job.job()
            await self._footing.store.write(lambda db: queue.note_ran(db, name, now))
        except Exception as problem:  # noqa: BLE001 - logged; the next run tries again
            self._footing.log.error(
                "periodic work failed", job=name, why=repr(problem)[:300]
            )
        finally:
            job.running = False
