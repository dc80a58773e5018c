"""The process of one practice: a made-up group, the real service, a pretended call.

``python -m app.practice.room`` with one JSON argument says in one line of JSON where it
listens and with which cookie the learner is signed in. It ends when it is left, after
half an hour, or when whoever started it is gone (its standard input closes).
"""

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from app import logs
from app.clock import SystemClock
from app.practice.call import BORROWED, COLLEAGUE, ME, STRANGER, YOUNG, Call
from app.rehearse.plan import Planned, enter_group, enter_people, enter_session
from app.rehearse.stage import Stage, free_port, on_stage
from app.store import access_rows
from app.web.access import Role
from app.web.pretending import LASTS
from integrations.rehearsal.scene import Scene, load, world_of
from integrations.rehearsal.zoom_server import ZoomServer

TITLE = "Practice"


def made_up() -> Scene:
    """Anna is the learner, Sam the colleague; nothing happens by itself."""
    quiet = load("quiet_evening")
    everybody = load("copied_name").cast
    return replace(
        quiet,
        title=TITLE,
        lead=ME,
        support=(COLLEAGUE,),
        clients=(*YOUNG, BORROWED),
        cast={**everybody, **quiet.cast},
        steps=(),
        promises=(),
    )


async def hold(known_as: str) -> None:
    """One practice, from setting up to its end."""
    clock, left = SystemClock(), asyncio.Event()
    call = Call(clock, left.set)
    start = clock.now().replace(microsecond=0)
    port, scene = free_port(), made_up()
    with tempfile.TemporaryDirectory(prefix="practice-") as folder:
        async with on_stage(
            Path(folder), start, 1.0, port, known_as=known_as, pretend=call
        ) as stage:
            server = await _set_up(stage, scene, call)
            playing = asyncio.create_task(server.run())
            try:
                _say({"port": port, "cookie": _signed_in(stage, call)})
                await _until_over(left)
            finally:
                stage.service.engine.let_pages_go()
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)


async def _set_up(stage: Stage, scene: Scene, call: Call) -> ZoomServer:
    world = world_of(scene, stage.clock, seed=1)
    assert STRANGER in world.people  # noqa: S101 - the cast of the scenes
    server = ZoomServer(
        world, stage.clock, webhook_url=f"{stage.base_url}/webhooks/zoom"
    )
    stage.perform(server)
    known = Planned()
    await enter_people(stage, scene, known)
    await enter_group(stage, scene, known)
    await enter_session(stage, scene, known, stage.clock.now(), {})
    call.begin(world, known.meeting_id, known.links, known.session_id)
    call.learner = known.people[ME]
    return server


def _signed_in(stage: Stage, call: Call) -> str:
    store = stage.service.store
    with store.unit() as db:
        _, cookie = access_rows.open_web_session(
            db, store, call.learner, Role.SESSION_LEAD, stage.clock.now()
        )
    return cookie


async def _until_over(left: asyncio.Event) -> None:
    loop, gone = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(gone), sys.stdin.buffer
    )
    waits = [asyncio.create_task(left.wait()), asyncio.create_task(gone.read())]
    await asyncio.wait(
        waits, timeout=LASTS.total_seconds(), return_when=asyncio.FIRST_COMPLETED
    )
    for task in waits:
        task.cancel()


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play it."""
    logs.set_up("error")
    asyncio.run(hold(json.loads(sys.argv[1])["known_as"]))


if __name__ == "__main__":
    main()
