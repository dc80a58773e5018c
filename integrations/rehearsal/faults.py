"""What can go wrong between the platform and the bot, as data.

Every chance is a number from 0 to 1, every time a duration. Two servers with the
same `Faults` and the same seed do the same, call for call: each kind of chance draws
from its own labelled stream, so adding one event does not shift the others.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """How one API call goes wrong."""

    RATE_LIMITED = "429"
    RATE_LIMITED_BARE = "429 without headers"
    RATE_LIMITED_HUGE = "429, wait an hour"
    RATE_LIMITED_DATE = "429, wait until a date"
    EXPIRED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    CONFLICT = "409"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    HTML = "200 with a login page"
    TRUNCATED = "half an answer"
    GHOST = "accepted without effect"
    UNANSWERED = "effect without an answer"


class RosterTrouble(StrEnum):
    """How one reading of the live list lies."""

    STALE = "as it was up to a minute ago"
    SHORT = "the last page is missing"
    LOOP = "the page token repeats"
    TWICE = "everybody is listed twice"
    BLANK = "connection ids are blank"


ERRORS = tuple(
    each for each in Trouble if each not in (Trouble.GHOST, Trouble.UNANSWERED)
)


@dataclass(frozen=True, slots=True)
class Window:
    """`lasts` long, beginning `after` the server was made."""

    after: timedelta
    lasts: timedelta

    def covers(self, passed: timedelta) -> bool:
        return self.after <= passed < self.after + self.lasts


@dataclass(frozen=True, slots=True)
class Faults:
    """Nothing is wrong by default."""

    webhook_lost: float = 0.0
    lost_are_logged: bool = True
    """Does the platform's own webhook log still show what got lost?"""
    webhook_late: float = 0.0
    late_by: tuple[timedelta, ...] = (
        timedelta(seconds=300),
        timedelta(seconds=1_500),
        timedelta(seconds=5_100),
    )
    mean_delay: timedelta = timedelta()
    """Mean of the ordinary, exponential delay of every webhook."""
    webhook_duplicated: float = 0.0
    most_copies: int = 4
    webhook_reordered: float = 0.0
    reordered_within: timedelta = timedelta(seconds=30)
    webhook_forged: float = 0.0
    """Chance that an event is accompanied by one nobody must believe."""
    blackouts: tuple[Window, ...] = ()
    """No webhook at all is sent."""
    outages: tuple[Window, ...] = ()
    """Every API call is answered 503."""
    token_outages: tuple[Window, ...] = ()
    api_error: float = 0.0
    api_errors: tuple[Trouble, ...] = ERRORS
    ghost: float = 0.0
    unanswered: float = 0.0
    hangs_for: timedelta = timedelta(seconds=30)
    """How long an unanswered call stays open before the gateway gives up (504)."""
    slow: float = 0.0
    slow_for: tuple[float, float] = (0.05, 30.0)
    roster_trouble: float = 0.0
    roster_troubles: tuple[RosterTrouble, ...] = tuple(RosterTrouble)
    only: tuple[str, ...] = ()
    """API troubles touch only calls whose "METHOD /path" holds one of these."""


class Dice:
    """Draws from `Faults`; the stream of each label depends on the seed alone."""

    def __init__(self, faults: Faults, seed: int, began_at: datetime) -> None:
        self.faults = faults
        self._seed = seed
        self._began_at = began_at
        self._drawn: Counter[str] = Counter()

    def stream(self, label: str) -> random.Random:
        """A fresh generator for the next draw of this label."""
        number = self._drawn[label]
        self._drawn[label] += 1
        return random.Random(f"{self._seed}/{label}/{number}")  # noqa: S311

    def happens(self, label: str, chance: float) -> bool:
        return self.stream(label).random() < chance

    def is_down(self, windows: tuple[Window, ...], now: datetime) -> bool:
        return any(window.covers(now - self._began_at) for window in windows)

    def touches(self, call: str) -> bool:
        return not self.faults.only or any(part in call for part in self.faults.only)

    def trouble(self, call: str, now: datetime) -> Trouble | None:
        """What goes wrong with this call ("METHOD /path"), if anything."""
        faults = self.faults
        chance, which = self.stream("api").random(), self.stream("api kind")
        if not self.touches(call):
            return None
        if self.is_down(faults.outages, now):
            return Trouble.UNAVAILABLE
        if chance < faults.api_error:
            return which.choice(faults.api_errors)
        if chance < faults.api_error + faults.ghost:
            return Trouble.GHOST
        if chance < faults.api_error + faults.ghost + faults.unanswered:
            return Trouble.UNANSWERED
        return None

    def slowness(self, call: str) -> float:
        """Seconds this call takes beyond the ordinary."""
        stream = self.stream("slow")
        if stream.random() < self.faults.slow and self.touches(call):
            return stream.uniform(*self.faults.slow_for)
        return 0.0

    def roster_trouble(self) -> RosterTrouble | None:
        stream = self.stream("roster")
        if stream.random() < self.faults.roster_trouble:
            return stream.choice(self.faults.roster_troubles)
        return None

    def arrivals(self) -> list[timedelta]:
        """Delays of one event's copies; empty when it is lost."""
        faults = self.faults
        if self.happens("lost", faults.webhook_lost):
            return []
        copies = 1
        stream = self.stream("copies")
        if stream.random() < faults.webhook_duplicated:
            copies = stream.randint(2, max(2, faults.most_copies))
        return [self._delay() for _ in range(copies)]

    def _delay(self) -> timedelta:
        faults = self.faults
        late, order, usual = map(self.stream, ("late", "order", "delay"))
        delay = timedelta()
        if faults.mean_delay:
            delay += faults.mean_delay * usual.expovariate(1.0)
        if late.random() < faults.webhook_late:
            delay += late.choice(faults.late_by)
        if order.random() < faults.webhook_reordered:
            delay += faults.reordered_within * order.random()
        return delay
