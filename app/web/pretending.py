"""A practice session: what the pages show of its pretended call, and how one begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LASTS = timedelta(minutes=30)


class PracticeRefused(Exception):
    """No practice can begin now; the message is a plain sentence."""


class MoveRefused(Exception):
    """That cannot happen in the pretended call now; the message is a plain sentence."""


@dataclass(frozen=True, slots=True)
class Move:
    """Something the learner may let happen; ``what`` and ``who`` go into the form."""

    what: str
    who: str
    label: str


@dataclass(frozen=True, slots=True)
class Pretended:
    """Somebody in the pretended call. ``moves``: what its window lets a host do."""

    name: str
    note: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class PretendedCall:
    """The call as the platform's own window would show it.

    ``told``: (when, what really happened), the latest first. ``alone``: the longest that
    young people were without a worker.
    """

    running: bool
    waiting: Sequence[Pretended]
    inside: Sequence[Pretended]
    moves: Sequence[Move]
    told: Sequence[tuple[datetime, str]]
    alone: timedelta
    session_id: str
    ends_at: datetime


class Practice(Protocol):
    """In the real service: lets somebody practise, away from everything real."""

    async def begin(self, person_id: str) -> str:
        """Start one, in place of this person's last; the text of the cookie that leads to
        it. Raises PracticeRefused."""


class Pretend(Protocol):
    """In a practice: the call that is only pretended."""

    def shown(self) -> PretendedCall:
        """What there is to see now."""

    def move(self, what: str, who: str) -> None:
        """Let it happen. Raises MoveRefused."""

    def leave(self) -> None:
        """The practice is over: all of it is forgotten."""
