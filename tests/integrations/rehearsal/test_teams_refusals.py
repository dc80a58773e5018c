"""What the simulated Teams turns down, and what goes wrong on purpose."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from app.clock import ManualClock
from integrations.rehearsal.faults import Faults, Trouble
from integrations.rehearsal.teams_keys import Signer
from integrations.rehearsal.teams_tenant import APP_HOLDS, Tenant, object_id
from tests.integrations.rehearsal.stage import ANNA, BEN, SAM
from tests.integrations.rehearsal.teams_stage import (
    Room,
    opened,
    subscribe,
    witness,
)

pytestmark = pytest.mark.anyio

STRANGER = object_id(BEN)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_only_organiser_and_invited_see_and_only_one_changes(room: Room) -> None:
    asked = {
        who: room.meeting.replace(object_id(ANNA), who)
        for who in (object_id(SAM), STRANGER)
    }
    answers = [await room.ask("GET", path) for path in asked.values()]
    assert [each.status_code for each in answers] == [200, 404]
    patch = {"allowMeetingChat": "disabled"}
    answer = await room.ask("PATCH", asked[object_id(SAM)], patch)
    assert refusal(answer) == (403, "Forbidden")


async def test_a_running_meeting_takes_the_lock_and_no_breakout_rooms(
    room: Room,
) -> None:
    room.stage.world.start_meeting(room.stage.id)
    lock = {
        "lobbyBypassSettings": {"scope": "organizer"},
        "allowMeetingChat": "limited",
    }
    assert (await room.ask("PATCH", room.meeting, lock)).status_code == 200
    answer = await room.ask("PATCH", room.meeting, {"allowBreakoutRooms": True})
    assert refusal(answer) == (400, "BadRequest")
    answer = await room.ask(
        "PATCH", room.meeting, {"lobbyBypassSettings": {"scope": "anybody"}}
    )
    assert refusal(answer) == (400, "BadRequest")


async def test_the_lobby_scope_is_the_worlds_door(room: Room) -> None:
    stage = room.stage
    await room.ask(
        "PATCH", room.meeting, {"lobbyBypassSettings": {"scope": "everyone"}}
    )
    call = await room.join()
    stage.world.start_meeting(stage.id)
    stage.world.arrive(stage.id, "ben", via="open")
    await room.ask(
        "PATCH", room.meeting, {"lobbyBypassSettings": {"scope": "organizer"}}
    )
    stage.world.arrive(stage.id, "chloe", via="open")
    names = set(await room.names(call))
    assert names == {"Chaperone", "Anna Price", "Ben", "(Chloe)"}


@pytest.mark.parametrize(
    ("tenant", "code"),
    [
        (Tenant(calling_enabled=False), "7503"),
        (
            Tenant(permissions=APP_HOLDS - {"Calls.JoinGroupCall.All"}),
            "Authorization_RequestDenied",
        ),
    ],
)
async def test_a_bot_that_may_not_call_is_told_why(
    clock: ManualClock, tenant: Tenant, code: str
) -> None:
    async with opened(clock, tenant=tenant) as room:
        answer = await room.ask("POST", "/v1.0/communications/calls", {})
        assert refusal(answer) == (403, code)


@pytest.mark.parametrize(
    "tenant",
    [Tenant(may_remove=False), Tenant(bot_waits=True)],
    ids=["without the right", "still at the door"],
)
async def test_who_may_not_remove_removes_nobody(
    clock: ManualClock, tenant: Tenant
) -> None:
    async with opened(clock, tenant=tenant) as room:
        stage = room.stage
        stage.world.start_meeting(stage.id)
        stage.world.arrive(stage.id, "ben", via="open")
        call = await room.join()
        room.server.admit_bot(room.server.legs[0])
        ids = await room.names(call)
        room.server.legs[0].in_lobby = tenant.bot_waits
        answer = await room.ask("DELETE", f"{call}/participants/{ids['(Ben)']}")
        assert refusal(answer) == (403, "Forbidden")
        assert stage.world.connection(stage.id, "ben") is not None


async def test_a_ghost_says_204_and_removes_nobody(room: Room) -> None:
    stage = room.stage
    stage.world.start_meeting(stage.id)
    stage.world.arrive(stage.id, "ben", via="open")
    call = await room.join()
    path = f"{call}/participants/{(await room.names(call))['(Ben)']}"
    room.server.go_wrong("DELETE", "/participants/", Trouble.GHOST)
    assert (await room.ask("DELETE", path)).status_code == 204
    assert "(Ben)" in await room.names(call)
    assert (await room.ask("DELETE", path)).status_code == 204
    assert "(Ben)" not in await room.names(call)
    assert (await room.ask("DELETE", path)).status_code == 404


async def test_the_bots_leg_ends_alone_but_not_while_waiting_for_the_first(
    room: Room,
) -> None:
    stage, call = room.stage, await room.join()
    stage.wait(600)
    assert (await room.ask("GET", call)).status_code == 200
    stage.world.start_meeting(stage.id)
    stage.world.leave(stage.id, "anna")
    stage.wait(299)
    assert (await room.ask("GET", call)).status_code == 200
    stage.wait(1)
    assert refusal(await room.ask("GET", call)) == (404, "8522")


async def test_somebody_may_put_the_bot_out(room: Room) -> None:
    call = await room.join()
    room.server.remove_bot(room.server.legs[0])
    assert refusal(await room.ask("POST", call + "/keepAlive")) == (404, "8522")
    last = (await room.heard("calls"))[-1]["value"][0]["resourceData"]["resultInfo"]
    assert (last["code"], last["subcode"]) == (200, 5300)


async def change_subscription(room: Room, eye: Any, **changes: Any) -> Any:
    """Ask for the good subscription with some fields changed (None: left out)."""
    await subscribe(room, eye)
    (held,) = room.server.desk.subscriptions.values()
    room.server.desk.subscriptions.clear()
    asked = {**held.asked, **changes}
    asked = {name: value for name, value in asked.items() if value is not None}
    return await room.ask("POST", "/beta/subscriptions", asked)


async def test_a_subscription_needs_every_part(room: Room, clock: ManualClock) -> None:
    eye, now = witness(clock), clock.now()

    def ends(minutes: int) -> str:
        return (now + timedelta(minutes=minutes)).isoformat()

    for changes, status in (
        ({"expirationDateTime": ends(4_320)}, 201),
        ({"expirationDateTime": ends(4_321)}, 400),
        ({"lifecycleNotificationUrl": None, "expirationDateTime": ends(60)}, 201),
        ({"lifecycleNotificationUrl": None, "expirationDateTime": ends(61)}, 400),
        ({"encryptionCertificate": "bm90aGluZw=="}, 400),
        ({"encryptionCertificateId": None}, 400),
        ({"resource": "communications/calls"}, 400),
    ):
        answer = await change_subscription(room, eye, **changes)
        assert answer.status_code == status, changes


async def test_an_address_that_does_not_echo_gets_no_subscription(
    room: Room, clock: ManualClock
) -> None:
    room.bot.echoes = False
    answer = await subscribe(room, witness(clock))
    assert refusal(answer) == (400, "ValidationError")


async def test_a_renewal_moves_expiry_and_certificate(
    room: Room, clock: ManualClock
) -> None:
    old, new = witness(clock), witness(clock)
    made = (await subscribe(room, old)).json()
    later = (clock.now() + timedelta(hours=4)).isoformat()
    renewal = {
        "expirationDateTime": later,
        "encryptionCertificate": new.certificate,
        "encryptionCertificateId": "chaperone-2",
    }
    path = f"/v1.0/subscriptions/{made['id']}"
    assert (await room.ask("PATCH", path, renewal)).status_code == 200
    room.stage.wait(3 * 3_600)
    room.stage.world.start_meeting(room.stage.id)
    heard = [e for e in await room.heard("notifications") if "lifecycle" not in str(e)]
    assert new.read(heard[0]["value"][0])["eventType"] == "callStarted"
    await room.sign_in()
    assert (await room.ask("DELETE", path)).status_code == 204
    assert (await room.ask("PATCH", path, renewal)).status_code == 404


async def test_a_closed_chat_takes_no_message_an_uninstalled_one_hears_none(
    room: Room,
) -> None:
    room.stage.world.start_meeting(room.stage.id)
    assert await room.heard("messages") == []
    thread = quote(room.server.meeting(room.stage.meeting).thread_id, safe="")
    await room.ask("POST", f"/v1.0/chats/{thread}/installedApps", {})
    await room.ask("PATCH", room.meeting, {"allowMeetingChat": "disabled"})
    say = {"type": "message", "text": "Welcome"}
    answer = await room.ask("POST", f"/v3/conversations/{thread}/activities", say)
    assert refusal(answer) == (403, "MessageWritesBlocked")


async def test_lost_forged_and_blacked_out(clock: ManualClock) -> None:
    async with opened(clock, faults=Faults(webhook_lost=1.0)) as lossy:
        await lossy.join()
        assert await lossy.heard("calls") == []
        assert {each.lost for each in lossy.server.sendings} == {True}
    async with opened(clock, faults=Faults(webhook_forged=1.0)) as forging:
        await forging.join()
        await forging.heard("calls")
        tokens = [text.removeprefix("Bearer ") for _, _, text in forging.bot.heard]
        kids = [jwt.get_unverified_header(token)["kid"] for token in tokens]
        assert set(kids) == {Signer("callbacks").kid, Signer("nobody").kid}
