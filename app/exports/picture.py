"""Pictures as numbers: where bars and steps stand in an SVG of 640 by 240 units.

The templates draw them with a text table beside; nothing here is text somebody typed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from app.core.record_parts import AttendanceRow, Record
from app.core.spans import Span
from app.exports.register import Evening

WIDTH, HEIGHT = 640.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 36.0, 8.0, 10.0, 30.0
MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A number on an axis: its place and what stands there."""

    at: float
    number: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One session: how many came, and the frame of how many were expected."""

    x: float
    width: float
    y: float
    height: float
    expected_y: float
    expected_height: float
    label: bool
    evening: Evening


@dataclass(frozen=True, slots=True)
class Bars:
    """Attendance over time."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    floor: float = HEIGHT - BOTTOM
    left: float = LEFT
    right: float = WIDTH - RIGHT


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which nobody came or went. ``end`` is aware UTC, as is ``start``."""

    start: datetime
    end: datetime
    workers: int
    clients: int

    @property
    def alone(self) -> bool:
        """Clients without a worker."""
        return self.clients > 0 and self.workers == 0


@dataclass(frozen=True, slots=True)
class Steps:
    """Workers and clients in the room over time: SVG points of two step lines."""

    workers: str
    clients: str
    alone: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    times: tuple[tuple[float, datetime], ...]
    stretches: tuple[Stretch, ...]
    floor: float = HEIGHT - BOTTOM
    top: float = TOP
    left: float = LEFT
    right: float = WIDTH - RIGHT


def attendance_bars(evenings: Sequence[Evening]) -> Bars:
    """A bar for each session, in order."""
    most = max((max(e.clients, e.clients_expected) for e in evenings), default=0)
    most = max(most, 1)
    step = (WIDTH - LEFT - RIGHT) / max(len(evenings), 1)
    each = -(-len(evenings) // MOST_LABELS) or 1
    bars = []
    for number, one in enumerate(evenings):
        y, expected = _height(one.clients, most), _height(one.clients_expected, most)
        bars.append(
            Bar(
                x=round(LEFT + step * (number + 0.15), 2),
                width=round(min(step * 0.7, 60.0), 2),
                y=y,
                height=round(HEIGHT - BOTTOM - y, 2),
                expected_y=expected,
                expected_height=round(HEIGHT - BOTTOM - expected, 2),
                label=number % each == 0,
                evening=one,
            )
        )
    return Bars(tuple(bars), _marks(most))


def room_steps(record: Record) -> Steps:
    """Workers and clients there from the first arrival to the last leaving."""
    workers = [r for r in record.attendance if r.part == "worker"]
    clients = [r for r in record.attendance if r.part == "client"]
    moments = sorted({at for r in (*workers, *clients) for at in _moments(r)})
    stretches = _joined(
        Stretch(start, end, _there(workers, start), _there(clients, start))
        for start, end in pairwise(moments)
    )
    if not stretches:
        return Steps("", "", (), _marks(1), (), ())
    first, last = stretches[0].start, stretches[-1].end
    whole = max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        share = (at - first).total_seconds() / whole
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)

    most = max(max(one.workers, one.clients) for one in stretches) or 1
    times = [first + (last - first) * part / 4 for part in range(5)]
    return Steps(
        workers=_points([(x(s.start), x(s.end), s.workers) for s in stretches], most),
        clients=_points([(x(s.start), x(s.end), s.clients) for s in stretches], most),
        alone=tuple(
            (x(s.start), round(x(s.end) - x(s.start), 2)) for s in stretches if s.alone
        ),
        marks=_marks(most),
        times=tuple((x(at), at) for at in times),
        stretches=stretches,
    )


def _moments(row: AttendanceRow) -> Iterable[datetime]:
    return (at for span in row.spans for at in (span.start, span.end))


def _there(rows: Sequence[AttendanceRow], at: datetime) -> int:
    return sum(any(_holds(span, at) for span in row.spans) for row in rows)


def _holds(span: Span, at: datetime) -> bool:
    return span.start <= at < span.end


def _joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for one in stretches:
        before = found[-1] if found else None
        if before is not None and _same(before, one):
            found[-1] = replace(before, end=one.end)
        else:
            found.append(one)
    return tuple(found)


def _same(one: Stretch, other: Stretch) -> bool:
    return (one.workers, one.clients) == (other.workers, other.clients)


def _points(steps: Iterable[tuple[float, float, int]], most: int) -> str:
    return " ".join(
        f"{start:g},{_height(number, most):g} {end:g},{_height(number, most):g}"
        for start, end, number in steps
    )


def _height(number: int, most: int) -> float:
    return round(HEIGHT - BOTTOM - number / most * (HEIGHT - BOTTOM - TOP), 2)


def _marks(most: int) -> tuple[Mark, ...]:
    step = max(1, -(-most // 5))
    return tuple(Mark(_height(n, most), n) for n in range(0, most + 1, step))
