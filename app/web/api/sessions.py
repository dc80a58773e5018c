"""Planned sessions: enter, change, prepare the meeting, bind, check and mend it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.requests import Request

from app.core.plan import Role
from app.store import rooms, sessions
from app.store.local_time import FARTHEST, to_utc, zone_of
from app.store.rooms import BoundMeeting, PersonalLink
from app.store.sessions import Rostered, SessionPlan
from app.web.access import Needs
from app.web.api.by import active_worker
from app.web.api.shapes import (
    API,
    MOST,
    After,
    Done,
    Entered,
    Id,
    Limit,
    LocalTime,
    Moment,
    Page,
    StrictRoute,
    Text,
)
from app.web.errors import Answer
from app.web.house import house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["sessions"])
READ, WRITE = Depends(Needs("sessions:read")), Depends(Needs("sessions:write"))


class Slot(Entered):
    """A worker's part in a session."""

    person_id: Id
    role: Literal["lead", "support", "standby"]


class SessionFields(Entered):
    """The plan of a session.

    ``starts_at`` and ``ends_at`` are local times in ``zone``; ``hour`` says which one is
    meant where the clocks go back (``first`` or ``second``). ``policy`` holds only what
    this session does differently, durations in seconds.
    """

    group_id: Id = ""
    platform: Text = ""
    starts_at: LocalTime | None = None
    ends_at: LocalTime | None = None
    zone: Text = "Europe/London"
    hour: Literal["", "first", "second"] = ""
    title: Text = ""
    purpose: Text = ""
    plan_text: Text = ""
    segments: int = 0
    workers: Annotated[list[Slot], Field(max_length=100, default_factory=list)]
    clients: Annotated[list[Id], Field(max_length=500, default_factory=list)]
    risk_assessment: bool = False
    emergency_contacts: bool = False
    recording_reason: Text = ""
    link_is_public: bool = False
    policy: Annotated[dict[str, Any], Field(default_factory=dict)]


class NewSession(SessionFields):
    """A session of a group on one platform."""

    group_id: Id
    platform: Text
    starts_at: LocalTime
    ends_at: LocalTime


class SessionChange(SessionFields):
    """Only the fields that are sent change. ``version``: the one you looked at."""

    version: Annotated[int, Field(ge=1, le=MOST)] | None = None


class By(Entered):
    """Who does it: a person's id."""

    by: Text = ""


class Binding(Entered):
    """A platform meeting for this session; ``watch_only`` for a recurring one."""

    meeting_id: Id
    by: Text = ""
    instance: Text = ""
    watch_only: bool = False


class Wish(Entered):
    """The setting to make safe, as ``mend`` of a readiness item names it."""

    wish: Id
    by: Text = ""


class Told(BaseModel):
    """``problems``: plain sentences about what could not be done; empty when all was."""

    problems: list[str]


class MendedOut(BaseModel):
    """Which settings hold after reading them back, and which do not and why."""

    done: list[str]
    refused: dict[str, str]


class SessionOut(BaseModel):
    """A session with its meetings."""

    plan: SessionPlan
    meetings: list[BoundMeeting]


@router.get("/sessions", dependencies=[READ])
async def list_sessions(
    request: Request,
    since: Moment | None = None,
    until: Moment | None = None,
    group_id: str = "",
    after: After = "",
    limit: Limit = 100,
) -> Page[SessionPlan]:
    """Sessions that end after ``since`` and start before ``until``, by their start."""
    house = house_of(request)

    def work(db: Connection) -> list[SessionPlan]:
        last = None
        if after:
            seen = sessions.get(db, house.store, after)
            last = (seen.starts_at, seen.id)
        return sessions.listed(
            db,
            house.store,
            since=since,
            until=until,
            group_id=group_id,
            after=last,
            limit=limit + 1,
        )

    found = await house.store.read(work)
    more = len(found) > limit
    return Page(items=found[:limit], next=found[limit - 1].id if more else None)


@router.post("/sessions", status_code=201, dependencies=[WRITE])
async def add_session(request: Request, entered: NewSession) -> SessionPlan:
    """Plan a session."""
    house = house_of(request)
    now, fields = house.clock.now(), columns(entered.given())
    del fields["starts_at"], fields["ends_at"]
    when = sessions.times(
        entered.starts_at, entered.ends_at, entered.zone, now, entered.hour
    )
    made: SessionPlan = await house.store.write(
        lambda db: sessions.add(
            db, house.store, {**fields, **when}, house.platforms, now
        )
    )
    await house.engine.plan_changed(made.id)
    return made


@router.get("/sessions/{session_id}", dependencies=[READ])
async def get_session(request: Request, session_id: str) -> SessionOut:
    """One session: its plan, and the meetings bound to it."""
    house = house_of(request)

    def work(db: Connection) -> SessionOut:
        return SessionOut(
            plan=sessions.get(db, house.store, session_id),
            meetings=rooms.meetings_of(db, house.store, session_id),
        )

    found: SessionOut = await house.store.read(work)
    return found


