"""One row of the attendance table, and what may stand out in it (guidance E3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.connections import Stay
from app.core.plan import Role
from app.core.presses import AttendanceAmended
from app.core.spans import Span


class Part(StrEnum):
    """In which part somebody was there."""

    WORKER = "worker"
    CLIENT = "client"
    UNKNOWN = "unknown"
    BOT = "bot"


class Flag(StrEnum):
    """What stands out in a line. ``PRESENT`` and ``ABSENT`` exclude each other."""

    PRESENT = "present"
    ABSENT = "absent"
    LATE = "late"
    LEFT_EARLY = "left early"
    RETURNED = "dropped and returned"
    REMOVED = "removed"
    TURNED_AWAY = "turned away"
    WAITING = "waiting"
    UNKNOWN_START = "unknown start"
    OBSERVED_BY_POLL = "observed by poll"
    FROM_REPORT = "from the platform's report"
    CLIPPED = "clipped"
    AMENDED = "amended"


@dataclass(frozen=True, slots=True)
class Original:
    """What events alone had said before a correction."""

    joined_at: datetime | None
    left_at: datetime | None
    present: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the attendance table.

    ``line`` is its id: ``person:<id>`` or ``connection:<key>``. ``stays`` are the single
    intervals by connection, ``spans`` their union. ``shown`` are names as typed, raw.
    ``left_at`` None: still there. ``present`` and ``waited`` never count a second twice.
    """

    line: str
    person_id: str
    part: Part
    role: Role | None = None
    expected: bool = False
    matched_by: str = ""
    connections: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    stays: tuple[Stay, ...] = ()
    spans: tuple[Span, ...] = ()
    waits: tuple[Span, ...] = ()
    joined_at: datetime | None = None
    left_at: datetime | None = None
    present: timedelta = timedelta(0)
    waited: timedelta = timedelta(0)
    flags: frozenset[Flag] = frozenset()
    amendments: tuple[AttendanceAmended, ...] = ()
    original: Original | None = None

    @property
    def minutes(self) -> int:
        """Minutes present, to the nearest minute."""
        return int((self.present.total_seconds() + 30) // 60)
