"""The record of one session as a page, and its files."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.responses import Response

from app.core.names import display
from app.core.record_parts import Record
from app.exports import EXPORTS, MEDIA_TYPES, file_name
from app.store import notes
from app.web import frozen
from app.web.pages.forms import BadForm
from app.web.pages.visit import Visit
from app.web.words import STEPS, length, named

log = structlog.get_logger("chaperone")


@dataclass(frozen=True, slots=True)
class Line:
    """A moment and a sentence; ``proof`` where the bot did it."""

    at: datetime
    text: str
    proof: str = ""


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/record``."""
    record = await frozen.record_of(visit.house, visit.here, visit.now)
    store = visit.house.store
    saved, kept = await visit.read(
        lambda db: (
            notes.latest(db, store, visit.session_id),
            notes.frozen(db, store, visit.session_id),
        )
    )
    return await visit.show(
        "record.html",
        record=record,
        saved=saved,
        author=visit.name(saved.author) if saved.author else "",
        frozen=kept,
        frozen_by=visit.name(kept.by) if kept is not None else "",
        receipt=list(_receipt(visit, record)),
        ladder=list(_ladder(record)),
        timeline=[
            Line(entry.at, named(entry.text, visit.here.names), entry.proof)
            for entry in record.timeline
        ],
        display=display,
        downloads=tuple(EXPORTS),
    )


async def download(visit: Visit) -> Response:
    """``GET /sessions/{id}/record/export/{suffix}``: the record as a file."""
    suffix = visit.request.path_params["suffix"]
    if suffix not in EXPORTS:
        raise BadForm(404, "There is no such file.")
    record = await frozen.to_export(visit.house, visit.here, visit.now)
    log.info("exported", person=visit.person_id, session=visit.session_id, kind=suffix)
    name = file_name(record, suffix)
    content = await asyncio.to_thread(EXPORTS[suffix], record)
    return Response(
        content,
        headers={
            "Content-Type": MEDIA_TYPES[suffix],
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


def _receipt(visit: Visit, record: Record) -> Iterator[tuple[str, str]]:
    """What shows that nobody was left alone, as (what, value)."""
    zone, closing = visit.zone, record.closing
    yield "Last client out", zone.seconds(closing.last_client_out) or "not yet"
    yield "Last worker out", zone.seconds(closing.last_worker_out) or "not yet"
    if closing.gap is not None:
        seconds = closing.gap.total_seconds()
        if seconds >= 0:
            yield "Workers stayed on for", length(closing.gap)
        else:
            yield "A client was left behind for", length(-closing.gap)
    safety = record.safety
    yield (
        f"Time with {safety.workers_needed} workers",
        length(safety.time_with_enough_workers),
    )
    for gap in safety.worker_gaps:
        span = f"{zone.seconds(gap.start)} to {zone.seconds(gap.end)}"
        yield "Too few workers", f"{span} (fewest there: {gap.workers})"
    for clear in safety.clears:
        proved = clear.proof or "not proved"
        yield "Ended for safety", f"{zone.seconds(clear.fired_at)}. {proved}"
    for blind in safety.blind:
        end = zone.seconds(blind.end) or "not back yet"
        yield "Could not see the room", f"{zone.seconds(blind.start)} to {end}"
    if record.debrief.skipped:
        yield "Debrief", f"skipped: {record.debrief.reason}"
    elif record.debrief.length is not None:
        yield "Debrief", length(record.debrief.length)
    for word, said in (
        ("Went well", record.debrief.went_well),
        ("To do differently", record.debrief.change),
        ("How the workers are", record.debrief.staff),
    ):
        if said:
            yield word, said


def _ladder(record: Record) -> Iterator[Line]:
    words = {str(step): word for step, word in STEPS.items()}
    for entry in record.ladder:
        why = entry.rule_text or entry.reason or "reason not written yet"
        word = words.get(entry.step, entry.step)
        text = f"{word}: {entry.person.name}. {why} (pressed by {entry.by.name})"
        if entry.undone_at is not None and entry.undone_by is not None:
            text += f" Undone by {entry.undone_by.name}."
        proof = entry.proof if entry.confirmed_at is not None else "not proved"
        yield Line(entry.at, text, proof)
