"""Zoom's limits, kept on our side so that the calls that matter are never refused.

Rates by label and daily figures: developers.zoom.us/docs/api/rate-limits/, and the
meetings reference for 100 creations and updates a host and day (UTC).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from app.clock import Clock
from integrations.base import TemporaryFailure
from integrations.platform_time import read_http_date, read_time

LONGEST_WAIT = timedelta(seconds=2)
CHANGES_A_DAY = 100
# Kept back for mending on the evening itself, and for looking while a room is unsafe.
CHANGES_KEPT = 10
HEAVY_KEPT_SHARE = 0.1


class Pace:
    """A token bucket for each label; holds one second's worth."""

    def __init__(self, rates: Mapping[str, float], clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        self._left = dict(rates)
        self._at = dict.fromkeys(rates, clock.monotonic())

    async def wait(self, label: str) -> None:
        """Wait for a place. Raises TemporaryFailure when the queue is too long."""
        rate, now = self._rates[label], self._clock.monotonic()
        grown = self._left[label] + (now - self._at[label]) * rate
        self._left[label], self._at[label] = min(rate, grown), now
        seconds = (1.0 - self._left[label]) / rate
        if seconds > LONGEST_WAIT.total_seconds():
            raise TemporaryFailure(
                "Too many calls to Zoom are waiting already.",
                timedelta(seconds=seconds),
            )
        self._left[label] -= 1.0
        if seconds > 0:
            await self._clock.sleep(seconds)

    def spend(self, label: str) -> None:
        """Count a call that waits for nobody."""
        self._left[label] -= 1.0


class DailyCap:
    """How often something may be done on one day (UTC), by key."""

    def __init__(self, limit: int, kept: int, clock: Clock, what: str) -> None:
        self._limit = limit
        self._kept = kept
        self._clock = clock
        self._what = what
        self._day = clock.now().astimezone(UTC).date()
        self._used: dict[str, int] = {}

    def take(self, key: str, *, reserved: bool = False) -> None:
        """Count one. The last `kept` ones are for `reserved` calls only.

        Raises TemporaryFailure until midnight UTC when there is none left.
        """
        now = self._clock.now().astimezone(UTC)
        if now.date() != self._day:
            self._day, self._used = now.date(), {}
        used = self._used.get(key, 0)
        if used >= self._limit - (0 if reserved else self._kept):
            raise TemporaryFailure(
                f"Today's {self._what} are used up until midnight UTC.",
                _midnight(now) - now,
            )
        self._used[key] = used + 1

    def left(self, key: str) -> int:
        """How many are left today, reserved ones included."""
        today = self._clock.now().astimezone(UTC).date() == self._day
        return self._limit - (self._used.get(key, 0) if today else 0)


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)


def read_retry_after(text: str, now: datetime) -> timedelta | None:
    """Retry-After as seconds, HTTP date or, on Zoom's daily limit, ISO date-time.

    None for the past, for less than nothing and for what is not a time (P02).
    """
    text = text.strip()[:100]
    try:
        seconds = float(text)
    except ValueError:
        until = read_time(text) or read_http_date(text)
        return until - now if until is not None and until > now else None
    if not math.isfinite(seconds) or seconds < 0 or seconds > 7 * 86_400:
        return None
    return timedelta(seconds=seconds)
