"""The register and the pictures: every number compared with the evening it comes from."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.record_parts import Record
from app.core.spans import Span
from app.exports.picture import attendance_bars, room_steps
from app.exports.register import MARKS, mark_of, register, register_csv
from tests.core.builders import at
from tests.exports.test_exports import EMPTY, whole
from tests.exports.test_papers import called, term


def test_the_register_has_a_row_for_each_person_on_a_list() -> None:
    made = register(term())

    assert [(one.person.id, one.part, one.cells) for one in made.lines] == [
        ("chloe", "client", ("✓", "✓")),
        ("ben", "client", ("removed", "removed")),
        ("dev", "client", ("absent", "absent")),
        ("anna", "worker", ("✓", "✓")),
        ("sam", "worker", ("✓", "✓")),
    ]
    assert [(one.came, one.asked) for one in made.lines] == [
        (2, 2),
        (2, 2),
        (0, 2),
        (2, 2),
        (2, 2),
    ]
    evening = made.evenings[0]
    numbers = (evening.clients, evening.clients_expected, evening.workers)
    assert (*numbers, evening.unknown) == (2, 3, 2, 1)
    assert [one.session_id for one in made.evenings] == ["session-1", "session-2"]
    assert not evening.confirmed


def test_who_was_not_asked_has_an_empty_cell() -> None:
    first, second = term()
    alone = replace(second, attendance=second.attendance[:1])

    cells = {one.person.id: one.cells for one in register([first, alone]).lines}

    assert cells["ben"] == ("removed", "")
    assert cells["anna"] == ("✓", "✓")


@pytest.mark.parametrize(
    ("flags", "mark"),
    [
        (("present",), "✓"),
        (("present", "late"), "✓ late"),
        (("present", "left early"), "✓ left early"),
        (("present", "late", "left early"), "✓ late, left early"),
        (("present", "removed"), "removed"),
        (("turned away", "absent"), "absent"),
        ((), "expected"),
    ],
)
def test_each_cell_says_one_thing(flags: tuple[str, ...], mark: str) -> None:
    row = replace(whole().attendance[3], flags=flags)
    assert mark_of(row) == mark
    assert mark in MARKS.values()


def test_the_register_as_csv_is_safe_from_formulas() -> None:
    rows = list(
        csv.reader(io.StringIO(register_csv([called("=1+1", "@SUM")]).decode()))
    )

    assert rows[0][1:] == ["name", "part", "came", "asked", "2026-11-17 19:00"]
    assert [row[1] for row in rows[1:3]] == ["'=1+1", "'@SUM"]


def test_a_bar_is_as_high_as_clients_came_and_its_frame_as_were_expected() -> None:
    bars = attendance_bars(register(term()).evenings)

    one = bars.bars[0]
    assert (one.y + one.height, one.expected_y, one.expected_height) == (210, 10, 200)
    assert one.height == pytest.approx(200 * 2 / 3, abs=0.01)
    assert [(mark.number, mark.at) for mark in bars.marks][0::3] == [(0, 210), (3, 10)]
    assert bars.bars[1].x > one.x + one.width


def test_a_long_term_labels_eight_days_at_most() -> None:
    evenings = register([whole()]).evenings
    for count in (0, 1, 8, 9, 40, 300):
        bars = attendance_bars(evenings * count).bars
        assert sum(bar.label for bar in bars) <= 8
        assert all(36 <= bar.x <= bar.x + bar.width <= 632 for bar in bars)


def there(record: Record, index: int, *spans: tuple[str, str]) -> Record:
    """With these spans for one row of the attendance, and nobody else there."""
    rows = [replace(row, spans=()) for row in record.attendance]
    made = tuple(Span(at(start), at(end)) for start, end in spans)
    rows[index] = replace(rows[index], spans=made)
    return replace(record, attendance=tuple(rows))


def test_the_room_over_time_says_who_was_there_from_when_to_when() -> None:
    record = there(whole(), 3, ("19:00", "20:00"))
    anna = replace(
        record.attendance[0],
        spans=(Span(at("18:50"), at("19:30")), Span(at("19:40"), at("20:10"))),
    )
    steps = room_steps(replace(record, attendance=(anna, record.attendance[3])))

    assert [
        (f"{s.start:%H:%M}", f"{s.end:%H:%M}", s.workers, s.clients, s.alone)
        for s in steps.stretches
    ] == [
        ("18:50", "19:00", 1, 0, False),
        ("19:00", "19:30", 1, 1, False),
        ("19:30", "19:40", 0, 1, True),
        ("19:40", "20:00", 1, 1, False),
        ("20:00", "20:10", 1, 0, False),
    ]
    assert len(steps.alone) == 1
    assert steps.workers.split()[0] == "36,10"
    assert steps.workers.split()[-1] == "632,10"
    assert [x for x, _ in steps.times] == [36, 185, 334, 483, 632]


def test_a_change_that_changes_no_number_is_no_step() -> None:
    record = there(whole(), 3, ("19:00", "19:30"), ("19:30", "20:00"))
    [only] = room_steps(record).stretches
    assert (only.start, only.end - only.start) == (at("19:00"), timedelta(hours=1))


def test_nobody_in_the_room_is_an_empty_picture() -> None:
    steps = room_steps(EMPTY)
    assert (steps.stretches, steps.workers, steps.clients) == ((), "", "")
