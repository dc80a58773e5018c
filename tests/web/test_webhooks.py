"""The road of every safety fact: durable before the answer, the same words for everybody."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.clock import ManualClock
from app.main import Service, build
from app.store.database import Store
from tests.web.conftest import BASE, settings

pytestmark = pytest.mark.anyio

HOOK = "/webhooks/zoom"


@pytest.fixture
async def service(clock: ManualClock, store: Store) -> AsyncIterator[Service]:
    made = build(settings(), clock=clock, store=store)
    yield made
    await made.engine.stop()
    for platform in made.platforms.values():
        await platform.close()


def zoom(service: Service) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(service.app)
    return httpx.AsyncClient(transport=transport, base_url=BASE)


def event(name: str = "meeting.started", **more: Any) -> bytes:
    thing = {
        "id": "81000000019",
        "uuid": "eigRfbCZRTK==",
        "host_id": "zoom-anna",
        "topic": "Canary Ben",
        "start_time": "2026-11-17T18:50:00Z",
    }
    payload = {"account_id": "account", "object": thing | more}
    return json.dumps(
        {"event": name, "event_ts": 1795287000000, "payload": payload}
    ).encode()


def signed(
    clock: ManualClock, body: bytes, secret: str = "webhook-secret"
) -> dict[str, str]:
    stamp = str(int(clock.now().timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, "sha256")
    return {
        "content-type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={digest.hexdigest()}",
    }


def rows(service: Service, table: str) -> int:
    with service.store.unit() as db:
        return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


async def test_an_event_is_kept_once_however_often_it_comes(
    service: Service, clock: ManualClock
) -> None:
    body = event()
    async with zoom(service) as client:
        first = await client.post(HOOK, content=body, headers=signed(clock, body))
        at_once = await asyncio.gather(
            *(
                client.post(HOOK, content=body, headers=signed(clock, body))
                for _ in range(5)
            )
        )

    assert (first.status_code, first.content) == (204, b"")
    assert {answer.status_code for answer in at_once} == {204}
    assert (rows(service, "log"), rows(service, "deliveries")) == (1, 1)


async def test_zooms_question_is_answered_and_not_stored(
    service: Service, clock: ManualClock
) -> None:
    body = json.dumps(
        {"event": "endpoint.url_validation", "payload": {"plainToken": "q" * 20}}
    ).encode()
    async with zoom(service) as client:
        answer = await client.post(HOOK, content=body, headers=signed(clock, body))

    proof = hmac.new(b"webhook-secret", b"q" * 20, "sha256").hexdigest()
    assert answer.status_code == 200
    assert answer.json() == {"plainToken": "q" * 20, "encryptedToken": proof}
    assert rows(service, "deliveries") == 0


async def test_who_is_refused_hears_the_same_and_changes_nothing(
    service: Service, clock: ManualClock
) -> None:
    body = event()
    right = signed(clock, body)
    stamp, signature = right["x-zm-request-timestamp"], right["x-zm-signature"]
    cases = {
        "no signature": ({"content-type": right["content-type"]}, body, 401),
        "wrong key": (signed(clock, body, "guessed"), body, 401),
        "other bytes": (right, body + b" ", 401),
        "upper case": (right | {"x-zm-signature": signature.upper()}, body, 401),
        "old": (right | {"x-zm-request-timestamp": "1"}, body, 401),
        "odd time": (right | {"x-zm-request-timestamp": f" {stamp}"}, body, 401),
        "empty": (signed(clock, b""), b"", 400),
        "deep": (signed(clock, b"[" * 100_000), b"[" * 100_000, 400),
        "text": (right | {"content-type": "text/plain"}, body, 415),
        "gzip": (right | {"content-encoding": "gzip"}, body, 415),
        "large": (right, b"x" * (256 * 1024 + 1), 413),
    }
    async with zoom(service) as client:
        answers = {
            name: await client.post(HOOK, content=content, headers=headers)
            for name, (headers, content, _) in cases.items()
        }

    assert {name: a.status_code for name, a in answers.items()} == {
        name: status for name, (_, _, status) in cases.items()
    }
    assert (
        len({a.content for a in answers.values() if a.status_code in (400, 401)}) == 1
    )
    assert not any("Ben" in a.text or "x-zm" in a.text for a in answers.values())
    assert rows(service, "log") == 0


async def test_refusals_are_counted_by_kind(
    service: Service, clock: ManualClock
) -> None:
    async with zoom(service) as client:
        for _ in range(3):
            await client.post(HOOK, content=event(), headers=signed(clock, b"other"))
        counts = (await client.get("/metrics")).text

    assert 'chaperone_refused_total{where="zoom",why="sig_wrong"} 3.0' in counts
    assert 'route="/webhooks/{platform:path}",status="401"} 3.0' in counts


async def test_a_body_of_exactly_the_limit_is_read(
    service: Service, clock: ManualClock
) -> None:
    body = event(topic="x" * 100)
    body += b" " * (256 * 1024 - len(body))
    async with zoom(service) as client:
        answer = await client.post(HOOK, content=body, headers=signed(clock, body))

    assert answer.status_code == 204


async def test_what_cannot_be_stored_comes_again(
    service: Service, clock: ManualClock
) -> None:
    body = event()
    with service.store.unit() as db:
        db.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))
    async with zoom(service) as client:
        lost = await client.post(HOOK, content=body, headers=signed(clock, body))
        assert (lost.status_code, lost.headers["retry-after"]) == (503, "5")
        assert lost.json() == {"error": "later"}
        assert rows(service, "log") == 0

        with service.store.unit() as db:
            db.execute(text("ALTER TABLE elsewhere RENAME TO deliveries"))
        again = await client.post(HOOK, content=body, headers=signed(clock, body))

    assert again.status_code == 204
    assert (rows(service, "log"), rows(service, "deliveries")) == (1, 1)


@pytest.mark.parametrize("path", ["skype", "zoom/", "zoom/x", "../zoom", ""])
async def test_only_platforms_that_are_switched_on(
    service: Service, clock: ManualClock, path: str
) -> None:
    body = event()
    async with zoom(service) as client:
        answer = await client.post(
            f"/webhooks/{path}", content=body, headers=signed(clock, body)
        )

    assert answer.status_code in (404, 405)
    assert rows(service, "log") == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_told_which_one(service: Service, method: str) -> None:
    async with zoom(service) as client:
        answer = await client.request(method, HOOK)

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]


async def test_a_method_cannot_be_smuggled(
    service: Service, clock: ManualClock
) -> None:
    async with zoom(service) as client:
        answer = await client.get(HOOK, headers={"x-http-method-override": "POST"})

    assert answer.status_code == 405
