"""What is under way: each piece of work is held, and told of when it goes wrong."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from app.engine.footing import Footing


class Tasks:
    """Starts work and keeps hold of it; ``bell`` rings whenever something ends."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._under_way: set[asyncio.Task[None]] = set()
        self.bell = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._under_way)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let it go on by itself."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return task

    async def over(self) -> None:
        """Wait for everything that is under way now. Raises what any of it raised."""
        await asyncio.gather(*self._under_way)

    async def end(self, within: float) -> None:
        """Give everything so many seconds to end by itself, then end it."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        for task in self._under_way:
            task.cancel()
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.bell.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._footing.log.error("engine work failed", why=repr(problem)[:300])
