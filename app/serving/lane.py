"""A lane of its own for webhooks: from the parser to the engine without ASGI.

Task, scope, layers and events of an ASGI request cost more than verifying, reading,
sealing and storing the fact it brings (docs/decisions/0013). Only a request that needs none
of them takes the lane; every other, and everything odd, goes the ordinary road, which
answers with the same bytes (tests/web/test_lane.py).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from app.serving.strict import StrictProtocol
from app.serving.whole import read_whole

Pair = tuple[bytes, bytes]
# (status, header lines as they stand on the wire, body)
Answer = Callable[[int, bytes, bytes], None]


class Lane(Protocol):
    """Who takes the requests; app.web.webhooks.ShortRoad."""

    def takes(self, url: bytes, headers: Sequence[Pair]) -> bool:
        """Whether a POST of this kind may come this way; its body is at most 64 KiB."""

    def drive(
        self, url: bytes, headers: Sequence[Pair], body: bytes, answer: Answer
    ) -> None:
        """Receive it; ``answer`` is called once, now or later. Raises nothing."""

    def too_slow(self, answer: Answer) -> None:
        """The body did not come in time."""


class _Never(asyncio.Event):
    """Nobody waits for parts of a request in the lane."""

    def set(self) -> None:
        """Wake nobody."""


_NEVER = _Never()


class _Turn:
    """Stands in the place of uvicorn's own cycle until the answer is written, so that
    what is sent behind it waits, and a stopping server waits for it."""

    __slots__ = (
        "body", "disconnected", "headers", "keep_alive", "message_event", "more_body",
        "response_complete", "url",
    )  # fmt: skip

    def __init__(
        self, url: bytes, headers: Sequence[Pair], *, keep_alive: bool
    ) -> None:
        self.url = url
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.message_event: asyncio.Event = _NEVER


class LaneProtocol(StrictProtocol):
    """One connection; what the lane takes is answered without a task of its own."""

    def __init__(
        self,
        config: Any,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        lane: Lane,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._lane = lane
        self._turn: _Turn | None = None
        # The parser holds nothing of a request, and never saw but the lane's.
        self._between = True
        self._idle_since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._between and self._take_whole(data):
            return
        super().data_received(data)
        waits = self._turn is not None and not self.transport.is_closing()
        if waits and self._give_up is None:
            self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._turn = None
        super().connection_lost(exc)

    def _take_whole(self, data: bytes) -> bool:
        """Whether it was a whole request for the lane; the parser does not see it then."""
        if not self._has_room() or self.transport.is_closing():
            return False
        request = read_whole(data)
        if request is None or not self._lane.takes(request.url, request.headers):
            return False
        self._in_head = False
        self._lose_patience()
        turn = _Turn(request.url, request.headers, keep_alive=True)
        turn.more_body = False
        self.cycle = turn  # type: ignore[assignment]
        answer = partial(self._answer, turn)
        self._lane.drive(request.url, request.headers, request.body, answer)
        return True

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if not self._may_turn():
            super().on_headers_complete()
            return
        self._read_head()
        self._lose_patience()
        keep_alive = self.parser.should_keep_alive()
        turn = _Turn(self.url, self.headers, keep_alive=keep_alive)
        self._turn = turn
        self.cycle = turn  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        super().on_message_complete()
        turn, self._turn = self._turn, None
        if turn is not None:
            self._between = turn.keep_alive
            self._lose_patience()
            answer = partial(self._answer, turn)
            self._lane.drive(turn.url, turn.headers, bytes(turn.body), answer)

    def _may_turn(self) -> bool:
        return (
            self._lane.takes(self.url, self.headers)
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and self._has_room()
        )

    def _has_room(self) -> bool:
        """Whether one more may be taken, here and in the whole service."""
        most = self.limit_concurrency
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and (most is None or max(len(self.connections), len(self.tasks)) < most)
        )

    def _answer(self, turn: _Turn, status: int, head: bytes, body: bytes) -> None:
        turn.response_complete = True
        if turn.disconnected or self.transport.is_closing():
            return
        first = STATUS_LINE[status]
        for name, value in self.server_state.default_headers:
            first += name + b": " + value + b"\r\n"
        if b"connection: close\r\n" in head:
            turn.keep_alive = False
        elif not turn.keep_alive:
            head += b"connection: close\r\n"
        self.transport.write(first + head + b"\r\n" + body)
        if not turn.keep_alive:
            self.transport.close()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None or self.pipeline:
            self.on_response_complete()
        else:
            # One timer for many requests: it looks how long nothing came.
            self.server_state.total_requests += 1
            self.flow.resume_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Close what was idle too long; come back when something came meanwhile."""
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return  # Its answer sets the timer anew.
        idle = self.loop.time() - self._idle_since
        left = self.timeout_keep_alive - idle
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def _close_slow(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            super()._close_slow()
            return
        self._give_up = None
        self._lane.too_slow(partial(self._answer, turn))
