"""``Record -> bytes``: one file per format, one line in :data:`EXPORTS`.

A new format is a module with one function, its line here, its media type, and a golden
file in ``tests/exports/golden``.
"""

import re
from collections.abc import Callable, Mapping

from app.core.record_parts import Record
from app.exports.attendance_csv import attendance_csv
from app.exports.record_json import record_json

Export = Callable[[Record], bytes]

EXPORTS: Mapping[str, Export] = {"csv": attendance_csv, "json": record_json}
MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
}


def file_name(record: Record, suffix: str) -> str:
    """A name for the file made of ids and a date only, never of what people typed (N13).

    Raises KeyError for a format nobody exports.
    """
    if suffix not in EXPORTS:
        raise KeyError(suffix)
    ident = re.sub(r"[^A-Za-z0-9]+", "-", record.session_id).strip("-")[:60]
    day = record.plan.starts_at if record.plan is not None else record.written_at
    kind = "attendance" if suffix == "csv" else "record"
    return f"{kind}-{ident or 'session'}-{day:%Y-%m-%d}.{suffix}"
