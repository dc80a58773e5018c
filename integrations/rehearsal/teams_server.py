"""A server that speaks Microsoft Teams' real protocol about a World.

Start it in a test:

    clock = ManualClock(...)
    world = World(clock, seed=7)              # people, meetings: as for Zoom
    tenant = Tenant()                         # ids, secret, the administrator's ticks
    server = TeamsServer(world, clock, tenant=tenant, bot_url="http://bot",
                         client=AsyncClient(transport=ASGITransport(bot)))
    graph = AsyncClient(transport=ASGITransport(server.app))   # any Microsoft host
    ...
    await server.deliver()                    # bring what is due, by a manual clock

or over real HTTP: `async with server.listening() as base` and `server.run()`.

URLs. `server.app` knows Microsoft's hosts by the Host header, so a product whose HTTP
client leads there needs no setting at all. Over 127.0.0.1 the host stands first in the
path: `server.urls(base)` gives

    login       base/login.microsoftonline.com       (authority: login/{tenant_id})
    graph       base/graph.microsoft.com             (+ /v1.0 or /beta)
    connector   base/smba.trafficmanager.net/teams   (Tenant.service_url in activities)
    call_keys   base/api.aps.skype.com/v1/.well-known/OpenIdConfiguration
    chat_keys   base/login.botframework.com/v1/.well-known/openidconfiguration
    notification_keys  base/login.microsoftonline.com/common/.well-known/openid-configuration

msal wants an https authority. Keep `authority=https://login.microsoftonline.com/{tenant}`
with `instance_discovery=False` and give msal an `http_client` whose `get` and `post`
lead here (msal's http_client is any object in the style of requests.Session). The
issuer of the discovery document is Microsoft's own in every case.

Callbacks go where the join and the subscription say; activities to
`{bot_url}/webhooks/teams/messages`, once the app is installed in the meeting's chat.

Physics: nobody can end the meeting for everyone; who is removed may come back; the bot
may have to be admitted (`Tenant.bot_waits`, `admit_bot`) and sees only itself until
then; the meeting goes on while anybody is inside; the chat stays. Assumed, for want of
a published figure or answer: the bot's leg ends 5 minutes after the last person left
(200/5010) and 30 minutes unadmitted in the lobby (200/5855); a PATCH of a setting that
a running meeting no longer takes is a 400. People who come before the organiser are
not in the lobby's roster yet.
"""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import anyio
from starlette.applications import Starlette

from app.clock import Clock
from integrations.http import AsyncClient
from integrations.rehearsal import teams_calls
from integrations.rehearsal.courier import Sending
from integrations.rehearsal.faults import Dice, Faults, Trouble
from integrations.rehearsal.listening import listening
from integrations.rehearsal.rooms import Happening, Meeting
from integrations.rehearsal.teams_courier import Letter, TeamsCourier
from integrations.rehearsal.teams_desk import BotCall, Desk
from integrations.rehearsal.teams_gate import TeamsGate
from integrations.rehearsal.teams_rest import (
    CALL_KEYS_HOST,
    CHAT_HOST,
    CHAT_KEYS_HOST,
    GRAPH_HOST,
    LOGIN_HOST,
    TeamsRest,
)
from integrations.rehearsal.teams_tenant import TeamsMeeting, Tenant
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_rest import Call


class TeamsServer:
    """One tenant's Teams. See the module for how to start it."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        tenant: Tenant | None = None,
        faults: Faults | None = None,
        dice: Dice | None = None,
        rng: random.Random | None = None,
        bot_url: str = "http://127.0.0.1:8000",
        client: AsyncClient | None = None,
    ) -> None:
        seed = (rng or random.Random(0)).getrandbits(64)  # noqa: S311 - no secret
        self.world, self.clock = world, clock
        self.tenant = tenant or Tenant()
        self.dice = dice or Dice(faults or Faults(), seed, clock.now())
        self.gate = TeamsGate(self.tenant)
        self.courier = TeamsCourier(clock, self.tenant, self.dice, client)
        self.desk = Desk(world, self.tenant, self.courier)
        self.desk.activity_url = bot_url + "/webhooks/teams/messages"
        self.rest = TeamsRest(self.desk, self.gate, self.dice, clock, self.wake)
        self._woken = anyio.Event()
        world.listeners.append(self._hear)
        world.wakers.append(self.wake)

    @property
    def app(self) -> Starlette:
        """Every Microsoft host the product talks to."""
        return self.rest.app

    @property
    def calls(self) -> list[Call]:
        """Every call received, in order of arrival."""
        return self.rest.calls

    @property
    def legs(self) -> list[BotCall]:
        """Every leg of the calling bot there ever was."""
        return list(self.desk.calls.values())

    @property
    def sendings(self) -> list[Sending]:
        """Every try of every delivery, lost ones included."""
        return self.courier.sendings

    @staticmethod
    def urls(base: str) -> dict[str, str]:
        """Where each of Microsoft's hosts is, seen from 127.0.0.1."""
        known = "/v1/.well-known/"
        login = f"{base}/{LOGIN_HOST}"
        return {
            "login": login,
            "graph": f"{base}/{GRAPH_HOST}",
            "connector": f"{base}/{CHAT_HOST}/teams",
            "call_keys": f"{base}/{CALL_KEYS_HOST}{known}OpenIdConfiguration",
            "chat_keys": f"{base}/{CHAT_KEYS_HOST}{known}openidconfiguration",
            "notification_keys": f"{login}/common/.well-known/openid-configuration",
        }

    def meeting(self, meeting: Meeting) -> TeamsMeeting:
        """Teams' side of a meeting of the World: its ids, link and settings."""
        return self.desk.of(meeting)

    def go_wrong(
        self, method: str, path_part: str, trouble: Trouble, times: int = 1
    ) -> None:
        """Play `trouble` on the next `times` calls whose path holds `path_part`."""
        self.rest.go_wrong(method, path_part, trouble, times)

    def admit_bot(self, call: BotCall) -> None:
        """A worker lets the bot in from the lobby."""
        teams_calls.admit_bot(self.desk, call)

    def remove_bot(self, call: BotCall) -> None:
        """Somebody puts the bot out of the call."""
        teams_calls.remove_bot(self.desk, call)

    def _hear(self, happening: Happening) -> None:
        self.desk.hear(happening)
        self.wake()

    def wake(self) -> None:
        """Let `run` look again."""
        self._woken.set()

    def next_at(self) -> datetime | None:
        """When the next planned change or delivery is due."""
        times = (self.world.next_change_at(), self.courier.next_at())
        return min((at for at in times if at is not None), default=None)

    async def deliver(self) -> int:
        """Deliver everything that is due; returns the number of tries."""
        tries = 0
        self.world.catch_up()
        while due := self.courier.take_due():
            for each in due:
                await self.courier.bring(each)
                tries += 1
        return tries

    async def run(self) -> None:
        """Move the World and deliver, several at a time, until cancelled."""
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
                await self._wait()

    async def _bring(self, letter: Letter) -> None:
        await self.courier.bring(letter)
        self.wake()

    async def _wait(self) -> None:
        """Until the next due time or until something new happens."""
        woken, due = self._woken, self.next_at()
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
