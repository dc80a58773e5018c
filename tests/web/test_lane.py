"""The lane answers what the ordinary road answers, byte for byte, and takes only what is
plain."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from anyio.lowlevel import checkpoint
from sqlalchemy import text

from app.clock import ManualClock
from app.main import Service, build
from app.serving import IDLE_SECONDS, config_of, listen
from app.serving.lane import Answer, LaneProtocol
from app.store.database import Store
from tests.web.conftest import settings
from tests.web.test_webhooks import event, rows, signed

pytestmark = pytest.mark.anyio

DATE = re.compile(rb"date: [^\r]*\r\n")
NUMBER = re.compile(rb"log: [0-9a-f]{12}\.")
LAST = b"GET /healthz HTTP/1.1\r\nhost: chaperone.example\r\nconnection: close\r\n\r\n"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Watched:
    """The lane of a service; remembers what came along."""

    def __init__(self, service: Service) -> None:
        self.lane = service.lane
        self.driven: list[bytes] = []

    def takes(self, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return self.lane.takes(url, headers)

    def drive(
        self,
        url: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        answer: Answer,
    ) -> None:
        self.driven.append(body)
        self.lane.drive(url, headers, body, answer)

    def too_slow(self, answer: Answer) -> None:
        self.lane.too_slow(answer)


@asynccontextmanager
async def serving(
    service: Service, lane: Watched | None, hurry: float | None = None
) -> AsyncIterator[int]:
    config = config_of(service.app, lifespan=False, lane=lane)
    if hurry is not None:
        made: Any = config.http

        def hasty(*given: Any, **more: Any) -> Any:
            return _hasty(made(*given, **more), hurry)

        quick: Any = hasty
        config.http = quick
    listener = listen("127.0.0.1", 0)
    server = _Server(config)
    work = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await work
        listener.close()


def _hasty(protocol: LaneProtocol, seconds: float) -> LaneProtocol:
    protocol.head_seconds = seconds
    return protocol


async def said(port: int, *parts: bytes) -> bytes:
    """Everything that comes back until the server hangs up; each part sent by itself."""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            # The loop serves the other side too: let it read this part alone.
            for _ in range(5):
                await checkpoint()
        whole = await reader.read()
        writer.close()
        await writer.wait_closed()
        return whole


@pytest.fixture
async def service(clock: ManualClock, store: Store) -> AsyncIterator[Service]:
    made = build(settings(), clock=clock, store=store)
    yield made
    await made.engine.stop()
    for platform in made.platforms.values():
        await platform.close()


def request(
    clock: ManualClock,
    body: bytes = b"",
    *,
    line: bytes = b"POST /webhooks/zoom HTTP/1.1",
    without: str = "",
    more: Sequence[bytes] = (),
    secret: str = "webhook-secret",
    **changed: str,
) -> bytes:
    """One webhook as it stands on the wire."""
    body = body or event()
    headers = {"host": "chaperone.example", "content-length": str(len(body))}
    headers |= signed(clock, body, secret)
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    headers.pop(without, None)
    head = b"".join(f"{n}: {v}\r\n".encode() for n, v in headers.items())
    return b"%s\r\n%s%s\r\n%s" % (line, head, b"".join(more), body)


async def both_roads(service: Service, *parts: bytes) -> tuple[bytes, bytes, int]:
    """What the ordinary road said, what came with a lane, how many went along it."""
    async with serving(service, None) as port:
        ordinary = await said(port, *parts)
    lane = Watched(service)
    async with serving(service, lane) as port:
        short = await said(port, *parts)
    return _plain(ordinary), _plain(short), len(lane.driven)


def _plain(answer: bytes) -> bytes:
    return NUMBER.sub(b"log: N.", DATE.sub(b"", answer))


Make = Callable[[ManualClock], bytes]

TAKEN: dict[str, tuple[int, Make]] = {
    "a fact": (204, lambda clock: request(clock)),
    "no meeting of ours, odd words": (
        204,
        lambda clock: request(clock, event("meeting.unheard_of")),
    ),
    "a question": (
        200,
        lambda clock: request(
            clock,
            b'{"event":"endpoint.url_validation","payload":{"plainToken":"qqqq"}}',
        ),
    ),
    "another account": (
        204,
        lambda clock: request(clock, event().replace(b'"account"', b'"somebody"')),
    ),
    "a wrong key": (401, lambda clock: request(clock, secret="guessed")),
    "no signature": (401, lambda clock: request(clock, without="x-zm-signature")),
    "a wrong kind": (415, lambda clock: request(clock, content_type="text/plain")),
    "no json": (400, lambda clock: request(clock, b"{nothing")),
    "upper case": (
        204,
        lambda clock: request(clock).replace(b"content-length", b"Content-Length"),
    ),
    "the longest": (
        204,
        lambda clock: request(clock, event() + b" " * (65_536 - len(event()))),
    ),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_the_lane_says_what_the_road_says(
    service: Service, clock: ManualClock, name: str
) -> None:
    status, make = TAKEN[name]
    ordinary, short, driven = await both_roads(service, make(clock) + LAST)

    assert short == ordinary
    assert short.startswith(b"HTTP/1.1 %d " % status)
    assert short.count(b"HTTP/1.1 200 OK") == 1 + (status == 200)
    assert driven == 1


async def test_a_whole_request_is_answered_like_one_in_pieces(
    service: Service, clock: ManualClock
) -> None:
    webhook = request(clock)
    odd = request(clock, line=b"POST /webhooks/teams HTTP/1.1")
    parts = (webhook, webhook[:40], webhook[40:], webhook, odd, webhook, LAST)
    ordinary, short, driven = await both_roads(service, *parts)

    assert short == ordinary
    assert short.count(b"HTTP/1.1 204 No Content") == 4
    assert driven == 4


class _Loop:
    """Time as the test says, and what was to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, what: Callable[[], None]) -> Any:
        self.later.append((self.now + seconds, what))
        return self

    def cancel(self) -> None:
        self.later.clear()

    def go_to(self, moment: float) -> None:
        self.now = moment
        due = [what for at, what in self.later if at <= moment]
        self.later = [one for one in self.later if one[0] > moment]
        for what in due:
            what()


