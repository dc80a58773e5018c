"""Every answer of every route carries the headers of assurance §10, whoever asks."""

import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.routing import Mount, Route

from app.web.access import Role
from tests.web.conftest import BASE, Front
from tests.web.reading import restarted, signed_in

pytestmark = pytest.mark.anyio

WANTED = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def addresses(front: Front) -> Iterator[tuple[str, str]]:
    """A request to each route, by each method it takes and one it does not."""
    for route in front.app.routes:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/chaperone.css"
            yield "GET", f"{route.path}/nowhere"
        elif isinstance(route, Route) and not route.path.endswith("/live/events"):
            path = route.path.replace("{session_id}", front.evening.session_id)
            path = re.sub(r"{version[^}]*}", "1", path)
            path = re.sub(r"{[^}]+}", "x", path)
            for method in sorted({*(route.methods or ()), "DELETE"}):
                yield method, path
    yield "GET", "/nowhere"
    yield "GET", "/api/v1/nowhere"


def faults(answer: httpx.Response) -> dict[str, str]:
    """The headers that are not as they should be."""
    wrong = {
        name: answer.headers.get(name, "(none)")
        for name, wanted in WANTED.items()
        if answer.headers.get(name) != wanted
    }
    still = "/static/" in str(answer.url) and answer.status_code == 200
    if not still and answer.headers.get("cache-control") != "no-store":
        wrong["cache-control"] = answer.headers.get("cache-control", "(none)")
    for name in answer.headers:
        if name.startswith("access-control-") or name in ("server", "x-powered-by"):
            wrong[name] = answer.headers[name]
    return wrong


async def test_every_route_has_every_header(front: Front) -> None:
    asked = list(addresses(front))
    async with front.browser() as nobody, signed_in(front, role=Role.WORKER) as anna:
        found = {}
        for client in (nobody, anna.client):
            for method, path in asked:
                answer = await client.request(method, path, headers={"origin": BASE})
                if faults(answer):
                    found[f"{method} {path} {answer.status_code}"] = faults(answer)

    assert len(asked) > 150
    assert found == {}


async def test_what_is_refused_at_the_gate_has_them_too(front: Front) -> None:
    async with front.browser() as eve:
        answers = [
            await eve.get("/", headers={"host": "evil.example"}),
            await eve.request("TRACE", "/"),
            await eve.get("/", headers={"x": "y" * 20_000}),
            await eve.post("/sign-in", content=b"x" * 1_100_000),
        ]

    assert [answer.status_code for answer in answers] == [400, 405, 431, 413]
    assert [faults(answer) for answer in answers] == [{}] * 4


async def test_our_cookies_are_for_this_host_alone(front: Front) -> None:
    link = front.sign_in_link("anna", Role.WORKER)
    async with front.browser() as anna:
        answers = [await anna.get("/sign-in"), await anna.post(link)]
        found = [answer.headers["set-cookie"] for answer in answers]

    for cookie in found:
        name, *parts = [part.strip().lower() for part in cookie.split(";")]
        assert name.startswith("__host-")
        assert {"path=/", "secure", "httponly", "samesite=lax"} <= set(parts)
        assert not any(part.startswith("domain") for part in parts)


async def test_on_this_machine_without_https_there_is_no_promise_of_it(
    front: Front,
) -> None:
    """A rehearsal: a browser would keep a Secure cookie to itself, or refuse it."""
    here = restarted(front, CHAPERONE_BASE_URL="http://127.0.0.1:8000")
    async with here.browser() as anna:
        answer = await anna.get("/sign-in", headers={"host": "127.0.0.1:8000"})

    assert "strict-transport-security" not in answer.headers
    assert "chaperone-before=" in answer.headers["set-cookie"]
    assert "__Host-" not in answer.headers["set-cookie"]
    assert "Secure" not in answer.headers["set-cookie"]
