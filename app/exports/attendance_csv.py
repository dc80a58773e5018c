"""The attendance table as CSV: fixed columns, one row per person (guidance E3, §4).

Times are the local time of the plan's zone, so that a spreadsheet can sort and compute
with them; the exact UTC times are in the JSON export.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.record_parts import Amendment, AttendanceRow, Record
from app.core.tables import csv_table

HEADS = (
    "session_id",
    "group_id",
    "title",
    "date",
    "planned_start",
    "planned_end",
    "time_zone",
    "line",
    "person_id",
    "name",
    "shown_as",
    "part",
    "role",
    "expected",
    "status",
    "joined",
    "left",
    "minutes_present",
    "minutes_waiting",
    "intervals",
    "flags",
    "matched_by",
    "ground_rules_given",
    "original_joined",
    "original_left",
    "corrections",
    "confirmed_at",
    "confirmed_by",
    "standing",
)


def attendance_csv(records: Iterable[Record]) -> bytes:
    """UTF-8 with byte order mark, RFC 4180, safe from formulas."""
    return csv_table(HEADS, (row for record in records for row in cells(record)))


def zone_of(record: Record) -> ZoneInfo:
    """The zone the session was planned in; UTC where that is not known."""
    try:
        return ZoneInfo(record.plan.zone if record.plan is not None else "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def cells(record: Record) -> Iterator[tuple[str, ...]]:
    """The rows of one session, in the order of :data:`HEADS`; not yet made safe."""
    zone = zone_of(record)
    head = _session(record, zone)
    signed = record.attendance_confirmed
    tail = (
        _time(signed.at, zone) if signed is not None else "",
        signed.by.name if signed is not None and signed.by is not None else "",
        record.standing,
    )
    return ((*head, *_row(row, zone), *tail) for row in record.attendance)


def _session(record: Record, zone: ZoneInfo) -> tuple[str, ...]:
    plan = record.plan
    if plan is None:
        return (record.session_id, "", "", "", "", "", "UTC")
    return (
        record.session_id,
        plan.group_id,
        plan.title,
        f"{plan.starts_at.astimezone(zone):%Y-%m-%d}",
        _time(plan.starts_at, zone),
        _time(plan.ends_at, zone),
        plan.zone,
    )


def _row(row: AttendanceRow, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        row.line,
        row.person.id,
        row.person.name,
        "; ".join(row.shown),
        row.part,
        row.role,
        "yes" if row.expected else "no",
        status(row),
        _time(row.joined_at, zone),
        _time(row.left_at, zone),
        str(row.minutes),
        str(_minutes(row.waited)),
        "; ".join(
            f"{s.start.astimezone(zone):%H:%M:%S}-{s.end.astimezone(zone):%H:%M:%S}"
            for s in row.spans
        ),
        "; ".join(row.flags),
        row.matched_by,
        _time(row.rules_at, zone),
        _time(row.original_joined_at, zone),
        _time(row.original_left_at, zone),
        "; ".join(_correction(one, zone) for one in row.amendments),
    )


def status(row: AttendanceRow) -> str:
    """One word for registers that know only one: present, absent or not expected."""
    for word in ("present", "absent", "turned away", "waiting"):
        if word in row.flags:
            return word
    return "expected" if row.expected else "not expected"


def _correction(one: Amendment, zone: ZoneInfo) -> str:
    changed = []
    if one.joined_at is not None:
        changed.append(f"joined {_time(one.joined_at, zone)}")
    if one.left_at is not None:
        changed.append(f"left {_time(one.left_at, zone)}")
    if one.person is not None:
        changed.append(f"was {one.person.name}")
    return f"{one.by.name}: {', '.join(changed)} ({one.reason})"


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at is not None else ""


def _minutes(length: timedelta) -> int:
    return int((length.total_seconds() + 30) // 60)
