"""Server-sent events: a number whenever the session changed, a beat while it does not.

The page fetches its changed part itself, so that a stream carries no names
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from app.web import access
from app.web.pages.visit import Visit

BEAT_SECONDS = 1.5
ACCESS_EVERY = 15


async def events(visit: Visit) -> Response:
    """``GET /sessions/{id}/live/events``."""
    return StreamingResponse(
        stream(visit, BEAT_SECONDS),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def stream(visit: Visit, beat: float) -> AsyncIterator[str]:
    """``version`` and ``beat`` events, until the access, the engine or the browser ends.

    The beat is real time, not the session's clock: the browser counts its own seconds
    until it says that the connection is lost.
    """
    versions = visit.house.engine.changes(visit.session_id)
    following = asyncio.ensure_future(anext(versions))
    turns = 0
    try:
        yield "retry: 1000\n\n"
        while True:
            await asyncio.wait({following}, timeout=beat)
            if not following.done():
                yield "event: beat\ndata: .\n\n"
            else:
                try:
                    version = following.result()
                except StopAsyncIteration:
                    return
                yield f"event: version\ndata: {version}\n\n"
                following = asyncio.ensure_future(anext(versions))
            turns += 1
            if turns % ACCESS_EVERY == 0 and await _signed_out(visit):
                yield "event: signed-out\ndata: .\n\n"
                return
    finally:
        following.cancel()


async def _signed_out(visit: Visit) -> bool:
    """Whether the access ended meanwhile (S03: within 60 s)."""
    return await access.visitor(visit.request) is None
