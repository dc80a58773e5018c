"""The web server refuses what two servers could read in two ways (W40-W42)."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.serving import GOODBYE_SECONDS, Server, config_of, listen
from app.serving.strict import HEAD_BYTES, HEAD_LINES, StrictProtocol

pytestmark = pytest.mark.anyio

HOST = b"host: charity.example\r\n"
BODY = b"content-length: 3\r\n\r\nabc"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with method, path and body as they were understood."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    said = f"{scope['method']} {scope['path']} ".encode() + body
    length = (b"content-length", str(len(said)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": said})


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serving(
    protocol: type[StrictProtocol] = StrictProtocol,
) -> AsyncIterator[int]:
    """The port of a server that echoes."""
    listener = listen("127.0.0.1", 0)
    server = _Server(config_of(echo, lifespan=False, protocol=protocol))
    work = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await work
        listener.close()


async def said_to(
    request: bytes, protocol: type[StrictProtocol] = StrictProtocol
) -> bytes:
    """Everything that comes back until the server hangs up."""
    async with serving(protocol) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said


async def answer(request: bytes) -> bytes:
    """The same; whoever is not refused is asked for one more and hung up on."""
    last = b"GET /last HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
    return await said_to(request + last)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + CHUNKS,
            id="length beside chunked",
        ),
        *(
            pytest.param(
                b"POST / HTTP/1.1\r\n"
                + HOST
                + b"transfer-encoding: "
                + coding
                + b"\r\n"
                b"\r\n" + CHUNKS,
                id=coding.decode(),
            )
            for coding in (b", chunked", b"gzip, chunked", b"xchunked", b"identity")
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\n"
            + HOST
            + b"transfer-encoding: chunked\r\n\r\n"
            + CHUNKS,
            id="chunked in 1.0",
        ),
        pytest.param(
            b"POST / HTTP/1.1\nhost: x\ncontent-length: 3\n\nabc", id="bare LF"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\nx: y\r\n" + BODY, id="LF in the head"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"x: a\rb\r\n" + BODY, id="bare CR"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\n" + BODY,
            id="two lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"content-length : 3\r\n\r\nabc",
            id="space before the colon",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"content-length: +3\r\n\r\nabc", id="+3"
        ),
        pytest.param(
            b"GET http://evil.example/abc HTTP/1.1\r\n" + HOST + b"\r\n", id="absolute"
        ),
        pytest.param(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", id="asterisk"),
        pytest.param(b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"\r\n", id="connect"),
        pytest.param(b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", id="HTTP/2.0"),
        pytest.param(b"GET /\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"x: a\0b\r\n\r\n", id="NUL"),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(request_: bytes) -> None:
    said = await answer(request_)
    assert said.startswith(BAD)
    assert b"/last" not in said


def head(size: int) -> bytes:
    """A request whose address and header lines come to this many bytes."""
    line = b"x: "
    known = len(b"/") + len(b"host") + len(b"charity.example") + 4 + len(b"x") + 4
    return b"GET / HTTP/1.1\r\n" + HOST + line + b"a" * (size - known) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("size", "status"), [(HEAD_BYTES - 40, b"HTTP/1.1 200"), (HEAD_BYTES + 1, LARGE)]
)
async def test_a_header_block_has_its_limit(size: int, status: bytes) -> None:
    assert (await answer(head(size))).startswith(status)


@pytest.mark.parametrize(
    ("lines", "status"), [(HEAD_LINES - 1, b"HTTP/1.1 200"), (HEAD_LINES, LARGE)]
)
async def test_header_lines_have_their_limit(lines: int, status: bytes) -> None:
    more = b"".join(b"x-%d: a\r\n" % number for number in range(lines))
    said = await answer(b"GET / HTTP/1.1\r\n" + HOST + more + b"\r\n")
    assert said.startswith(status)


async def test_a_header_line_that_never_ends_is_cut() -> None:
    begun = b"GET / HTTP/1.1\r\n" + HOST + b"x: "
    assert (await said_to(begun + b"a" * 20_000)).startswith(LARGE)


async def test_a_trailer_that_never_ends_is_cut() -> None:
    """Without an end, it would be kept in memory until the body's time is over."""
    begun = b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
    async with serving() as port, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun + b"3\r\nabc\r\n0\r\nx: " + b"a" * 400_000)
        with suppress(ConnectionResetError):  # cut while we were still talking
            said = await reader.read()
            assert said.startswith(LARGE)
        writer.close()
        with suppress(ConnectionResetError, BrokenPipeError):
            await writer.wait_closed()


async def test_a_body_in_small_pieces_is_no_head() -> None:
    piece = b"400\r\n" + b"a" * 1024 + b"\r\n"
    request = (
        b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
        b"" + piece * 200 + b"0\r\n\r\n"
    )
    said = await answer(request)
    assert said.startswith(b"HTTP/1.1 200")
    assert said.count(b"a" * 1024) == 200


class _Hasty(StrictProtocol):
    head_seconds = 0.05


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nhost: x"])
async def test_who_never_finishes_a_head_is_hung_up_on(begun: bytes) -> None:
    assert await said_to(begun, _Hasty) == b""


async def test_fifty_requests_in_one_go_are_answered_in_order() -> None:
    request = b"".join(b"POST /%d HTTP/1.1\r\n" % n + HOST + BODY for n in range(50))
    said = await answer(request)
    assert said.count(b"HTTP/1.1 200") == 51
    places = [said.index(b"POST /%d abc" % number) for number in range(50)]
    assert places == sorted(places)


async def test_http_1_0_is_answered_and_closed() -> None:
    said = await answer(b"POST /old HTTP/1.0\r\n" + BODY)
    assert said.endswith(b"POST /old abc")


async def test_nothing_says_what_serves() -> None:
    assert (
        b"server:" not in (await answer(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")).lower()
    )


# --- stopping ------------------------------------------------------------------------


class _Stopping(Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def test_an_open_line_ends_when_the_service_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A live page follows its session for ever; the server waits for no such request."""
    over = asyncio.Event()

    async def follow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"beat", "more_body": True})
        await over.wait()
        await send({"type": "http.response.body", "body": b"over"})

    listener = listen("127.0.0.1", 0)
    server = _Stopping(config_of(follow, lifespan=False), over.set)
    work = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(GOODBYE_SECONDS / 2):
        port = listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /live HTTP/1.1\r\n" + HOST + b"\r\n")
        await reader.readuntil(b"beat")
        server.should_exit = True
        await work
        assert b"over" in await reader.read()
        writer.close()
        await writer.wait_closed()
    listener.close()
    assert "Cancel" not in caplog.text
