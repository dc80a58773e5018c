"""One session at a glance: who, when, how ready, and where to go next."""

from starlette.responses import Response

from app.core.plan import Role
from app.core.readiness import readiness
from app.store import groups, notes, rooms
from app.web.pages.visit import Visit
from app.web.words import VERDICT


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}``."""
    session, store = visit.here, visit.house.store
    group, saved, meetings = await visit.read(
        lambda db: (
            groups.get(db, store, visit.planned.group_id),
            notes.latest(db, store, visit.session_id),
            rooms.meetings_of(db, store, visit.session_id),
        )
    )
    card = readiness(session, visit.house.pack, visit.now)
    roles = {Role.LEAD: 0, Role.SUPPORT: 1, Role.STANDBY: 2}
    workers = sorted(visit.planned.workers, key=lambda w: roles[Role(w.role)])
    return await visit.show(
        "overview.html",
        group=group,
        notes=saved,
        meetings=meetings,
        verdict=VERDICT[card.verdict],
        workers=[(visit.name(w.person_id), w.role) for w in workers],
        clients=[visit.name(c) for c in visit.planned.clients],
        live=any(True for _ in session.live()),
        is_over=session.closed is not None,
    )
