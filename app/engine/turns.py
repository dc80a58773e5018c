"""Whose turn it is: news settle a few sessions at a time, a deadline waits for nobody."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from app.engine.footing import Footing

TURN_PAUSE = timedelta(seconds=1)
# While webhooks queue for the same processor, one turn begins every 25 ms, so that facts
# are safe first.
TURNS = 8
TURN_EVERY_WHILE_BUSY = 0.025
FAR = timedelta(days=3650)


class Turns:
    """Sessions with news, in the order of the news; moments at which others come back.

    ``is_busy``: whether webhooks queue up. ``bell`` ends the rest.
    """

    def __init__(
        self, footing: Footing, bell: asyncio.Event, is_busy: Callable[[], bool]
    ) -> None:
        self._footing = footing
        self._bell = bell
        self._is_busy = is_busy
        self._news: dict[str, None] = {}
        self._timers: dict[str, datetime] = {}
        self._running: set[str] = set()
        self._pause_until = 0.0

    def wake(self, session_id: str) -> None:
        """Something happened for this session: soon."""
        self._news[session_id] = None
        self._bell.set()

    def come_back(self, session_id: str, at: datetime) -> None:
        """At that moment, whatever happens."""
        self._timers[session_id] = at

    def pause(self, session_id: str) -> None:
        """In a moment; never at once for ever."""
        self._timers[session_id] = self._footing.clock.now() + TURN_PAUSE

    def forget(self, session_id: str) -> None:
        """There is no such session."""
        self._timers.pop(session_id, None)

    def due(self, *, everything: bool = False) -> Iterable[str]:
        """Whose turn begins now, those with a moment first; each until :meth:`over`."""
        now = self._footing.clock.now()
        moments = sorted((at, one) for one, at in self._timers.items() if at <= now)
        for _, session_id in moments:
            if self._begin(session_id):
                yield session_id
        for session_id in [*self._news]:
            if not everything and self._is_full():
                break
            if self._begin(session_id):
                yield session_id

    def over(self, session_id: str) -> None:
        """This turn has come to its end."""
        self._running.discard(session_id)
        self._bell.set()

    def next_at(self) -> datetime | None:
        """The next moment at which somebody comes back."""
        return min(self._timers.values(), default=None)

    async def rest(self, others_at: datetime | None) -> None:
        """Until the next turn may begin, the bell, or that other moment."""
        ready = self._news.keys() - self._running
        if ready and not self._is_full():
            return
        moments = [at for one, at in self._timers.items() if one not in self._running]
        if others_at is not None:
            moments.append(others_at)
        wait = min(moments) - self._footing.clock.now() if moments else FAR
        seconds = min(wait, FAR).total_seconds()
        if ready and len(self._running) < TURNS:
            seconds = min(seconds, self._pause_left())
        sleeper = asyncio.create_task(self._footing.clock.sleep(seconds))
        sleeper.add_done_callback(lambda _over: self._bell.set())
        try:
            await self._bell.wait()
        finally:
            sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)

    def _begin(self, session_id: str) -> bool:
        if session_id in self._running:
            return False
        self._news.pop(session_id, None)
        self._timers.pop(session_id, None)
        self._running.add(session_id)
        self._pause_until = self._footing.clock.monotonic() + TURN_EVERY_WHILE_BUSY
        return True

    def _is_full(self) -> bool:
        if len(self._running) >= TURNS:
            return True
        return self._is_busy() and self._pause_left() > 0

    def _pause_left(self) -> float:
        return self._pause_until - self._footing.clock.monotonic()
