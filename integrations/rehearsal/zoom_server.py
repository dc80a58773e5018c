"""A server that speaks Zoom's real protocol about a World.

`server.app` is the REST side (an ASGI app); `await server.run()` brings the webhooks.
What it was asked stands in `server.calls`, what it sent in `server.sendings`.
"""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

import anyio
from starlette.applications import Starlette

from app.clock import Clock
from integrations.http import AsyncClient
from integrations.rehearsal.courier import Courier, Due, Sending
from integrations.rehearsal.faults import Dice, Faults, Trouble
from integrations.rehearsal.listening import listening
from integrations.rehearsal.people import Account
from integrations.rehearsal.rooms import Happening
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_bodies import webhook_of
from integrations.rehearsal.zoom_desk import Desk
from integrations.rehearsal.zoom_gate import Gate
from integrations.rehearsal.zoom_rest import Call, RestSide

REVALIDATED_EVERY = timedelta(hours=72)


class ZoomServer:
    """One account's platform.

    `webhook_url` is where the bot listens; `client` is what the webhooks go through
    (an in-process one for an ASGI bot), by default an ordinary one made by `run`.
    `dice` decide what goes wrong instead of `faults` and `rng`.
    `clock_offset` shifts the Date header: the platform's clock seen from ours.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        faults: Faults | None = None,
        dice: Dice | None = None,
        rng: random.Random | None = None,
        webhook_url: str = "http://127.0.0.1:8000/webhooks/zoom",
        client: AsyncClient | None = None,
        clock_offset: timedelta = timedelta(),
        keeps_rates: bool = False,
        signs_retries_anew: bool = False,
    ) -> None:
        seed = (rng or random.Random(0)).getrandbits(64)  # noqa: S311 - no secret
        account = world.account
        self.world = world
        self.clock = clock
        self.dice = dice or Dice(faults or Faults(), seed, clock.now())
        self.gate = Gate(account, clock, world.new_token, keeps_rates=keeps_rates)
        self.courier = Courier(
            clock,
            account,
            self.dice,
            world.new_token,
            target=webhook_url,
            client=client,
            signs_retries_anew=signs_retries_anew,
        )
        desk = Desk(world, self.courier)
        self.rest = RestSide(desk, self.gate, self.dice, clock, clock_offset, self.wake)
        self._woken = anyio.Event()
        self._challenge_at: datetime | None = None
        world.listeners.append(self._hear)
        world.wakers.append(self.wake)

    @property
    def app(self) -> Starlette:
        """The REST side: /oauth/token and /v2/..."""
        return self.rest.app

    @property
    def account(self) -> Account:
        return self.world.account

    @property
    def calls(self) -> list[Call]:
        """Every call received, in order of arrival."""
        return self.rest.calls

    @property
    def sendings(self) -> list[Sending]:
        """Every try of every webhook, lost ones included."""
        return self.courier.sendings

    @property
    def faults(self) -> Faults:
        return self.dice.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """Change what goes wrong from now on."""
        self.dice.faults = faults

    def go_wrong(
        self, method: str, path_part: str, trouble: Trouble, times: int = 1
    ) -> None:
        """Play `trouble` on the next `times` calls whose path holds `path_part`."""
        self.rest.go_wrong(method, path_part, trouble, times)

    def called(self, method: str, path_part: str = "") -> list[Call]:
        """The calls received so far with this method and path."""
        return [
            call
            for call in self.calls
            if call.method == method and path_part in call.path
        ]

    def _hear(self, happening: Happening) -> None:
        event, body = webhook_of(happening, self.account)
        self.courier.take(event, body, happening.at)
        self.wake()

    def wake(self) -> None:
        """Let `run` look again."""
        self._woken.set()

    def next_at(self) -> datetime | None:
        """When the next planned change or delivery is due."""
        times = (
            self.world.next_change_at(),
            self.courier.next_at(),
            self._challenge_at,
        )
        return min((at for at in times if at is not None), default=None)

    async def deliver(self) -> int:
        """Deliver everything that is due, one after the other; returns the number of
        tries. For tests that move a clock by hand."""
        tries = 0
        self.world.catch_up()
        while due := self.courier.take_due():
            for each in due:
                await self.courier.bring(each)
                tries += 1
        return tries

    async def challenge(self) -> bool:
        """Zoom's URL validation; repeated every 72 h while `run` runs."""
        self._challenge_at = self.clock.now() + REVALIDATED_EVERY
        return await self.courier.challenge()

    async def run(self) -> None:
        """Move the World and deliver webhooks, several at a time, until cancelled."""
        if self.courier.client is not None:
            await self._run()
            return
        async with AsyncClient(trust_env=False) as client:
            self.courier.client = client
            try:
                await self._run()
            finally:
                self.courier.client = None

    async def _run(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                self._woken = anyio.Event()
                self.world.catch_up()
                for due in self.courier.take_due():
                    tasks.start_soon(self._bring, due)
                if self._challenge_at and self._challenge_at <= self.clock.now():
                    self._challenge_at = self.clock.now() + REVALIDATED_EVERY
                    tasks.start_soon(self.challenge)
                await self._wait()

    async def _bring(self, due: Due) -> None:
        await self.courier.bring(due)
        self.wake()

    async def _wait(self) -> None:
        """Until the next due time or until something new happens."""
        woken = self._woken
        due = self.next_at()
        if due is None:
            await woken.wait()
            return
        seconds = (due - self.clock.now()).total_seconds()
        async with anyio.create_task_group() as race:

            async def sleep() -> None:
                await self.clock.sleep(seconds)
                race.cancel_scope.cancel()

            race.start_soon(sleep)
            await woken.wait()
            race.cancel_scope.cancel()

    def listening(self, port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve `app` over real HTTP on 127.0.0.1; yields the base address."""
        return listening(self.app, port)
