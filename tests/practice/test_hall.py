"""The way of a browser to its practice, and of all others to what is real."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.practice.hall import FULL, LONGEST_BODY, NO_START, Hall
from app.web.pretending import PracticeRefused
from integrations.http import ASGITransport, AsyncClient, Response
from integrations.rehearsal.listening import listening

pytestmark = pytest.mark.anyio

BASE = "https://charity.example"
COOKIE = "__Host-chaperone-practice"
SAYS = (
    "import json, sys; print(json.dumps({{'port': {port}, 'cookie': 'theirs'}}), flush=True);"
    "sys.stdin.read()"
)


async def real(scope: Scope, _receive: Receive, send: Send) -> None:
    await _answer(send, b"real " + scope["path"].encode())


async def pretended(scope: Scope, _receive: Receive, send: Send) -> None:
    """Says what it was sent; gives cookies of every kind."""
    sent = sorted((k.decode(), v.decode()) for k, v in scope["headers"])
    said = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "sent": sent,
    }
    cookies = [
        (b"set-cookie", b"__Host-chaperone=new; Path=/; Secure; HttpOnly"),
        (b"set-cookie", b"__Host-chaperone-known=xyz; Path=/"),
    ]
    await _answer(send, json.dumps(said).encode(), cookies)


async def signs_out(_scope: Scope, _receive: Receive, send: Send) -> None:
    gone = (b"set-cookie", b'__Host-chaperone=""; Max-Age=0; Path=/')
    left = (b"set-cookie", b'__Host-chaperone-practice=""; Max-Age=0; Path=/')
    await _answer(send, b"", [gone, left])


async def _answer(send: Send, body: bytes, headers: object = ()) -> None:
    begun = {"type": "http.response.start", "status": 200, "headers": list(headers)}  # type: ignore[call-overload]
    await send(begun)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def hall_before(app: object = pretended, most: int = 3) -> AsyncIterator[Hall]:
    """A hall whose practices are all served by this application."""
    async with listening(app) as url:  # type: ignore[arg-type]
        says = SAYS.format(port=url.rpartition(":")[2])
        hall = Hall(BASE, program=(sys.executable, "-c", says), most=most)
        yield hall
        await hall.close()


async def ask(
    hall: Hall, path: str, cookie: str = "", *, body: bytes | None = None
) -> Response:
    headers = {"cookie": f"__Host-chaperone=real-one; {COOKIE}={cookie}"}
    transport = ASGITransport(app=hall.around(real))
    async with AsyncClient(transport=transport, base_url=BASE) as client:
        return await client.request(
            "GET" if body is None else "POST",
            path,
            headers=headers if cookie else {},
            content=body,
        )


async def test_who_practises_is_led_there_and_the_real_sign_in_stays_here() -> None:
    async with hall_before() as hall:
        cookie = await hall.begin("anna")
        answer = await ask(hall, "/sessions/1/live?at=2", cookie)

    said = answer.json()
    assert (said["path"], said["query"]) == ("/sessions/1/live", "at=2")
    assert ["cookie", "__Host-chaperone=theirs"] in said["sent"]
    assert "real-one" not in answer.text
    name = cookie.partition(".")[0]
    assert answer.headers.get_list("set-cookie") == [
        f"{COOKIE}={name}.new; Path=/; Secure; HttpOnly"
    ]


async def test_everybody_else_goes_on() -> None:
    async with hall_before() as hall:
        cookie = await hall.begin("anna")
        nobody = await ask(hall, "/sessions/1/live")
        webhook = await ask(hall, "/webhooks/zoom", cookie)
        program = await ask(hall, "/api/v1/people", cookie)

    assert [one.text for one in (nobody, webhook, program)] == [
        "real /sessions/1/live",
        "real /webhooks/zoom",
        "real /api/v1/people",
    ]


@pytest.mark.parametrize("cookie", ["nonsense", "other.theirs", "."])
async def test_a_practice_that_is_over_leads_back(cookie: str) -> None:
    async with hall_before() as hall:
        await hall.begin("anna")
        answer = await ask(hall, "/", cookie)

    assert (answer.status_code, answer.headers["location"]) == (303, "/practise?over=1")
    gone = answer.headers["set-cookie"]
    assert gone.startswith(f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly")
    assert gone.endswith("Secure")


async def test_leaving_takes_the_cookie_away() -> None:
    async with hall_before(signs_out) as hall:
        answer = await ask(hall, "/sign-out", await hall.begin("anna"), body=b"")

    assert answer.headers.get_list("set-cookie") == [
        f'{COOKIE}=""; Max-Age=0; Path=/',
        f'{COOKIE}=""; Max-Age=0; Path=/',
    ]


async def test_a_process_that_died_leads_back_too() -> None:
    async with hall_before() as hall:
        cookie = await hall.begin("anna")
        [room] = hall._rooms.values()
        room.process.kill()
        await room.process.wait()
        assert (await ask(hall, "/", cookie)).status_code == 303


async def test_no_more_than_so_many_at_once_and_again_when_one_is_over() -> None:
    async with hall_before(most=1) as hall:
        await hall.begin("anna")
        with pytest.raises(PracticeRefused) as refused:
            await hall.begin("sam")
        assert str(refused.value) == FULL
        [room] = hall._rooms.values()
        room.process.kill()
        await room.process.wait()
        assert await hall.begin("sam")


async def test_who_begins_anew_leaves_the_last_one_behind() -> None:
    async with hall_before(most=1) as hall:
        first = await hall.begin("anna")
        [room] = hall._rooms.values()
        second = await hall.begin("anna")

        assert room.process.returncode is not None
        assert (await ask(hall, "/", first)).status_code == 303
        assert (await ask(hall, "/", second)).status_code == 200


async def test_one_that_says_much_is_not_stopped_by_it() -> None:
    much = "print('x' * 200_000, flush=True);"
    async with hall_before() as hall:
        says = hall._program[2].replace("sys.stdin.read()", much + "sys.stdin.read()")
        hall._program = (*hall._program[:2], says)
        await hall.begin("anna")
        [room] = hall._rooms.values()
        assert room.process.stdin is not None
        room.process.stdin.close()
        assert len(await room.reading) > 200_000


@pytest.mark.parametrize("program", ["print('no json')", "", "print('{}')"])
async def test_one_that_does_not_start_is_told_in_a_sentence(program: str) -> None:
    hall = Hall(BASE, program=(sys.executable, "-c", program))
    with pytest.raises(PracticeRefused) as refused:
        await hall.begin("anna")
    assert str(refused.value) == NO_START
    assert hall._rooms == {}


@pytest.mark.parametrize(
    ("size", "status"), [(LONGEST_BODY, 200), (LONGEST_BODY + 1, 413)]
)
async def test_what_is_sent_on_has_a_limit(size: int, status: int) -> None:
    async with hall_before() as hall:
        cookie = await hall.begin("anna")
        answer = await ask(hall, "/practise/call", cookie, body=b"x" * size)
    assert answer.status_code == status


async def test_its_secrets_are_not_given_to_the_practice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAPERONE_SECRET_KEY", "secret")
    program = (
        "import os, json; known = 'CHAPERONE_SECRET_KEY' in os.environ;"
        "print(json.dumps({'port': 1, 'cookie': str(known)}))"
    )
    hall = Hall(BASE, program=(sys.executable, "-c", program))
    assert (await hall.begin("anna")).endswith(".False")
    await hall.close()


async def raw(
    hall: Hall, raw_path: bytes, cookie: bytes, sent: list[Message]
) -> list[Message]:
    """What is answered to a request as the server hands it on, however odd."""
    told: list[Message] = []
    waiting = iter(sent)
    never = asyncio.Event()

    async def receive() -> Message:
        for message in waiting:
            return message
        await never.wait()
        raise AssertionError

    async def send(message: Message) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": raw_path.decode("latin-1"),
        "raw_path": raw_path,
        "query_string": b"",
        "headers": [(b"cookie", cookie)],
    }
    await hall.around(real)(scope, receive, send)
    return told


WHOLE: Message = {"type": "http.request", "body": b"a=1", "more_body": False}
HALF: Message = {"type": "http.request", "body": b"a=", "more_body": True}
GONE: Message = {"type": "http.disconnect"}


@pytest.mark.parametrize(
    "other", ['a={"b": 1}; ', "odd name=1; ", "x@y=[1,2]; ", ";; "]
)
async def test_an_odd_cookie_beside_it_does_not_lead_to_what_is_real(
    other: str,
) -> None:
    async with hall_before() as hall:
        cookie = f"{other}{COOKIE}={await hall.begin('anna')}".encode()
        told = await raw(hall, b"/sessions", cookie, [WHOLE])
    assert b"theirs" in b"".join(one.get("body", b"") for one in told)


@pytest.mark.parametrize("path", [b"@elsewhere.example/", b"*", b"http://elsewhere/"])
async def test_no_path_names_another_machine(path: bytes) -> None:
    async with hall_before() as hall:
        cookie = f"{COOKIE}={await hall.begin('anna')}".encode()
        told = await raw(hall, path, cookie, [WHOLE])
    assert [one.get("status") for one in told] == [400, None]


async def test_half_a_form_is_not_passed_on() -> None:
    asked: list[str] = []

    async def noting(scope: Scope, _receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await _answer(send, b"")

    async with hall_before(noting) as hall:
        cookie = f"{COOKIE}={await hall.begin('anna')}".encode()
        assert await raw(hall, b"/practise/call", cookie, [HALF, GONE]) == []
        assert asked == []


async def test_one_that_is_still_starting_when_the_service_stops_is_ended() -> None:
    says = SAYS.format(port=1)
    hall = Hall(BASE, program=(sys.executable, "-c", says))
    starting = asyncio.create_task(hall.begin("anna"))
    await asyncio.wait([starting], timeout=0)
    assert hall._starting == 1
    await hall.close()
    with pytest.raises(PracticeRefused):
        await starting
    assert hall._rooms == {}


async def test_practices_end_when_the_service_begins_to_stop() -> None:
    """Before the server waits for open lines, of which a live page of a practice is one."""
    async with hall_before() as hall:
        await hall.begin("anna")
        [room] = hall._rooms.values()
        hall.let_go()
        async with asyncio.timeout(10):
            assert await room.process.wait() == 0
        with pytest.raises(PracticeRefused):
            await hall.begin("sam")
