"""Hashing passwords beside the event loop, a few at a time.

One hash takes 60 ms and 46 MiB: two at once leave the loop and the memory of a small
machine to the sessions, and whoever sends thousands waits for themselves.
"""

import asyncio

from app.store.passwords import hash_password, password_fault, password_matches
from app.web.errors import Answer

AT_ONCE = 2
MOST_WAITING = 40


class PasswordWork:
    """The slow half of :mod:`app.store.passwords`. Raises Answer 503 when too many wait."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def fault(self, password: str, known: list[str]) -> str:
        """As :func:`password_fault`."""
        async with self:
            return await asyncio.to_thread(password_fault, password, known)

    async def hashed(self, password: str) -> str:
        """As :func:`hash_password`."""
        async with self:
            return await asyncio.to_thread(hash_password, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """As :func:`password_matches`."""
        async with self:
            return await asyncio.to_thread(password_matches, kept, password)

    async def __aenter__(self) -> None:
        if self._waiting >= MOST_WAITING:
            sentence = "Too many people sign in at this moment. Try again."
            raise Answer(503, sentence, headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            await self._turns.acquire()
        except BaseException:
            self._waiting -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._waiting -= 1
        self._turns.release()
