"""Exports under way: they go on when their page is left, and are kept for an hour.

They live in memory only: a file with names in it is written to no disk of ours. After a
restart it is asked for again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.core.record_parts import Record
from app.store.ids import new_id

KEPT = timedelta(hours=1)
MOST_KEPT = 3
MOST_BYTES = 200_000_000

log = structlog.get_logger("chaperone")

Read = Callable[[str], Awaitable[Record]]
NamesFile = Callable[[Sequence[Record]], str]
Write = Callable[[Sequence[Record]], bytes]


@dataclass(slots=True)
class Job:
    """One export. ``done`` of ``count`` sessions are read; then the file is written."""

    id: str
    person_id: str
    suffix: str
    count: int
    asked_at: datetime
    done: int = 0
    name: str = ""
    content: bytes | None = None
    problem: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def going_on(self) -> bool:
        """Whether it is neither done nor failed."""
        return self.content is None and not self.problem


class Jobs:
    """Everybody's exports; each person sees their own."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def start(
        self,
        person_id: str,
        suffix: str,
        session_ids: Sequence[str],
        read: Read,
        write: tuple[NamesFile, Write],
        now: datetime,
    ) -> Job:
        """Begin; ``write`` is what names the file and what writes it."""
        self._tidy(now)
        job = Job(new_id("export"), person_id, suffix, len(session_ids), now)
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._run(job, session_ids, read, write))
        return job

    def get(self, person_id: str, job_id: str, now: datetime) -> Job | None:
        """This person's export of that id, while it is kept."""
        self._tidy(now)
        job = self._jobs.get(job_id)
        return job if job is not None and job.person_id == person_id else None

    def of(self, person_id: str, now: datetime) -> list[Job]:
        """This person's, the newest first."""
        self._tidy(now)
        mine = [job for job in self._jobs.values() if job.person_id == person_id]
        return mine[::-1]

    async def _run(
        self,
        job: Job,
        session_ids: Sequence[str],
        read: Read,
        write: tuple[NamesFile, Write],
    ) -> None:
        name, content = write
        try:
            records = []
            for session_id in session_ids:
                records.append(await read(session_id))
                job.done += 1
            job.name = name(records)
            job.content = await asyncio.to_thread(content, records)
        except Exception as problem:  # noqa: BLE001 - told to the person, and logged
            log.error("export failed", export=job.id, why=type(problem).__name__)
            job.problem = (
                "The file could not be written. Ask whoever looks after Chaperone."
            )

    def _tidy(self, now: datetime) -> None:
        """Forget what is old, and the oldest of who asks too often."""
        old = [job for job in self._jobs.values() if now - job.asked_at > KEPT]
        for person in {job.person_id for job in self._jobs.values()}:
            mine = [j for j in self._jobs.values() if j.person_id == person]
            old += [j for j in mine[:-MOST_KEPT] if not j.going_on]
        finished = [job for job in self._jobs.values() if job.content is not None]
        size = sum(len(job.content or b"") for job in finished)
        for job in finished:
            if size > MOST_BYTES:
                old.append(job)
                size -= len(job.content or b"")
        for job in old:
            if not job.going_on:
                self._jobs.pop(job.id, None)