class _Wire:
    """A connection that keeps what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = self.paused = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def get_extra_info(self, _what: str, default: Any = None) -> Any:
        return default


class _Later:
    """A lane that answers when the test says so."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def takes(self, url: bytes, _headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return url == b"/webhooks/zoom"

    def drive(
        self,
        _url: bytes,
        _headers: Sequence[tuple[bytes, bytes]],
        _body: bytes,
        answer: Answer,
    ) -> None:
        self.answers.append(answer)

    def too_slow(self, answer: Answer) -> None:
        self.answers.append(answer)


WHOLE = b"POST /webhooks/zoom HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"


def _connected(service: Service, lane: _Later) -> tuple[Any, _Loop, _Wire]:
    config, loop, wire = (
        config_of(service.app, lifespan=False, lane=lane),
        _Loop(),
        _Wire(),
    )
    config.load()
    made: Any = config.http_protocol_class
    protocol = made(config, uvicorn.server.ServerState(), {}, loop)
    protocol.connection_made(wire)
    return protocol, loop, wire


@pytest.mark.parametrize(("idle", "closed"), [(-0.1, False), (0.0, True), (0.1, True)])
async def test_a_connection_is_closed_when_it_was_idle_too_long(
    service: Service, idle: float, closed: bool
) -> None:
    lane = _Later()
    protocol, loop, wire = _connected(service, lane)
    for moment in (0.0, 3.0):
        loop.go_to(moment)
        protocol.data_received(WHOLE)
        lane.answers.pop()(204, b"", b"")
    loop.go_to(3.0 + IDLE_SECONDS + idle)
    loop.go_to(3.0 + IDLE_SECONDS + idle)

    assert wire.closed is closed


async def test_a_connection_whose_answer_is_still_to_come_is_not_idle(
    service: Service,
) -> None:
    lane = _Later()
    protocol, loop, wire = _connected(service, lane)
    protocol.data_received(WHOLE)
    lane.answers.pop()(204, b"", b"")
    loop.go_to(IDLE_SECONDS - 1.0)
    protocol.data_received(WHOLE)
    closed: list[bool] = []
    loop.go_to(IDLE_SECONDS + 1.0)
    closed.append(wire.closed)
    lane.answers.pop()(204, b"", b"")
    for moment in (0.9, 1.0):
        loop.go_to(2 * IDLE_SECONDS + moment)
        closed.append(wire.closed)

    assert closed == [False, False, True]
    assert [answer[:12] for answer in wire.written] == [b"HTTP/1.1 204"] * 2


async def test_what_comes_behind_an_open_question_waits(service: Service) -> None:
    lane = _Later()
    protocol, _loop, wire = _connected(service, lane)
    protocol.data_received(WHOLE)
    protocol.data_received(WHOLE)

    assert len(lane.answers) == 1
    assert wire.paused
    assert len(protocol.pipeline) == 1


