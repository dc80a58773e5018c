"""The servers under load, each a process: ``python -m app.bench.server`` with one JSON
argument.

``bare``: a FastAPI endpoint that only answers. ``reading``: one that takes its body as
JSON, and only answers. ``service``: the whole service on a database with planned
sessions. ``rooms``: what Zoom's API would say of the bench's rooms.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import logs, serving
from app.bench import bodies
from app.bench.seed import Room, bench_rooms, plant
from app.config import load_settings
from app.main import Service, build


def bare() -> FastAPI:
    """The yardstick."""
    app = FastAPI(openapi_url=None)

    @app.post("/webhooks/zoom")
    async def answer() -> dict[str, bool]:
        return {"ok": True}

    return app


def reading() -> FastAPI:
    """The yardstick with the body read and parsed, as FastAPI's users declare it."""
    app = FastAPI(openapi_url=None)

    @app.post("/webhooks/zoom")
    async def answer(event: dict[str, Any]) -> dict[str, bool]:
        return {"ok": bool(event)}

    return app


def platform() -> Starlette:
    """A Zoom whose bench rooms run, and which has no live list."""

    async def token(_request: Request) -> JSONResponse:
        scopes = "meeting:read:meeting:admin meeting:update:status:admin"
        return JSONResponse(
            {"access_token": "bench", "expires_in": 3600, "scope": scopes}
        )

    async def meeting(request: Request) -> JSONResponse:
        number = int(request.path_params["meeting_id"])
        uuid = bodies.instance(number - bodies.FIRST_MEETING)
        return JSONResponse({"id": number, "uuid": uuid, "status": "started"})

    async def heard(_request: Request) -> Response:
        return Response(status_code=202)

    return Starlette(
        routes=[
            Route("/oauth/token", token, methods=["POST"]),
            Route("/v2/meetings/{meeting_id}", meeting),
            Route("/v2/live_meetings/{meeting_id}/events", heard, methods=["PATCH"]),
        ]
    )


def service(given: dict[str, Any]) -> Service:
    """The shipped service; its sessions are planted before it starts."""
    settings = load_settings(os.environ)
    logs.set_up(settings.log_level)
    made = build(settings)
    rooms = bench_rooms(given.get("rooms", 0))
    if "plan" in given:
        plan = json.loads(Path(given["plan"]).read_text())
        rooms = [Room(one["id"], one["registrants"]) for one in plan]
    plant(
        made.store,
        rooms,
        made.clock.now(),
        policy=given.get("policy", {}),
        live_roster=given["live_roster"],
    )
    return made


def main() -> None:
    """Serve until told to stop."""
    given = json.loads(sys.argv[1])
    known: dict[str, Callable[[], Any]] = {
        "bare": bare,
        "reading": reading,
        "rooms": platform,
    }
    made = known.get(given["what"])
    if made is None:
        whole = service(given)
        listener = serving.listen("127.0.0.1", given["port"])
        serving.serve(whole.app, listener, whole.lane)
        return
    # As anybody would serve them: the fast loop and parser, and nothing of ours.
    plain = uvicorn.Config(
        made(), loop="uvloop", http="httptools", access_log=False, log_level="error"
    )
    listener = serving.listen("127.0.0.1", given["port"])
    uvicorn.Server(plain).run(sockets=[listener])


if __name__ == "__main__":
    main()
