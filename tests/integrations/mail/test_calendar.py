"""A calendar object that every calendar reads, whatever the organisation is called."""

from datetime import UTC, datetime

import pytest

from integrations.mail.calendar import Appointment, write

AT = datetime(2026, 11, 17, 19, tzinfo=UTC)


def appointment(summary: str = "Online session", **other: bool) -> Appointment:
    return Appointment(
        uid="session-1@chaperone.example",
        sequence=3,
        starts_at=AT,
        ends_at=AT.replace(hour=20),
        summary=summary,
        description="Help: 999",
        written_at=AT,
        **other,
    )


def test_the_whole_object() -> None:
    assert write(appointment()).split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Chaperone//Group sessions//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "UID:session-1@chaperone.example",
        "SEQUENCE:3",
        "DTSTAMP:20261117T190000Z",
        "DTSTART:20261117T190000Z",
        "DTEND:20261117T200000Z",
        "SUMMARY:Online session",
        "DESCRIPTION:Help: 999",
        "STATUS:CONFIRMED",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_a_cancelled_one_says_so() -> None:
    text = write(appointment(cancelled=True))
    assert "METHOD:CANCEL\r\n" in text
    assert "STATUS:CANCELLED\r\n" in text


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("a\\b;c,d\ne\r\nf", "a\\\\b\\;c\\,d\\ne\\nf"),
        ("x\r\nATTENDEE:eve", "x\\nATTENDEE:eve"),
        ("x\rATTENDEE\x00:eve", "xATTENDEE:eve"),
    ],
)
def test_nothing_typed_becomes_a_line_of_its_own(typed: str, written: str) -> None:
    assert f"\r\nSUMMARY:{written}\r\n" in write(appointment(typed))


@pytest.mark.parametrize("summary", ["é" * 200, "\U0001f600" * 60, "x" * 300])
def test_long_lines_fold_between_letters(summary: str) -> None:
    text = write(appointment(summary))
    lines = text.encode().split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert f"SUMMARY:{summary}\r\n" in text.replace("\r\n ", "")
    for line in lines:
        line.decode()


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 17, 19)  # noqa: DTZ001
    one = Appointment("u", 0, naive, naive, "s", "d", naive)
    with pytest.raises(ValueError, match="needs a zone"):
        write(one)