@router.patch("/sessions/{session_id}", dependencies=[WRITE])
async def change_session(
    request: Request, session_id: str, entered: SessionChange
) -> SessionPlan:
    """Change the plan; 409 when somebody else changed it since ``version``."""
    house, now = house_of(request), house_of(request).clock.now()
    given = columns(entered.given("version"))

    def work(db: Connection) -> SessionPlan:
        changes = _retimed(
            sessions.get(db, house.store, session_id), entered, given, now
        )
        return sessions.change(
            db,
            house.store,
            session_id,
            changes,
            house.platforms,
            on_version=entered.version,
        )

    changed: SessionPlan = await house.store.write(work)
    await house.engine.plan_changed(session_id)
    return changed


@router.post("/sessions/{session_id}/cancel", dependencies=[WRITE])
async def cancel_session(request: Request, session_id: str) -> Done:
    """It will not take place."""
    house, now = house_of(request), house_of(request).clock.now()
    await house.store.write(lambda db: sessions.close(db, session_id, now, "cancelled"))
    await house.engine.plan_changed(session_id)
    return Done()


# --- the meeting ------------------------------------------------------------------


@router.post("/sessions/{session_id}/prepare", dependencies=[WRITE])
async def prepare(request: Request, session_id: str, entered: By) -> Told:
    """Make the safe meeting, or adopt it, and give each person their own link."""
    house = house_of(request)
    told = await house.engine.prepare(
        session_id, await active_worker(house, entered.by)
    )
    return Told(problems=list(told))


@router.post("/sessions/{session_id}/bind", dependencies=[WRITE])
async def bind(request: Request, session_id: str, entered: Binding) -> Done:
    """This platform meeting is the session's."""
    house = house_of(request)
    await house.engine.bind(
        session_id,
        entered.meeting_id.replace(" ", ""),
        await active_worker(house, entered.by),
        instance=entered.instance,
        watch_only=entered.watch_only,
    )
    return Done()


@router.post("/sessions/{session_id}/check", dependencies=[WRITE])
async def check_now(request: Request, session_id: str) -> Told:
    """Read settings and hands again."""
    told = await house_of(request).engine.check_now(session_id)
    return Told(problems=list(told))


@router.post("/sessions/{session_id}/mend", dependencies=[WRITE])
async def mend(request: Request, session_id: str, entered: Wish) -> MendedOut:
    """Make one setting safe and read it back."""
    house = house_of(request)
    if not any(item.mend == entered.wish for item in house.pack.items):
        fields = {"wish": "Choose a setting that a readiness item offers to mend."}
        raise Answer(422, "Some of this cannot be taken.", fields=fields)
    by = await active_worker(house, entered.by)
    mended = await house.engine.mend(session_id, entered.wish, by)
    return MendedOut(done=list(mended.done), refused=dict(mended.refused))


@router.get("/sessions/{session_id}/links", dependencies=[Depends(Needs("links:read"))])
async def list_links(request: Request, session_id: str) -> Page[PersonalLink]:
    """The personal links. They are secrets: one person, one link, told to nobody else."""
    house = house_of(request)

    def work(db: Connection) -> list[PersonalLink]:
        sessions.get(db, house.store, session_id)
        return rooms.links_of(db, house.store, session_id)

    return Page(items=await house.store.read(work))


@router.post(
    "/sessions/{session_id}/links/{person_id}/rotate",
    dependencies=[Depends(Needs("links:write"))],
)
async def rotate_link(
    request: Request, session_id: str, person_id: str, entered: By
) -> Done:
    """Cancel a link that leaked and issue a new one."""
    house = house_of(request)
    by = await active_worker(house, entered.by)
    await house.engine.rotate_link(session_id, person_id, by)
    return Done()


# --- from what is sent to columns -------------------------------------------------


def columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns for what was sent, but those of its times."""
    fields = {k: v for k, v in given.items() if k not in ("zone", "hour")}
    if "workers" in fields:
        fields["workers"] = tuple(
            Rostered(person_id=w.person_id, role=str(Role(w.role)))
            for w in fields["workers"]
        )
    if "clients" in fields:
        fields["clients"] = tuple(fields["clients"])
    return fields


def _retimed(
    before: SessionPlan, entered: SessionChange, given: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The changes with new time columns, where times or zone are among them."""
    changes = dict(given)
    if not {"starts_at", "ends_at", "zone"} & entered.model_fields_set:
        return changes
    zone = entered.zone if "zone" in entered.model_fields_set else before.zone
    starts, ends = entered.starts_at, entered.ends_at
    if zone != before.zone:
        # The clock on the wall stays what was entered; the moment moves.
        starts = starts or datetime.fromisoformat(before.local_start)
        ends = ends or datetime.fromisoformat(before.local_end)
    elif starts is not None and ends is None:
        # Moving the start alone moves the session; its length stays.
        moved = to_utc("starts_at", starts, zone_of(zone), entered.hour)
        ends = min(moved, now + FARTHEST * 2) + (before.ends_at - before.starts_at)
    return changes | sessions.times(
        starts or before.starts_at, ends or before.ends_at, zone, now, entered.hour
    )
