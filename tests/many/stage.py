"""Two real ``chaperone serve`` on one PostgreSQL, beside a simulated Zoom.

Webhooks always go to the first one, as behind a proxy that prefers it.
"""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
from sqlalchemy import text

from app.bench import bodies
from app.bench.processes import free_port, settings
from app.bench.seed import Room, plant
from app.clock import SystemClock
from app.config import load_settings
from app.core.presses import ActionState
from app.main import open_store
from app.store import access_rows
from app.store.database import Store
from app.store.leases import shard_of
from app.web.access import Role
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.settings import safe_meeting_settings
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer
from tests.crash.stage import CLIENTS, Service
from tests.store.postgres import Server

ROOMS = 24
GRACE = timedelta(seconds=3)
LEASE = 5.0
PATIENCE = 60.0  # for what a busy machine does late; what matters is measured


class Worker(Service):
    """One of the two, with the name it has in the leases."""

    name = ""

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)

    def end(self) -> None:
        """As a service manager would."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        self.process.wait(30)


@dataclass
class Call:
    """A session and its meeting."""

    session_id: str
    meeting_id: int


@dataclass
class Stage:
    """World, Zoom, both workers, and the rooms of each."""

    world: World
    server: ZoomServer
    store: Store
    clock: SystemClock
    a: Worker
    b: Worker
    rooms: list[Call]

    # --- who is in charge -----------------------------------------------------------

    def held(self) -> dict[str, set[str]]:
        """The shards of each worker, by its name in the leases."""
        with self.store.engine.connect() as db:
            rows = db.execute(
                text("SELECT owner, name FROM leases WHERE name LIKE 'shard-%'")
            ).all()
        found: dict[str, set[str]] = {}
        for owner, name in rows:
            found.setdefault(owner, set()).add(name)
        return found

    def share(self, worker: Worker) -> int:
        return len(self.held().get(worker.name, ()))

    def rooms_of(self, worker: Worker) -> list[Call]:
        """Rooms nobody has opened yet, of sessions this worker is in charge of."""
        mine = self.held().get(worker.name, set())
        return [
            room
            for room in self.rooms
            if shard_of(room.session_id) in mine
            and self.world.meetings[room.meeting_id].live is None
            and not self.ends(room)
        ]

    async def start(self, worker: Worker) -> None:
        """Start it; afterwards it is known under which name it claims."""
        others = set(self.held())
        await worker.start()

        def named() -> bool:
            new = set(self.held()) - others - {""}
            worker.name = new.pop() if new else ""
            return bool(worker.name)

        await self.until(named, "it claims nothing")

    async def until(self, holds: Callable[[], Any], otherwise: str) -> float:
        """Wait for it; returns how many seconds it took."""
        begun = self.clock.monotonic()
        await self.a.until(holds, PATIENCE, otherwise)
        return self.clock.monotonic() - begun

    # --- the room --------------------------------------------------------------------

    async def open(self, room: Call) -> None:
        """Anna and a client are inside, and both services know it."""
        self.world.start_meeting(room.meeting_id, "anna")
        meeting = self.world.meetings[room.meeting_id]
        self.world.arrive(
            room.meeting_id, CLIENTS[0], link=next(iter(meeting.registrants))
        )
        self.world.admit_everyone(room.meeting_id)
        await self.until(lambda: self.stored(room, "ParticipantJoined") >= 2, "no news")

    def stored(self, room: Call, kind: str) -> int:
        query = "SELECT count(*) FROM log WHERE kind = :kind AND meeting_id = :id"
        with self.store.engine.connect() as db:
            given = {"kind": kind, "id": str(room.meeting_id)}
            return int(db.execute(text(query), given).scalar() or 0)

    def lead_leaves(self, room: Call) -> None:
        self.world.leave(room.meeting_id, "anna")

    def runs(self, room: Call) -> bool:
        return self.world.meetings[room.meeting_id].live is not None

    def ends(self, room: Call) -> int:
        """How many end calls reached Zoom for this room."""
        return len(self.server.called("PUT", f"/meetings/{room.meeting_id}/status"))

    def said_twice(self, room: Call) -> list[str]:
        """Calls that changed something in this room and came more than once.

        Links are left out: to switch one twice is to switch it, and the answer to the
        first may have been lost with its worker.
        """
        seen = Counter(
            f"{call.method} {call.path} {call.body}"
            for call in self.server.calls
            if call.method != "GET"
            and str(room.meeting_id) in call.path
            and "registrants" not in call.path
        )
        return [call for call, times in seen.items() if times > 1]

    async def is_ended(self, room: Call) -> float:
        """Wait until it is; returns how many seconds that took."""
        return await self.until(lambda: not self.runs(room), "nobody ends the call")

    def end_state(self, room: Call) -> str:
        query = "SELECT state FROM actions WHERE kind='end_meeting' AND session_id=:id"
        with self.store.engine.connect() as db:
            return str(db.execute(text(query), {"id": room.session_id}).scalar())

    async def is_confirmed(self, room: Call) -> None:
        await self.until(
            lambda: self.end_state(room) == ActionState.CONFIRMED, "it is not proved"
        )

    # --- the pages ---------------------------------------------------------------------

    @asynccontextmanager
    async def page(self, worker: Worker, room: Call) -> AsyncIterator["Page"]:
        """Anna's browser on the live page of this room, at this worker."""
        now = self.clock.now()
        with self.store.unit() as db:
            query = "SELECT id FROM people WHERE kind = 'worker' LIMIT 1"
            person = str(db.execute(text(query)).scalar())
            made = access_rows.open_web_session(
                db, self.store, person, Role.SAFEGUARDING_LEAD, now
            )
        host = self.a.environ["CHAPERONE_BASE_URL"].removeprefix("http://")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{worker.port}",
            headers={"Host": host},
            cookies={"chaperone": made[1]},
            timeout=PATIENCE,
        ) as browser:
            path = f"/sessions/{room.session_id}/live/events"
            async with browser.stream("GET", path) as answer:
                assert answer.status_code == 200
                page = Page(self.clock)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(page.follow, answer)
                    yield page
                    tasks.cancel_scope.cancel()

    async def metric(self, worker: Worker, name: str) -> float:
        """One figure of ``/metrics``."""
        host = self.a.environ["CHAPERONE_BASE_URL"].removeprefix("http://")
        async with httpx.AsyncClient(headers={"Host": host}, timeout=PATIENCE) as asks:
            answer = await asks.get(f"http://127.0.0.1:{worker.port}/metrics")
        lines = [x for x in answer.text.splitlines() if x.startswith(f"{name} ")]
        return float(lines[0].split()[1])


