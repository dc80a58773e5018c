"""The web server as the service runs it: fast parser, strict limits, no chatter."""

import gc
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn

from app.serving.lane import Lane, LaneProtocol
from app.serving.strict import StrictProtocol

IDLE_SECONDS = 75  # longer than a proxy's own 60, so that it never meets a closed one
GOODBYE_SECONDS = 10
CONNECTIONS = 1000
BACKLOG = 1024

# A third of a busy service's time went into looking through everything that was imported
# for garbage (`chaperone bench --only intake`): what is there at the start is left out,
# and young objects are looked through once in 20,000 instead of 700.
GARBAGE_AFTER = (20_000, 20, 50)
# The store's thread asks for the interpreter around each statement; the default makes it
# and everybody who waits for that commit wait 5 ms each time.
SWITCH_SECONDS = 0.00005


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError with the system's own words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def config_of(
    app: Any,
    *,
    lifespan: bool = True,
    protocol: type[StrictProtocol] = StrictProtocol,
    lane: Lane | None = None,
) -> uvicorn.Config:
    """How the service is served; forwarded headers are app.web.gate's business.

    With a ``lane`` each connection is a LaneProtocol.
    """
    made: Any = protocol if lane is None else partial(LaneProtocol, lane=lane)
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=made,
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )


class Server(uvicorn.Server):
    """``goodbye`` is called when it begins to stop, before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, goodbye: Callable[[], None]) -> None:
        super().__init__(config)
        self._goodbye = goodbye

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_AFTER)
        sys.setswitchinterval(SWITCH_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._goodbye()
        await super().shutdown(sockets)


def serve(
    app: Any, listener: socket.socket, lane: Lane, goodbye: Callable[[], None]
) -> bool:
    """Run until a signal says stop; False when the application did not start.

    ``goodbye`` ends what would stay open for ever, such as the lines of live pages.
    """
    server = Server(config_of(app, lane=lane), goodbye)
    server.run(sockets=[listener])
    return bool(server.started)
