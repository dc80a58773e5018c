"""Webhooks are signed like Zoom's and come again on Zoom's schedule."""

import hashlib
import hmac
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.clock import ManualClock
from integrations.http import (
    AsyncClient,
    ConnectError,
    MockTransport,
    Request,
    Response,
)
from integrations.rehearsal.courier import signature
from integrations.rehearsal.faults import Faults, Window
from integrations.rehearsal.zoom_server import ZoomServer
from tests.integrations.rehearsal.stage import Stage

PAYLOADS = Path(__file__).parents[2] / "payloads" / "zoom"
pytestmark = pytest.mark.anyio


class Bot:
    """A receiver that answers what the test says and keeps what it heard."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.heard: list[tuple[str, Request]] = []

    def client(self) -> AsyncClient:
        return AsyncClient(transport=MockTransport(self._answer), base_url="http://bot")

    def _answer(self, request: Request) -> Response:
        body = json.loads(request.content)
        self.heard.append((body["event"], request))
        status = self.statuses.pop(0) if self.statuses else 204
        if status is None:
            raise ConnectError("refused")
        return Response(status)

    def events(self) -> list[str]:
        return [event for event, _ in self.heard]


def platform(stage: Stage, bot: Bot, **more: Any) -> ZoomServer:
    return ZoomServer(
        stage.world,
        stage.clock,
        webhook_url="/webhooks/zoom",
        client=bot.client(),
        **more,
    )


@pytest.mark.parametrize(
    "vector", json.loads((PAYLOADS / "signed_vectors.json").read_bytes())["vectors"]
)
async def test_signatures_equal_the_vectors(vector: dict[str, Any]) -> None:
    body = (PAYLOADS / vector["body_file"]).read_bytes()
    headers = vector["headers"]
    made = signature(
        "sample-secret-token-not-real", headers["x-zm-request-timestamp"], body
    )
    assert made == headers["x-zm-signature"]


async def test_a_webhook_is_signed_over_the_bytes_that_are_sent(stage: Stage) -> None:
    bot = Bot()
    server = platform(stage, bot)
    stage.world.start_meeting(stage.id)
    assert await server.deliver() == 2
    event, request = bot.heard[0]
    assert event == "meeting.started"
    timestamp = request.headers["x-zm-request-timestamp"]
    assert timestamp == str(int(stage.clock.now().timestamp()))
    text = f"v0:{timestamp}:".encode() + request.content
    secret = stage.account.webhook_secret.encode()
    wanted = "v0=" + hmac.new(secret, text, hashlib.sha256).hexdigest()
    assert request.headers["x-zm-signature"] == wanted


@pytest.mark.parametrize("bad", [None, 500, 503])
async def test_no_answer_or_500_is_tried_again_after_5_25_and_85_minutes(
    stage: Stage, bad: int | None
) -> None:
    bot = Bot(*([bad] * 10))
    server = platform(stage, bot)
    began = stage.clock.now()
    stage.world.change_settings(stage.id, {"waiting_room": False})
    await server.deliver()
    tries = []
    for _ in range(200):
        stage.wait(30)
        await server.deliver()
        tries = [(each.at - began).total_seconds() for each in server.sendings]
    assert tries == [0, 300, 1_500, 5_100]
    assert [each.retry_num for each in server.sendings] == [0, 1, 2, 3]
    signatures = {each.headers["x-zm-signature"] for each in server.sendings}
    assert len(signatures) == 1


async def test_a_retry_may_be_signed_anew(stage: Stage) -> None:
    server = platform(stage, Bot(500), signs_retries_anew=True)
    stage.world.change_settings(stage.id, {"waiting_room": False})
    await server.deliver()
    stage.wait(300)
    await server.deliver()
    first, second = (each.headers for each in server.sendings)
    gap = int(second["x-zm-request-timestamp"]) - int(first["x-zm-request-timestamp"])
    assert gap == 300


@pytest.mark.parametrize("final", [200, 204, 301, 400, 401, 404, 429, 499])
async def test_every_answer_below_500_is_final(stage: Stage, final: int) -> None:
    server = platform(stage, Bot(final))
    stage.world.change_settings(stage.id, {"waiting_room": False})
    await server.deliver()
    stage.wait(6_000)
    assert await server.deliver() == 0


async def test_a_retry_that_is_accepted_ends_the_matter(stage: Stage) -> None:
    server = platform(stage, Bot(500, 204))
    stage.world.change_settings(stage.id, {"waiting_room": False})
    for _ in range(4):
        await server.deliver()
        stage.wait(3_600)
    assert [each.status for each in server.sendings] == [500, 204]


async def test_the_challenge_wants_the_token_signed_back(stage: Stage) -> None:
    secret = stage.account.webhook_secret.encode()

    def answer(request: Request) -> Response:
        token = json.loads(request.content)["payload"]["plainToken"]
        digest = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
        return Response(200, json={"plainToken": token, "encryptedToken": digest})

    server = platform(stage, Bot())
    server.courier.client = AsyncClient(
        transport=MockTransport(answer), base_url="http://bot"
    )
    assert await server.challenge()
    server.courier.client = Bot().client()
    assert not await server.challenge()


@pytest.mark.parametrize(("failures", "subscribed"), [(5, True), (6, False)])
async def test_six_failed_challenges_switch_the_subscription_off(
    stage: Stage, failures: int, subscribed: bool
) -> None:
    bot = Bot()
    server = platform(stage, bot)
    for _ in range(failures):
        await server.challenge()
    bot.heard.clear()
    stage.world.start_meeting(stage.id)
    await server.deliver()
    assert bool(bot.heard) is subscribed


async def test_lost_webhooks_are_never_sent_but_stand_in_the_log(stage: Stage) -> None:
    bot = Bot()
    server = platform(stage, bot, faults=Faults(webhook_lost=1.0))
    stage.world.start_meeting(stage.id)
    assert (await server.deliver(), bot.heard) == (0, [])
    assert [each.lost for each in server.sendings] == [True, True]


async def test_a_blackout_swallows_what_happens_in_it(stage: Stage) -> None:
    bot = Bot()
    dark = Window(timedelta(seconds=60), timedelta(seconds=60))
    server = platform(stage, bot, faults=Faults(blackouts=(dark,)))
    stage.wait(59.9)
    stage.world.start_meeting(stage.id)
    await server.deliver()
    before = len(bot.heard)
    stage.wait(0.1)
    stage.come("ben")
    stage.wait(60)
    await server.deliver()
    assert (before, bot.events()[before:]) == (2, [])
    stage.come("chloe")
    await server.deliver()
    assert bot.events()[before:] != []


async def test_copies_delays_and_disorder_come_from_the_seed(stage: Stage) -> None:
    faults = Faults(
        webhook_duplicated=0.5,
        webhook_reordered=0.5,
        mean_delay=timedelta(seconds=3),
        webhook_late=0.1,
    )

    async def play() -> list[str]:
        own = Stage(ManualClock(stage.clock.now()))
        bot = Bot()
        server = platform(own, bot, faults=faults, rng=random.Random(4))
        own.open("ben", "chloe", "dev")
        for _ in range(60):
            own.wait(100)
            await server.deliver()
        return bot.events()

    first = await play()
    assert first == await play()
    assert len(first) > len(set(first))
    assert first[0] != "meeting.started" or first != sorted(first)


async def test_forged_company_is_marked_and_never_tried_again(stage: Stage) -> None:
    bot = Bot(*([500] * 20))
    server = platform(stage, bot, faults=Faults(webhook_forged=1.0))
    stage.world.change_settings(stage.id, {"waiting_room": False})
    await server.deliver()
    stage.wait(300)
    await server.deliver()
    assert [(each.forged, each.retry_num) for each in server.sendings] == [
        (False, 0),
        (True, 0),
        (False, 1),
    ]
    forged = server.sendings[1]
    good = signature(
        stage.account.webhook_secret,
        forged.headers["x-zm-request-timestamp"],
        forged.body,
    )
    assert forged.headers.get("x-zm-signature") != good


async def test_run_moves_the_world_and_delivers_by_itself(stage: Stage) -> None:
    bot = Bot()
    server = platform(stage, bot)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        stage.world.start_meeting(stage.id)
        stage.world.drop_silently(stage.id, "anna", timedelta(seconds=70))
        await stage.clock.elapse(timedelta(seconds=69))
        before = bot.events()
        await stage.clock.elapse(timedelta(seconds=1))
        tasks.cancel_scope.cancel()
    assert before == ["meeting.started", "meeting.participant_joined"]
    assert bot.events()[2:] == ["meeting.participant_left", "meeting.ended"]
