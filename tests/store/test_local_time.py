"""Local times mean one moment or are asked about (D01-D04)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.store.refusals import Refused
from app.store.sessions import times

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def meant(start: str, end: str, **more: Any) -> dict[str, Any]:
    return times(
        datetime.fromisoformat(start),
        datetime.fromisoformat(end),
        more.pop("zone", "Europe/London"),
        NOW,
        **more,
    )


def faults(start: str, end: str, **more: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        meant(start, end, **more)
    return refused.value.faults


def test_summer_and_winter_time() -> None:
    summer = meant("2026-10-24T19:00", "2026-10-24T20:00")
    winter = meant("2026-10-26T19:00", "2026-10-26T20:00")

    assert summer["starts_at"] == datetime(2026, 10, 24, 18, tzinfo=UTC)
    assert winter["starts_at"] == datetime(2026, 10, 26, 19, tzinfo=UTC)
    assert summer["local_start"] == "2026-10-24T19:00"


def test_the_hour_that_comes_twice_is_asked_about() -> None:
    assert "twice" in faults("2026-10-25T00:30", "2026-10-25T01:30")["ends_at"]


def test_a_session_across_the_october_change_lasts_as_long_as_it_does() -> None:
    first = meant("2026-10-25T00:30", "2026-10-25T01:30", hour="first")
    second = meant("2026-10-25T00:30", "2026-10-25T01:30", hour="second")

    assert first["ends_at"] - first["starts_at"] == timedelta(hours=1)
    assert second["ends_at"] - second["starts_at"] == timedelta(hours=2)
    assert second["local_end"] == "2026-10-25T01:30"


def test_the_missing_hour_is_refused() -> None:
    said = faults("2027-03-28T01:30", "2027-03-28T03:00")

    assert list(said) == ["starts_at"]
    assert "does not exist" in said["starts_at"]


def test_a_time_with_an_offset_is_already_one_moment() -> None:
    told = meant("2026-10-25T01:30:00+00:00", "2026-10-25T02:30:00+00:00")

    assert told["starts_at"] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert told["local_start"] == "2026-10-25T01:30"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-11-17T19:00", "2026-11-17T19:00", "ends_at"),
        ("2026-11-17T19:00", "2026-11-17T18:00", "ends_at"),
        ("2026-11-17T19:00", "2026-11-18T19:01", "ends_at"),
        ("1970-01-01T19:00", "1970-01-01T20:00", "starts_at"),
        ("2106-01-01T19:00", "2106-01-01T20:00", "starts_at"),
        ("0002-01-01T19:00", "0002-01-01T20:00", "starts_at"),
        ("9999-12-31T19:00", "9999-12-31T20:00", "starts_at"),
        ("0001-01-01T00:00:00+14:00", "2026-11-17T19:00", "starts_at"),
    ],
)
def test_impossible_times(start: str, end: str, field: str) -> None:
    assert list(faults(start, end)) == [field]


def test_a_whole_day_is_the_longest() -> None:
    meant("2026-11-17T19:00", "2026-11-18T19:00")


@pytest.mark.parametrize("zone", ["", "Europe/Nowhere", "../etc/passwd", "a" * 5000])
def test_a_zone_nobody_knows(zone: str) -> None:
    assert list(faults("2026-11-17T19:00", "2026-11-17T20:00", zone=zone)) == ["zone"]
