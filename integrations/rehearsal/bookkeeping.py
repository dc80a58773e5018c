"""Time, ids, the truth timeline and the listeners of a World."""

from __future__ import annotations

import base64
import heapq
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from app.clock import Clock
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import (
    Connection,
    Happening,
    Instance,
    Json,
    Kind,
    Meeting,
    Told,
)

Listener = Callable[[Happening], None]


class Bookkeeping:
    """What every part of the World leans on. Same seed and clock, same ids."""

    def __init__(self, clock: Clock, account: Account, seed: int) -> None:
        self.clock = clock
        self.account = account
        self.people: dict[str, Person] = {}
        self.meetings: dict[int, Meeting] = {}
        self.history: list[Told] = []
        self.listeners: list[Listener] = []
        self.wakers: list[Callable[[], None]] = []
        """Called when a change is planned, so that whoever runs the World looks."""
        self.seed = seed
        self._random = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._entries = 0
        self._acting_at: datetime | None = None
        self._seats = 0

    @property
    def now(self) -> datetime:
        """The World's time: while a planned change is made, the time it was due."""
        return self._acting_at or self.clock.now()

    def later(self, delay: timedelta, change: Callable[[], None]) -> None:
        """Plan a change of the World; `catch_up` makes it when its time has come."""
        self._entries += 1
        heapq.heappush(self._agenda, (self.now + delay, self._entries, change))
        for wake in self.wakers:
            wake()

    def next_change_at(self) -> datetime | None:
        return self._agenda[0][0] if self._agenda else None

    def catch_up(self) -> None:
        """Make every planned change that is due, each at its own time, in order."""
        if self._acting_at is not None:
            return
        while self._agenda and self._agenda[0][0] <= self.clock.now():
            self._acting_at, _, change = heapq.heappop(self._agenda)
            try:
                change()
            finally:
                self._acting_at = None

    def tell(
        self, sentence: str, meeting: Meeting | None = None, person: str = ""
    ) -> None:
        """Add a line to the truth timeline."""
        number = meeting.id if meeting else None
        self.history.append(Told(self.now, sentence, number, person))

    def happen(
        self,
        kind: Kind,
        meeting: Meeting,
        instance: Instance | None = None,
        connection: Connection | None = None,
        **detail: object,
    ) -> None:
        """Let every listener (the platform's server) hear of a change."""
        told: Json = dict(detail)
        happening = Happening(kind, self.now, meeting, instance, connection, told)
        for listener in self.listeners:
            listener(happening)

    def new_uuid(self, *, awkward: bool = False) -> str:
        """Sixteen bytes in base64; awkward ones begin with two slashes."""
        raw = self._random.randbytes(16)
        if awkward:
            raw = b"\xff\xf0" + raw[2:]
        return base64.b64encode(raw).decode()

    def new_token(self) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(16)).decode().rstrip("=")

    def new_participant_uuid(self) -> str:
        return str(uuid.UUID(bytes=self._random.randbytes(16))).upper()

    def new_seat(self) -> str:
        """A seat number in a meeting: text, never used twice."""
        self._seats += 1
        return str(33554432 + 1024 * self._seats)

    def draw(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def draw_number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)
