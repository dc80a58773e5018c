"""The front page: what needs me now, what is late, my sessions; a meeting nobody planned."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.readiness import readiness
from app.store import groups, people, sessions, unbound
from app.store.refusals import Unknown
from app.web.access import Role
from app.web.pages import needs
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from app.web.words import VERDICT, Tag, Zone

PAST = timedelta(days=60)
SHOWN = 200
RUNNING = Tag("wait", "●", "Running now")
OVER = Tag("calm", "•", "Over")
CANCELLED = Tag("calm", "•", "Cancelled")
PLANNED = Tag("calm", "•", "Planned")
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. ``day`` and ``times`` are in the session's own zone."""

    id: str
    title: str
    group: str
    day: str
    times: str
    zone: str
    tag: Tag
    starts_at: datetime
    live: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The rows by when they are."""

    today: list[Row]
    coming: list[Row]
    past: list[Row]


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What is there before the first session."""

    workers: bool
    clients: bool
    groups: bool


async def sessions_page(visit: Visit) -> Response:
    """``GET /``."""
    plans, names = await _mine(visit)
    board = Board([], [], [])
    for plan in plans:
        row = await _row(visit, plan, names.get(plan.group_id, ""))
        zone = Zone(plan.zone)
        today = zone.local(visit.now).date()
        day = zone.local(plan.starts_at).date()
        if row.live or day == today:
            board.today.append(row)
        elif day > today:
            board.coming.append(row)
        else:
            board.past.insert(0, row)
    running = await _unplanned(visit)
    found = await needs.of(visit, plans)
    return await visit.show(
        "home.html",
        board=board,
        running=running,
        open_ones=[*board.today, *board.coming],
        now_needed=[need for need in found if not need.late],
        late=[need for need in found if need.late],
        anybody=bool(plans),
        first=await _first_steps(visit) if not plans else None,
    )


async def _first_steps(visit: Visit) -> FirstSteps:
    """What a new organisation has already, so that the page can say what comes next."""

    def look(db: Connection) -> FirstSteps:
        store = visit.house.store
        return FirstSteps(
            workers=len(people.listed(db, store, kind="worker", limit=2)) > 1,
            clients=bool(people.listed(db, store, kind="client", limit=1)),
            groups=bool(groups.listed(db, store, limit=1)),
        )

    found: FirstSteps = await visit.read(look)
    return found


async def _mine(visit: Visit) -> tuple[list[sessions.SessionPlan], dict[str, str]]:
    me, store = visit.person_id, visit.house.store
    role = visit.visitor.role if visit.visitor is not None else ""

    def look(db: Connection) -> tuple[list[sessions.SessionPlan], dict[str, str]]:
        all_groups = {g.id: g for g in groups.listed(db, store, limit=1_000)}
        since = visit.now - PAST
        found = sessions.listed(db, store, since=since, limit=SHOWN)
        mine = [
            plan
            for plan in found
            if role == Role.SAFEGUARDING_LEAD
            or any(w.person_id == me for w in plan.workers)
            or me in all_groups[plan.group_id].leads
        ]
        return mine, {g.id: g.name for g in all_groups.values()}

    if role == Role.ADMINISTRATOR:
        return [], {}
    plans, names = await visit.read(look)
    return plans, names


async def _row(visit: Visit, plan: sessions.SessionPlan, group: str) -> Row:
    zone = Zone(plan.zone)
    tag, live = OVER, False
    if plan.state == "cancelled":
        tag = CANCELLED
    elif plan.state == "planned" and plan.starts_at - visit.now > SOON:
        tag = PLANNED  # the checklist of a whole term would be read for nothing
    elif plan.state == "planned" and visit.now < plan.ends_at + timedelta(hours=12):
        session = await visit.house.engine.state(plan.id)
        live = any(True for _ in session.live())
        card = readiness(session, visit.house.pack, visit.now)
        tag = RUNNING if live else VERDICT[card.verdict]
        if not live and (session.closed or visit.now > plan.ends_at):
            tag = OVER
    return Row(
        id=plan.id,
        title=plan.title,
        group=group,
        day=zone.day(plan.starts_at),
        times=f"{zone.clock(plan.starts_at)} to {zone.clock(plan.ends_at)}",
        zone=zone.says(plan.starts_at),
        tag=tag,
        starts_at=plan.starts_at,
        live=live,
    )


async def _unplanned(visit: Visit) -> list[unbound.Running]:
    """Meetings that run now, belong to no session, and hold this worker (DESIGN §5.1)."""
    found: list[unbound.Running] = await visit.read(
        lambda db: unbound.running_with(db, visit.person_id, visit.now)
    )
    return found


async def adopt(visit: Visit) -> Response:
    """``POST /unplanned``: this running meeting is that session of mine."""
    session_id = visit.text("session_id", 80)
    meeting_id, instance = visit.text("meeting_id", 80), visit.text("instance", 200)
    running = await _unplanned(visit)
    ours = any((r.meeting_id, r.instance) == (meeting_id, instance) for r in running)
    plans, _ = await _mine(visit)
    if not ours:
        raise Refusal({"": "That meeting is not running any more."}, "unplanned")
    if session_id not in {plan.id for plan in plans if plan.state == "planned"}:
        raise Refusal({"session_id": "Choose one of your sessions."}, "unplanned")
    try:
        await visit.house.engine.bind(
            session_id, meeting_id, visit.person_id, instance=instance
        )
    except KeyError as error:
        raise Unknown("session", session_id) from error
    return visit.go(f"/sessions/{session_id}/live")
