"""The real service in a process of its own, on a real file, beside a simulated Zoom."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import text

from app.bench import bodies
from app.bench.processes import free_port, settings
from app.bench.seed import Room, plant
from app.clock import SystemClock
from app.config import load_settings
from app.main import open_store
from app.store.database import Store
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import Refused
from integrations.rehearsal.settings import safe_meeting_settings
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer

SERVE = "from app.cli import main; main()"
STARTS_WITHIN = 60.0
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
CLIENTS = [f"client-{number}" for number in range(bodies.CLIENTS)]


def planned_world(clock: SystemClock) -> World:
    """Anna and Sam work; ten clients have a link each to one meeting."""
    account = Account(
        account_id=bodies.ACCOUNT,
        client_id="bench-client",
        client_secret="bench-secret",
        webhook_secret=bodies.SECRET,
    )
    world = World(clock, account)
    for name in ("anna", "sam"):
        world.add_person(
            Person(name, name.title(), f"{name}@bench.example", f"zoom-{name}", True)
        )
    meeting = world.create_meeting("anna", settings=safe_meeting_settings())
    for key in CLIENTS:
        world.add_person(Person(key, key.title()))
        world.register(meeting.id, key, f"{key}@bench.example", approve=True)
    return world


@dataclass
class Service:
    """``chaperone serve``, which can be killed and started again."""

    folder: Path
    port: int
    environ: dict[str, str]
    clock: SystemClock
    process: "subprocess.Popen[bytes] | None" = None
    started_at: datetime = field(init=False)

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-c", SERVE, "serve", "--port", str(self.port), *more]

    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("CHAPERONE_")}
        return {**clean, **self.environ}

    async def start(self) -> None:
        """Start it and wait until it answers; its port is open a good while before."""
        self.spawn()
        end = self.clock.monotonic() + STARTS_WITHIN
        while not await self._answers():
            assert self.process is not None
            assert self.process.poll() is None, "the service ended by itself"
            assert self.clock.monotonic() < end, "the service does not start"
            await self.clock.sleep(0.02)

    def spawn(self) -> None:
        """Start it, and do not wait."""
        self.started_at = self.clock.now()
        self.process = subprocess.Popen(
            self.command(), env=self.environment(), stdout=subprocess.DEVNULL
        )

    async def _answers(self) -> bool:
        try:
            async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
                await stream.send(HEALTH)
                with anyio.move_on_after(5):
                    return b" 200 " in await stream.receive(100)
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
            pass  # not yet
        return False

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def until(
        self, holds: Callable[[], Any], seconds: float, otherwise: str
    ) -> None:
        """Wait for a condition. Raises AssertionError when it does not come."""
        end = self.clock.monotonic() + seconds
        while not holds():
            assert self.clock.monotonic() < end, otherwise
            await self.clock.sleep(0.02)


@dataclass
class Stage:
    """World, Zoom and service together."""

    world: World
    server: ZoomServer
    service: Service
    store: Store
    clock: SystemClock
    session_id: str
    meeting_id: int

    def come(self, key: str) -> None:
        """A client comes by their own link and is let in, if the link still works."""
        meeting = self.world.meetings[self.meeting_id]
        link = [*meeting.registrants][CLIENTS.index(key)]
        try:
            self.world.arrive(self.meeting_id, key, link=link)
        except Refused:
            return
        if self.world.connection(self.meeting_id, key) is not None:
            self.world.admit_everyone(self.meeting_id)

    def is_inside(self, key: str) -> bool:
        """Whether this client is in the call or at its door."""
        return self.world.connection(self.meeting_id, key) is not None

    @property
    def runs(self) -> bool:
        """Whether the room is open, in truth."""
        return self.world.meetings[self.meeting_id].live is not None

    def acknowledged(self) -> set[bytes]:
        """Bodies of the webhooks that were answered 2xx."""
        return {one.body for one in self.server.sendings if one.is_accepted}

    async def takes_more(self, webhooks: int) -> None:
        """Wait until so many more webhooks were acknowledged."""
        enough = len(self.acknowledged()) + webhooks
        await self.service.until(
            lambda: len(self.acknowledged()) >= enough, 20, "no webhook is taken"
        )

    def was_told_of_leaving(self, key: str) -> bool:
        """Whether the service acknowledged that this person left."""
        name = self.world.people[key].name
        return any(
            one.is_accepted
            and one.event == "meeting.participant_left"
            and f'"user_name":"{name}"'.encode() in one.body
            for one in self.server.sendings
        )

    def stored(self) -> set[bytes]:
        """Bodies that are in the store, opened."""
        with self.store.engine.connect() as db:
            rows = db.execute(text("SELECT ref, body_sealed FROM deliveries")).all()
        return {
            self.store.open(row.body_sealed, f"deliveries:body:{row.ref}")
            for row in rows
        }

    def ends(self) -> Sequence[Any]:
        """End calls that reached Zoom."""
        return self.server.called("PUT", f"/meetings/{self.meeting_id}/status")

    def looks(self) -> Sequence[Any]:
        """Readings of the live list that reached Zoom."""
        return [one for one in self.server.calls if "/metrics/" in one.path]

    def end_states(self) -> list[str]:
        """How far the store says the end has come."""
        query = "SELECT state FROM actions WHERE kind = 'end_meeting'"
        with self.store.engine.connect() as db:
            return list(db.execute(text(query)).scalars())

    def end_tries(self) -> int:
        """How often the store says that ending was tried."""
        query = "SELECT COALESCE(SUM(tries), 0) FROM actions WHERE kind = 'end_meeting'"
        with self.store.engine.connect() as db:
            return int(db.execute(text(query)).scalar_one())


@asynccontextmanager
async def on_stage(folder: Path, grace: timedelta) -> AsyncIterator[Stage]:
    """A planned session with this grace; the service is not started yet."""
    clock, port = SystemClock(), free_port()
    world = planned_world(clock)
    [meeting] = world.meetings.values()
    server = ZoomServer(
        world, clock, webhook_url=f"http://127.0.0.1:{port}/webhooks/zoom"
    )
    async with server.listening() as zoom_url, anyio.create_task_group() as tasks:
        environ = settings(folder, port, zoom_url)
        store = open_store(load_settings(environ))
        room = Room(str(meeting.id), [*meeting.registrants])
        policy = {"grace": grace.total_seconds()}
        [session_id] = plant(
            store, [room], clock.now(), policy=policy, live_roster=True
        )
        service = Service(folder, port, environ, clock)
        tasks.start_soon(server.run)
        try:
            yield Stage(world, server, service, store, clock, session_id, meeting.id)
        finally:
            tasks.cancel_scope.cancel()
            if service.process is not None:
                service.kill()
            store.close()
