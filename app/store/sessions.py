"""Planned group sessions, as workers enter and change them.

Local date, time and zone are kept as they were entered; ``starts_at`` and ``ends_at``
are the moments they mean (DESIGN §5, line 15).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, and_, or_, select

from app.core.plan import Role
from app.store import groups, people
from app.store.database import Store
from app.store.ids import new_id
from app.store.local_time import bounds, to_utc, zone_of
from app.store.policies import unsafe
from app.store.refusals import Refused, Stale, Unknown
from app.store.tables import SessionRow

sessions = SessionRow.__table__  # type: ignore[attr-defined]

MOST_PEOPLE = 500
_TEXTS = ("title", "purpose", "plan_text", "recording_reason")
_ENTERED = (
    "group_id",
    "platform",
    "zone",
    "segments",
    "risk_assessment",
    "emergency_contacts",
    "link_is_public",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rostered:
    """A worker's part in one session: ``lead``, ``support`` or ``standby``."""

    person_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """A session as a worker planned it.

    ``local_start`` / ``local_end``: as entered, ISO without offset. ``clients`` are person
    ids. ``policy`` holds only what differs from the organisation's policy. ``version``
    rises with each change; ``state`` is ``planned``, ``closed`` or ``cancelled``.
    """

    id: str = ""
    group_id: str
    platform: str
    local_start: str = ""
    local_end: str = ""
    zone: str = "Europe/London"
    starts_at: datetime
    ends_at: datetime
    title: str = ""
    purpose: str = ""
    plan_text: str = ""
    segments: int = 0
    workers: tuple[Rostered, ...] = ()
    clients: tuple[str, ...] = ()
    risk_assessment: bool = False
    emergency_contacts: bool = False
    recording_reason: str = ""
    link_is_public: bool = False
    policy: Mapping[str, Any]
    marker: str = ""
    version: int = 1
    state: str = "planned"
    created_at: datetime
    closed_at: datetime | None = None


def times(
    starts: datetime, ends: datetime, zone: str, now: datetime, hour: str = ""
) -> dict[str, Any]:
    """The five time columns for what was entered. Raises Refused (D01-D03)."""
    where = zone_of(zone)
    faults: dict[str, str] = {}
    found: dict[str, datetime] = {}
    for field, entered in (("starts_at", starts), ("ends_at", ends)):
        try:
            found[field] = to_utc(field, entered, where, hour)
        except Refused as refused:
            faults |= refused.faults
    if not faults:
        faults = bounds(found["starts_at"], found["ends_at"], now)
    if faults:
        raise Refused(faults)
    local = {f: found[f].astimezone(where).replace(tzinfo=None) for f in found}
    return {
        **found,
        "zone": zone,
        "local_start": local["starts_at"].isoformat(timespec="minutes"),
        "local_end": local["ends_at"].isoformat(timespec="minutes"),
    }


def add(
    db: Connection,
    store: Store,
    entered: Mapping[str, Any],
    platforms: Sequence[str],
    now: datetime,
) -> SessionPlan:
    """Plan a session from entered fields and :func:`times`. Raises Refused."""
    made = SessionPlan(
        **{"policy": {}, **entered},
        id=new_id("session"),
        marker=new_id("chaperone"),
        created_at=now,
    )
    _check(db, made, platforms)
    db.execute(sessions.insert().values(_columns(store, made)))
    return made


def change(
    db: Connection,
    store: Store,
    session_id: str,
    changes: Mapping[str, Any],
    platforms: Sequence[str],
    *,
    on_version: int | None = None,
) -> SessionPlan:
    """Change a plan. Raises Unknown, Refused, Stale (somebody else was faster)."""
    before = get(db, store, session_id)
    if on_version is not None and on_version != before.version:
        raise Stale(before.version)
    if before.state != "planned":
        raise Refused({"state": "This session is closed; its plan no longer changes."})
    changed = replace(before, **changes, version=before.version + 1)
    _check(db, changed, platforms, before)
    db.execute(
        sessions.update()
        .where(sessions.c.id == session_id)
        .values(_columns(store, changed))
    )
    return changed


def close(
    db: Connection, session_id: str, now: datetime, state: str = "closed"
) -> None:
    """The session is over (or ``cancelled``). Raises Unknown."""
    done = db.execute(
        sessions.update()
        .where(sessions.c.id == session_id)
        .values(state=state, closed_at=now)
    )
    if done.rowcount == 0:
        raise Unknown("session", session_id)


def get(db: Connection, store: Store, session_id: str) -> SessionPlan:
    """One session. Raises Unknown."""
    row = db.execute(select(sessions).where(sessions.c.id == session_id)).first()
    if row is None:
        raise Unknown("session", session_id)
    return _session(store, row)


