"""Records: the list of sessions with filters, and many of them as one file."""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.core.names import display
from app.core.record_parts import Record
from app.exports import MEDIA_TYPES, TERM_EXPORTS, WORDS, term_file_name
from app.store import layouts
from app.store.refusals import Unknown
from app.web import frozen
from app.web.pages import exports_choice as choices
from app.web.pages.exports_choice import Choice, Chosen, choice_of, chosen
from app.web.pages.exports_jobs import Job, NamesFile, Write
from app.web.pages.exports_layouts import in_layout
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.visit import Visit

FORM = "export"
MOST = 500

log = structlog.get_logger("chaperone")


async def page(visit: Visit) -> Response:
    """``GET /records``."""
    choice, found, groups = await look_for(visit)
    formats = dict(WORDS)
    if visit.may("EXPORT_TERM"):
        known = await visit.read(lambda db: layouts.listed(db, visit.house.store))
        formats |= {one.id: f"CSV for {display(one.name)}" for one in known}
    return await visit.show(
        "exports_records.html",
        choice=choice,
        found=found[::-1],
        groups=groups,
        states=choices.STATES,
        formats=formats,
        jobs=visit.desk.exports.of(visit.person_id, visit.now),
    )


async def look_for(
    visit: Visit,
) -> tuple[Choice, list[Chosen], list[tuple[str, str]]]:
    """The choice, what it finds, and the groups to choose from; faults are shown."""
    given = visit.form or visit.request.query_params
    try:
        choice = choice_of(visit, given)
    except Refusal as refusal:
        if visit.refusal is None:
            # A field for a day takes nothing else; the sentence says what was wrong.
            visit.refusal = refusal
            visit.form = {**given, **dict.fromkeys(refusal.faults, "")}
        choice = choice_of(visit, {})

    def look(db: Connection) -> tuple[list[Chosen], list[tuple[str, str]]]:
        return chosen(db, visit, choice), choices.group_choices(db, visit)

    found, groups = await visit.read(look)
    return choice, found, groups


async def start(visit: Visit) -> Response:
    """``POST /records/exports``: begin one file of all sessions of the choice."""
    chosen_format = visit.form.get("format", "")[:80]
    suffix, name, write = await _written_as(visit, chosen_format)
    choice = choice_of(visit, visit.form)
    found: list[Chosen] = await visit.read(lambda db: chosen(db, visit, choice))
    job = _begin(visit, suffix, found, name, write)
    return visit.go(f"/records/exports/{job.id}")


async def _written_as(visit: Visit, chosen_format: str) -> tuple[str, NamesFile, Write]:
    """The kind of file, what names it and what writes it. Raises Refusal."""
    if chosen_format in TERM_EXPORTS:
        write = TERM_EXPORTS[chosen_format]
        return chosen_format, lambda r: term_file_name(r, chosen_format), write
    try:
        made = await visit.read(lambda db: in_layout(db, visit, chosen_format))
    except Unknown:
        raise Refusal({"format": "Choose what kind of file."}, FORM) from None
    return "csv", made.name, made.write


def _begin(
    visit: Visit,
    suffix: str,
    found: Sequence[Chosen],
    name: NamesFile,
    write: Write,
) -> Job:
    """Start an export of these sessions. Raises Refusal."""
    if not found:
        raise Refusal({"": "There is no session to export in these days."}, FORM)
    if len(found) > MOST:
        raise Refusal({"": f"Choose fewer days: {MOST} sessions at most."}, FORM)
    jobs, me = visit.desk.exports, visit.person_id
    if any(job.going_on for job in jobs.of(me, visit.now)):
        raise Refusal({"": "Your last export is still going on. Wait for it."}, FORM)
    house, now = visit.house, visit.now

    async def read(session_id: str) -> Record:
        return await frozen.to_export_by_id(house, session_id, now)

    ids = [one.plan.id for one in found]
    job = jobs.start(me, suffix, ids, read, (name, write), now)
    log.info("exported many", person=me, export=job.id, kind=suffix, sessions=len(ids))
    return job


async def progress(visit: Visit) -> Response:
    """``GET /records/exports/{export_id}``: how far it is, and the file when it is done."""
    return await visit.show("exports_job.html", job=_mine(visit), words=WORDS)


async def download(visit: Visit) -> Response:
    """``GET /records/exports/{export_id}/file``."""
    job = _mine(visit)
    if job.content is None:
        raise BadForm(404, "This file is not there yet.")
    log.info("took export", person=visit.person_id, export=job.id)
    return Response(
        job.content,
        headers={
            "Content-Type": MEDIA_TYPES[job.suffix],
            "Content-Disposition": f'attachment; filename="{job.name}"',
        },
    )


def _mine(visit: Visit) -> Job:
    export_id = visit.request.path_params["export_id"]
    job = visit.desk.exports.get(visit.person_id, export_id, visit.now)
    if job is None:
        sentence = (
            "There is no such export any more. Files are kept for an hour and never "
            "over a restart; export again."
        )
        raise BadForm(404, sentence)
    return job
