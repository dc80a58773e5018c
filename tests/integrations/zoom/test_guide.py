"""Connecting Zoom: every permission is proved or its lack is told, and nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.clock import ManualClock
from integrations.base import PermanentFailure, ProofState, TemporaryFailure
from integrations.http import (
    ASGITransport,
    AsyncClient,
    MockTransport,
    Request,
    Response,
)
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer
from integrations.zoom import scopes
from integrations.zoom.guide import ZoomGuide
from tests.integrations.contract import Hidden

pytestmark = pytest.mark.anyio

ANNA = Person("anna", "Anna Price", "anna@charity.example", "ANNA-ID", in_account=True)


@dataclass
class Desk:
    """Ada's account at Zoom, and what was asked of it."""

    guide: ZoomGuide
    asked: list[str]

    async def states(self) -> dict[str, ProofState]:
        return {one.name: one.state for one in await self.guide.prove()}


def desk(
    clock: ManualClock,
    account: Account,
    answer: Callable[[Request], Response] | None = None,
    **changed: Any,
) -> Desk:
    world, asked = World(clock, account, seed=7), list[str]()
    world.add_person(ANNA)
    nobody = AsyncClient(transport=MockTransport(lambda _: Response(204)))
    server = ASGITransport(app=ZoomServer(world, clock, client=nobody).app)

    async def ask(request: Request) -> Response:
        asked.append(f"{request.method} {request.url.path}")
        if answer is not None:
            return answer(request)
        return await server.handle_async_request(request)

    given = {
        "allow_test_hosts": True,
        "zoom_account_id": account.account_id,
        "zoom_client_id": account.client_id,
        "zoom_client_secret": Hidden(account.client_secret),
        "zoom_webhook_secret": Hidden(account.webhook_secret),
        "zoom_webhook_secret_old": None,
        "zoom_webhook_secret_old_until": None,
        "zoom_host_user": ANNA.email,
        "zoom_app_id": None,
        "zoom_room_chat": False,
        "zoom_api_url": "http://127.0.0.1:1/v2",
        "zoom_oauth_url": "http://127.0.0.1:1/oauth/token",
    }
    http = AsyncClient(transport=MockTransport(ask))
    settings: Any = SimpleNamespace(**{**given, **changed})
    return Desk(ZoomGuide(settings, clock, http), asked)


async def test_what_reads_is_tried_and_what_changes_is_believed(
    clock: ManualClock,
) -> None:
    here = desk(clock, Account())
    tried = {scopes.LIST_MEETINGS, scopes.READ_SETTINGS, scopes.READ_USER}

    assert await here.states() == {
        name: ProofState.TRIED if name in tried else ProofState.GIVEN
        for name in [*scopes.NEEDED, *scopes.OPTIONAL]
    }
    # A token, and reads: no meeting is touched.
    assert here.asked[0] == "POST /oauth/token"
    assert {one.split()[0] for one in here.asked[1:]} == {"GET"}
    assert len(here.asked) == 4


@pytest.mark.parametrize("name", [*scopes.NEEDED, *scopes.OPTIONAL])
async def test_each_permission_that_is_missing_is_named_with_its_fix(
    clock: ManualClock, name: str
) -> None:
    account = Account()
    here = desk(clock, replace(account, scopes=account.scopes - {name}))

    [found] = [one for one in await here.guide.prove() if not one.holds]
    assert (found.name, found.state) == (name, ProofState.MISSING)
    assert found.optional is (name in scopes.OPTIONAL)
    assert name in found.fix


async def test_a_permission_zoom_lists_and_does_not_honour_is_not_proved(
    clock: ManualClock,
) -> None:
    """A host who is not of this account: the list is right, the call is refused."""
    here = desk(clock, Account(), zoom_host_user="nobody@elsewhere.example")

    failed = [one for one in await here.guide.prove() if not one.holds]
    assert {one.state for one in failed} == {ProofState.FAILED}
    assert {one.name for one in failed} >= {scopes.READ_SETTINGS}
    assert all(one.sentence and one.fix for one in failed)


async def test_without_a_host_nothing_is_tried_and_it_says_so(
    clock: ManualClock,
) -> None:
    here = desk(clock, Account(), zoom_host_user=None)
    found = {one.name: one for one in await here.guide.prove()}

    assert {one.state for one in found.values()} == {ProofState.GIVEN}
    assert found[scopes.READ_SETTINGS].sentence == "Not tried: no host is named yet."
    assert len(here.asked) == 1


async def test_a_wrong_secret_is_told_with_what_to_do(clock: ManualClock) -> None:
    here = desk(clock, Account(), zoom_client_secret=Hidden("of another app"))
    with pytest.raises(PermanentFailure) as refused:
        await here.guide.prove()
    assert refused.value.fix


async def test_a_zoom_that_is_ill_may_be_asked_again(clock: ManualClock) -> None:
    here = desk(clock, Account(), lambda _: Response(503))
    with pytest.raises(TemporaryFailure):
        await here.guide.prove()


async def test_settings_that_cannot_be_used_are_not_tried(clock: ManualClock) -> None:
    here = desk(clock, Account(), zoom_client_id=None)
    with pytest.raises(ValueError, match="client_id"):
        await here.guide.prove()


def test_the_steps_name_every_permission_and_the_address(clock: ManualClock) -> None:
    plain = desk(clock, Account())
    steps = plain.guide.steps("https://chaperone.example/")
    ticks = {one.name: one.optional for step in steps for one in step.ticks}

    assert {name for name in ticks if name in scopes.NEEDED} == set(scopes.NEEDED)
    assert all(ticks[name] for name in scopes.OPTIONAL)
    assert [one for step in steps for one in step.copy] == [
        "https://chaperone.example/webhooks/zoom"
    ]
    with_chat = desk(clock, Account(), zoom_room_chat=True).guide.steps("https://x")
    assert scopes.POST_CHAT in {one.name for step in with_chat for one in step.ticks}
    assert scopes.POST_CHAT not in ticks
