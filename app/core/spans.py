"""Spans of time: union, difference, and unbroken runs of presence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.connections import Whereabouts


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From ``start`` up to, not including, ``end``; aware UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time without overlaps, in order; spans that touch become one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def minus(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """What is in ``spans`` and in none of ``others``."""
    left = list(union(spans))
    for other in union(others):
        left = [
            piece
            for span in left
            for piece in (
                Span(span.start, min(span.end, other.start)),
                Span(max(span.start, other.end), span.end),
            )
            if piece.start < piece.end
        ]
    return tuple(left)


def common(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """What is in both."""
    return minus(spans, minus(spans, others))


def total(spans: Iterable[Span]) -> timedelta:
    """How long they last together, overlaps counted once."""
    return sum((span.length for span in union(spans)), timedelta(0))


def crowd(spans: Iterable[Span], at_least: int) -> tuple[Span, ...]:
    """When at least so many of these spans held at once."""
    edges = sorted(
        edge
        for span in spans
        if span.start < span.end
        for edge in ((span.start, 1), (span.end, -1))
    )
    found: list[Span] = []
    count, since = 0, None
    for at, change in edges:
        count += change
        if count >= at_least and since is None:
            since = at
        elif count < at_least and since is not None:
            found.append(Span(since, at))
            since = None
    return union(found)


def here_since(where: Whereabouts) -> datetime | None:
    """Since when somebody has been in the rooms without a break; None when not there.

    A move between the main room and a breakout room is no break.
    """
    if not where.room:
        return None
    since: datetime | None = None
    for stay in reversed(where.stays):
        if since is not None and stay.end != since:
            break
        if stay.start is None:
            break
        since = stay.start
    return since
