"""Which sessions a person may see; what is out of reach is not found (S05)."""

import structlog
from sqlalchemy import Connection

from app.store import groups, sessions
from app.store.access_rows import SignIn
from app.store.refusals import Unknown
from app.web.access.roles import Permission, may
from app.web.errors import Answer
from app.web.house import House

log = structlog.get_logger("chaperone")


def in_reach(
    db: Connection, house: House, signed_in: SignIn, session_id: str
) -> sessions.SessionPlan:
    """The session, if this person may see it; else 404 and an audit line (S05).

    A worker or session lead sees the sessions they are rostered for and those of groups
    they lead; a safeguarding lead sees all; an administrator sees none by default.
    """
    try:
        plan = sessions.get(db, house.store, session_id)
    except Unknown:
        raise Answer(404, "There is no such page.") from None
    if may(signed_in, Permission.SEE_ALL_SESSIONS):
        return plan
    if may(signed_in, Permission.SEE_OWN_SESSIONS):
        rostered = any(w.person_id == signed_in.person_id for w in plan.workers)
        if (
            rostered
            or signed_in.person_id in groups.get(db, house.store, plan.group_id).leads
        ):
            return plan
    house.counts.refuse("web", "out_of_reach")
    log.warning("out of reach", person=signed_in.person_id, session=session_id)
    raise Answer(404, "There is no such page.")
