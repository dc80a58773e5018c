# ruff: noqa: DTZ001 - a series is planned in local times
"""Anna's group meets each Tuesday at seven; the clocks change and Christmas comes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.series import Every, series

LONDON = ZoneInfo("Europe/London")
SEVEN = datetime(2026, 10, 13, 19, 0)


def in_utc(local: tuple[datetime, ...]) -> list[str]:
    """The moments these local times mean in London."""
    return [f"{at.replace(tzinfo=LONDON).astimezone(UTC):%m-%d %H:%M}" for at in local]


def test_seven_in_the_evening_stays_seven_when_the_clocks_go_back() -> None:
    weekly = series(SEVEN, Every.WEEK, 4)

    assert [f"{at:%m-%d %H:%M}" for at in weekly] == [
        "10-13 19:00",
        "10-20 19:00",
        "10-27 19:00",
        "11-03 19:00",
    ]
    assert in_utc(weekly) == [
        "10-13 18:00",
        "10-20 18:00",
        "10-27 19:00",
        "11-03 19:00",
    ]


def test_and_when_they_go_forward() -> None:
    fortnightly = series(datetime(2027, 3, 16, 19, 0), Every.FORTNIGHT, 3)

    assert in_utc(fortnightly) == ["03-16 19:00", "03-30 18:00", "04-13 18:00"]


def test_every_day_over_the_night_of_the_change() -> None:
    daily = series(datetime(2026, 10, 24, 9, 30), Every.DAY, 3)

    assert in_utc(daily) == ["10-24 08:30", "10-25 09:30", "10-26 09:30"]


def test_a_skipped_day_is_made_up_for_at_the_end() -> None:
    skip = [date(2026, 12, 22), date(2026, 12, 29), date(2026, 12, 25)]
    weekly = series(datetime(2026, 12, 15, 19, 0), Every.WEEK, 3, skip)

    assert [f"{at:%Y-%m-%d}" for at in weekly] == [
        "2026-12-15",
        "2027-01-05",
        "2027-01-12",
    ]


def test_the_first_day_may_be_skipped_too() -> None:
    weekly = series(SEVEN, Every.WEEK, 2, [SEVEN.date()])

    assert [f"{at:%m-%d}" for at in weekly] == ["10-20", "10-27"]


@pytest.mark.parametrize("count", [2, 52])
def test_from_two_to_fifty_two(count: int) -> None:
    assert len(series(SEVEN, Every.WEEK, count)) == count


@pytest.mark.parametrize("count", [1, 53])
def test_and_neither_fewer_nor_more(count: int) -> None:
    with pytest.raises(ValueError, match="count"):
        series(SEVEN, Every.WEEK, count)


def test_a_time_with_a_zone_is_no_local_time() -> None:
    with pytest.raises(ValueError, match="first"):
        series(SEVEN.replace(tzinfo=UTC), Every.WEEK, 2)


def test_the_last_session_may_be_the_last_day_of_the_calendar() -> None:
    last = datetime(9999, 12, 31, 19, 0)
    assert series(last - timedelta(days=7), Every.WEEK, 2)[-1] == last
    with pytest.raises(OverflowError):
        series(last, Every.WEEK, 2)


@given(
    first=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    every=st.sampled_from(Every),
    count=st.integers(2, 52),
    skipped=st.sets(st.integers(0, 60), max_size=20),
)
def test_so_many_at_the_same_hour_never_on_a_skipped_day_as_early_as_can_be(
    first: datetime, every: Every, count: int, skipped: set[int]
) -> None:
    step = series(first, every, 2)[1] - first
    skip = {(first + step * n).date() for n in skipped}
    found = series(first, every, count, skip)
    grid = [first + step * n for n in range(count + len(skip))]

    assert list(found) == [at for at in grid if at.date() not in skip][:count]
