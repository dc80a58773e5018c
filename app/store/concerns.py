"""Concerns: written as a draft, raised, read and taken by the safeguarding lead.

Everything that was written is sealed. Nothing here is deleted but a draft by its author.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.store import queue
from app.store.database import Store
from app.store.people import has_letters, text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables_concerns import ConcernRow

concerns = ConcernRow.__table__  # type: ignore[attr-defined]

DRAFT, RAISED, TAKEN = "draft", "raised", "taken"
LONGEST = 20_000
TEXTS = ("noticed", "place", "about", "text", "said", "asked", "opinion", "done")
DANGER = ("yes", "no")
_ID = re.compile(r"concern-[0-9a-f]{16}")
_TOLD = "A concern was raised in Chaperone."
_DO = "Sign in, open Concerns, read it, and press “I take it” there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """A concern. ``body``: what was written, by the names in :data:`TEXTS` and ``danger``.

    ``text`` are the facts, ``said`` what was said word for word, ``asked`` the questions
    that were asked. ``about_worker``: the id of a worker who must not read it (T10).
    """

    id: str
    state: str = DRAFT
    reporter_id: str
    about_worker: str = ""
    session_id: str = ""
    body: Mapping[str, str]
    started_at: datetime | None = None
    saved_at: datetime | None = None
    raised_at: datetime | None = None
    taken_at: datetime | None = None
    taken_by: str = ""


def save_draft(db: Connection, store: Store, concern: Concern, now: datetime) -> None:
    """Keep what is written so far, whatever is still missing. Raises Refused.

    A concern that was raised is not changed any more; somebody else's never.
    """
    faults = _sizes(concern)
    if not _ID.fullmatch(concern.id):
        faults[""] = "The form is not whole. Open the page again."
    if faults:
        raise Refused(faults)
    row = _row(db, concern.id)
    if row is not None and row.reporter_id != concern.reporter_id:
        raise Unknown("concern", concern.id)
    if row is not None and row.state != DRAFT:
        return
    values = {
        "about_worker": concern.about_worker,
        "session_id": concern.session_id,
        "body_sealed": store.seal(
            orjson.dumps(dict(concern.body)), f"concerns:body:{concern.id}"
        ),
        "saved_at": now,
    }
    if row is None:
        first = {"id": concern.id, "reporter_id": concern.reporter_id}
        db.execute(
            concerns.insert().values(state=DRAFT, started_at=now, **first, **values)
        )
        return
    db.execute(concerns.update().where(concerns.c.id == concern.id).values(values))


def raise_concern(
    db: Connection, store: Store, concern_id: str, persons: list[str], now: datetime
) -> Concern:
    """The draft is a concern from now on, and an alarm leaves with it (I9).

    ``persons``: safeguarding leads told by mail beside the alarm contacts. In one
    transaction: no concern without its alarm. A second press changes nothing. Raises
    Refused, Unknown.
    """
    found = get(db, store, concern_id)
    if found.state != DRAFT:
        return found
    faults = gaps(found)
    if faults:
        raise Refused(faults)
    db.execute(
        concerns.update()
        .where(concerns.c.id == concern_id)
        .values(state=RAISED, raised_at=now)
    )
    queue.raise_alarm(
        db,
        alarm_id=f"alarm-{concern_id}",
        session_id=None,
        key=key_of(concern_id),
        level="red",
        audience="safeguarding",
        text=_TOLD,
        what_to_do=_DO,
        at=now,
        send=True,
        persons=[one for one in persons if one != found.about_worker],
    )
    return get(db, store, concern_id)


def take(
    db: Connection, store: Store, concern_id: str, by: str, now: datetime
) -> Concern:
    """A safeguarding lead has it: the alarm is not repeated. Raises Unknown."""
    found = readable(db, store, concern_id, by)
    if found.state == RAISED:
        db.execute(
            concerns.update()
            .where(concerns.c.id == concern_id)
            .values(state=TAKEN, taken_at=now, taken_by=by)
        )
        queue.acknowledge(db, key_of(concern_id), by, now)
    return get(db, store, concern_id)


def key_of(concern_id: str) -> str:
    """The key of its alarm."""
    return f"concern:{concern_id}"


def get(db: Connection, store: Store, concern_id: str) -> Concern:
    """One concern, whoever may read it. Raises Unknown."""
    row = _row(db, concern_id)
    if row is None:
        raise Unknown("concern", concern_id)
    return _concern(store, row)


def readable(db: Connection, store: Store, concern_id: str, reader: str) -> Concern:
    """One that was raised and is not about the reader. Raises Unknown."""
    found = get(db, store, concern_id)
    if found.state == DRAFT or found.about_worker == reader:
        raise Unknown("concern", concern_id)
    return found


def raised(db: Connection, store: Store, reader: str) -> list[Concern]:
    """What a safeguarding lead may read, the latest first."""
    rows = db.execute(
        select(concerns)
        .where(concerns.c.state != DRAFT, concerns.c.about_worker != reader)
        .order_by(concerns.c.raised_at.desc())
    )
    return [_concern(store, row) for row in rows]


def waiting(db: Connection, reader: str) -> list[tuple[str, datetime]]:
    """(id, raised at) of those nobody has taken, the oldest first."""
    rows = db.execute(
        select(concerns.c.id, concerns.c.raised_at)
        .where(concerns.c.state == RAISED, concerns.c.about_worker != reader)
        .order_by(concerns.c.raised_at)
    )
    return [(row.id, row.raised_at) for row in rows]


def drafts(db: Connection, store: Store, reporter_id: str) -> list[Concern]:
    """Somebody's own drafts, the latest first."""
    rows = db.execute(
        select(concerns)
        .where(concerns.c.state == DRAFT, concerns.c.reporter_id == reporter_id)
        .order_by(concerns.c.saved_at.desc())
    )
    return [_concern(store, row) for row in rows]


def throw_away(db: Connection, concern_id: str, reporter_id: str) -> None:
    """Delete one's own draft; nothing that was raised is ever deleted here."""
    db.execute(
        concerns.delete().where(
            concerns.c.id == concern_id,
            concerns.c.reporter_id == reporter_id,
            concerns.c.state == DRAFT,
        )
    )


def gaps(concern: Concern) -> dict[str, str]:
    """What must be there before it is raised: field -> sentence."""
    faults = _sizes(concern)
    if concern.body.get("danger") not in DANGER:
        faults["danger"] = "Say whether anybody is in danger now."
    if not has_letters(concern.body.get("text", "")):
        faults["text"] = "Write what you saw or heard, as facts."
    return faults


def _sizes(concern: Concern) -> dict[str, str]:
    return text_faults({name: concern.body.get(name, "") for name in TEXTS}, LONGEST)


def _row(db: Connection, concern_id: str) -> Any:
    return db.execute(select(concerns).where(concerns.c.id == concern_id)).first()


def _concern(store: Store, row: Any) -> Concern:
    opened = store.open(row.body_sealed, f"concerns:body:{row.id}")
    return Concern(
        id=row.id,
        state=row.state,
        reporter_id=row.reporter_id,
        about_worker=row.about_worker,
        session_id=row.session_id,
        body=orjson.loads(opened),
        started_at=row.started_at,
        saved_at=row.saved_at,
        raised_at=row.raised_at,
        taken_at=row.taken_at,
        taken_by=row.taken_by,
    )
