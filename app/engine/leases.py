"""What this process is in charge of: everything, or the shards it holds a lease for.

A lease is believed until so long after the last renewal was *begun*, by the monotonic
clock. A process that was frozen for longer (SIGSTOP, a paused machine) finds it too old,
or, where that clock stood still too, is refused by the store: each transaction that writes
a decision checks the fence (:func:`app.store.leases.check`). Nothing is sent that was not
written first. docs/decisions/0016.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.store import leases
from app.store.database import Store, Work
from app.store.leases import HOUSE, LeaseLost, Turn, shard_of
from app.store.post import Post

LASTS = timedelta(seconds=6)
STORE_HAS = 3.0  # seconds for one renewal


class Leases(Protocol):
    """Who may decide and act. ``fence``: the number of the claim under which one does."""

    @property
    def shards(self) -> int:
        """How many shards are held."""

    @property
    def processes(self) -> int:
        """How many processes there were a moment ago."""

    @property
    def refused(self) -> int:
        """How many writes the store refused, because another process was in charge."""

    def holds(self, session_id: str) -> bool:
        """Whether this session is ours, as far as we know."""

    def fence_of(self, session_id: str) -> int | None:
        """The claim under which it is ours now; None: it may be another's by now."""

    def has_house(self) -> bool:
        """Whether the work that is done once is ours."""

    def demand(self, session_id: str, fence: int, *, words: bool = False) -> None:
        """Raises LeaseLost when that claim does not count any more.

        ``words``: something that is said once; it may wait until the store answers again.
        """

    def fenced(self, work: Work, session_id: str, fence: int) -> Work:
        """The same work, which raises LeaseLost in its transaction unless the claim counts."""

    def tell(self, what: str, which: str = "") -> None:
        """Let the other processes know; ids only. It may get lost."""


class Everything:
    """One process for everything: SQLite, tests, the simulated world."""

    shards = leases.SHARDS
    processes = 1
    refused = 0

    def holds(self, _session_id: str) -> bool:
        return True

    def fence_of(self, _session_id: str) -> int | None:
        return 0

    def has_house(self) -> bool:
        return True

    def demand(self, session_id: str, fence: int, *, words: bool = False) -> None:
        """Nobody else can be in charge."""

    def fenced(self, work: Work, session_id: str, fence: int) -> Work:
        """As it is."""
        return work

    def tell(self, what: str, which: str = "") -> None:
        """There is nobody to tell."""


EVERYTHING = Everything()


class Shared:
    """A fair share of the shards, renewed by :meth:`take_turn`, which somebody drives.

    ``post``: the way to the other processes; None: they find out by themselves.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        process: str,
        lasts: timedelta = LASTS,
        post: Post | None = None,
    ) -> None:
        self.process = process
        self.refused = 0
        self.processes = 1
        self._store = store
        self._clock = clock
        self._lasts = lasts
        self.post = post
        self._held: dict[str, int] = {}
        self._until = self._awake_at = clock.monotonic()
        self._failing_since: float | None = None

    @property
    def has_company(self) -> bool:
        """Whether there was another process a moment ago."""
        return self.processes > 1

    @property
    def shards(self) -> int:
        """How many are held."""
        return len(self._held.keys() - {HOUSE})

    def holds(self, session_id: str) -> bool:
        """See Leases."""
        return shard_of(session_id) in self._held

    def fence_of(self, session_id: str) -> int | None:
        """See Leases."""
        return self._fence(shard_of(session_id))

    def has_house(self) -> bool:
        """See Leases."""
        return self._fence(HOUSE) is not None

    def demand(self, session_id: str, fence: int, *, words: bool = False) -> None:
        """See Leases."""
        name = shard_of(session_id)
        if self._fence(name) != fence or (words and self._must_be_still()):
            raise LeaseLost(name, fence)

    def fenced(self, work: Work, session_id: str, fence: int) -> Work:
        """See Leases."""
        name = shard_of(session_id)

        def checked(db: Connection) -> Any:
            leases.check(db, name, self.process, fence)
            return work(db)

        return checked

    def tell(self, what: str, which: str = "") -> None:
        """See Leases."""
        if self.post is not None and self.has_company:
            self.post.send(what, which)

    def gone(self, lost: LeaseLost) -> None:
        """What the store refused is not ours under that number."""
        if lost.refused:
            self.refused += 1
            if self._held.get(lost.name) == lost.fence:
                del self._held[lost.name]

    # --- renewing -------------------------------------------------------------------

    async def take_turn(self, busy: Collection[str] = ()) -> frozenset[str]:
        """Renew, share, claim; returns the names that are ours since now.

        Raises what the store raises; then what is held counts until it runs out, and on
        when it was the store that failed (see ``_is_ours``).
        """
        begun = self._clock.monotonic()
        self._wake_up(begun)
        try:
            async with asyncio.timeout(STORE_HAS):
                turn: Turn = await self._store.write(
                    lambda db: leases.take_turn(db, self.process, self._lasts, busy)
                )
        except (SQLAlchemyError, TimeoutError):
            if self._failing_since is None:
                self._failing_since = self._clock.monotonic()
            self._awake_at = self._clock.monotonic()
            raise
        gained = {n for n, fence in turn.held.items() if self._held.get(n) != fence}
        self._held, self.processes = dict(turn.held), turn.processes
        self._until = begun + self._lasts.total_seconds()
        self._awake_at, self._failing_since = self._clock.monotonic(), None
        if turn.given_up:
            self.tell("turn")
        return frozenset(gained)

    async def give_back(self) -> None:
        """A clean stop. Raises what the store raises."""
        self._held = {}
        await self._store.write(lambda db: leases.give_back(db, self.process))
        self.tell("turn")

    def _wake_up(self, now: float) -> None:
        if now - self._awake_at > self._lasts.total_seconds():
            self._failing_since = None  # That was then; we slept meanwhile.

    def _fence(self, name: str) -> int | None:
        fence = self._held.get(name)
        return fence if fence is not None and self._is_ours() else None

    def _is_ours(self) -> bool:
        """Whether what is held counts now.

        A store that fails keeps nobody from guarding (I20): who found it failing before
        the leases ran out, and has been awake since, goes on. Most likely nobody else
        could claim them either; if somebody could, both look into the room before a
        harmful act, and an act done twice harms nobody.
        """
        now = self._clock.monotonic()
        return now < self._until or self._goes_on_blindly(now)

    def _goes_on_blindly(self, now: float) -> bool:
        failing = self._failing_since
        return (
            failing is not None
            and failing < self._until
            and now - self._awake_at <= self._lasts.total_seconds()
        )

    def _must_be_still(self) -> bool:
        """Words are not said twice: without the store, only where nobody else can."""
        return self.has_company and self._clock.monotonic() >= self._until
