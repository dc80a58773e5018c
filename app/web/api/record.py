"""Attendance: look, correct with a reason, confirm. The record and its files."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.core.attendance import Line, attendance
from app.core.presses import AttendanceAmended
from app.core.session import GroupSession
from app.exports import EXPORTS, MEDIA_TYPES, file_name
from app.store import notes as stored_records
from app.store.access_rows import Token
from app.store.notes import FrozenRecord
from app.store.people import has_letters, text_faults
from app.web import frozen
from app.web.access import Needs
from app.web.api.by import UNTAKEN, worker
from app.web.api.shapes import (
    API,
    Done,
    Entered,
    Id,
    Moment,
    StrictRoute,
    Text,
    Version,
)
from app.web.errors import Answer
from app.web.house import house_of

router = APIRouter(
    route_class=StrictRoute, tags=["record"], prefix=API + "/sessions/{session_id}"
)
log = structlog.get_logger("chaperone")
_JSON_RECORD: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}}
}
READ, WRITE = Depends(Needs("record:read")), Depends(Needs("record:write"))


class SpanOut(BaseModel):
    """From when to when."""

    start: datetime
    end: datetime


class CorrectionOut(BaseModel):
    """What was corrected, by whom and why."""

    at: datetime
    by: str
    reason: str
    joined_at: datetime | None
    left_at: datetime | None
    person_id: str


class LineOut(BaseModel):
    """One row. ``line`` is its id; ``shown`` are names as typed, never identity.

    ``left_at`` null: still there, or never. ``flags``: present or absent, late, left
    early, dropped and returned, removed, turned away, ...
    """

    line: str
    person_id: str
    name: str
    part: str
    role: str | None
    expected: bool
    matched_by: str
    shown: list[str]
    joined_at: datetime | None
    left_at: datetime | None
    seconds_present: float
    seconds_waited: float
    minutes: int
    spans: list[SpanOut]
    flags: list[str]
    corrections: list[CorrectionOut]


class ConfirmedOut(BaseModel):
    """By whom, when, and as which version of the record."""

    at: datetime
    by: str
    version: int


class AttendanceOut(BaseModel):
    """The table as of ``at``; null ``confirmed`` while nobody has confirmed it."""

    at: datetime
    confirmed: ConfirmedOut | None
    lines: list[LineOut]


class Confirmation(Entered):
    """``by`` is the worker who looked at the attendance."""

    by: Id


class Amendment(Entered):
    """A correction of a line; the original stays. Say what changes and why."""

    line: Id
    by: Id
    reason: Text
    joined_at: Moment | None = None
    left_at: Moment | None = None
    person_id: Text = ""


@router.get("/attendance", dependencies=[READ])
async def get_attendance(request: Request, session_id: str) -> AttendanceOut:
    """Who was there, drafted from events (guidance E3)."""
    house = house_of(request)
    return _table(await house.engine.state(session_id), house.clock.now())


@router.post("/attendance/amend", status_code=201, dependencies=[WRITE])
async def amend(request: Request, session_id: str, entered: Amendment) -> Done:
    """Correct a line; nothing is deleted (invariant I13)."""
    house = house_of(request)
    now = house.clock.now()
    session = await worker(house, session_id, entered.by)
    faults = _amendment_faults(session, entered, now)
    if faults:
        raise Answer(422, UNTAKEN, fields=faults)
    fact = AttendanceAmended(at=now, **entered.model_dump())
    await house.engine.accept_press(session_id, fact)
    return Done()


@router.post("/attendance/confirm", status_code=201, dependencies=[WRITE])
async def confirm(request: Request, session_id: str, entered: Confirmation) -> Done:
    """A worker says that it is right; the record is frozen as it is now (guidance E3)."""
    house = house_of(request)
    session = await worker(house, session_id, entered.by)
    if any(True for _ in session.live()):
        raise Answer(422, "The room is still open. Confirm when everybody is out.")
    await frozen.freeze(house, session_id, entered.by, house.clock.now())
    return Done()


# --- the record -------------------------------------------------------------------


@router.get("/record", dependencies=[READ], responses=_JSON_RECORD)
async def get_record(request: Request, session_id: str) -> Response:
    """The record as it is now, in the shape of ``chaperone.record/1``."""
    house, now = house_of(request), house_of(request).clock.now()
    session = await house.engine.state(session_id)
    body = EXPORTS["json"](await frozen.record_of(house, session, now))
    return Response(body, media_type="application/json")


@router.get("/record/{version}", dependencies=[READ], responses=_JSON_RECORD)
async def get_frozen(request: Request, session_id: str, version: Version) -> Response:
    """The record as somebody confirmed it; ``ETag`` is its SHA-256."""
    house = house_of(request)
    kept: FrozenRecord | None = await house.store.read(
        lambda db: stored_records.frozen(db, house.store, session_id, version)
    )
    if kept is None:
        raise Answer(404, "There is no such record.")
    headers = {"ETag": f'"{kept.digest}"'}
    return Response(kept.content, media_type="application/json", headers=headers)


@router.get("/exports/{suffix}", responses=_FILE)
async def export(
    request: Request,
    session_id: str,
    suffix: Literal["pdf", "docx", "xlsx", "csv", "json"],
    token: Annotated[Token, Depends(Needs("export:read"))],
) -> Response:
    """The record with its notes as a file: as it was confirmed, else a draft."""
    house, now = house_of(request), house_of(request).clock.now()
    session = await house.engine.state(session_id)
    record = await frozen.to_export(house, session, now)
    log.info("exported", token=token.id, session=session_id, suffix=suffix)
    name = file_name(record, suffix)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = await asyncio.to_thread(EXPORTS[suffix], record)
    return Response(body, media_type=MEDIA_TYPES[suffix], headers=headers)


def _amendment_faults(
    session: GroupSession, entered: Amendment, now: datetime
) -> dict[str, str]:
    faults = text_faults({"reason": entered.reason}, 5_000)
    lines = {line.line: line for line in attendance(session, now)}
    line = lines.get(entered.line)
    if line is None:
        faults["line"] = "There is no such line in this attendance."
    if not has_letters(entered.reason):
        faults["reason"] = "Write the reason in a sentence."
    if not (entered.joined_at or entered.left_at or entered.person_id):
        faults["joined_at"] = "Say what changes: a time, or who it was."
    joined = entered.joined_at or (line.joined_at if line else None)
    left = entered.left_at or (line.left_at if line else None)
    if joined and left and left < joined:
        faults["left_at"] = "Nobody leaves before they come."
    for field, at in (("joined_at", entered.joined_at), ("left_at", entered.left_at)):
        if at is not None and at > now:
            faults[field] = "That lies in the future."
    if entered.person_id and not _is_listed(session, entered.person_id):
        faults["person_id"] = "Choose somebody who is on this session's list."
    return faults


def _is_listed(session: GroupSession, person_id: str) -> bool:
    plan = session.plan
    if plan is None:
        return False
    return plan.worker(person_id) is not None or plan.client(person_id) is not None


def _table(session: GroupSession, now: datetime) -> AttendanceOut:
    confirmed = session.attendance_confirmed
    return AttendanceOut(
        at=now,
        confirmed=ConfirmedOut(at=confirmed[0], by=confirmed[1], version=confirmed[2])
        if confirmed
        else None,
        lines=[_line(session, line) for line in attendance(session, now)],
    )


def _line(session: GroupSession, line: Line) -> LineOut:
    return LineOut(
        line=line.line,
        person_id=line.person_id,
        name=session.names.get(line.person_id, ""),
        part=line.part,
        role=line.role,
        expected=line.expected,
        matched_by=line.matched_by,
        shown=list(line.shown),
        joined_at=line.joined_at,
        left_at=line.left_at,
        seconds_present=line.present.total_seconds(),
        seconds_waited=line.waited.total_seconds(),
        minutes=line.minutes,
        spans=[SpanOut(start=s.start, end=s.end) for s in line.spans],
        flags=sorted(line.flags),
        corrections=[
            CorrectionOut(
                at=a.at,
                by=a.by,
                reason=a.reason,
                joined_at=a.joined_at,
                left_at=a.left_at,
                person_id=a.person_id,
            )
            for a in line.amendments
        ],
    )
