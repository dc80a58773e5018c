"""Exports under way: kept for an hour, three for each person, and never somebody else's."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.core.record_parts import Record
from app.web.pages.exports_jobs import KEPT, MOST_KEPT, Job, Jobs
from tests.core.builders import at
from tests.exports.test_exports import EMPTY

pytestmark = pytest.mark.anyio

NOW = at("20:30")


async def read(_session_id: str) -> Record:
    return EMPTY


def started(jobs: Jobs, person: str, minutes: int = 0) -> Job:
    def write(records: Sequence[Record]) -> bytes:
        return b"x" * len(records)

    names = (lambda _records: "file.csv", write)
    now = NOW + timedelta(minutes=minutes)
    return jobs.start(person, "csv", ["one", "two"], read, names, now)


async def finished(job: Job) -> Job:
    assert job.task is not None
    await job.task
    return job


async def test_a_job_reads_each_session_and_then_writes() -> None:
    job = started(Jobs(), "anna")
    assert (job.going_on, job.done, job.count) == (True, 0, 2)

    await finished(job)

    assert (job.going_on, job.done, job.content, job.name) == (
        False,
        2,
        b"xx",
        "file.csv",
    )


async def test_a_file_is_gone_after_an_hour() -> None:
    jobs = Jobs()
    job = await finished(started(jobs, "anna"))

    assert jobs.get("anna", job.id, NOW + KEPT) is job
    assert jobs.get("anna", job.id, NOW + KEPT + timedelta(seconds=1)) is None


async def test_only_who_asked_gets_it() -> None:
    jobs = Jobs()
    job = await finished(started(jobs, "anna"))

    assert jobs.get("sam", job.id, NOW) is None
    assert (jobs.of("sam", NOW), jobs.of("anna", NOW)) == ([], [job])


async def test_the_newest_are_kept() -> None:
    jobs = Jobs()
    made = [await finished(started(jobs, "anna", n)) for n in range(MOST_KEPT + 1)]
    other = await finished(started(jobs, "sam", 5))

    now = NOW + timedelta(minutes=6)
    assert jobs.of("anna", now) == made[:0:-1]
    assert jobs.of("sam", now) == [other]


async def test_one_that_goes_on_is_not_forgotten() -> None:
    jobs, gate = Jobs(), asyncio.Event()

    async def slow(_session_id: str) -> Record:
        await gate.wait()
        return EMPTY

    names = (lambda _records: "file.csv", lambda _records: b"x")
    job = jobs.start("anna", "csv", ["one"], slow, names, NOW)

    assert jobs.of("anna", NOW + 3 * KEPT) == [job]
    gate.set()
    await finished(job)
    assert jobs.of("anna", NOW + 3 * KEPT) == []


async def test_one_that_fails_says_so() -> None:
    def write(_records: Sequence[Record]) -> bytes:
        raise ValueError("half a pair")

    jobs = Jobs()
    names = (lambda _records: "file.csv", write)
    job = await finished(jobs.start("anna", "csv", ["one"], read, names, NOW))

    assert not job.going_on
    assert job.problem.startswith("The file could not be written.")
    assert job.content is None
