"""Real HTTP on 127.0.0.1 for a simulated platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from anyio.lowlevel import checkpoint
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ctrl-C belongs to the program around us."""
        yield


@asynccontextmanager
async def listening(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve `app`; yields `http://127.0.0.1:<port>`. Port 0 takes a free one."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,  # the World's own clock writes it
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        while not server.started:
            await checkpoint()
        host, found = server.servers[0].sockets[0].getsockname()[:2]
        try:
            yield f"http://{host}:{found}"
        finally:
            server.should_exit = True
