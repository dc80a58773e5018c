"""Two processes on one PostgreSQL against one, and how fast one takes webhooks there.

A wave is one fact for each of the sessions, put into the log from here, as if webhooks had
brought them; it is over when the engine has written what follows from it for each. So the
figure holds reading, folding, deciding and committing, and no intake.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from app.bench import bodies
from app.bench.figures import Figure, median
from app.bench.processes import BenchFailed, Part, free_port, settings
from app.bench.seed import bench_rooms, plant
from app.clock import Clock
from app.config import load_settings
from app.core.events import (
    MeetingRef,
    MeetingStarted,
    ParticipantJoined,
    ParticipantLeft,
)
from app.core.fold import Fact
from app.crypto import new_token
from app.main import open_store
from app.store import leases, log, news
from app.store.database import Store
from app.store.post import Post

SESSIONS = 200
ROUNDS = 3
LEAST_SECONDS = 5.0
WAITS = 60.0
SETTLES_WITHIN = 5.0
GOAL = 1.6
CONNECTIONS = 32
GOAL_INTAKE = 0.55
MOST_A_SECOND = 12_000
NOBODY = "The PostgreSQL of --database cannot be used: {}"


async def measure(
    folder: Path, database: str | None, seconds: float, clock: Clock
) -> list[Figure]:
    """One and two processes in turn, each on a database of its own. Raises BenchFailed."""
    if database is None:
        raise BenchFailed(
            "Name a PostgreSQL with --database; databases are made there and dropped."
        )
    address = make_url(database).set(drivername="postgresql+psycopg")
    seconds = max(seconds, LEAST_SECONDS)
    alone: list[float] = []
    together: list[float] = []
    for number in range(ROUNDS):
        for processes, rates in ((1, alone), (2, together)):
            here = folder / f"round-{number}-{processes}"
            rates.append(await _settled(here, address, processes, seconds, clock))
    bare, intake = await _intake(folder, address, seconds, clock)
    shares = [two / one for one, two in zip(alone, together, strict=True)]
    told = ", ".join(f"{share:.2f}" for share in shares)
    return [
        Figure("settled by one process on PostgreSQL", median(alone), "sessions/s"),
        Figure("settled by two", median(together), "sessions/s"),
        Figure(
            "two against one", median(shares), "", GOAL, at_least=True, note=f"({told})"
        ),
        Figure("durable intake on PostgreSQL", intake, "events/s"),
        Figure("against bare", intake / bare, "", GOAL_INTAKE, at_least=True),
    ]


@contextmanager
def _database(address: URL) -> Iterator[URL]:
    """A new database there, dropped at the end."""
    name = f"chaperone_bench_{new_token()[:8].lower().replace('-', '_')}"
    server = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as db:
            db.exec_driver_sql(f'CREATE DATABASE "{name}"')
    except SQLAlchemyError as problem:
        why = str(getattr(problem, "orig", problem)).splitlines()[0]
        raise BenchFailed(NOBODY.format(why)) from problem
    try:
        yield address.set(database=name)
    finally:
        with server.connect() as db:
            db.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.dispose()


@dataclass
class _Evening:
    """Planned sessions with open rooms, and the processes that look after them."""

    store: Store
    post: Post
    sessions: Sequence[str]
    clock: Clock
    port: int
    wave: int = 0

    async def settle(self) -> float:
        """One wave; returns how long it took, in seconds."""
        at = self.clock.now()
        self.wave += 1
        facts = [_stranger(room, self.wave, at) for room in range(len(self.sessions))]
        begun = self.clock.monotonic()
        place = self.put(facts, at)
        for session_id in self.sessions:
            self.post.send("wake", session_id)
        await self.until(lambda: self._followed(place), "The sessions do not settle.")
        return self.clock.monotonic() - begun

    def put(self, facts: Sequence[Fact], at: datetime) -> int:
        """Into the log; returns its last place then."""
        made = [log.entry(self.store, fact, new_token(), at) for fact in facts]
        with self.store.unit() as db:
            log.add(db, made)
            return news.end_of(db)

    def _followed(self, place: int) -> bool:
        """Whether the engine wrote something for every session after that place."""
        query = text(
            "SELECT count(DISTINCT session_id) FROM log"
            " WHERE seq > :place AND source = 'chaperone'"
        )
        with self.store.engine.connect() as db:
            found = db.execute(query, {"place": place}).scalar()
        return int(found or 0) >= len(self.sessions)

    async def until(self, holds: Any, otherwise: str) -> None:
        end = self.clock.monotonic() + WAITS
        while not holds():
            if self.clock.monotonic() > end:
                raise BenchFailed(otherwise)
            await self.clock.sleep(0.01)

    def shared(self, processes: int) -> bool:
        """Whether so many have taken their shares."""
        with self.store.engine.connect() as db:
            owners = (
                "SELECT count(DISTINCT owner) FROM leases WHERE name LIKE 'shard-%'"
            )
            alive, free = leases.counted(db)
            return (alive, free, db.execute(text(owners)).scalar()) == (
                processes,
                0,
                processes,
            )


@asynccontextmanager
async def _evening(
    folder: Path, address: URL, processes: int, clock: Clock
) -> AsyncIterator[_Evening]:
    platform = free_port()
    shown = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with ExitStack() as running:
        rooms = _server(running, "rooms", platform)
        await rooms.answers(platform, clock)
        ports = [free_port() for _process in range(processes)]
        environ = settings(folder, ports[0], f"http://127.0.0.1:{platform}")
        environ["CHAPERONE_DATABASE_URL"] = shown
        store = open_store(load_settings(environ))
        running.callback(store.close)
        post = Post(address, "bench")
        running.callback(post.close)
        planned = bench_rooms(SESSIONS)
        ids = plant(store, planned, clock.now(), policy={}, live_roster=False)
        evening = _Evening(store, post, ids, clock, ports[0])
        evening.put(
            [f for room in range(SESSIONS) for f in _opening(room, clock)], clock.now()
        )
        for port in ports:
            part = _server(running, "service", port, environ)
            await part.answers(port, clock)
        await evening.until(lambda: evening.shared(processes), "Nobody shares.")
        yield evening


def _server(
    running: ExitStack, what: str, port: int, environ: Mapping[str, str] | None = None
) -> Part:
    given = {"what": what, "port": port, "rooms": 0, "live_roster": False}
    part = Part("server", given, environ)
    running.callback(part.stop)
    return part


async def _settled(
    folder: Path, address: URL, processes: int, seconds: float, clock: Clock
) -> float:
    """Sessions settled in a second: the median of the waves of so many seconds."""
    with _database(address) as database:
        async with _evening(folder, database, processes, clock) as evening:
            await evening.settle()  # everything is loaded now
            end, took = clock.monotonic() + seconds, []
            while clock.monotonic() < end:
                took.append(await evening.settle())
    return SESSIONS / median(took)


async def _intake(
    folder: Path, address: URL, seconds: float, clock: Clock
) -> tuple[float, float]:
    """Requests a second of a bare endpoint, and events a second of one process."""
    bare = free_port()
    with ExitStack() as running, _database(address) as database:
        yardstick = _server(running, "bare", bare)
        await yardstick.answers(bare, clock)
        told = _load(bare, seconds)
        async with _evening(folder / "intake", database, 1, clock) as evening:
            # As on SQLite: not while it looks into every room for the first time.
            await clock.sleep(SETTLES_WITHIN)
            ours = _load(evening.port, seconds)
    return told, ours


def _load(port: int, seconds: float) -> float:
    given = {
        "path": "/webhooks/zoom",
        "port": port,
        "rooms": SESSIONS,
        "opening": False,
        "count": int(MOST_A_SECOND * seconds),
        "connections": CONNECTIONS,
        "seconds": seconds,
    }
    part = Part("load", given)
    try:
        told: dict[str, Any] = part.heard()
    finally:
        part.stop()
    if refused := set(told["statuses"]) - {"200", "204"}:
        raise BenchFailed(f"Requests were answered {', '.join(sorted(refused))}.")
    return float(told["a_second"])


def _room(room: int) -> MeetingRef:
    return MeetingRef(
        platform="zoom",
        meeting_id=bodies.meeting_id(room),
        instance=bodies.instance(room),
    )


def _opening(room: int, clock: Clock) -> Iterator[Fact]:
    at = clock.now() - timedelta(minutes=1)
    yield MeetingStarted(meeting=_room(room), at=at)
    for name in ("anna", "sam"):
        yield ParticipantJoined(
            meeting=_room(room),
            at=at,
            uuid=f"{name}-{room}",
            platform_user_id=f"zoom-{name}",
            name=name.title(),
        )


def _stranger(room: int, wave: int, at: datetime) -> Fact:
    """Comes in one wave and goes in the next: both have to be told."""
    visit, goes = divmod(wave - 1, 2)
    kind = ParticipantLeft if goes else ParticipantJoined
    return kind(meeting=_room(room), at=at, uuid=f"eve-{room}-{visit}", name="Eve")
