"""The rehearsal shares no code with the platforms it imitates, and meets over real HTTP."""

import ast
from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.clock import FastClock, ManualClock
from integrations.http import AsyncClient
from integrations.rehearsal.listening import listening
from integrations.rehearsal.zoom_server import ZoomServer
from tests.integrations.rehearsal.stage import Stage

FOLDER = Path(__file__).parents[3] / "integrations" / "rehearsal"
ALLOWED = ("app.clock", "integrations.http", "integrations.rehearsal")


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem
)
def test_only_the_clock_is_shared(path: Path) -> None:
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(node.module or "")
    ours = {name for name in named if name.partition(".")[0] in ("app", "integrations")}
    assert [name for name in sorted(ours) if not name.startswith(ALLOWED)] == []


@pytest.mark.anyio
async def test_webhooks_travel_over_real_http(clock: ManualClock) -> None:
    heard: list[str] = []
    all_heard = anyio.Event()

    async def receive(request: Request) -> Response:
        heard.append((await request.json())["event"])
        if len(heard) == 4:
            all_heard.set()
        return Response(status_code=204)

    bot = Starlette(routes=[Route("/webhooks/zoom", receive, methods=["POST"])])
    stage = Stage(clock)
    fast = FastClock(clock.now(), 60)
    stage.world.clock = fast
    async with listening(bot) as base, AsyncClient(trust_env=False) as client:
        url = f"{base}/webhooks/zoom"
        server = ZoomServer(stage.world, fast, webhook_url=url, client=client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run)
            stage.world.start_meeting(stage.id)
            with anyio.fail_after(5):
                stage.world.drop_silently(stage.id, "anna")
                await all_heard.wait()
            tasks.cancel_scope.cancel()
    assert sorted(heard) == [
        "meeting.ended",
        "meeting.participant_joined",
        "meeting.participant_left",
        "meeting.started",
    ]