@dataclass
class Page:
    """What the stream of a live page told so far: when its versions came."""

    clock: SystemClock
    versions: int = 0

    async def follow(self, answer: httpx.Response) -> None:
        async for line in answer.aiter_lines():
            self.versions += line == "event: version"


@asynccontextmanager
async def on_stage(server: Server, folder: Path) -> AsyncIterator[Stage]:
    """Both workers run and share the shards; nobody is in a room yet."""
    clock, ports = SystemClock(), (free_port(), free_port())
    world = _world(clock)
    zoom = ZoomServer(
        world, clock, webhook_url=f"http://127.0.0.1:{ports[0]}/webhooks/zoom"
    )
    async with zoom.listening() as zoom_url, anyio.create_task_group() as tasks:
        environ = settings(folder, ports[0], zoom_url) | {
            "CHAPERONE_DATABASE_URL": server.cleared().replace("+psycopg", ""),
            "CHAPERONE_LEASE_SECONDS": str(int(LEASE)),
            "CHAPERONE_LOG_LEVEL": "warning",
        }
        store = open_store(load_settings(environ))
        meetings = list(world.meetings.values())
        ids = plant(
            store,
            [Room(str(one.id), [*one.registrants]) for one in meetings],
            clock.now(),
            policy={"grace": GRACE.total_seconds()},
            live_roster=True,
        )
        rooms = [Call(i, m.id) for i, m in zip(ids, meetings, strict=True)]
        a, b = (Worker(folder, port, environ, clock) for port in ports)
        stage = Stage(world, zoom, store, clock, a, b, rooms)
        tasks.start_soon(zoom.run)
        try:
            await stage.start(a)
            await stage.start(b)
            await stage.until(lambda: stage.share(a) == stage.share(b) == 32, "no fair")
            yield stage
        finally:
            tasks.cancel_scope.cancel()
            for worker in (a, b):
                if worker.process is not None:
                    worker.kill()
            store.close()


def _world(clock: SystemClock) -> World:
    account = Account(
        account_id=bodies.ACCOUNT,
        client_id="bench-client",
        client_secret="bench-secret",
        webhook_secret=bodies.SECRET,
    )
    world = World(clock, account)
    world.add_person(Person("anna", "Anna", "anna@bench.example", "zoom-anna", True))
    world.add_person(Person("sam", "Sam", "sam@bench.example", "zoom-sam", True))
    for key in CLIENTS:
        world.add_person(Person(key, key.title()))
    for _room in range(ROOMS):
        meeting = world.create_meeting("anna", settings=safe_meeting_settings())
        for key in CLIENTS:
            world.register(meeting.id, key, f"{key}@bench.example", approve=True)
    return world
