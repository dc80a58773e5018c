"""Drafts: what somebody types is kept here while they type (S11), sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, Connection, and_, delete, select

from app.store.bulk import insert_once
from app.store.database import Store
from app.store.people import text_faults
from app.store.refusals import Refused
from app.store.tables_drafts import DraftRow

drafts = DraftRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """``fields``: what stood in the form, by the names of its fields."""

    session_id: str
    person_id: str
    form: str
    fields: Mapping[str, str]
    saved_at: datetime | None = None


def keep(
    db: Connection, store: Store, draft: Draft, longest: int, now: datetime
) -> None:
    """Put it in the place of the one before. Raises Refused."""
    faults = text_faults(dict(draft.fields), longest)
    if faults:
        raise Refused(faults)
    content = store.seal(orjson.dumps(dict(draft.fields)), _place(draft))
    row = {
        "session_id": draft.session_id,
        "person_id": draft.person_id,
        "form": draft.form,
        "fields_sealed": content,
        "saved_at": now,
    }
    db.execute(insert_once(db, drafts), row)
    fresh = {"fields_sealed": content, "saved_at": now}
    db.execute(drafts.update().where(_is(draft)).values(fresh))


def own(
    db: Connection, store: Store, session_id: str, person_id: str, form: str
) -> Draft:
    """This person's draft; one without fields when there is none."""
    empty = Draft(session_id=session_id, person_id=person_id, form=form, fields={})
    row = db.execute(select(drafts).where(_is(empty))).first()
    if row is None:
        return empty
    fields = orjson.loads(store.open(row.fields_sealed, _place(empty)))
    return Draft(
        session_id=session_id,
        person_id=person_id,
        form=form,
        fields=fields,
        saved_at=row.saved_at,
    )


def others(
    db: Connection, session_id: str, person_id: str, form: str
) -> list[tuple[str, datetime]]:
    """Who else is writing, and when they last did; not a word of it."""
    rows = db.execute(
        select(drafts.c.person_id, drafts.c.saved_at)
        .where(
            drafts.c.session_id == session_id,
            drafts.c.form == form,
            drafts.c.person_id != person_id,
        )
        .order_by(drafts.c.saved_at)
    )
    return [(row.person_id, row.saved_at) for row in rows]


def drop(db: Connection, session_id: str, person_id: str, form: str) -> None:
    """It was saved, or thrown away by whoever wrote it."""
    one = Draft(session_id=session_id, person_id=person_id, form=form, fields={})
    db.execute(delete(drafts).where(_is(one)))


def forget(db: Connection, person_id: str) -> int:
    """Everything this person left unsaved; how many there were."""
    return db.execute(delete(drafts).where(drafts.c.person_id == person_id)).rowcount


def forget_old(db: Connection, before: datetime) -> None:
    """Delete what nobody has touched since then."""
    db.execute(delete(drafts).where(drafts.c.saved_at < before))


def _is(one: Draft) -> ColumnElement[bool]:
    return and_(
        drafts.c.session_id == one.session_id,
        drafts.c.person_id == one.person_id,
        drafts.c.form == one.form,
    )


def _place(one: Draft) -> str:
    return f"drafts:fields:{one.session_id}:{one.person_id}:{one.form}"
