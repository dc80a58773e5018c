"""The log: add facts once, read them back in order, with their erasable halves."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    type_coerce,
)

from app.core import wire
from app.core.events import MeetingEvent, MeetingRef
from app.core.fold import Fact
from app.crypto import CannotDecrypt
from app.store.bulk import Asking, asking, insert_once, insert_or_change
from app.store.columns import moment_of, ticks_of
from app.store.database import Store
from app.store.entries import Entry as Entry
from app.store.entries import add as add_entries
from app.store.recent import Recent
from app.store.tables import (
    CounterRow,
    DeliveryRow,
    LastSeenRow,
    LogPersonalRow,
    LogRow,
    MeetingRow,
    QuarantineRow,
)

log = LogRow.__table__  # type: ignore[attr-defined]
personal = LogPersonalRow.__table__  # type: ignore[attr-defined]
deliveries = DeliveryRow.__table__  # type: ignore[attr-defined]
quarantine = QuarantineRow.__table__  # type: ignore[attr-defined]
counters = CounterRow.__table__  # type: ignore[attr-defined]
last_seen = LastSeenRow.__table__  # type: ignore[attr-defined]
meetings = MeetingRow.__table__  # type: ignore[attr-defined]


def entry(
    store: Store,
    fact: Fact,
    ref: str,
    heard_at: datetime,
    *,
    session_id: str | None = None,
    keep_personal: bool = True,
) -> Entry:
    """Make a fact ready. Without ``keep_personal`` only type, ids and times remain."""
    kind, public, private = wire.dump(fact)
    sealed = None
    if private and keep_personal:
        sealed = store.seal(orjson.dumps(private), f"log_personal:fields:{ref}")
    platform = meeting_id = instance = ""
    source = "chaperone"
    if isinstance(fact, MeetingEvent):
        meeting, source = fact.meeting, fact.source.value
        platform, meeting_id = meeting.platform, meeting.meeting_id
        instance = meeting.instance
    return Entry(
        ref, session_id, platform, meeting_id, instance, kind, source,
        ticks_of(fact.at), ticks_of(heard_at), orjson.dumps(public).decode(), sealed,
    )  # fmt: skip


def delivered(
    entry: Entry, ref: str, event_type: str, body_sealed: bytes | None, *, late: bool
) -> Entry:
    """The same entry with the webhook it came in, whose reference is ``ref``."""
    return Entry(*entry[:11], ref, event_type, body_sealed, late)


def add(db: Connection, entries: Sequence[Entry]) -> None:
    """Append; an entry whose ``ref`` is there already changes nothing (I12)."""
    add_entries(db, entries)


class Logged(NamedTuple):
    """A fact as read back: its place in the log and when it was heard."""

    seq: int
    fact: Fact
    heard_at: datetime
    source: str


Bound = Iterable[tuple[str, str]]

_asked: dict[tuple[str, str, int], Asking] = {}
"""By dialect, what is asked, and how many meetings are bound."""


def _ours(bound: int) -> Any:
    clauses = [log.c.session_id == bindparam("session")]
    clauses += [
        and_(
            log.c.platform == bindparam(f"platform_{n}"),
            log.c.meeting_id == bindparam(f"meeting_{n}"),
        )
        for n in range(bound)
    ]
    return or_(*clauses)


def _ask(
    db: Connection, what: str, session_id: str, bound: Bound, **more: Any
) -> list[list[Any]]:
    """The rows of one of ``_QUERIES`` for a session and its bound meetings."""
    given: dict[str, Any] = {"session": session_id, **more}
    number = 0
    for number, (platform, meeting_id) in enumerate(bound, 1):
        given[f"platform_{number - 1}"] = platform
        given[f"meeting_{number - 1}"] = meeting_id
    key = (db.dialect.name, what, number)
    if key not in _asked:
        _asked[key] = asking(db.dialect, _QUERIES[what]().where(_ours(number)))
    return _asked[key].rows(db, given)


def _whole() -> Select[Any]:
    return (
        _short()
        .add_columns(log.c.kind, log.c.public, personal.c.fields_sealed)
        .select_from(log.outerjoin(personal, personal.c.ref == log.c.ref))
    )


def _short() -> Select[Any]:
    return (
        select(
            log.c.seq,
            log.c.ref,
            type_coerce(log.c.heard_at, BigInteger),
            log.c.source,
        )
        .where(log.c.seq > bindparam("after"))
        .order_by(log.c.seq)
    )


_QUERIES: dict[str, Callable[[], Select[Any]]] = {
    "whole": _whole,
    "short": _short,
    "position": lambda: select(func.max(log.c.seq)).where(
        log.c.seq > bindparam("after")
    ),
}


def of_session(
    store: Store,
    db: Connection,
    session_id: str,
    bound: Bound,
    *,
    after: int = 0,
    unreadable: Callable[[int], None] | None = None,
    recent: Recent | None = None,
) -> list[Logged]:
    """The facts of a session and of its bound meetings, in log order, after a position.

    A row nobody understands (written by a newer version) is reported, not raised. A
    personal half that does not open counts as erased: who is there still has to be known.
    ``recent``: facts that need not be rebuilt.
    """
    bound = tuple(bound)
    if recent is not None:
        stored = _just_stored(db, session_id, bound, after, recent)
        if stored is not None:
            return stored
    found = _ask(db, "whole", session_id, bound, after=after)
    facts = []
    for seq, ref, heard_at, source, kind, public, sealed in found:
        private = None
        if sealed is not None:
            try:
                private = orjson.loads(store.open(sealed, f"log_personal:fields:{ref}"))
            except (CannotDecrypt, ValueError):
                if unreadable is not None:
                    unreadable(seq)
        try:
            fact = wire.load(kind, orjson.loads(public), private)
        except (KeyError, TypeError, ValueError):
            if unreadable is not None:
                unreadable(seq)
            continue
        facts.append(Logged(seq, fact, moment_of(heard_at), source))
    return facts


def _just_stored(
    db: Connection, session_id: str, bound: Bound, after: int, recent: Recent
) -> list[Logged] | None:
    """The facts without reading them anew; None when one of them is not at hand."""
    rows = _ask(db, "short", session_id, bound, after=after)
    facts = recent.take_all([ref for _seq, ref, _heard_at, _source in rows])
    if facts is None:
        return None
    return [
        Logged(seq, fact, moment_of(at), source)
        for (seq, _ref, at, source), fact in zip(rows, facts, strict=True)
    ]


def position(db: Connection, session_id: str, bound: Bound, *, after: int = 0) -> int:
    """The last place in the log that concerns this session; ``after`` for none later."""
    [[found]] = _ask(db, "position", session_id, bound, after=after)
    return int(found or after)


def sessions_of(db: Connection, platform: str, meeting_id: str) -> list[str]:
    """The sessions this meeting is bound to."""
    rows = db.execute(
        select(meetings.c.session_id).where(
            meetings.c.platform == platform, meetings.c.meeting_id == meeting_id
        )
    )
    return [row.session_id for row in rows]


def meetings_of(db: Connection, session_id: str) -> list[tuple[str, str]]:
    """(platform, meeting id) of every meeting bound to a session."""
    rows = db.execute(
        select(meetings.c.platform, meetings.c.meeting_id).where(
            meetings.c.session_id == session_id
        )
    )
    return [(row.platform, row.meeting_id) for row in rows]


def last_sign(db: Connection) -> datetime | None:
    """The newest moment of which anything is stored, by the clock of that time."""
    heard: datetime | None = db.execute(
        select(log.c.heard_at).order_by(log.c.seq.desc()).limit(1)
    ).scalar()
    looked = db.execute(
        select(func.max(last_seen.c.proof_at), func.max(last_seen.c.failing_since))
    ).one()
    return max((at for at in (heard, *looked) if at is not None), default=None)


def sessions_bound_after(db: Connection, moment: datetime) -> list[str]:
    """Sessions with a meeting whose window has not closed by then."""
    rows = db.execute(
        select(meetings.c.session_id).where(meetings.c.closes_at > moment).distinct()
    )
    return [row.session_id for row in rows]


def bound_meetings(db: Connection) -> list[tuple[str, str, str]]:
    """Every (platform, meeting id, session id) that is bound."""
    rows = db.execute(
        select(meetings.c.platform, meetings.c.meeting_id, meetings.c.session_id)
    )
    return [(row.platform, row.meeting_id, row.session_id) for row in rows]


def refuse(
    db: Connection, ref: str, platform: str, why: str, received_at: datetime
) -> None:
    """Keep the hash of something that must not be acted on (W05, W28)."""
    row = {"ref": ref, "platform": platform, "why": why, "received_at": received_at}
    db.execute(insert_once(db, quarantine), row)


def count(db: Connection, name: str, at: datetime, by: int = 1) -> None:
    """Raise a counter an administrator can see."""
    db.execute(insert_once(db, counters), {"name": name, "count": 0, "last_at": at})
    db.execute(
        counters.update()
        .where(counters.c.name == name)
        .values(count=counters.c.count + by, last_at=at)
    )


def counted(db: Connection) -> dict[str, tuple[int, datetime]]:
    """Every counter: how often, and when last."""
    rows = db.execute(select(counters.c.name, counters.c.count, counters.c.last_at))
    return {name: (number, last_at) for name, number, last_at in rows}


def last_seen_of(db: Connection, ref: MeetingRef) -> Any:
    """The row of the last look at this instance, or None."""
    return db.execute(
        select(last_seen).where(
            last_seen.c.platform == ref.platform,
            last_seen.c.meeting_id == ref.meeting_id,
            last_seen.c.instance == ref.instance,
        )
    ).first()


def look(
    db: Connection,
    ref: MeetingRef,
    *,
    proof_at: datetime | None,
    failing_since: datetime | None,
    seen: Sequence[str],
) -> None:
    """Overwrite the one row of the last look."""
    row = {
        "platform": ref.platform,
        "meeting_id": ref.meeting_id,
        "instance": ref.instance,
        "proof_at": proof_at,
        "failing_since": failing_since,
        "seen": list(seen),
    }
    db.execute(insert_or_change(db, last_seen), row)


def last_delivery(db: Connection, platform: str) -> datetime | None:
    """When the last webhook of a platform was accepted."""
    found: datetime | None = db.execute(
        select(func.max(deliveries.c.received_at)).where(
            deliveries.c.platform == platform
        )
    ).scalar()
    return found


def forget_bodies(db: Connection, before: datetime) -> int:
    """Erase raw bodies received before then (14 days); the hash and times stay 7 more."""
    old = db.execute(
        deliveries.update()
        .where(deliveries.c.received_at < before, deliveries.c.body_sealed.is_not(None))
        .values(body_sealed=None)
    )
    return int(old.rowcount)


def forget_names(db: Connection, refs: Sequence[str]) -> None:
    """Erase the personal half of these facts; the pseudonymous log stays."""
    if refs:
        db.execute(delete(personal).where(personal.c.ref.in_(refs)))
