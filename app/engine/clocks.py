"""The platform's clock against ours: measured at each answer, kept, told when they differ.

Deadlines use our clock alone and events are put right by the difference, so nothing is
late; but a clock that runs away belongs to somebody's list of things to mend (I9, I19).
The difference comes from HTTP's Date, which knows whole seconds (RFC 9110 §6.6.1), and one
slow answer looks like a wrong clock: people hear of the second in a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.clock import SteadyClock
from app.engine.footing import Footing
from app.engine.intake import OFFSET_MATTERS, Intake
from app.store import queue, remembered

IN_A_ROW = 2
WORTH_KEEPING = timedelta(seconds=1)
KEPT = "clock:"
FARTHEST_BACK = timedelta(days=1)
MEND = (
    "Look at the time server of Chaperone's machine before the next session. Times in the "
    "record are put right meanwhile, and no deadline moves."
)


@dataclass(slots=True)
class _Gap:
    """``kept``: what the store knows. ``alarm``: the key of the alarm that is up, or ""."""

    offset: timedelta
    in_a_row: int = 0
    kept: timedelta | None = None
    alarm: str = ""


class Clocks:
    """By how much each platform's clock is ahead of ours."""

    def __init__(self, footing: Footing, intake: Intake) -> None:
        self._footing = footing
        self._intake = intake
        self._gaps: dict[str, _Gap] = {}

    def load(self, db: Connection) -> None:
        """What the last process knew: the first webhook after a start needs it."""
        for platform, value in remembered.recall(db, KEPT).items():
            seconds, _, alarm = value.partition(" ")
            offset = timedelta(seconds=float(seconds))
            self._gaps[platform] = _Gap(offset, kept=offset, alarm=alarm)
            self._intake.offsets[platform] = offset

    def measured(self, platform: str, offset: timedelta) -> bool:
        """Take note of an answer's Date; True when :meth:`tell` is to be awaited."""
        self._intake.offsets[platform] = offset
        gap = self._gaps.setdefault(platform, _Gap(offset))
        same_way = (gap.offset > timedelta()) == (offset > timedelta())
        gap.offset = offset
        if abs(offset) <= OFFSET_MATTERS:
            gap.in_a_row = 0
        else:
            gap.in_a_row = gap.in_a_row + 1 if same_way else 1
        moved = gap.kept is None or abs(offset - gap.kept) >= WORTH_KEEPING
        return moved or self._is_wrong(gap) is not bool(gap.alarm)

    async def tell(self, platform: str) -> None:
        """Keep the difference; raise the alarm, or end it. Raises what the store raises."""
        gap, now = self._gaps[platform], self._footing.clock.now()
        offset, alarm = gap.offset, gap.alarm
        if not self._is_wrong(gap):
            alarm = ""
        elif not alarm:
            alarm = f"{KEPT}{platform}:{now:%Y-%m-%dT%H:%M}"
        alarm_id = self._footing.new_id()

        def work(db: Connection) -> None:
            value = f"{offset.total_seconds():.3f} {alarm}"
            remembered.remember(db, f"{KEPT}{platform}", value, now)
            if alarm and not gap.alarm:
                self._raise(db, alarm_id, alarm, self._words(platform, offset), now)
            elif gap.alarm and not alarm:
                queue.end_alarm(db, gap.alarm, now)

        await self._footing.store.write(work)
        gap.kept, gap.alarm = offset, alarm

    def problems(self) -> Sequence[str]:
        """A sentence for each clock that is wrong, for /readyz."""
        return [
            f"{self._words(platform, gap.offset)} {MEND}"
            for platform, gap in self._gaps.items()
            if gap.alarm
        ]

    @staticmethod
    def _is_wrong(gap: _Gap) -> bool:
        """What is up stays up until one answer shows that it is well again."""
        return gap.in_a_row >= IN_A_ROW or (
            bool(gap.alarm) and abs(gap.offset) > OFFSET_MATTERS
        )

    def _words(self, platform: str, offset: timedelta) -> str:
        known = self._footing.platforms.get(platform)
        title = known.title if known is not None else platform
        way = "ahead of" if offset > timedelta() else "behind"
        seconds = abs(offset).total_seconds()
        return f"The clock of {title} is {seconds:.0f} s {way} Chaperone's."

    @staticmethod
    def _raise(
        db: Connection, alarm_id: str, key: str, text: str, now: datetime
    ) -> None:
        queue.raise_alarm(
            db,
            alarm_id=alarm_id,
            session_id=None,
            key=key,
            level="red",
            audience="administrator",
            text=text,
            what_to_do=MEND,
            at=now,
            send=True,
        )


def not_before(footing: Footing, moment: datetime) -> None:
    """The wall clock may have been set back while we were down (I19)."""
    clock = footing.clock
    if not isinstance(clock, SteadyClock) or moment <= clock.now():
        return
    if moment - clock.now() > FARTHEST_BACK:
        footing.log.error("log is of the future", at=moment.isoformat())
        return
    clock.not_before(moment)
