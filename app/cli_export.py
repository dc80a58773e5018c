"""``chaperone export``: a session's record, or every record of a term, as a file."""

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.command import MISUSED, Ground, fail, opened
from app.core.record import build_record
from app.core.record_parts import Record
from app.crypto import new_token
from app.engine.contract import UnknownSession
from app.engine.footing import Footing
from app.engine.sessions import Sessions
from app.exports import EXPORTS, TERM_EXPORTS
from app.exports.record_json import read_record
from app.store import notes
from app.store.days import of_days
from app.web.frozen import with_notes

_DAY = ["%Y-%m-%d"]


def export(
    session: Annotated[str, typer.Argument(help="The session's id.")] = "",
    form: Annotated[
        str, typer.Option("--format", help=f"{', '.join(EXPORTS)}.")
    ] = "json",
    output: Annotated[
        Path | None, typer.Option(help="The file; standard output if left out.")
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, help="All sessions from this day on."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=_DAY, help="The last day; today if left out."),
    ] = None,
    group: Annotated[str, typer.Option(help="Only this group, by its id.")] = "",
) -> None:
    """Write a session's record to a file, or those of a term."""
    if form not in EXPORTS:
        fail(f"There is no format {form}: choose {' or '.join(EXPORTS)}.", MISUSED)
    if bool(session) == (first is not None):
        fail("Give either a session's id, or --from for several.", MISUSED)
    with opened() as ground:
        if first is None:
            record = asyncio.run(_record(ground, session))
            written = EXPORTS[form](record)
            typer.echo(f"This record is {record.standing}.", err=True)
        else:
            written = _term(ground, form, first, last, group)
        if output is None:
            typer.echo(written, nl=False)
        else:
            _write(output, written)
            typer.echo(f"Written: {output}. It names people: keep it safe.", err=True)


def _term(
    ground: Ground, form: str, first: datetime, last: datetime | None, group: str
) -> bytes:
    until = last or ground.clock.now()
    with ground.store.unit() as db:
        found = of_days(db, ground.store, first.date(), until.date(), group)
    plans = [one for one in found if one.state != "cancelled"]
    if not plans:
        fail("There is no session in these days.")
    records = []
    for number, plan in enumerate(plans, start=1):
        records.append(asyncio.run(_record(ground, plan.id)))
        typer.echo(f"{number} of {len(plans)} sessions read.", err=True)
    return TERM_EXPORTS[form](records)


async def _record(ground: Ground, session_id: str) -> Record:
    """As it was confirmed, or a draft of what the log says now; with the notes."""
    store = ground.store
    kept, written = await store.read(
        lambda db: (
            notes.frozen(db, store, session_id),
            notes.latest(db, store, session_id),
        )
    )
    footing = Footing(ground.store, ground.clock, {}, new_token)
    try:
        session = (await Sessions(footing).held(session_id)).session
    except UnknownSession:
        if kept is None:
            fail(f"No session has the id {session_id}.")
        return with_notes(read_record(kept.content), written, {})
    if kept is not None:
        return with_notes(read_record(kept.content), written, session.names)
    draft = build_record(session, ground.clock.now(), session.names)
    return with_notes(draft, written, session.names)


def _write(output: Path, content: bytes) -> None:
    """Readable by the one who asked, and by nobody else on this machine."""
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
