"""Raise a concern from any page; the safeguarding lead reads it and takes it.

There is no way to attach anything: an image of harm must not be copied, ever. What was
written shows to nobody but its author while it is a draft, and afterwards to safeguarding
leads it is not about (guidance H2, T10).
"""

from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.store import accounts, concerns, people, sessions
from app.store.concerns import Concern
from app.store.ids import new_id
from app.store.refusals import Refused, Unknown
from app.web.access import Permission, Role, in_reach, may
from app.web.errors import Answer
from app.web.pages.forms import Refusal
from app.web.pages.people import MOST, shown, worker_choices
from app.web.pages.visit import Visit
from app.web.words import Tag

log = structlog.get_logger("chaperone")

FORM = "concern"
WAITS = Tag("bad", "!", "Nobody has taken it yet")
HAS_IT = Tag("good", "✓", "Taken")


@dataclass(frozen=True, slots=True)
class Line:
    """A concern as it is listed: nothing of what it says."""

    concern: Concern
    reporter: str
    about_worker: str
    taken_by: str
    tag: Tag


async def page(visit: Visit) -> Response:
    """``GET /concern``: the form, empty or with a draft, and the drafts there are."""
    wanted = visit.form.get("concern_id") or visit.request.query_params.get("draft", "")
    asked = visit.request.query_params.get("session", "")

    def look(db: Connection) -> tuple[list[Concern], list[tuple[str, str]], str]:
        store = visit.house.store
        workers = people.listed(db, store, kind="worker", limit=MOST)
        mine = concerns.drafts(db, store, visit.person_id)
        return mine, worker_choices(workers), _session(db, visit, asked)

    drafts, workers, session_id = await visit.read(look)
    draft = next((one for one in drafts if one.id == wanted), None)
    if draft is None:
        draft = Concern(
            id=wanted if visit.refusal is not None else new_id("concern"),
            reporter_id=visit.person_id,
            session_id=session_id,
            body={},
        )
    return await visit.show(
        "concern.html",
        draft=draft,
        others=[one for one in drafts if one.id != draft.id],
        saved=draft.saved_at is not None,
        kept="kept" in visit.request.query_params,
        workers=[one for one in workers if one[0] != visit.person_id],
        longest=concerns.LONGEST,
    )


def _session(db: Connection, visit: Visit, session_id: str) -> str:
    """The session it is about, if this person may see it; "" for none."""
    signed_in = visit.visitor
    if not session_id or signed_in is None or not may(signed_in, Permission.PRESS):
        return ""
    try:
        return in_reach(db, visit.house, signed_in, session_id).id
    except Answer:
        return ""


def _written(visit: Visit) -> Concern:
    names = (*concerns.TEXTS, "danger")
    return Concern(
        id=visit.form.get("concern_id", "")[:40],
        reporter_id=visit.person_id,
        about_worker=visit.form.get("about_worker", "")[:80],
        session_id=visit.form.get("session_id", "")[:80],
        body={name: visit.form.get(name, "").strip() for name in names},
    )


async def _keep(visit: Visit) -> Concern:
    """Store what is written so far; nothing typed is lost. Raises Refusal."""
    written, store = _written(visit), visit.house.store

    def work(db: Connection) -> Concern:
        about = written.about_worker
        workers = people.listed(db, store, kind="worker", active_only=False, limit=MOST)
        if about and about not in {one.id for one in workers}:
            raise Refused({"about_worker": "Choose a worker who is on the list."})
        # Never a reason to hold a concern up: without its session rather than not at all.
        kept = replace(written, session_id=_session(db, visit, written.session_id))
        concerns.save_draft(db, store, kept, visit.now)
        return kept

    try:
        kept: Concern = await store.write(work)
    except Refused as refused:
        raise Refusal(refused.faults, FORM) from refused
    return kept


async def keep(visit: Visit) -> Response:
    """``POST /concern/draft``: by the button, or by itself while somebody writes."""
    written = await _keep(visit)
    if visit.form.get("quietly") == "1":
        return Response(status_code=204)
    return visit.go(f"/concern?draft={written.id}&kept=1")


async def send(visit: Visit) -> Response:
    """``POST /concern``: it is raised, and people are alerted at once."""
    written, store = await _keep(visit), visit.house.store

    def work(db: Connection) -> Concern:
        leads = [
            one.person_id
            for one in accounts.listed(db, store)
            if str(Role.SAFEGUARDING_LEAD) in one.roles and accounts.open_to(db, one)
        ]
        return concerns.raise_concern(db, store, written.id, leads, visit.now)

    try:
        raised: Concern = await store.write(work)
    except Refused as refused:
        raise Refusal(refused.faults, FORM) from refused
    await visit.house.engine.alarms_stored()
    log.warning("concern raised", concern=raised.id, by=visit.person_id)
    return visit.go(f"/concern/raised/{raised.id}")


async def raised(visit: Visit) -> Response:
    """``GET /concern/raised/{concern_id}``: it is on its way; what to do now."""
    concern_id, store = visit.request.path_params["concern_id"], visit.house.store
    found: Concern = await visit.read(lambda db: concerns.get(db, store, concern_id))
    if found.reporter_id != visit.person_id or found.raised_at is None:
        raise Unknown("concern", concern_id)
    return await visit.show("concern_raised.html", concern=found)


async def throw_away(visit: Visit) -> Response:
    """``POST /concern/discard``: one's own draft."""
    concern_id, me = visit.form.get("concern_id", ""), visit.person_id
    await visit.house.store.write(lambda db: concerns.throw_away(db, concern_id, me))
    return visit.go("/concern")


# --- for the safeguarding lead ------------------------------------------------------


async def listed(visit: Visit) -> Response:
    """``GET /concerns``."""

    def look(db: Connection) -> list[Line]:
        found = concerns.raised(db, visit.house.store, visit.person_id)
        return [_line(db, visit, one) for one in found]

    lines: list[Line] = await visit.read(look)
    return await visit.show(
        "concerns.html",
        waiting=[one for one in lines if one.tag is WAITS],
        taken=[one for one in lines if one.tag is HAS_IT],
    )


def _line(db: Connection, visit: Visit, one: Concern) -> Line:
    ids = [one.reporter_id, one.about_worker, one.taken_by]
    names = people.named(db, visit.house.store, ids)
    reporter, about, taken = (shown(names.get(who, ""), who) for who in ids)
    tag = WAITS if one.taken_at is None else HAS_IT
    return Line(one, reporter, about, taken, tag)


async def read(visit: Visit) -> Response:
    """``GET /concerns/{concern_id}``: all of it; who read it stands in the log."""
    concern_id, store = visit.request.path_params["concern_id"], visit.house.store

    def look(db: Connection) -> tuple[Line, str]:
        found = concerns.readable(db, store, concern_id, visit.person_id)
        title = ""
        if found.session_id:
            try:
                title = sessions.get(db, store, found.session_id).title
            except Unknown:  # kept for less time than a concern
                title = found.session_id
            title = title or "Group session"
        return _line(db, visit, found), title

    line, title = await visit.read(look)
    log.warning("concern read", concern=concern_id, by=visit.person_id)
    return await visit.show("concern_read.html", line=line, session_title=title)


async def take(visit: Visit) -> Response:
    """``POST /concerns/{concern_id}/take``: a named person has it."""
    concern_id, store = visit.request.path_params["concern_id"], visit.house.store
    await store.write(
        lambda db: concerns.take(db, store, concern_id, visit.person_id, visit.now)
    )
    log.warning("concern taken", concern=concern_id, by=visit.person_id)
    return visit.go(f"/concerns/{concern_id}")
