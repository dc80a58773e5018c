"""How far the records of many sessions are: confirmed, notes written. No content is read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from app.store.notes import notes, records


@dataclass(frozen=True, slots=True)
class OnFile:
    """``version`` of the latest confirmed record and ``notes`` version; 0 for none."""

    version: int = 0
    confirmed_at: datetime | None = None
    notes: int = 0


def on_file(db: Connection, session_ids: Collection[str]) -> dict[str, OnFile]:
    """Session id -> what is on file, for every id that was asked for."""
    ids = list(session_ids)
    signed = db.execute(
        select(
            records.c.session_id, func.max(records.c.version), func.max(records.c.at)
        )
        .where(records.c.session_id.in_(ids))
        .group_by(records.c.session_id)
    )
    written = db.execute(
        select(notes.c.session_id, func.max(notes.c.version))
        .where(notes.c.session_id.in_(ids))
        .group_by(notes.c.session_id)
    )
    confirmed = {row[0]: (row[1], row[2]) for row in signed}
    noted = {row[0]: row[1] for row in written}
    return {
        one: OnFile(*confirmed.get(one, (0, None)), noted.get(one, 0)) for one in ids
    }
