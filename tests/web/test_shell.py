"""Around every request: our own name, limits on the body, headers, the last resort."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.clock import ManualClock
from app.web.app import create_web
from tests.web.conftest import Front, settings
from tests.web.raw import HOST, Pair, Told, speak

pytestmark = pytest.mark.anyio

HEALTH = "/healthz"


async def asked(front: Front, *headers: Pair, **more: Any) -> Told:
    return await speak(front.app, HEALTH, method="GET", headers=headers, **more)


async def test_only_our_own_name_is_served(front: Front) -> None:
    served = (
        b"chaperone.example",
        b"CHAPERONE.example",
        b"chaperone.example:443",
        b"127.0.0.1:8000",
        b"localhost",
        b"[::1]:8000",
    )
    refused = (
        b"evil.example",
        b"evil.example/abc?x=",
        b"chaperone.example:444",
        b"chaperone.example.evil.example",
        b"127.0.0.1.evil.example",
        b"chaperone.example@evil.example",
        b"\xff",
        b"",
    )
    answers = {host: await asked(front, (b"host", host)) for host in served + refused}

    assert {answers[host].status for host in served} == {200}
    assert {answers[host].status for host in refused} == {400}
    assert len({answers[host].body for host in refused}) == 1


async def test_headers_have_an_end(front: Front) -> None:
    room = 16_384 - sum(map(len, HOST)) - 1
    most = await asked(front, HOST, (b"x", b"y" * room))
    more = await asked(front, HOST, (b"x", b"y" * (room + 1)))
    hundred = await asked(front, HOST, *[(b"x", b"y")] * 99)
    many = await asked(front, HOST, *[(b"x", b"y")] * 100)

    assert [t.status for t in (most, more, hundred, many)] == [200, 431, 200, 431]


async def test_no_host_or_two_are_refused(front: Front) -> None:
    assert (await asked(front)).status == 400
    assert (await asked(front, HOST, HOST)).status == 400


async def test_a_whole_address_as_path_is_refused(front: Front) -> None:
    told = await speak(front.app, "http://evil.example/healthz", method="GET")

    assert told.status == 400


async def test_strange_methods_are_off(front: Front) -> None:
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        told = await speak(front.app, HEALTH, method=method)
        assert told.status == 405
        assert told.headers["allow"]


async def test_every_answer_carries_the_security_headers(front: Front) -> None:
    async with front.browser() as nobody:
        answers = [
            await nobody.get("/healthz"),
            await nobody.get("/api/v1/people"),
            await nobody.get("/nowhere"),
            await nobody.get("/"),
            await nobody.post("/webhooks/skype"),
            await nobody.get("/healthz", headers={"host": "evil.example"}),
        ]
        style = await nobody.get("/static/chaperone.css")

    for answer in [*answers, style]:
        told = answer.headers
        assert "default-src 'none'" in told["content-security-policy"]
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert "unsafe" not in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
        assert told["referrer-policy"] == "no-referrer"
        assert told["strict-transport-security"].startswith("max-age=63072000")
        assert told["cross-origin-opener-policy"] == "same-origin"
        assert told["cross-origin-embedder-policy"] == "require-corp"
        assert told["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in told
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


async def test_without_https_no_promise_of_https(front: Front) -> None:
    one = front.evening
    app = create_web(
        settings(CHAPERONE_BASE_URL="http://127.0.0.1:8000"),
        one.engine,
        one.store,
        one.clock,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8000"
    ) as nobody:
        answer = await nobody.get("/healthz")

    assert "strict-transport-security" not in answer.headers


# --- the body ---------------------------------------------------------------------


async def test_too_much_is_cut_before_the_rest_is_read(front: Front) -> None:
    lying = [HOST, (b"content-length", b"10")]
    for headers in ([HOST, (b"transfer-encoding", b"chunked")], lying):
        chunks = [b"x" * 65_536] * 100
        told = await speak(front.app, "/webhooks/zoom", chunks, headers=headers)

        assert told.status == 413
        assert told.chunks_taken == 5
        assert told.headers["connection"] == "close"


async def test_too_much_announced_is_not_read_at_all(front: Front) -> None:
    for length in (b"262145", b"99999999999999999999999999", b"-1", b"1e3", b"x"):
        told = await speak(
            front.app,
            "/webhooks/zoom",
            [b"x"] * 10,
            headers=[HOST, (b"content-length", length)],
        )
        assert (told.status, told.chunks_taken) == (413, 0)


async def test_too_much_in_one_piece_is_refused(front: Front) -> None:
    for path, limit in (("/webhooks/skype", 256 * 1024), ("/api/v1/people", 1024**2)):
        chunked = [HOST, (b"transfer-encoding", b"chunked")]
        most = await speak(front.app, path, headers=chunked, whole=b"x" * limit)
        more = await speak(front.app, path, headers=chunked, whole=b"x" * (limit + 1))

        assert most.status in (401, 404)
        assert more.status == 413


async def test_compressed_bodies_are_not_opened(front: Front) -> None:
    for encoding, status in ((b"gzip", 415), (b"br", 415), (b"identity", 401)):
        told = await speak(
            front.app,
            "/api/v1/people",
            [b"x"],
            headers=[HOST, (b"content-encoding", encoding)],
        )
        assert told.status == status


async def test_a_form_of_fifty_megabytes_is_not_read(front: Front) -> None:
    told = await speak(
        front.app, "/sign-out", headers=[HOST, (b"content-length", b"52428800")]
    )

    assert told.status == 413


async def test_who_hangs_up_in_the_middle_gets_no_answer(front: Front) -> None:
    told = await speak(front.app, "/webhooks/zoom", [b"half"], gone=True)

    assert told.status == 0


async def test_a_slow_body_is_given_up_after_ten_seconds(
    front: Front, clock: ManualClock
) -> None:
    async def one_byte_a_second() -> AsyncIterator[bytes]:
        while True:
            await clock.sleep(1)
            yield b"x"

    slow = Told()
    others: list[int] = []

    async def drip() -> None:
        nonlocal slow
        slow = await speak(front.app, "/webhooks/zoom", one_byte_a_second())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drip)
        await clock.elapse(timedelta(seconds=9.9))
        others.append(
            (await speak(front.app, HEALTH, method="GET", headers=[HOST])).status
        )
        assert slow.status == 0
        await clock.elapse(timedelta(seconds=0.2))

    assert (slow.status, slow.headers["connection"]) == (408, "close")
    assert slow.chunks_taken == 9
    assert others == [200]


# --- the last resort, and who really called ---------------------------------------


async def test_what_nobody_foresaw_is_told_by_a_number(front: Front) -> None:
    async def broken(_request: Request) -> Response:
        raise RuntimeError("Canary Ben")

    async def breaks_off(_request: Request) -> Response:
        async def words() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("Canary Ben")

        return StreamingResponse(words())

    front.app.router.routes.append(Route("/broken", broken))
    front.app.router.routes.append(Route("/breaks-off", breaks_off))

    told = await speak(front.app, "/broken", method="GET")
    half = await speak(front.app, "/breaks-off", method="GET")

    assert told.status == 500
    assert b"Number for the log: " in told.body
    assert b"Canary" not in told.body
    assert told.headers["content-security-policy"]
    assert half.body == b"begun"
    assert front.app.state.house.counts.answers["(none)", 500] == 1


async def where_from(front: Front, trusted: str, peer: str, *headers: Pair) -> Any:
    """What the application believes about address and scheme."""
    one = front.evening
    app = create_web(
        settings(**({"CHAPERONE_TRUSTED_PROXIES": trusted} if trusted else {})),
        one.engine,
        one.store,
        one.clock,
    )

    async def tell(request: Request) -> Response:
        client = request.client
        assert client is not None
        return PlainTextResponse(f"{client.host} {request.url.scheme}")

    app.router.routes.insert(0, Route("/who", tell))
    told = await speak(app, "/who", method="GET", headers=[HOST, *headers], peer=peer)
    return told.body.decode()


SPOOFED: tuple[Pair, ...] = (
    (b"x-forwarded-for", b"203.0.113.9"),
    (b"x-forwarded-proto", b"https"),
    (b"forwarded", b"for=203.0.113.8;proto=https"),
)


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "believed"),
    [
        ("", "192.0.2.7", SPOOFED, "192.0.2.7 http"),
        ("10.0.0.0/8", "192.0.2.7", SPOOFED, "192.0.2.7 http"),
        ("10.0.0.0/8", "10.0.0.1", SPOOFED, "203.0.113.9 https"),
        ("10.0.0.0/8", "10.0.0.1", (), "10.0.0.1 http"),
        (
            "10.0.0.0/8",
            "10.0.0.1",
            ((b"x-forwarded-for", b"127.0.0.1, 203.0.113.9, 10.0.0.2"),),
            "203.0.113.9 http",
        ),
        (
            "10.0.0.0/8",
            "10.0.0.1",
            ((b"x-forwarded-for", b"evil"), (b"x-forwarded-proto", b"gopher")),
            "10.0.0.1 http",
        ),
    ],
)
async def test_only_a_configured_proxy_is_believed(
    front: Front, trusted: str, peer: str, headers: tuple[Pair, ...], believed: str
) -> None:
    assert await where_from(front, trusted, peer, *headers) == believed
