"""A session as it is now: roster, actions, timeline, and the log beneath."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.requests import Request

from app.core import wire
from app.core.identity import Standing
from app.core.rooms import who_is_who
from app.core.session import ActionFact, GroupSession, Instance
from app.core.timeline import Entry, timeline
from app.store import log, sessions
from app.web.access import Needs
from app.web.api.shapes import (
    API,
    Limit,
    Page,
    StrictRoute,
)
from app.web.house import house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["live"])
READ, WRITE = Depends(Needs("sessions:read")), Depends(Needs("sessions:write"))


class ConnectionOut(BaseModel):
    """One connection. ``shown`` is the name as typed: never identity.

    ``room`` is empty outside every room; ``waiting``: at the door. ``since`` is when that
    began. ``role`` is what the platform says (host, co-host).
    """

    key: str
    person_id: str
    who: str
    why: str
    shown: str
    looks_like: str
    room: str
    waiting: bool
    since: datetime | None
    role: str
    by_phone: bool


class InstanceOut(BaseModel):
    """One occurrence of a meeting. ``seen_at``: when the last complete look began."""

    platform: str
    meeting_id: str
    instance: str
    started_at: datetime | None
    ended_at: datetime | None
    seen_at: datetime | None
    blind_since: datetime | None
    people: list[ConnectionOut]


class RosterOut(BaseModel):
    """Who is where, as of ``at``."""

    at: datetime
    lead_id: str
    instances: list[InstanceOut]


class ActionOut(BaseModel):
    """Something the bot wanted done, and how far it has come."""

    key: str
    kind: str
    state: str
    reason: str
    route: str
    connection: str
    person_id: str
    cause: str
    problem: str
    proof: str
    tries: int
    race: bool
    wanted_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None


class EntryOut(BaseModel):
    """One line in plain words. ``who``: room, worker or bot; ``proof`` of what it did."""

    at: datetime
    who: str
    text: str
    level: str
    proof: str
    key: str


class FactOut(BaseModel):
    """One fact of the log. ``at`` is event time, ``heard_at`` when we heard of it."""

    seq: int
    kind: str
    at: datetime
    heard_at: datetime
    source: str
    facts: dict[str, Any]
    personal: dict[str, Any]


@router.get("/sessions/{session_id}/roster", dependencies=[READ])
async def get_roster(request: Request, session_id: str) -> RosterOut:
    """Who is in which room and who waits at the door."""
    house = house_of(request)
    session = await house.engine.state(session_id)
    return RosterOut(
        at=house.clock.now(),
        lead_id=session.lead_id,
        instances=[
            _instance(session, instance)
            for instance in session.instances.values()
            if instance.opened_at is not None
        ],
    )


@router.get("/sessions/{session_id}/actions", dependencies=[READ])
async def list_actions(request: Request, session_id: str) -> Page[ActionOut]:
    """Everything the bot wanted done, oldest first."""
    session = await house_of(request).engine.state(session_id)
    ordered = sorted(session.actions.values(), key=lambda a: (a.wanted_at, a.key))
    return Page(items=[_action(fact) for fact in ordered])


@router.get("/sessions/{session_id}/timeline", dependencies=[READ])
async def get_timeline(request: Request, session_id: str) -> Page[EntryOut]:
    """What happened, in plain sentences, oldest first."""
    session = await house_of(request).engine.state(session_id)
    return Page(items=[_entry(entry) for entry in timeline(session)])


@router.get("/sessions/{session_id}/facts", dependencies=[READ])
async def list_facts(
    request: Request,
    session_id: str,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Limit = 500,
) -> Page[FactOut]:
    """The facts of the log themselves, in its order, after a ``seq``."""
    house = house_of(request)

    def work(db: Connection) -> list[log.Logged]:
        sessions.get(db, house.store, session_id)
        bound = log.meetings_of(db, session_id)
        return log.of_session(house.store, db, session_id, bound, after=after)

    found = await house.store.read(work)
    kept = found[:limit]
    return Page(
        items=[_fact(one) for one in kept],
        next=str(kept[-1].seq) if len(found) > limit else None,
    )


# --- shapes of answers ------------------------------------------------------------


def _instance(session: GroupSession, instance: Instance) -> InstanceOut:
    known = who_is_who(session, instance)
    return InstanceOut(
        platform=instance.ref.platform,
        meeting_id=instance.ref.meeting_id,
        instance=instance.ref.instance,
        started_at=instance.started_at,
        ended_at=instance.closed_at,
        seen_at=instance.proof_at,
        blind_since=instance.failing_since,
        people=[_connection(instance, key, known[key]) for key in instance.connections],
    )


def _connection(instance: Instance, key: str, who: Standing) -> ConnectionOut:
    connection = instance.connections[key]
    where = connection.whereabouts(instance.closed_at)
    return ConnectionOut(
        key=key,
        person_id=who.person_id,
        who=who.who,
        why=who.why,
        shown=connection.name,
        looks_like=who.looks_like,
        room=where.room,
        waiting=where.waiting,
        since=where.since,
        role=connection.role,
        by_phone=connection.by_phone,
    )


def _action(fact: ActionFact) -> ActionOut:
    shown = {name: getattr(fact, name) for name in ActionOut.model_fields}
    return ActionOut(**shown | {"state": str(fact.state)})


def _entry(entry: Entry) -> EntryOut:
    return EntryOut(
        at=entry.at,
        who=entry.who_kind,
        text=entry.text,
        level=entry.level.name.lower(),
        proof=entry.proof,
        key=entry.key,
    )


def _fact(logged: log.Logged) -> FactOut:
    kind, public, personal = wire.dump(logged.fact)
    return FactOut(
        seq=logged.seq,
        kind=kind,
        at=logged.fact.at,
        heard_at=logged.heard_at,
        source=logged.source,
        facts=public,
        personal=personal,
    )
