"""The dates of a series: N single meetings, each with its own links (DESIGN §5, line 16)."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum

FEWEST, MOST = 2, 52


class Every(StrEnum):
    """How far apart two sessions of a series are, by the calendar."""

    DAY = "day"
    WEEK = "week"
    FORTNIGHT = "fortnight"


_APART = {
    Every.DAY: timedelta(days=1),
    Every.WEEK: timedelta(days=7),
    Every.FORTNIGHT: timedelta(days=14),
}


def series(
    first: datetime, every: Every, count: int, skip: Collection[date] = ()
) -> tuple[datetime, ...]:
    """``count`` local starts, ``first`` among them unless its day is skipped.

    Local times without a zone go in and come out: seven in the evening stays seven in
    the evening across a change of the clocks, whatever that moment is in UTC. A day in
    ``skip`` is left out and made up for at the end.

    Raises:
        ValueError: ``count`` is not from 2 to 52, or ``first`` has a zone.
        OverflowError: the calendar ends before the series.
    """
    if not FEWEST <= count <= MOST:
        raise ValueError("count")
    if first.tzinfo is not None:
        raise ValueError("first")
    found: list[datetime] = []
    start = first
    while len(found) < count:
        if start.date() not in skip:
            found.append(start)
        if len(found) < count:
            start += _APART[every]
    return tuple(found)
