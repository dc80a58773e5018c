"""Two clocks over the virtual loop: true time, and the wall clock of the bot's machine."""

import asyncio
from datetime import UTC, datetime, timedelta

from app.clock import SystemClock


class TrueClock:
    """What the World goes by. Nothing moves it but the loop."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._waiting = SystemClock()
        self._loop = asyncio.get_running_loop()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await self._waiting.sleep(seconds)


class WallClock(TrueClock):
    """The machine's own clock: it can be set wrong, stepped, and run fast or slow."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.offset = timedelta()
        self.drift = 0.0

    def now(self) -> datetime:
        wrong = self.offset + timedelta(seconds=self.drift * self.monotonic())
        return super().now() + wrong
