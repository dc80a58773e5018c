"""How long each kind of record is kept, and what is due: pure, the clock is handed in.

The defaults are those of docs/data-inventory.md. A term runs out in a moment; what runs
out is still there at that moment and goes after it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.privacy.holds import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The long terms. The short ones stand in ``app/engine/upkeep.py``."""

    register_years: int = 6
    notes_years: int = 3
    contacts: timedelta = timedelta(days=90)
    rules_years: int = 6
    alarms_years: int = 6
    tokens_years: int = 6
    holds_years: int = 6
    certificates_years: int = 2


TERMS = Terms()


class Kind(StrEnum):
    """What is deleted together, in the words of the preview."""

    NOTES = "session notes"
    TALKS = "outcomes of one-to-ones"
    SESSION = "sessions with attendance, record and log"
    CONTACTS = "contacts of people who left"
    PERSON = "people who left"
    RULES = "ground rules nobody goes by any more"
    ALARM = "alarms that belong to no session"
    TOKEN = "revoked tokens"  # noqa: S105 - the word for a reader
    HOLD = "holds that were lifted"
    CERTIFICATE = "certificates of erasure"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """A session, its end, and the clients whose attendance it shows."""

    id: str
    ends_at: datetime
    clients: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()
    has_notes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPerson:
    """A person. ``left_at``: when they were taken off the list, None while they take part.

    ``has_contacts`` and ``has_outcomes`` say whether anything of the kind is left.
    """

    id: str
    left_at: datetime | None = None
    talked_at: datetime | None = None
    has_contacts: bool = False
    has_outcomes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """A row with a term of its own, counted from ``since``."""

    kind: Kind
    id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Everything that has a long term."""

    sessions: tuple[KeptSession, ...] = ()
    people: tuple[KeptPerson, ...] = ()
    rows: tuple[KeptRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing that goes after ``until``, unless it is on hold."""

    kind: Kind
    id: str
    until: datetime
    on_hold: bool = False


def years_after(moment: datetime, years: int) -> datetime:
    """The same day of a later year; 29 February becomes 1 March: never early."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)


def due(kept: Kept, held: Held, now: datetime, terms: Terms = TERMS) -> list[Term]:
    """What has to go by now, in the order in which it can."""
    return [
        one
        for one in calendar(kept, held, terms)
        if one.until < now and not one.on_hold
    ]


def calendar(kept: Kept, held: Held, terms: Terms = TERMS) -> list[Term]:
    """When everything goes, the earliest first."""
    last = _last_sessions(kept.sessions)
    found = [
        *_sessions(kept.sessions, last, held, terms),
        *_people(kept.people, last, held, terms),
        *_rows(kept.rows, terms),
    ]
    return sorted(found, key=lambda one: (one.until, one.kind, one.id))


def _last_sessions(sessions: Iterable[KeptSession]) -> dict[str, datetime]:
    """Person id -> the end of the last session they were planned for."""
    last: dict[str, datetime] = {}
    for one in sessions:
        for person in one.clients | one.workers:
            last[person] = max(last.get(person, one.ends_at), one.ends_at)
    return last


def _sessions(
    sessions: Iterable[KeptSession],
    last: dict[str, datetime],
    held: Held,
    terms: Terms,
) -> Iterator[Term]:
    """Attendance and notes run from the last session of whoever takes part in it."""
    for one in sessions:
        since = max([one.ends_at, *(last[client] for client in one.clients)])
        on_hold = one.id in held.sessions or bool(
            (one.clients | one.workers) & held.people
        )
        yield Term(
            kind=Kind.SESSION,
            id=one.id,
            until=years_after(since, terms.register_years),
            on_hold=on_hold,
        )
        if one.has_notes:
            yield Term(
                kind=Kind.NOTES,
                id=one.id,
                until=years_after(since, terms.notes_years),
                on_hold=on_hold,
            )


def _people(
    people: Iterable[KeptPerson],
    last: dict[str, datetime],
    held: Held,
    terms: Terms,
) -> Iterator[Term]:
    for one in people:
        seen, on_hold = last.get(one.id), one.id in held.people | held.rows
        if one.has_outcomes and one.talked_at is not None:
            since = max(filter(None, (one.talked_at, seen)))
            until = years_after(since, terms.notes_years)
            yield Term(kind=Kind.TALKS, id=one.id, until=until, on_hold=on_hold)
        if one.left_at is None:
            continue
        out = max(filter(None, (one.left_at, seen))) + terms.contacts
        if one.has_contacts:
            yield Term(kind=Kind.CONTACTS, id=one.id, until=out, on_hold=on_hold)
        registers = years_after(seen, terms.register_years) if seen else out
        until = max(out, registers)
        yield Term(kind=Kind.PERSON, id=one.id, until=until, on_hold=on_hold)


def _rows(rows: Iterable[KeptRow], terms: Terms) -> Iterator[Term]:
    years = {
        Kind.RULES: terms.rules_years,
        Kind.ALARM: terms.alarms_years,
        Kind.TOKEN: terms.tokens_years,
        Kind.HOLD: terms.holds_years,
        Kind.CERTIFICATE: terms.certificates_years,
    }
    for one in rows:
        until = years_after(one.since, years[one.kind])
        yield Term(kind=one.kind, id=one.id, until=until)
