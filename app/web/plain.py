"""An answer before anything else has run: the same short text for everybody."""

from collections.abc import Iterable

from starlette.types import Send

Pair = tuple[bytes, bytes]
# Status, body, headers.
Answer = tuple[int, bytes, list[Pair]]


def plain(status: int, text: str, headers: Iterable[Pair] = ()) -> Answer:
    """A short text, the same for everybody; nothing of the request in it."""
    body = text.encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    length = (b"content-length", str(len(body)).encode())
    return status, body, [kind, length, *headers]


async def plain_answer(
    send: Send, status: int, text: str, headers: Iterable[Pair] = ()
) -> None:
    """Send :func:`plain`."""
    await send_answer(send, plain(status, text, headers))


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer."""
    status, body, headers = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
