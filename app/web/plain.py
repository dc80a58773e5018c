"""An answer before anything else has run: the same short text for everybody."""

from collections.abc import Iterable

from starlette.types import Send

Pair = tuple[bytes, bytes]


async def plain_answer(
    send: Send, status: int, text: str, headers: Iterable[Pair] = ()
) -> None:
    """A short text, the same for everybody; nothing of the request in it."""
    body = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
