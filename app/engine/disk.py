"""Room for the records to come: told while there is still time to make some."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from app.clock import Clock

LEAST = 10**9
"""Bytes. A term of sessions takes less than a tenth of it; a log that runs wild does not."""

LOOK_EVERY = timedelta(minutes=10)
TOLD_AGAIN = timedelta(hours=6)
MAKE_ROOM = (
    "Make room on Chaperone's machine before the next session: `chaperone check` says where "
    "its data lies. When the disk is full it goes on guarding the rooms from memory, and "
    "what happens is only written down when there is room again."
)

Cry = Callable[[str, str, str], Awaitable[None]]


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is, or will be. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


class DiskRoom:
    """The disks of the data and of the second file, looked at while the service runs."""

    def __init__(
        self,
        folders: Sequence[Path],
        clock: Clock,
        cry: Cry,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folders, self._clock, self._cry = folders, clock, cry
        self._free = free
        self._told_at: float | None = None

    def least(self) -> int:
        """Free bytes where there are fewest. Raises OSError."""
        return min(self._free(folder) for folder in self._folders)

    def trouble(self) -> str | None:
        """A sentence when too little is free; None when all is well."""
        try:
            left = self.least()
        except OSError as problem:
            return f"The disk of the data cannot be looked at ({problem.strerror})."
        if left >= LEAST:
            return None
        return f"Only {left / 10**6:.0f} MB are free where the data lies."

    async def run(self) -> None:
        """Look; cry out at the first sight of trouble and every six hours while it lasts."""
        why = await asyncio.to_thread(self.trouble)
        if why is None:
            self._told_at = None
            return
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= TOLD_AGAIN.total_seconds():
            self._told_at = now
            await self._cry("disk", why, MAKE_ROOM)
