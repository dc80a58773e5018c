"""The attendance register: who came to which session, as a matrix and as numbers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.record_parts import AttendanceRow, Named, Record
from app.core.tables import csv_table
from app.exports.attendance_csv import status, zone_of
from app.exports.paper import line

MARKS = {
    "present": "✓",
    "late": "✓ late",
    "left early": "✓ left early",
    "late, left early": "✓ late, left early",
    "removed": "removed",
    "absent": "absent",
    "turned away": "turned away",
    "waiting": "waiting",
    "expected": "expected",
    "not expected": "",
}
PARTS = ("client", "worker")


@dataclass(frozen=True, slots=True)
class Evening:
    """A column: one session. ``confirmed``: whether its attendance was."""

    session_id: str
    title: str
    starts_at: datetime
    zone: str
    confirmed: bool
    clients: int
    clients_expected: int
    workers: int
    unknown: int


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A row: one person. ``cells`` has a word for each session, "" where not asked."""

    person: Named
    part: str
    cells: tuple[str, ...]

    @property
    def came(self) -> int:
        """To how many sessions."""
        return sum(cell.startswith("✓") or cell == "removed" for cell in self.cells)

    @property
    def asked(self) -> int:
        """How many sessions they were expected at, or came to."""
        return sum(cell != "" for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Register:
    """Clients first, then workers, each by name."""

    evenings: tuple[Evening, ...]
    lines: tuple[RegisterLine, ...]


@dataclass(slots=True)
class _Row:
    name: str
    part: str
    cells: dict[int, str] = field(default_factory=dict)


def register(records: Sequence[Record]) -> Register:
    """The register of these sessions, in their order.

    Who is nobody on a list is only counted (``unknown``): a name typed into a meeting is
    no identity (N06).
    """
    rows: dict[str, _Row] = {}
    for number, record in enumerate(records):
        for one in record.attendance:
            if not one.person.id or one.part not in PARTS:
                continue
            mark = mark_of(one)
            if mark:
                row = rows.setdefault(one.person.id, _Row("", one.part))
                row.name = line(one.person.name) or one.person.id
                row.cells[number] = mark
    ordered = sorted(
        rows.items(),
        key=lambda pair: (PARTS.index(pair[1].part), pair[1].name.casefold(), pair[0]),
    )
    count = range(len(records))
    return Register(
        evenings=tuple(_evening(record) for record in records),
        lines=tuple(
            RegisterLine(
                Named(person_id, row.name),
                row.part,
                tuple(row.cells.get(number, "") for number in count),
            )
            for person_id, row in ordered
        ),
    )


def mark_of(row: AttendanceRow) -> str:
    """What stands in the cell: a word of :data:`MARKS`."""
    if row.joined_at is not None and "removed" in row.flags:
        return MARKS["removed"]
    noted = [flag for flag in ("late", "left early") if flag in row.flags]
    if status(row) == "present":
        return MARKS[", ".join(noted) or "present"]
    return MARKS[status(row)]


def _evening(record: Record) -> Evening:
    def came(part: str) -> int:
        found = (row for row in record.attendance if row.part == part)
        return sum(row.joined_at is not None for row in found)

    clients = [row for row in record.attendance if row.part == "client"]
    plan = record.plan
    return Evening(
        session_id=record.session_id,
        title=(line(plan.title) if plan is not None else "") or "Group session",
        starts_at=plan.starts_at if plan is not None else record.written_at,
        zone=zone_of(record).key,
        confirmed=record.version > 0,
        clients=came("client"),
        clients_expected=sum(row.expected for row in clients),
        workers=came("worker"),
        unknown=sum(
            not row.person.id and row.joined_at is not None for row in record.attendance
        ),
    )


def register_csv(records: Sequence[Record]) -> bytes:
    """The matrix as CSV: a row for each person, a column for each session."""
    made = register(records)
    days = [_day(one) for one in made.evenings]
    heads = ("person_id", "name", "part", "came", "asked", *days)
    return csv_table(heads, _rows(made))


def _rows(made: Register) -> Iterator[tuple[str, ...]]:
    for one in made.lines:
        numbers = (str(one.came), str(one.asked))
        yield (one.person.id, one.person.name, one.part, *numbers, *one.cells)
    yield ("", "clients there", "", "", "", *_each(e.clients for e in made.evenings))
    yield ("", "workers there", "", "", "", *_each(e.workers for e in made.evenings))


def _each(numbers: Iterable[int]) -> Iterator[str]:
    return (str(one) for one in numbers)


def _day(one: Evening) -> str:
    return f"{one.starts_at.astimezone(ZoneInfo(one.zone)):%Y-%m-%d %H:%M}"
