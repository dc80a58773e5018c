"""A term as one file: 40 confirmed sessions of 15 people, from the store to the bytes."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from app.bench.figures import ROUNDS, Figure, median
from app.bench.processes import settings
from app.clock import Clock
from app.config import load_settings
from app.core import fold
from app.core.events import (
    MeetingEnded,
    MeetingRef,
    MeetingStarted,
    ParticipantJoined,
    ParticipantLeft,
)
from app.core.fold import Fact
from app.core.plan import InvitedClient, Plan, Role, WorkerSlot
from app.core.presses import LinkIssued, MeetingBound, SessionPlanned
from app.core.record import build_record
from app.core.record_parts import Named, Record, Signed
from app.core.session import GroupSession
from app.exports import TERM_EXPORTS
from app.exports.record_json import read_record, record_json
from app.main import open_store
from app.store import notes
from app.store.database import Store
from app.web.frozen import with_notes

SESSIONS, CLIENTS = 40, 13
GOALS: dict[str, float | None] = {
    "pdf": 10.0,
    "docx": None,
    "xlsx": None,
    "csv": 1.0,
    "json": None,
}
NOTES = "We went round twice and spoke about school. Nobody was left out.\n" * 25


async def measure(folder: Path, clock: Clock) -> list[Figure]:
    """Each format: the median of the rounds, and the longest the loop stood still."""
    settled = load_settings(settings(folder, 1, "http://127.0.0.1:1"))
    store = open_store(settled)
    try:
        with store.unit() as db:
            for number in range(SESSIONS):
                _keep(db, store, _record(number, clock.now()), clock.now())
        return [await _one(store, suffix, clock) for suffix in GOALS]
    finally:
        store.close()


def _keep(db: Connection, store: Store, record: Record, now: datetime) -> None:
    session_id = record.session_id
    notes.freeze(db, store, session_id, lambda _: record_json(record), "anna", now)
    notes.save(db, store, session_id, NOTES, "anna", on_version=0, now=now)


async def _one(store: Store, suffix: str, clock: Clock) -> Figure:
    took: list[float] = []
    stood = 0.0
    for _ in range(ROUNDS):
        watching = asyncio.create_task(_longest_standstill(clock))
        begun = clock.monotonic()
        records = [await _read(store, number) for number in range(SESSIONS)]
        content = await asyncio.to_thread(TERM_EXPORTS[suffix], records)
        took.append(clock.monotonic() - begun)
        watching.cancel()
        stood = max(stood, await watching)
    return Figure(
        f"a term as {suffix}, {SESSIONS} sessions of {CLIENTS + 2}",
        median(took),
        "s",
        GOALS[suffix],
        note=f"({len(content) / 1000:.0f} kB; the service stood still "
        f"{stood * 1000:.0f} ms at most)",
    )


async def _longest_standstill(clock: Clock) -> float:
    """How late a sleep of 5 ms wakes at worst; cancelled when it is enough."""
    worst = 0.0
    try:
        while True:
            begun = clock.monotonic()
            await clock.sleep(0.005)
            worst = max(worst, clock.monotonic() - begun - 0.005)
    except asyncio.CancelledError:
        return worst


async def _read(store: Store, number: int) -> Record:
    session_id = f"session-{number}"
    kept, written = await store.read(
        lambda db: (
            notes.frozen(db, store, session_id),
            notes.latest(db, store, session_id),
        )
    )
    return with_notes(read_record(kept.content), written, {})


def _record(number: int, now: datetime) -> Record:
    begins = now - timedelta(days=3 * (SESSIONS - number))
    session = GroupSession(f"session-{number}")
    facts = list(_facts(session.session_id, begins))
    for fact in facts:
        fold.apply(session, fact)
    names = {f"client-{n}": f"Client {n}" for n in range(CLIENTS)}
    names |= {"anna": "Anna", "sam": "Sam"}
    signed = Signed(version=1, at=begins, by=Named("anna", "Anna"))
    made = build_record(session, begins + timedelta(hours=2), names)
    return replace(made, version=1, attendance_confirmed=signed)


def _facts(session_id: str, begins: datetime) -> Iterator[Fact]:
    room = MeetingRef(platform="zoom", meeting_id=session_id, instance="1")
    workers = ("anna", "sam")
    clients = tuple(f"client-{n}" for n in range(CLIENTS))
    plan = Plan(
        session_id=session_id,
        group_id="group",
        platform="zoom",
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        zone="Europe/London",
        title="Bench",
        purpose="Measuring",
        workers=tuple(
            WorkerSlot(person_id=one, role=role, platform_user_id=one)
            for one, role in zip(workers, (Role.LEAD, Role.SUPPORT), strict=True)
        ),
        clients=tuple(InvitedClient(person_id=one) for one in clients),
    )
    yield SessionPlanned(at=begins, plan=plan)
    yield MeetingBound(
        at=begins,
        platform="zoom",
        meeting_id=session_id,
        opens_at=begins - timedelta(hours=1),
        closes_at=begins + timedelta(hours=3),
    )
    for one in clients:
        yield LinkIssued(
            at=begins, person_id=one, registrant_id=one, meeting_id=session_id
        )
    yield MeetingStarted(meeting=room, at=begins)
    for minute, one in enumerate((*workers, *clients)):
        joined = ParticipantJoined(
            meeting=room,
            at=begins + timedelta(seconds=20 * minute),
            uuid=one,
            user_id=str(minute),
            name=one,
            platform_user_id=one if one in workers else "",
            registrant_id="" if one in workers else one,
        )
        yield joined
        yield ParticipantLeft(
            meeting=room,
            at=begins + timedelta(minutes=60 + (one in workers) * 10),
            uuid=one,
            user_id=joined.user_id,
            name=one,
        )
    yield MeetingEnded(meeting=room, at=begins + timedelta(minutes=71))
