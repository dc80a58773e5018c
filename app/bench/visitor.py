"""A browser as far as the bench needs one: pages, a cookie, an open stream; no scripts."""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.bench.processes import BenchFailed


@dataclass(frozen=True, slots=True)
class Answer:
    """``size``: the bytes of the body as they came, compressed or not."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int


@dataclass(slots=True)
class Visitor:
    """One person's browser, on connections that stay open."""

    port: int
    cookie: str = ""
    _line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    _streams: list[asyncio.StreamWriter] = field(default_factory=list)

    async def get(self, path: str) -> Answer:
        """A page or a file. Raises BenchFailed for anything but 200."""
        answer = await self.send(f"GET {path}", b"")
        if answer.status != 200:
            raise BenchFailed(f"{path} answered {answer.status}.")
        return answer

    async def enter(self, token: str) -> None:
        """Sign in by a single-use link."""
        answer = await self.send(f"POST /sign-in/{token}", b"")
        self.cookie = answer.headers.get("set-cookie", "").split(";")[0]
        if not self.cookie:
            raise BenchFailed("The sign-in link did not work.")

    async def send(self, what: str, body: bytes) -> Answer:
        """One request, and its answer."""
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._line
        writer.write(self._head(what, len(body)) + body)
        status, headers = await _read_head(reader)
        length = int(headers.get("content-length", "0"))
        content = await reader.readexactly(length)
        packed = headers.get("content-encoding") == "gzip"
        whole = gzip.decompress(content) if packed else content
        return Answer(status, headers, whole, len(content))

    async def listen(self, path: str) -> asyncio.StreamReader:
        """An open stream of events; wait for words in it with :func:`hear`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._streams.append(writer)
        writer.write(self._head(f"GET {path}", 0))
        status, _ = await _read_head(reader)
        if status != 200:
            raise BenchFailed(f"{path} answered {status}.")
        return reader

    async def close(self) -> None:
        """Leave; after one more answer the server knows that nobody listens any more."""
        for writer in self._streams:
            await _left(writer)
        if self._line is not None:
            await self.send("GET /healthz", b"")
            await _left(self._line[1])

    def _head(self, what: str, length: int) -> bytes:
        lines = (
            f"{what} HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "accept-encoding: gzip",
            f"cookie: {self.cookie}",
            f"content-length: {length}",
            "",
            "",
        )
        return "\r\n".join(lines).encode()


async def hear(stream: asyncio.StreamReader, word: bytes) -> None:
    """Read on until this word has come."""
    await stream.readuntil(word)


async def _left(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.strip().split("\r\n")
    pairs = (line.split(": ", 1) for line in rest)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}
