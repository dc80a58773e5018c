"""Session notes, a new row for each version, and records frozen when confirmed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.store.database import Store
from app.store.people import text_faults
from app.store.refusals import Refused, Stale, Unknown
from app.store.tables import NoteRow, RecordRow

notes = NoteRow.__table__  # type: ignore[attr-defined]
records = RecordRow.__table__  # type: ignore[attr-defined]

LONGEST_NOTES = 100_000  # 5 000 words fit easily (S19)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """One version of a session's notes; version 0 is the empty page before any."""

    session_id: str
    version: int = 0
    author: str = ""
    at: datetime | None = None
    text: str = ""


class StaleNotes(Stale):
    """Somebody saved in the meantime. ``stored`` is theirs, ``typed`` is yours (S09)."""

    def __init__(self, stored: Notes, typed: str) -> None:
        super().__init__(stored.version)
        self.stored = stored
        self.typed = typed


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRecord:
    """A record as somebody confirmed it. ``content`` is JSON; ``digest`` its SHA-256."""

    session_id: str
    version: int
    at: datetime
    by: str
    digest: str
    content: bytes


def latest(db: Connection, store: Store, session_id: str) -> Notes:
    """The notes as they stand; version 0 and no text when there are none."""
    row = db.execute(
        select(notes)
        .where(notes.c.session_id == session_id)
        .order_by(notes.c.version.desc())
        .limit(1)
    ).first()
    return Notes(session_id=session_id) if row is None else _notes(store, row)


def versions(db: Connection, store: Store, session_id: str) -> list[Notes]:
    """Every version, oldest first."""
    rows = db.execute(
        select(notes).where(notes.c.session_id == session_id).order_by(notes.c.version)
    )
    return [_notes(store, row) for row in rows]


def save(
    db: Connection,
    store: Store,
    session_id: str,
    text: str,
    author: str,
    *,
    on_version: int,
    now: datetime,
) -> Notes:
    """Keep a new version written on top of ``on_version``. Raises StaleNotes, Refused.

    The same text again changes nothing: a double click saves once (S10).
    """
    before = latest(db, store, session_id)
    if before.version == on_version + 1 and before.text == text:
        return before
    if on_version != before.version:
        raise StaleNotes(before, text)
    faults = text_faults({"text": text}, LONGEST_NOTES)
    if faults:
        raise Refused(faults)
    version = before.version + 1
    place = f"notes:text:{session_id}:{version}"
    db.execute(
        notes.insert().values(
            session_id=session_id,
            version=version,
            author=author,
            at=now,
            text_sealed=store.seal(text.encode(), place),
        )
    )
    return Notes(
        session_id=session_id, version=version, author=author, at=now, text=text
    )


def freeze(
    db: Connection,
    store: Store,
    session_id: str,
    write: Callable[[int], bytes],
    by: str,
    now: datetime,
) -> FrozenRecord:
    """Keep a confirmed record as its own row, beside earlier ones.

    ``write`` gives the content for the version it becomes, since that stands in it.
    """
    last = frozen(db, store, session_id)
    version = 1 if last is None else last.version + 1
    content = write(version)
    digest = hashlib.sha256(content).hexdigest()
    place = f"records:record:{session_id}:{version}"
    db.execute(
        records.insert().values(
            session_id=session_id,
            version=version,
            at=now,
            by=by,
            digest=digest,
            record_sealed=store.seal(content, place),
        )
    )
    return FrozenRecord(
        session_id=session_id,
        version=version,
        at=now,
        by=by,
        digest=digest,
        content=content,
    )


def frozen(
    db: Connection, store: Store, session_id: str, version: int | None = None
) -> FrozenRecord | None:
    """The latest confirmed record, or that version. Raises Unknown for the latter."""
    query = select(records).where(records.c.session_id == session_id)
    if version is not None:
        query = query.where(records.c.version == version)
    row = db.execute(query.order_by(records.c.version.desc()).limit(1)).first()
    if row is None:
        if version is not None:
            raise Unknown("record", f"{session_id}/{version}")
        return None
    place = f"records:record:{session_id}:{row.version}"
    return FrozenRecord(
        session_id=session_id,
        version=row.version,
        at=row.at,
        by=row.by,
        digest=row.digest,
        content=store.open(row.record_sealed, place),
    )


def _notes(store: Store, row: Any) -> Notes:
    place = f"notes:text:{row.session_id}:{row.version}"
    return Notes(
        session_id=row.session_id,
        version=row.version,
        author=row.author,
        at=row.at,
        text=store.open(row.text_sealed, place).decode(),
    )
