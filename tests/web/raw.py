"""Speak ASGI by hand: what no honest HTTP client would send."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[bytes, bytes]
HOST: Pair = (b"host", b"chaperone.example")


@dataclass
class Told:
    """What came back, and how much of the body was taken."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks_taken: int = 0


async def speak(
    app: Any,
    path: str,
    chunks: Sequence[bytes] | AsyncIterator[bytes] = (),
    *,
    method: str = "POST",
    headers: Sequence[Pair] = (HOST,),
    peer: str = "192.0.2.7",
    gone: bool = False,
    whole: bytes | None = None,
) -> Told:
    """Send one request; ``gone``: the sender hangs up instead of ending the body.

    ``whole``: the body in one piece.
    """
    told = Told()
    source = chunks if isinstance(chunks, AsyncIterator) else _each(chunks)
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if whole is not None and not ended:
            ended = True
            return {"type": "http.request", "body": whole, "more_body": False}
        if ended:
            return {"type": "http.disconnect"}
        try:
            chunk = await anext(source)
        except StopAsyncIteration:
            ended = True
            if gone:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}
        told.chunks_taken += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.status = message["status"]
            told.headers = {n.decode(): v.decode() for n, v in message["headers"]}
        else:
            told.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": (peer, 4711),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return told


async def _each(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