def listed(
    db: Connection,
    store: Store,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    group_id: str = "",
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[SessionPlan]:
    """Sessions by start, then id. ``after``: (starts_at, id) of the last one seen."""
    query = select(sessions).order_by(sessions.c.starts_at, sessions.c.id)
    if since is not None:
        query = query.where(sessions.c.ends_at >= since)
    if until is not None:
        query = query.where(sessions.c.starts_at < until)
    if group_id:
        query = query.where(sessions.c.group_id == group_id)
    if after is not None:
        query = query.where(_later(*after))
    return [_session(store, row) for row in db.execute(query.limit(limit))]


def sessions_with(db: Connection, person_id: str) -> list[str]:
    """Open sessions this person is part of: rostered, invited, or leading the group."""
    led = groups.led_by(db, person_id)
    rows = db.execute(
        select(
            sessions.c.id, sessions.c.group_id, sessions.c.workers, sessions.c.clients
        ).where(sessions.c.state == "planned")
    )
    return [
        row.id
        for row in rows
        if person_id in row.clients
        or row.group_id in led
        or any(w["person_id"] == person_id for w in row.workers)
    ]


def open_of_group(db: Connection, group_id: str) -> list[str]:
    """Ids of the group's sessions that are neither closed nor cancelled."""
    rows = db.execute(
        select(sessions.c.id).where(
            sessions.c.group_id == group_id, sessions.c.state == "planned"
        )
    )
    return [row.id for row in rows]


# --- rows -------------------------------------------------------------------------


def _later(starts_at: datetime, row_id: str) -> Any:
    return or_(
        sessions.c.starts_at > starts_at,
        and_(sessions.c.starts_at == starts_at, sessions.c.id > row_id),
    )


def _check(
    db: Connection,
    plan: SessionPlan,
    platforms: Sequence[str],
    before: SessionPlan | None = None,
) -> None:
    faults = people.text_faults({f: getattr(plan, f) for f in _TEXTS}, 5_000)
    if plan.platform not in platforms:
        names = ", ".join(platforms)
        faults["platform"] = f"Choose a platform that is switched on: {names}."
    if not groups.is_there(db, plan.group_id):
        faults["group_id"] = "Choose a group that is on the list."
    if not 0 <= plan.segments <= 100:
        faults["segments"] = "Enter how many parts the session has, from 0 to 100."
    faults |= _people_faults(db, plan, before)
    if wrong := unsafe(plan.policy):
        # No session silences its alarms, whoever plans it (I9, I21).
        faults["policy"] = " ".join(wrong)
    if faults:
        raise Refused(faults)


def _people_faults(
    db: Connection, plan: SessionPlan, before: SessionPlan | None
) -> dict[str, str]:
    faults: dict[str, str] = {}
    workers = [w.person_id for w in plan.workers]
    if any(w.role not in list(Role) for w in plan.workers):
        faults["workers"] = "A worker is lead, support or standby."
    elif len(set(workers)) != len(workers):
        faults["workers"] = "Name each worker once."
    elif sum(w.role == Role.LEAD for w in plan.workers) > 1:
        faults["workers"] = "A session has one lead worker."
    elif _not_there(
        db, workers, "worker", [w.person_id for w in before.workers] if before else []
    ):
        faults["workers"] = "Choose workers who are on the list of workers."
    if len(set(plan.clients)) != len(plan.clients):
        faults["clients"] = "Name each client once."
    elif _not_there(db, plan.clients, "client", before.clients if before else []):
        faults["clients"] = "Choose clients who are on the list of clients."
    if len(workers) + len(plan.clients) > MOST_PEOPLE:
        faults["clients"] = f"A session has at most {MOST_PEOPLE} people."
    return faults


def _not_there(
    db: Connection, ids: Sequence[str], kind: str, already: Sequence[str]
) -> bool:
    """Whether one of them is not on the list; who was planned before may have left."""
    table = people.people
    found = db.execute(
        select(table.c.id, table.c.active).where(
            table.c.id.in_(list(ids)), table.c.kind == kind
        )
    )
    there = {row.id for row in found if row.active or row.id in already}
    return not set(ids) <= there


def _columns(store: Store, plan: SessionPlan) -> dict[str, Any]:
    texts = {name: getattr(plan, name) for name in _TEXTS}
    return {
        **{name: getattr(plan, name) for name in _ENTERED},
        "id": plan.id,
        "texts_sealed": store.seal(orjson.dumps(texts), f"sessions:texts:{plan.id}"),
        "local_start": plan.local_start,
        "local_end": plan.local_end,
        "starts_at": plan.starts_at.astimezone(UTC),
        "ends_at": plan.ends_at.astimezone(UTC),
        "workers": [
            {"person_id": w.person_id, "role": str(w.role)} for w in plan.workers
        ],
        "clients": list(plan.clients),
        "policy": dict(plan.policy),
        "marker": plan.marker,
        "version": plan.version,
        "state": plan.state,
        "created_at": plan.created_at,
        "closed_at": plan.closed_at,
    }


def _session(store: Store, row: Any) -> SessionPlan:
    texts: dict[str, Any] = {}
    if row.texts_sealed is not None:
        opened = store.open(row.texts_sealed, f"sessions:texts:{row.id}")
        texts = orjson.loads(opened)
    columns = row._mapping
    plain: dict[str, Any] = {name: columns[name] for name in _ENTERED}
    return SessionPlan(
        **plain,
        **texts,
        id=row.id,
        local_start=row.local_start,
        local_end=row.local_end,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        workers=tuple(Rostered(**w) for w in row.workers),
        clients=tuple(row.clients),
        policy=row.policy,
        marker=row.marker,
        version=row.version,
        state=row.state,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