NOT_TAKEN: dict[str, Make] = {
    "another path": lambda c: request(c, line=b"POST /webhooks/teams HTTP/1.1"),
    "a query": lambda c: request(c, line=b"POST /webhooks/zoom?a=b HTTP/1.1"),
    "an escape": lambda c: request(c, line=b"POST /webhooks/zoo%6d HTTP/1.1"),
    "another method": lambda c: request(c, line=b"PUT /webhooks/zoom HTTP/1.1"),
    "an old version": lambda c: request(c, line=b"POST /webhooks/zoom HTTP/1.0"),
    "a foreign host": lambda c: request(c, host="evil.example"),
    "no host": lambda c: request(c, without="host"),
    "two hosts": lambda c: request(c, more=[b"host: chaperone.example\r\n"]),
    "a coding": lambda c: request(c, content_encoding="gzip"),
    "one byte too many": lambda c: request(c, event() + b" " * (65_537 - len(event()))),
    "asks before it sends": lambda c: request(c, expect="100-continue"),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
async def test_whatever_is_not_plain_takes_the_ordinary_road(
    service: Service, clock: ManualClock, name: str
) -> None:
    ordinary, short, driven = await both_roads(service, NOT_TAKEN[name](clock) + LAST)

    assert short == ordinary
    assert driven == 0


async def test_pieces_are_read_like_a_whole(
    service: Service, clock: ManualClock
) -> None:
    whole = request(clock)
    cut = whole.index(b"\r\n\r\n")
    for at in (3, cut, cut + 4, cut + 30, len(whole) - 1):
        ordinary, short, driven = await both_roads(
            service, whole[:at], whole[at:], LAST
        )
        assert short == ordinary
        assert driven == 1


async def test_chunks_take_the_ordinary_road(
    service: Service, clock: ManualClock
) -> None:
    body = event()
    made = request(clock, body, without="content-length", transfer_encoding="chunked")
    head = made[: made.index(b"\r\n\r\n") + 4]
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    ordinary, short, driven = await both_roads(service, head + chunks + LAST)

    assert short == ordinary
    assert short.startswith(b"HTTP/1.1 204")
    assert driven == 0


async def test_a_trailer_is_no_header(service: Service, clock: ManualClock) -> None:
    """A signature that comes behind the body has not been there (RFC 9110 §6.5.1)."""
    body = event()
    made = request(clock, body, without="content-length", transfer_encoding="chunked")
    head = made[: made.index(b"\r\n\r\n") + 4]
    signature = re.search(rb"x-zm-signature: [^\r]*\r\n", head)
    assert signature is not None
    head = head.replace(signature[0], b"")
    chunks = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, signature[0])
    _, short, _ = await both_roads(service, head + chunks + LAST)

    assert short.startswith(b"HTTP/1.1 401")


async def test_many_in_one_go_are_answered_in_order(
    service: Service, clock: ManualClock
) -> None:
    pattern = (204, 401, 204, 204, 401, 401, 204)
    keys = {204: "webhook-secret", 401: "guessed"}
    many = b"".join(request(clock, secret=keys[status]) for status in pattern)
    ordinary, short, driven = await both_roads(service, many + LAST)

    assert short == ordinary
    found = re.findall(rb"HTTP/1.1 (\d+)", short)
    assert [int(status) for status in found] == [*pattern, 200]
    assert driven >= 1


async def test_who_wants_to_go_is_let_go(service: Service, clock: ManualClock) -> None:
    made = request(clock, connection="close")
    ordinary, short, driven = await both_roads(service, made)

    assert short == ordinary
    assert b"connection: close\r\n" in short
    assert driven == 1


async def test_what_cannot_be_stored_comes_again(
    service: Service, clock: ManualClock
) -> None:
    with service.store.unit() as db:
        db.execute(text("DROP TABLE deliveries"))
    ordinary, short, driven = await both_roads(service, request(clock) + LAST)

    assert short == ordinary
    assert short.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5\r\n" in short
    assert driven == 1
    assert rows(service, "log") == 0


async def test_what_nobody_foresaw_is_told_under_a_number(
    service: Service, clock: ManualClock
) -> None:
    engine: Any = service.engine
    engine.intake._footing.platforms.pop("zoom")
    ordinary, short, driven = await both_roads(service, request(clock) + LAST)

    assert short == ordinary
    assert short.startswith(b"HTTP/1.1 500")
    assert b"Number for the log: N." in short
    assert driven == 1


async def test_a_body_that_does_not_come_is_not_waited_for(
    service: Service, clock: ManualClock
) -> None:
    whole = request(clock)
    lane = Watched(service)
    async with serving(service, lane, hurry=0.05) as port:
        answer = await said(port, whole[:-1])

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close\r\n" in answer
    assert b"content-security-policy: " in answer
    assert answer.endswith(b"\r\n\r\nThat took too long.\n")
    assert lane.driven == []


async def test_who_hangs_up_is_kept_all_the_same(
    service: Service, clock: ManualClock
) -> None:
    async with serving(service, Watched(service)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(clock))
        await writer.drain()
        writer.transport.abort()
        async with asyncio.timeout(10):
            while rows(service, "log") == 0:
                await checkpoint()


async def test_answers_are_counted(service: Service, clock: ManualClock) -> None:
    async with serving(service, Watched(service)) as port:
        await said(port, request(clock) + request(clock, secret="guessed") + LAST)
        metrics = LAST.replace(b"/healthz", b"/metrics")
        counts = (await said(port, metrics)).decode()

    assert 'route="/webhooks/{platform:path}",status="204"} 1.0' in counts
    assert 'route="/webhooks/{platform:path}",status="401"} 1.0' in counts
    assert 'chaperone_refused_total{where="zoom",why="sig_wrong"} 1.0' in counts
