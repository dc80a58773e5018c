"""What processes do for one another that serve one database: share, wake, take over.

Whatever one tells another may get lost; each second the log and the leases are looked at
as well, so that nothing waits for longer.
"""

import asyncio
from datetime import timedelta

from app.engine.company import Company
from app.engine.footing import Footing
from app.engine.leases import Shared
from app.engine.loop import Engine
from app.engine.spool import FAILING
from app.store import log, news
from app.store.leases import HOUSE, LeaseLost, shard_of
from app.store.news import News

EVERY = 1.0  # seconds
CONTACTS_EVERY = timedelta(minutes=5)


class Together(Company):
    """Keeps the leases of an engine, and answers to the other processes."""

    def __init__(self, footing: Footing, leases: Shared, engine: Engine) -> None:
        self._footing = footing
        self._leases = leases
        self._engine = engine
        self._post = leases.post
        self._bell = asyncio.Event()
        self._turn = asyncio.Lock()
        self._left = False
        self._to_take_up: set[str] = set()
        self._place = 0
        engine.company = self
        # Whom to call should the store fail: who sends no letters would not hear of it.
        engine.add_job("contacts", CONTACTS_EVERY, engine.alarms.remember)

    async def begin(self) -> None:
        """See Company."""
        self._place = await self._footing.store.read(news.end_of)
        await self._leases.take_turn()
        if self._post is not None:
            loop = asyncio.get_running_loop()

            def heard(what: str, which: str) -> None:
                loop.call_soon_threadsafe(self.hear, what, which)

            self._post.listen(heard)

    async def keep(self) -> None:
        """See Company."""
        while True:
            self._bell.clear()
            try:
                await self.take_turn()
            except FAILING as problem:
                why = type(problem).__name__
                self._footing.log.warning("leases not renewed", why=why)
            except Exception as problem:  # noqa: BLE001 - told, and tried again
                self._footing.log.error("leases", why=repr(problem)[:300])
            await self._rest()

    async def leave(self) -> None:
        """See Company."""
        self._left = True
        async with self._turn:
            try:
                async with asyncio.timeout(EVERY):
                    await self._leases.give_back()
            except FAILING as problem:  # They run out by themselves.
                why = type(problem).__name__
                self._footing.log.warning("leases not given back", why=why)
        if self._post is not None:
            await asyncio.to_thread(self._post.close)

    def lost(self, lost: LeaseLost) -> None:
        """See Company."""
        self._footing.log.warning("lease lost", shard=lost.name, fence=lost.fence)
        self._leases.gone(lost)
        self._bell.set()

    async def take_turn(self) -> None:
        """Renew and share; take up what is ours since now; look for news.

        Raises what the store raises; what was not done then is done the next time.
        """
        async with self._turn:
            if self._left:
                return
            self._to_take_up |= await self._leases.take_turn(self._busy())
            await self._take_up()
            await self._look_for_news()
        for session_id in self._engine.spool.owing():
            if not self._leases.holds(session_id):
                await self._engine.spool.pay(session_id)

    def _busy(self) -> frozenset[str]:
        sessions = self._engine.sessions.all()
        return frozenset(shard_of(name) for name, held in sessions.items() if held.busy)

    async def _take_up(self) -> None:
        names = frozenset(self._to_take_up)
        if not names:
            return
        await self._engine.take_up(lambda session_id: shard_of(session_id) in names)
        if HOUSE in names:
            await self._engine.take_up_house()
        self._to_take_up -= names

    async def _look_for_news(self) -> None:
        store, intake = self._footing.store, self._engine.intake
        if not self._leases.has_company:
            self._place = await store.read(news.end_of)
            return
        place = self._place
        found: News = await store.read(lambda db: news.since(db, place))
        if found.bound:
            await self._bound()
        sessions = set(found.sessions)
        for meeting in found.meetings:
            sessions |= intake.bound.get(meeting, set())
        for session_id in sessions:
            self._news_of(session_id)
        self._place = found.last

    async def _bound(self) -> None:
        rows = await self._footing.store.read(log.bound_meetings)
        self._engine.intake.know(rows)

    def _news_of(self, session_id: str) -> None:
        if self._leases.holds(session_id):
            self._engine.wake(session_id)
        else:
            self._engine.tell_pages(session_id)

    async def _rest(self) -> None:
        sleeper = asyncio.ensure_future(self._footing.clock.sleep(EVERY))
        bell = asyncio.ensure_future(self._bell.wait())
        try:
            await asyncio.wait({sleeper, bell}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            bell.cancel()

    # --- what the others say ----------------------------------------------------------

    def hear(self, what: str, which: str) -> None:
        """One word of another process; a word nobody knows is of a newer version."""
        if what in ("turn", "all", "bound"):
            self._bell.set()
        elif what == "letters":
            self._engine.letters_soon()
        elif what == "changed":
            self._engine.tell_pages(which)
        elif what == "forget":
            self._engine.heard_forget(which)
        elif what == "look-everywhere":
            self._engine.unreadable.look_everywhere(which)
        elif what in ("wake", "look") and self._leases.holds(which):
            if what == "look":
                self._engine.unreadable.look_at(which)
            self._engine.wake(which)
