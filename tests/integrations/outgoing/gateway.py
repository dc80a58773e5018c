"""A real HTTPS gateway on 127.0.0.1 that answers as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Writer = asyncio.StreamWriter
Answer = Callable[["Gateway", Writer], Coroutine[Any, Any, None]]

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Received:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Gateway:
    """What was received, what was written, and which name TLS was asked for."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0
    written: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)


async def plainly(gateway: Gateway, writer: Writer) -> None:
    writer.write(OK)


def with_bytes(answer: bytes) -> Answer:
    async def write(gateway: Gateway, writer: Writer) -> None:
        writer.write(answer)

    return write


async def in_drips(gateway: Gateway, writer: Writer) -> None:
    """A byte every hundredth of a second: no pause is ever long, and it never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while not gateway.closing.is_set():
        writer.write(b".")
        await writer.drain()
        gateway.written += 1
        await _moment(gateway)


async def with_a_gigabyte(gateway: Gateway, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    piece = b"." * 16384
    while gateway.written < 1_000_000_000:
        writer.write(piece)
        await writer.drain()
        gateway.written += len(piece)


async def never(gateway: Gateway, writer: Writer) -> None:
    await gateway.closing.wait()


async def _moment(gateway: Gateway) -> None:
    try:
        async with asyncio.timeout(0.01):
            await gateway.closing.wait()
    except TimeoutError:
        return


@asynccontextmanager
async def gateway_on(
    tls: ssl.SSLContext | None, answer: Answer = plainly
) -> AsyncIterator[Gateway]:
    """Serve until the block ends; every connection is closed by then."""
    gateway = Gateway()
    tasks: set[asyncio.Task[None]] = set()

    def note_name(_: object, name: str | None, __: object) -> None:
        gateway.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            gateway.received.append(await _read(reader))
            await answer(gateway, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: Writer) -> None:
        gateway.connections += 1
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if tls is not None:
        tls.sni_callback = note_name
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        gateway.closing.set()
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    line, *fields = head.strip().split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (field.partition(":") for field in fields)
    }
    size = int(headers.get("content-length", "0"))
    return Received(line, headers, await reader.readexactly(size))
