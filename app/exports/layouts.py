"""Attendance as CSV in the columns and words of another program.

A layout says which columns there are, what each is called there and what stands in it,
how days are written, and by which words that program knows who came. It claims no
compatibility with any product: the charity tries it once with a few rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from app.core.record_parts import AttendanceRow, Record
from app.core.tables import csv_table
from app.exports.attendance_csv import HEADS, cells, status
from app.store.layouts import Column, Layout

MOST_COLUMNS = 40
# What may stand in a column: the fields of the attendance CSV, and three more.
FIELDS: Mapping[str, str] = {
    "reference": "your own reference of the person",
    "register_name": "name on the register",
    "name": "name",
    "person_id": "Chaperone's id of the person",
    "status": "came or not (by the words below)",
    "date": "day",
    "planned_start": "planned start",
    "planned_end": "planned end",
    "joined": "came at",
    "left": "left at",
    "minutes_present": "minutes there",
    "title": "title of the session",
    "session_id": "Chaperone's id of the session",
    "group_id": "Chaperone's id of the group",
    "part": "client or worker",
    "role": "role of a worker",
    "flags": "late, left early and the like",
    "expected": "expected (yes or no)",
    "confirmed_at": "confirmed at",
    "confirmed_by": "confirmed by",
    "standing": "confirmed or draft",
    "fixed": "always the same text",
}
STATUSES = ("present", "absent", "turned away", "waiting", "expected", "not expected")
WHO: Mapping[str, str] = {
    "client": "Clients on the list",
    "listed": "Clients and workers on the list",
    "all": "Everybody who was there",
}
DAYS: Mapping[str, str] = {
    "%Y-%m-%d": "2026-11-17",
    "%d/%m/%Y": "17/11/2026",
    "%d-%b-%Y": "17-Nov-2026",
}
_MOMENTS = {"planned_start", "planned_end", "joined", "left", "confirmed_at"}


def layout_faults(layout: Layout) -> dict[str, str]:
    """Field of the form -> what is wrong with it; empty for nothing."""
    found: dict[str, str] = {}
    if not layout.name.strip():
        found["name"] = "Give it a name, such as that of the other program."
    if not layout.columns:
        found["head_0"] = "Name one column at least."
    if len(layout.columns) > MOST_COLUMNS:
        found["head_0"] = f"{MOST_COLUMNS} columns at most."
    heads = [column.head.casefold() for column in layout.columns]
    for number, column in enumerate(layout.columns):
        if column.field not in FIELDS:
            found[f"field_{number}"] = "Choose what stands in this column."
        elif heads.index(heads[number]) != number:
            found[f"head_{number}"] = "Two columns are called the same."
    if layout.who not in WHO:
        found["who"] = "Choose who is listed."
    if layout.days not in DAYS:
        found["days"] = "Choose how days are written."
    return found


People = Mapping[str, Mapping[str, str]]
"""Person id -> ``reference`` and ``register_name`` as they are on file."""


def layout_csv(layout: Layout, records: Sequence[Record], people: People) -> bytes:
    """One row for each person and session. Raises KeyError for a field nobody knows."""
    heads = [column.head for column in layout.columns]
    return csv_table(heads, _rows(layout, records, people))


def _rows(
    layout: Layout, records: Sequence[Record], people: People
) -> Iterator[list[str]]:
    for record in records:
        for row, given in zip(record.attendance, cells(record), strict=True):
            if _wanted(layout.who, row):
                known = dict(zip(HEADS, given, strict=True))
                known |= {"reference": "", "register_name": known["name"]}
                filed = people.get(row.person.id, {})
                known |= {key: text for key, text in filed.items() if text}
                known["status"] = layout.words.get(status(row)) or known["status"]
                yield [_cell(layout, column, known) for column in layout.columns]


def _wanted(who: str, row: AttendanceRow) -> bool:
    if who == "client":
        return row.part == "client"
    return who == "all" or row.person.id != ""


def _cell(layout: Layout, column: Column, known: Mapping[str, str]) -> str:
    if column.field == "fixed":
        return column.text
    text = known[column.field]
    if column.field == "date" and text:
        return f"{datetime.fromisoformat(text):{layout.days}}"
    if column.field in _MOMENTS and text:
        return f"{datetime.fromisoformat(text):{layout.days} %H:%M}"
    return text
