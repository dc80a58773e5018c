"""The servers under load, each a process: ``python -m app.bench.server`` with one JSON
argument.

``bare``: a FastAPI endpoint that only answers, and a template that is only filled.
``reading``: one that takes its body as JSON, and only answers. ``service``: the whole
service on a database with planned sessions. ``rooms``: what Zoom's API would say of the
bench's rooms.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app import logs, serving
from app.bench import bodies
from app.bench.seed import Room, bench_rooms, plant
from app.config import load_settings
from app.main import Service, build
from app.store import access_rows, people
from app.web.access import Role


def bare() -> FastAPI:
    """The yardstick."""
    app = FastAPI(openapi_url=None)

    @app.post("/webhooks/zoom")
    async def answer() -> dict[str, bool]:
        return {"ok": True}

    row = "<li><h3>{{ one }}</h3><p>In since 19:04:10.</p></li>"
    words = "<!doctype html><ul>{% for one in people %}" + row + "{% endfor %}</ul>"
    template = Environment(autoescape=True).from_string(words)

    @app.get("/page", response_class=HTMLResponse)
    async def page(people: int) -> str:
        return template.render(people=[f"Client {n}" for n in range(people)])

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
    clients = given.get("clients", bodies.CLIENTS)
    rooms = bench_rooms(given.get("rooms", 0), clients)
    if "plan" in given:
        plan = json.loads(Path(given["plan"]).read_text())
        rooms = [Room(one["id"], one["registrants"]) for one in plan]
    if not rooms:
        return made
    planted = plant(
        made.store,
        rooms,
        made.clock.now(),
        policy=given.get("policy", {}),
        live_roster=given["live_roster"],
    )
    if "ways_in" in given:
        told = {"session": planted[0], "links": _ways_in(made)}
        Path(given["ways_in"]).write_text(json.dumps(told))
    return made


def _ways_in(made: Service) -> list[str]:
    """A single-use link for each worker."""
    now = made.clock.now()
    with made.store.unit() as db:
        workers = people.listed(db, made.store, kind="worker")
        return [
            access_rows.make_sign_in_link(db, made.store, one.id, Role.WORKER, now)
            for one in workers
        ]


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
        serving.serve(whole.app, listener, whole.lane, whole.engine.let_pages_go)
        return
    # As anybody would serve them: the fast loop and parser, and nothing of ours.
    plain = uvicorn.Config(
        made(), loop="uvloop", http="httptools", access_log=False, log_level="error"
    )
    listener = serving.listen("127.0.0.1", given["port"])
    uvicorn.Server(plain).run(sockets=[listener])


if __name__ == "__main__":
    main()
