"""Records as a workbook: sessions, attendance, reminders and removals, notes.

Every cell that holds text is a string cell: nothing is a formula or a link, whatever it
looks like (N10). Times are real times in the zone of the session, minutes are numbers.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from app.core.record_parts import Record
from app.exports.attendance_csv import status, zone_of
from app.exports.paper import legible, line

LONGEST_CELL = 32_767  # https://support.microsoft.com/excel specifications and limits
Cell = str | int | datetime

SHEETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Sessions",
        (
            "Session", "Group", "Title", "Start", "End", "Time zone", "Purpose",
            "Clients expected", "Clients there", "Workers there",
            "Last client out", "Last worker out", "Standing",
        ),
    ),
    (
        "Attendance",
        (
            "Session", "Date", "Person", "Name", "Part", "Role", "Expected", "Status",
            "Joined", "Left", "Minutes", "Flags", "Corrections",
        ),
    ),
    (
        "Reminders and removals",
        ("Session", "At", "Step", "Person", "Name", "Why", "Pressed by", "Proof"),
    ),
    ("Notes", ("Session", "Version", "Part", "Notes")),
)  # fmt: skip


def xlsx(records: Sequence[Record]) -> bytes:
    """The file; the same records give the same bytes."""
    out = io.BytesIO()
    given = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(out, given) as book:
        about = {"title": "Session records", "author": "Chaperone", "language": "en-GB"}
        at = max((one.written_at for one in records), default=None)
        book.set_properties({**about, **({"created": at} if at else {})})
        bold = book.add_format({"bold": True, "text_wrap": True})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        kinds = (_sessions, _attendance, _ladder, _notes)
        for (name, heads), rows in zip(SHEETS, kinds, strict=True):
            sheet = book.add_worksheet(name)
            sheet.set_column(0, len(heads) - 1, 18)
            sheet.freeze_panes(1, 0)
            for column, head in enumerate(heads):
                sheet.write_string(0, column, head, bold)
            listed = (row for record in records for row in rows(record))
            for number, row in enumerate(listed, start=1):
                _write(sheet, number, row, time)
    return out.getvalue()


def _write(sheet: Worksheet, number: int, row: Sequence[Cell], time: Format) -> None:
    for column, cell in enumerate(row):
        if isinstance(cell, datetime):
            sheet.write_datetime(number, column, cell, time)
        elif isinstance(cell, int):
            sheet.write_number(number, column, cell)
        elif cell:
            sheet.write_string(number, column, cell[:LONGEST_CELL])


def _sessions(record: Record) -> Iterator[tuple[Cell, ...]]:
    zone, plan = zone_of(record), record.plan
    clients = [row for row in record.attendance if row.part == "client"]
    yield (
        line(record.session_id),
        line(plan.group_id) if plan else "",
        line(plan.title) if plan else "",
        _local(plan.starts_at if plan else None, zone),
        _local(plan.ends_at if plan else None, zone),
        zone.key,
        line(plan.purpose) if plan else "",
        sum(row.expected for row in clients),
        sum(row.joined_at is not None for row in clients),
        sum(row.joined_at is not None for row in record.workers),
        _local(record.closing.last_client_out, zone),
        _local(record.closing.last_worker_out, zone),
        line(record.standing),
    )


def _attendance(record: Record) -> Iterator[tuple[Cell, ...]]:
    zone, plan = zone_of(record), record.plan
    day = f"{plan.starts_at.astimezone(zone):%Y-%m-%d}" if plan else ""
    for row in record.attendance:
        corrections = [f"{line(a.by.name)}: {line(a.reason)}" for a in row.amendments]
        yield (
            line(record.session_id),
            day,
            line(row.person.id),
            line(row.person.name),
            row.part,
            row.role,
            "yes" if row.expected else "no",
            status(row),
            _local(row.joined_at, zone),
            _local(row.left_at, zone),
            row.minutes,
            "; ".join(row.flags),
            "; ".join(corrections),
        )


def _ladder(record: Record) -> Iterator[tuple[Cell, ...]]:
    zone = zone_of(record)
    for entry in record.ladder:
        yield (
            line(record.session_id),
            _local(entry.at, zone),
            entry.step,
            line(entry.person.id),
            line(entry.person.name),
            line(entry.rule_text or entry.reason),
            line(entry.by.name),
            line(entry.proof) if entry.confirmed_at is not None else "not proved",
        )


def _notes(record: Record) -> Iterator[tuple[Cell, ...]]:
    text = legible(record.notes_text).strip()
    version = record.notes.version if record.notes is not None else 0
    for part, start in enumerate(range(0, len(text), LONGEST_CELL), start=1):
        piece = text[start : start + LONGEST_CELL]
        yield line(record.session_id), version, part, piece


def _local(at: datetime | None, zone: ZoneInfo) -> Cell:
    return "" if at is None else at.astimezone(zone).replace(tzinfo=None, microsecond=0)
