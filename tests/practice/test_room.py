"""A whole practice in its own process: set up, a call, an alarm, left and forgotten."""

import re

import pytest

from app.practice.hall import Hall
from integrations.http import ASGITransport, AsyncClient, Response
from tests.practice.test_hall import real

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:8000"


async def test_a_practice_from_its_beginning_to_its_end() -> None:
    hall = Hall(BASE)
    cookie = await hall.begin("anna")
    transport = ASGITransport(app=hall.around(real))
    async with AsyncClient(
        transport=transport,
        base_url=BASE,
        cookies={"chaperone-practice": cookie},
        follow_redirects=True,
    ) as anna:

        async def press(path: str, **fields: str) -> Response:
            page = await anna.get("/practise/call")
            [csrf, *_] = re.findall(r'name="csrf" value="([^"]+)"', page.text)
            [key, *_] = re.findall(r'name="key" value="([^"]+)"', page.text)
            answer = await anna.post(
                path,
                data={"csrf": csrf, "key": key, **fields},
                headers={"origin": BASE, "sec-fetch-site": "same-origin"},
            )
            assert answer.status_code == 200, answer.text
            return answer

        home = (await anna.get("/")).text
        assert "Nothing here is real" in home
        assert "Test mode" not in home
        call = (await press("/practise/call", what="come", who="anna")).text
        assert "Anna Price" in call
        [live] = set(re.findall(r'href="(/sessions/[^"]+/live)"', call))
        assert "Verified worker" in (await anna.get(live)).text

        left, *_ = (await press("/practise/leave")).history
        assert left.headers["location"] == "/practise?over=1"
        gone = left.headers["set-cookie"]
        assert gone.startswith('chaperone-practice=""; ')
        assert "Max-Age=0" in gone

    [room] = hall._rooms.values()
    assert await room.process.wait() == 0
    await hall.close()
