"""Backups while the service runs: in a process of their own, and somebody is told when
they stop being made.

A backup is a second of work for each ten thousand rows or so: beside the engine in one
process it would keep webhooks waiting (I17), and what goes wrong with it would go wrong
there.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import structlog

from app.backup.folder import listed
from app.clock import Clock

EVERY = timedelta(minutes=10)  # with the time it takes: less than the 15 promised
TOO_OLD = timedelta(minutes=30)
WITHIN = 540.0  # seconds; below app.engine.periodic.LONGEST
PROGRAM = (sys.executable, "-m", "app.cli", "backup", "--gently")
LOOK = (
    "Run `chaperone backup` on Chaperone's machine: it says what is wrong. Most often the "
    "disk is full or the folder belongs to somebody else."
)

Cry = Callable[[str, str, str], Awaitable[None]]


class Backups:
    """What `serve` knows of its backups.

    ``is_ours``: whether making them is this process's work now, of several.
    """

    def __init__(
        self,
        into: Path,
        clock: Clock,
        cry: Cry,
        *,
        is_ours: Callable[[], bool] = lambda: True,
        program: tuple[str, ...] = PROGRAM,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._into, self._clock, self._cry = into, clock, cry
        self._is_ours = is_ours
        self._program, self._environ = program, environ
        self._log = structlog.get_logger("chaperone")
        self._since = clock.now()

    async def run(self) -> None:
        """Make one. Raises nothing: a failure is logged, and cried out when it lasts."""
        why = await self._made()
        if not why:
            return
        self._log.error("backup failed", why=why)
        if (trouble := self.trouble()) is not None:
            await self._cry("backup", trouble, LOOK)

    def age(self) -> timedelta | None:
        """Of the newest good backup; None without one, or where none can be seen."""
        try:
            kept = listed(self._into)
        except OSError:
            return None
        return self._clock.now() - kept[-1].at if kept else None

    def trouble(self) -> str | None:
        """A sentence when the newest good backup is too old; None when all is well."""
        if not self._is_ours():
            return None  # Of its folder this process may know nothing.
        age = self.age()
        if age is None:
            if self._clock.now() - self._since <= TOO_OLD:
                return None
            return "There is no good backup."
        if age <= TOO_OLD:
            return None
        minutes = age // timedelta(minutes=1)
        return f"The last good backup is {minutes} minutes old."

    async def _made(self) -> str:
        """Why it was not; "" when it was."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program,
                env=dict(self._environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as problem:
            return str(problem)
        try:
            async with asyncio.timeout(WITHIN):
                _, said = await process.communicate()
        except TimeoutError:
            return "it took too long"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            return ""
        return said.decode(errors="replace").strip()[-300:] or str(process.returncode)
