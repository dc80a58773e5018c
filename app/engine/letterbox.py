"""When the letters of the alarms go out: when one is stored, and when one is due again."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.engine.alarms import Alarms
from app.engine.footing import Footing

AGAIN = timedelta(seconds=5)  # after a store that could not say which are due


class Letterbox:
    """One sending at a time. ``on_trouble`` hears when the store fails."""

    def __init__(
        self,
        footing: Footing,
        alarms: Callable[[], Alarms],
        on_trouble: Callable[[BaseException], None],
    ) -> None:
        self._footing = footing
        self._alarms = alarms
        self._on_trouble = on_trouble
        self._at: datetime | None = None
        self._sending = False

    def soon(self) -> None:
        """One was stored, or may have been."""
        self._at = self._footing.clock.now()
        if not self._footing.leases.has_house():
            self._footing.leases.tell("letters")

    def next_at(self) -> datetime | None:
        """When the next is due; None while they are being sent, or another process does."""
        if self._sending or not self._footing.leases.has_house():
            return None
        return self._at

    def is_due(self) -> bool:
        """Whether :meth:`send` is to be awaited now; it counts as begun then."""
        at = self.next_at()
        if at is None or at > self._footing.clock.now():
            return False
        self._at, self._sending = None, True
        return True

    async def send(self) -> None:
        """Send what is due; it is known then when the next one is."""
        next_at: datetime | None = self._footing.clock.now() + AGAIN
        try:
            next_at = await self._alarms().send_due()
        except Exception as problem:  # noqa: BLE001 - told by another way, tried again
            self._on_trouble(problem)
        finally:
            self._sending = False
        if next_at is not None and (self._at is None or next_at < self._at):
            self._at = next_at
