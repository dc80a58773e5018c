"""``Record -> bytes``: one file per format, one line in :data:`EXPORTS`.

A new format is a module with one function, its lines here, its media type, and a golden
file in ``tests/exports/golden``. :data:`TERM_EXPORTS` writes several sessions in one file.
Nothing here reads a store, a clock or the net.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from app.core.record_parts import Record
from app.exports.attendance_csv import attendance_csv, zone_of
from app.exports.docx import docx
from app.exports.paper import session_paper, term_paper
from app.exports.pdf import pdf
from app.exports.record_json import record_json, records_json
from app.exports.xlsx import xlsx

Export = Callable[[Record], bytes]
TermExport = Callable[[Sequence[Record]], bytes]

EXPORTS: Mapping[str, Export] = {
    "pdf": lambda record: pdf(session_paper(record)),
    "docx": lambda record: docx(session_paper(record)),
    "xlsx": lambda record: xlsx([record]),
    "csv": lambda record: attendance_csv([record]),
    "json": record_json,
}
TERM_EXPORTS: Mapping[str, TermExport] = {
    "pdf": lambda records: pdf(term_paper(records)),
    "docx": lambda records: docx(term_paper(records)),
    "xlsx": xlsx,
    "csv": attendance_csv,
    "json": records_json,
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
}
WORDS: Mapping[str, str] = {
    "pdf": "PDF: to read, print and file",
    "docx": "Word (DOCX): to read and work on",
    "xlsx": "Excel (XLSX): sessions, attendance, notes as sheets",
    "csv": "CSV: one row for each person and session",
    "json": "JSON: everything, for another program",
}


def file_name(record: Record, suffix: str) -> str:
    """A name for the file made of ids and a date only, never of what people typed (N13).

    Raises KeyError for a format nobody exports.
    """
    if suffix not in EXPORTS:
        raise KeyError(suffix)
    ident = re.sub(r"[^A-Za-z0-9]+", "-", record.session_id).strip("-")[:60]
    kind = "attendance" if suffix == "csv" else "record"
    return f"{kind}-{ident or 'session'}-{_day(record)}.{suffix}"


def term_file_name(records: Sequence[Record], suffix: str) -> str:
    """The first and the last day. Raises KeyError, IndexError for no records."""
    if suffix not in TERM_EXPORTS:
        raise KeyError(suffix)
    kind = "attendance" if suffix == "csv" else "records"
    return f"{kind}-{_day(records[0])}-to-{_day(records[-1])}.{suffix}"


def _day(record: Record) -> str:
    if record.plan is None:
        return f"{record.written_at:%Y-%m-%d}"
    return f"{record.plan.starts_at.astimezone(zone_of(record)):%Y-%m-%d}"
