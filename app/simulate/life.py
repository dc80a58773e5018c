"""One process of the bot: the shipped service on its four seams, until it is killed.

Clock, wires, store and chance are handed in; everything else is what `chaperone serve`
runs. Killing it drops every task at the await it stands at; only the store remains.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, SteadyClock
from app.core.rules import RULES, Rule
from app.engine.alarms import Alarms, Sender
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.engine.spool_file import SpoolFile
from app.engine.upkeep import register
from app.simulate.door import Killed
from app.simulate.ground import KEYS
from app.simulate.loop import OWNER, Tasks
from app.store.database import Door, Store
from integrations.base import BadWebhook, Platform
from integrations.http import AsyncBaseTransport, AsyncClient, ConnectError
from integrations.rehearsal.people import Account
from integrations.zoom.account import ZoomSettings
from integrations.zoom.client import Zoom

API = "https://zoom.example"
HOST = "anna@charity.example"


@dataclass
class Parts:
    """What one life is built from. A mutant changes some of it before it is built
    (`platform`, `door`, `rules`, ...) or after (`finish`)."""

    database: Database
    clock: Clock
    transport: AsyncBaseTransport
    door: Door
    ways: Mapping[str, Sender]
    new_id: Callable[[], str]
    account: Account
    log: Any
    spool_file: SpoolFile
    rules: Sequence[tuple[str, Rule]] = RULES
    platform: Callable[[Platform], Platform] = lambda platform: platform
    steady: Callable[[Clock], Clock] = SteadyClock
    finish: Callable[[Engine], None] = lambda engine: None


def zoom_settings(account: Account) -> ZoomSettings:
    """How the bot knows the simulated account."""
    return ZoomSettings(
        account_id=account.account_id,
        client_id=account.client_id,
        client_secret=account.client_secret,
        webhook_secrets=(account.webhook_secret,),
        api_url=f"{API}/v2",
        oauth_url=f"{API}/oauth/token",
        host_user=HOST,
        app_id=account.app_id,
        allow_test_hosts=True,
    )


@dataclass
class Life:
    """A process. `doom`: at which kind of point it dies next ("" not at all)."""

    number: int
    on_death: Callable[["Life"], None]
    tasks: Tasks = field(default_factory=dict)
    doom: str = ""
    dead: bool = False
    awake: bool = False
    points: int = 0

    def build(self, parts: Parts) -> None:
        """Put it together; nothing runs yet."""
        clock = parts.steady(parts.clock)
        self._client = AsyncClient(transport=parts.transport, trust_env=False)
        zoom = Zoom(zoom_settings(parts.account), self._client, clock)
        self.store = Store(parts.database, KEYS, parts.door)
        self.footing = Footing(
            self.store,
            clock,
            {"zoom": parts.platform(zoom)},
            parts.new_id,
            alias_domain="guests.charity.example",
            rules=parts.rules,
            spool_file=parts.spool_file,
            log=parts.log,
        )
        self.engine = Engine(self.footing, Alarms(self.footing, parts.ways))
        register(self.footing, self.engine)
        parts.finish(self.engine)

    def passed(self, what: str) -> None:
        """A point is reached. Raises Killed when it is this life's last, or later."""
        self.points += 1
        if self.dead:
            raise Killed
        if self.doom and self.doom == what:
            self.die()
            raise Killed

    def die(self) -> None:
        """As `kill -9` does: from this moment on nothing leaves it any more."""
        if not self.dead:
            self.dead = True
            self.awake = False
            self.on_death(self)

    async def wake(self) -> None:
        """Start up as the shipped service does. Raises what the store raises."""
        await self.run(self.engine.start())
        self.spawn(self.engine.run())
        self.awake = True

    def spawn(self, work: Any) -> "asyncio.Task[Any]":
        """Start work as this process's own."""
        mark = OWNER.set(self.tasks)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            OWNER.reset(mark)

    async def run(self, work: Any) -> Any:
        """Do it in this process. Raises Killed when the process dies meanwhile."""
        task = self.spawn(work)
        await asyncio.wait({task})
        if self.dead or task.cancelled():
            raise Killed
        return task.result()

    async def take(
        self, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        """A webhook, answered as app.web.webhooks answers it."""
        if not self.awake:
            raise ConnectError("nobody listens")
        try:
            answer = await self.run(self.engine.accept_webhook("zoom", headers, body))
        except BadWebhook as problem:
            return problem.status, b""
        except (SQLAlchemyError, TimeoutError):
            return 503, b""
        except Killed:
            raise ConnectError("the process died") from None
        return answer.status, b""

    async def bury(self) -> None:
        """Cancel whatever it left; nothing of it has an effect any more."""
        while self.tasks:
            left = list(self.tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in left:
                self.tasks.pop(task, None)
        await self._client.aclose()
