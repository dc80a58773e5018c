"""Legal holds: what must not be deleted or erased, whatever its term (I24).

A hold on a person keeps them and every session they were part of; a hold on a session
keeps that session. It lasts until a named person lifts it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from app.store import people, sessions
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import has_letters, text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables_concerns import ConcernRow
from app.store.tables_privacy import HoldRow

holds = HoldRow.__table__  # type: ignore[attr-defined]
concerns = ConcernRow.__table__  # type: ignore[attr-defined]

PERSON, SESSION = "person", "session"
LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """``subject`` is ``person`` or ``session``; ``placed_by`` says who, by id or role."""

    id: str
    subject: str
    subject_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    review_on: date
    lifted_at: datetime | None = None
    lifted_by: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Ids on hold now. ``rows``: people whose own row is kept, but not every session."""

    people: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()


def place(
    db: Connection,
    store: Store,
    subject: str,
    subject_id: str,
    *,
    reason: str,
    by: str,
    review_on: date,
    now: datetime,
) -> Hold:
    """Keep somebody's data, or a session's, until further notice. Raises Refused, Unknown."""
    faults = text_faults({"reason": reason}, LONGEST_REASON)
    if not has_letters(reason):
        faults["reason"] = "Write why this must be kept, in a sentence."
    if review_on <= now.date():
        faults["review_on"] = "Choose a later day on which the hold is looked at again."
    if faults:
        raise Refused(faults)
    if subject == PERSON:
        people.get(db, store, subject_id)
    elif subject == SESSION:
        sessions.get(db, store, subject_id)
    else:
        raise Refused({"subject": "A hold is on a person or on a session."})
    made = Hold(
        id=new_id("hold"),
        subject=subject,
        subject_id=subject_id,
        reason=reason,
        placed_by=by,
        placed_at=now,
        review_on=review_on,
    )
    db.execute(
        holds.insert().values(
            id=made.id,
            subject=subject,
            subject_id=subject_id,
            reason_sealed=store.seal(reason.encode(), f"holds:reason:{made.id}"),
            placed_by=by,
            placed_at=now,
            review_on=review_on,
        )
    )
    return made


def lift(db: Connection, hold_id: str, by: str, now: datetime) -> None:
    """From now on the usual terms count again. Raises Unknown."""
    done = db.execute(
        holds.update()
        .where(holds.c.id == hold_id, holds.c.lifted_at.is_(None))
        .values(lifted_at=now, lifted_by=by)
    )
    if done.rowcount == 0:
        raise Unknown("hold in force", hold_id)


def listed(db: Connection, store: Store, *, lifted: bool = False) -> list[Hold]:
    """The holds in force, oldest first; with ``lifted`` those that were lifted as well."""
    query = select(holds).order_by(holds.c.placed_at, holds.c.id)
    if not lifted:
        query = query.where(holds.c.lifted_at.is_(None))
    return [_hold(store, row) for row in db.execute(query)]


def held(db: Connection) -> Held:
    """What is on hold now.

    An evening with a concern is, and the worker a concern is about, without anybody
    pressing: a person decides about those.
    """
    rows = db.execute(
        select(holds.c.subject, holds.c.subject_id).where(holds.c.lifted_at.is_(None))
    ).all()
    raised = db.execute(select(concerns.c.session_id, concerns.c.about_worker)).all()
    return Held(
        frozenset(row.subject_id for row in rows if row.subject == PERSON),
        frozenset(row.subject_id for row in rows if row.subject == SESSION)
        | {row.session_id for row in raised if row.session_id},
        frozenset(row.about_worker for row in raised if row.about_worker),
    )


def _hold(store: Store, row: Any) -> Hold:
    return Hold(
        id=row.id,
        subject=row.subject,
        subject_id=row.subject_id,
        reason=store.open(row.reason_sealed, f"holds:reason:{row.id}").decode(),
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        review_on=row.review_on,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )
