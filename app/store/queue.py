"""Actions, deadlines, alarms and their outbox: what still has to happen."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select

from app.core import codec
from app.core.actions import ACTIONS, Action
from app.core.policy import Mode
from app.core.presses import ActionState
from app.store.bulk import insert_once, insert_or_change
from app.store.database import Store
from app.store.tables import (
    ActionRow,
    AlarmRow,
    ContactRow,
    DeadlineRow,
    OutboxRow,
    PeriodicRow,
)

actions = ActionRow.__table__  # type: ignore[attr-defined]
deadlines = DeadlineRow.__table__  # type: ignore[attr-defined]
alarms = AlarmRow.__table__  # type: ignore[attr-defined]
outbox = OutboxRow.__table__  # type: ignore[attr-defined]
contacts = ContactRow.__table__  # type: ignore[attr-defined]
periodic = PeriodicRow.__table__  # type: ignore[attr-defined]

PERSON = "person:"
OPEN = (str(ActionState.WANTED), str(ActionState.SENT), str(ActionState.ESCALATED))

# Asked many times a minute: putting a statement together costs more than asking it.
_OPEN_ACTIONS = (
    select(actions)
    .where(actions.c.session_id == bindparam("whose"), actions.c.state.in_(OPEN))
    .order_by(actions.c.rank.desc(), actions.c.wanted_at)
)
_CONFIRMED = select(contacts.c.id).where(contacts.c.confirmed_at.is_not(None))
_DUE_LETTERS = (
    select(
        outbox,
        alarms.c.session_id,
        alarms.c.key,
        alarms.c.level,
        alarms.c.audience,
        alarms.c.text,
        alarms.c.what_to_do,
        alarms.c.raised_at,
        contacts.c.channel,
        contacts.c.address_sealed,
        contacts.c.secret_sealed,
    )
    .select_from(
        outbox.join(alarms, alarms.c.id == outbox.c.alarm_id).outerjoin(
            contacts, contacts.c.id == outbox.c.contact_id
        )
    )
    .where(outbox.c.state == "due", outbox.c.next_at <= bindparam("now"))
    .order_by(outbox.c.next_at)
    .limit(bindparam("most"))
)
_NEXT_LETTER_AT = select(func.min(outbox.c.next_at)).where(outbox.c.state == "due")
_SETTLE_LETTER = outbox.update().where(outbox.c.id == bindparam("which"))


def want(
    db: Connection,
    store: Store,
    session_id: str,
    action: Action,
    *,
    action_id: str,
    mode: Mode,
    at: datetime,
    state: ActionState = ActionState.WANTED,
) -> bool:
    """Store a wanted action; False when this episode's action is stored already."""
    public, private = codec.split(action)
    sealed = None
    if private:
        sealed = store.seal(orjson.dumps(private), f"actions:body:{action_id}")
    told = state is ActionState.SENT  # by being stored: a page shows it to a person
    done = db.execute(
        insert_once(db, actions),
        {
            "id": action_id,
            "session_id": session_id,
            "key": action.key,
            "kind": action.kind,
            "rank": int(action.rank),
            "mode": str(mode),
            "body": orjson.dumps(public).decode(),
            "body_sealed": sealed,
            "state": str(state),
            "route": "person" if told else "",
            "wanted_at": at,
            "sent_at": at if told else None,
            "last_sent_at": at if told else None,
            "next_at": at if state is ActionState.WANTED else None,
            "not_after": action.not_after,
        },
    )
    return bool(done.rowcount)


def read_action(store: Store, row: Any) -> Action:
    """The action of a row."""
    private = None
    if row.body_sealed is not None:
        private = orjson.loads(store.open(row.body_sealed, f"actions:body:{row.id}"))
    whole = codec.merge(orjson.loads(row.body), private)
    action: Action = codec.decode(ACTIONS[row.kind], whole)
    return action


def open_actions(db: Connection, session_id: str) -> list[Any]:
    """Rows of actions that are not finished, sternest first."""
    return list(db.execute(_OPEN_ACTIONS, {"whose": session_id}))


def move(
    db: Connection, action_id: str, expected: Sequence[str], **values: Any
) -> bool:
    """Change an action that is still in one of the expected states; False if it is not."""
    done = db.execute(_moving(tuple(expected)), {"which": action_id, **values})
    return done.rowcount == 1


@cache
def _moving(expected: tuple[str, ...]) -> Any:
    which = actions.c.id == bindparam("which")
    return actions.update().where(which, actions.c.state.in_(expected))


def sessions_with_work(db: Connection) -> list[str]:
    """Sessions that have open actions (for the start of the process)."""
    rows = db.execute(
        select(actions.c.session_id).where(actions.c.state.in_(OPEN)).distinct()
    )
    return [row.session_id for row in rows]


def set_deadline(
    db: Connection, session_id: str, at: datetime | None, why: str
) -> None:
    """Remember when this session has to be decided on again; None: no deadline."""
    if at is None:
        db.execute(deadlines.delete().where(deadlines.c.session_id == session_id))
        return
    row = {"session_id": session_id, "at": at, "why": why}
    db.execute(insert_or_change(db, deadlines), row)


def deadline_of(db: Connection, session_id: str) -> datetime | None:
    """The stored deadline of one session."""
    found: datetime | None = db.execute(
        select(deadlines.c.at).where(deadlines.c.session_id == session_id)
    ).scalar()
    return found


def all_deadlines(db: Connection) -> list[tuple[str, datetime]]:
    """(session id, moment) of every stored deadline, earliest first."""
    rows = db.execute(
        select(deadlines.c.session_id, deadlines.c.at).order_by(deadlines.c.at)
    )
    return [(row.session_id, row.at) for row in rows]


def ran(db: Connection, name: str) -> datetime | None:
    """When a periodic job last ran."""
    found: datetime | None = db.execute(
        select(periodic.c.last_at).where(periodic.c.name == name)
    ).scalar()
    return found


def note_ran(db: Connection, name: str, at: datetime) -> None:
    """Remember that a periodic job ran."""
    db.execute(insert_or_change(db, periodic), {"name": name, "last_at": at})


# --- alarms -----------------------------------------------------------------------


def raise_alarm(
    db: Connection,
    *,
    alarm_id: str,
    session_id: str | None,
    key: str,
    level: str,
    audience: str,
    text: str,
    what_to_do: str,
    at: datetime,
    send: bool,
    persons: Sequence[str] = (),
) -> None:
    """Store an alarm and, when it leaves the page, one outbox row per confirmed contact.

    ``persons``: workers told once by mail as well (guidance S2, U15). In the transaction
    that marks the action sent, so that no crash loses it (I9).
    """
    new = db.execute(
        insert_once(db, alarms),
        {
            "id": alarm_id,
            "session_id": session_id,
            "key": key,
            "level": level,
            "audience": audience,
            "text": text,
            "what_to_do": what_to_do,
            "raised_at": at,
        },
    )
    if not new.rowcount:
        return
    told = [
        {
            "id": f"{alarm_id}~{person_id}",
            "alarm_id": alarm_id,
            "contact_id": f"{PERSON}{person_id}",
            "next_at": at,
        }
        for person_id in persons
    ]
    if told:
        db.execute(insert_once(db, outbox), told)
    if not send:
        return
    confirmed = db.execute(_CONFIRMED)
    rows = [
        {
            "id": f"{alarm_id}~{contact.id}",
            "alarm_id": alarm_id,
            "contact_id": contact.id,
            "next_at": at,
        }
        for contact in confirmed
    ]
    if rows:
        db.execute(insert_once(db, outbox), rows)


def tell_of_open_alarms(db: Connection, contact_id: str, at: datetime) -> None:
    """A contact that counts from now on hears of every red alarm nobody has taken (I9)."""
    waiting = db.execute(
        select(alarms.c.id).where(
            alarms.c.level == "red",
            alarms.c.acknowledged_at.is_(None),
            alarms.c.ended_at.is_(None),
        )
    )
    rows = [
        {
            "id": f"{alarm.id}~{contact_id}",
            "alarm_id": alarm.id,
            "contact_id": contact_id,
            "next_at": at,
        }
        for alarm in waiting
    ]
    if rows:
        db.execute(insert_once(db, outbox), rows)


def acknowledge(db: Connection, key: str, by: str, at: datetime) -> bool:
    """A named person takes the alarm: it is not repeated any more."""
    done = db.execute(
        alarms.update()
        .where(alarms.c.key == key, alarms.c.acknowledged_at.is_(None))
        .values(acknowledged_at=at, acknowledged_by=by)
    )
    ids = select(alarms.c.id).where(alarms.c.key == key)
    db.execute(
        outbox.update()
        .where(outbox.c.alarm_id.in_(ids), outbox.c.state != "failed")
        .values(state="done")
    )
    return done.rowcount == 1


def end_alarm(db: Connection, key: str, at: datetime) -> None:
    """What it was about is well again: nobody need take it any more."""
    db.execute(
        alarms.update()
        .where(alarms.c.key == key, alarms.c.ended_at.is_(None))
        .values(ended_at=at)
    )
    ids = select(alarms.c.id).where(alarms.c.key == key)
    db.execute(
        outbox.update()
        .where(outbox.c.alarm_id.in_(ids), outbox.c.state == "due")
        .values(state="done")
    )


def due_letters(db: Connection, now: datetime, limit: int = 50) -> list[Any]:
    """Outbox rows to send now, with their alarm and contact."""
    return list(db.execute(_DUE_LETTERS, {"now": now, "most": limit}))


def next_letter_at(db: Connection) -> datetime | None:
    """When the next outbox row is due."""
    found: datetime | None = db.execute(_NEXT_LETTER_AT).scalar()
    return found


def hurry_letters(db: Connection, now: datetime, at_most: timedelta) -> None:
    """No letter waits longer than this: the clock may have been set back."""
    db.execute(
        outbox.update()
        .where(outbox.c.state == "due", outbox.c.next_at > now + at_most)
        .values(next_at=now)
    )


def settle_letter(db: Connection, letter_id: str, **values: Any) -> None:
    """Write down how sending went."""
    db.execute(_SETTLE_LETTER, {"which": letter_id, **values})


def open_alarms(db: Connection, session_id: str | None = None) -> list[Any]:
    """Alarms nobody has taken and that are not over by themselves, oldest first."""
    query = select(alarms).where(
        alarms.c.acknowledged_at.is_(None), alarms.c.ended_at.is_(None)
    )
    if session_id is not None:
        query = query.where(alarms.c.session_id == session_id)
    return list(db.execute(query.order_by(alarms.c.raised_at)))


def confirmed_contacts(db: Connection) -> int:
    """How many alarm contacts are confirmed."""
    found = db.execute(
        select(func.count())
        .select_from(contacts)
        .where(contacts.c.confirmed_at.is_not(None))
    ).scalar()
    return int(found or 0)


def revive(
    db: Connection,
    session_id: str,
    key: str,
    mode: str,
    at: datetime,
    state: ActionState = ActionState.WANTED,
) -> None:
    """A withdrawn action is wanted again, or ``SENT`` again where storing tells it."""
    told = state is ActionState.SENT
    db.execute(
        actions.update()
        .where(
            actions.c.session_id == session_id,
            actions.c.key == key,
            actions.c.state == str(ActionState.WITHDRAWN),
        )
        .values(
            state=str(state),
            mode=mode,
            next_at=None if told else at,
            route="person" if told else "",
            tries=0,
        )
    )
