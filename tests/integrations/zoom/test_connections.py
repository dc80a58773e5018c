"""The call that ends a meeting waits for no other call's connection."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from integrations.rehearsal.listening import listening
from integrations.zoom.wire import new_client

pytestmark = pytest.mark.anyio
HUNG = 120  # more than a client keeps open by default


async def test_an_end_goes_out_beside_any_number_of_hung_looks() -> None:
    hung, all_hang, let_go = 0, asyncio.Event(), asyncio.Event()

    async def zoom(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal hung
        if scope["method"] == "GET":
            hung += 1
            if hung == HUNG:
                all_hang.set()
            await let_go.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(zoom) as address, new_client() as client:
        looks = [
            asyncio.ensure_future(client.get(f"{address}/looks", timeout=20))
            for _ in range(HUNG)
        ]
        await asyncio.wait_for(all_hang.wait(), 15)
        ended = await client.put(f"{address}/end", timeout=5)
        let_go.set()
        await asyncio.gather(*looks)

    assert ended.status_code == 204
