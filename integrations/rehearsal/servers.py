"""Which platform stands before a World: the one place that names them all.

Scenes, Worlds and promises know no platform; whoever plays them asks here for a server
and gives the product the addresses it needs for that platform.
"""

from __future__ import annotations

from typing import Protocol

from starlette.applications import Starlette

from app.clock import Clock
from integrations.rehearsal.courier import Sending
from integrations.rehearsal.teams_server import TeamsServer
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_rest import Call
from integrations.rehearsal.zoom_server import ZoomServer


class PlatformServer(Protocol):
    """What every simulated platform offers to whoever plays a scene."""

    world: World

    @property
    def app(self) -> Starlette: ...

    @property
    def calls(self) -> list[Call]: ...

    @property
    def sendings(self) -> list[Sending]: ...

    async def run(self) -> None: ...

    async def deliver(self) -> int: ...


def server_for(
    platform: str, world: World, clock: Clock, bot_url: str
) -> PlatformServer:
    """`zoom` or `teams`; `bot_url` is the product's own address, without a path.

    Raises `ValueError` for a platform nobody simulates.
    """
    if platform == "zoom":
        return ZoomServer(world, clock, webhook_url=f"{bot_url}/webhooks/zoom")
    if platform == "teams":
        return TeamsServer(world, clock, bot_url=bot_url)
    raise ValueError(f"no simulated platform is called {platform!r}")
