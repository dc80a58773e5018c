"""The simulated Teams, against Microsoft's published bodies and msal itself."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from anyio.from_thread import run as from_thread
from anyio.to_thread import run_sync

from app.clock import ManualClock
from integrations.http import AsyncClient
from integrations.http import Response as HttpResponse
from integrations.rehearsal.faults import Faults, Trouble
from integrations.rehearsal.teams_keys import Signer
from integrations.rehearsal.teams_tenant import Tenant, object_id
from tests.integrations.rehearsal.stage import ANNA, SAM
from tests.integrations.rehearsal.teams_stage import (
    GRAPH,
    LOGIN,
    Room,
    name_of,
    opened,
    published,
    shape,
    subscribe,
    witness,
)

msal: Any = import_module("msal")  # Microsoft ships it without types

pytestmark = pytest.mark.anyio


@dataclass
class Bridge:
    """msal's `http_client`: its thread asks, the simulated login answers."""

    http: AsyncClient

    def get(self, url: str, **kwargs: Any) -> Any:
        return from_thread(self._ask, "GET", url, kwargs)

    def post(self, url: str, **kwargs: Any) -> Any:
        return from_thread(self._ask, "POST", url, kwargs)

    def close(self) -> None:
        """Nothing of its own is open."""

    async def _ask(self, method: str, url: str, kwargs: Any) -> HttpResponse:
        names = ("params", "data", "headers")
        return await self.http.request(
            method, url, **{name: kwargs[name] for name in names if kwargs.get(name)}
        )


async def test_microsofts_own_library_gets_a_token(room: Room) -> None:
    tenant = room.server.tenant

    def acquire(secret: str) -> Any:
        app = msal.ConfidentialClientApplication(
            tenant.app_id,
            client_credential=secret,
            authority=f"{LOGIN}/{tenant.tenant_id}",
            instance_discovery=False,
            http_client=Bridge(room.http),
        )
        return app.acquire_token_for_client([f"{GRAPH}/.default"])

    room.token = (await run_sync(acquire, tenant.client_secret))["access_token"]
    assert (await room.ask("GET", room.meeting)).status_code == 200
    refused = await run_sync(acquire, "wrong")
    assert refused["error"] == "invalid_client"


async def test_a_token_opens_one_audience_for_an_hour(room: Room) -> None:
    room.token, room.chat_token = room.chat_token, room.token
    assert (await room.ask("GET", room.meeting)).status_code == 401
    await room.sign_in()
    room.stage.wait(3_599)
    assert (await room.ask("GET", room.meeting)).status_code == 200
    room.stage.wait(1)
    assert (await room.ask("GET", room.meeting)).status_code == 401


async def test_the_meeting_has_the_published_shape_and_is_found(room: Room) -> None:
    body = (await room.ask("GET", room.meeting)).json()
    wanted = shape(published("meeting_safe"))
    assert shape(body) == wanted
    link = quote(quote(body["joinWebUrl"], safe=""), safe="")
    users = f"/v1.0/users/{object_id(ANNA)}/onlineMeetings?$filter="
    answer = await room.ask("GET", f"{users}JoinWebUrl%20eq%20'{link}'")
    assert [each["id"] for each in answer.json()["value"]] == [body["id"]]
    stranger = users.replace(object_id(ANNA), "00000000-0000-4000-8000-000000000000")
    answer = await room.ask("GET", f"{stranger}JoinWebUrl%20eq%20'{link}'")
    assert answer.json()["value"] == []


async def test_an_invited_lobby_is_unknown_without_the_header(room: Room) -> None:
    patch = {"lobbyBypassSettings": {"scope": "invited"}}
    assert (await room.ask("PATCH", room.meeting, patch)).status_code == 200
    plain = (await room.ask("GET", room.meeting)).json()
    header = {"prefer": "include-unknown-enum-members"}
    told = (await room.ask("GET", room.meeting, **header)).json()
    assert [each["lobbyBypassSettings"]["scope"] for each in (plain, told)] == [
        "unknownFutureValue",
        "invited",
    ]


async def test_without_access_policy_no_meeting_is_shown(clock: ManualClock) -> None:
    async with opened(clock, tenant=Tenant(has_access_policy=False)) as room:
        answer = await room.ask("GET", room.meeting)
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        403,
        "No application access policy found for this app.",
    )


async def test_the_evening_on_teams(room: Room) -> None:
    """Lobby, admission, removal, coming back; hanging up ends nobody else's call."""
    stage, world = room.stage, room.stage.world
    call = await room.join()
    world.start_meeting(stage.id)
    world.arrive(stage.id, "ben", via="open")
    assert set(await room.names(call)) == {"Chaperone", "Anna Price", "(Ben)"}
    world.admit(stage.id, "ben")
    world.arrive(stage.id, "eve", via="open")
    seen = await room.names(call)
    assert set(seen) == {"Chaperone", "Anna Price", "Ben", "(=1+1)"}
    answer = await room.ask("GET", call + "/participants")
    assert shape(answer.json()) == shape(published("call_participants_list"))
    for name in ("Ben", "(=1+1)"):
        gone = await room.ask("DELETE", f"{call}/participants/{seen[name]}")
        assert gone.status_code == 204
    assert set(await room.names(call)) == {"Chaperone", "Anna Price"}
    world.arrive(stage.id, "ben", via="open")
    again = await room.names(call)
    assert set(again) == {"Chaperone", "Anna Price", "(Ben)"}
    assert again["(Ben)"] != seen["Ben"]
    assert (await room.ask("DELETE", call)).status_code == 204
    assert stage.meeting.live is not None
    answer = await room.ask("GET", call + "/participants")
    wanted = published("error_404_call")["body"]["error"]
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == wanted["code"]


async def test_callbacks_have_the_published_shapes(room: Room) -> None:
    stage, world = room.stage, room.stage.world
    call = await room.join(delta=True)
    world.start_meeting(stage.id)
    world.arrive(stage.id, "sam")
    world.leave(stage.id, "sam")
    prompt = {"clientContext": "rules-1", "prompts": []}
    await room.ask("POST", call + "/playPrompt", prompt)
    stage.wait(10)
    await room.ask("DELETE", call)
    heard = await room.heard("calls")
    for name, at in (
        ("callback_call_established", 1),
        ("callback_play_prompt_completed", -2),
        ("callback_call_terminated_own_hangup", -1),
    ):
        assert _loose(heard[at]) >= _loose(published(name)) - {
            "value.0.resourceData.@odata.etag"
        }
    deltas = [
        each["value"][0]["resourceData"][0]
        for each in heard
        if "sequenceNumber" in str(each)
    ]
    assert [each["sequenceNumber"] for each in deltas] == list(
        range(1, len(deltas) + 1)
    )
    last = deltas[-1]["participants"]
    assert [(name_of(p), p["removedState"]["reason"]) for p in last] == [
        ("Sam Okoro", "Removed from roster")
    ]


def _loose(body: Any, path: str = "") -> set[str]:
    """Every dotted path to a value; of a list the first item."""
    if isinstance(body, dict):
        return {p for k, v in body.items() for p in _loose(v, f"{path}{k}.")}
    if isinstance(body, list) and body:
        return _loose(body[0], f"{path}0.")
    return {path.rstrip(".")}


async def test_every_callback_carries_a_token_of_its_own_keys(room: Room) -> None:
    await room.join()
    await room.heard("calls")
    url = "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"
    config = (await room.http.get(url)).json()
    keys = (await room.http.get(config["jwks_uri"])).json()
    token = room.bot.heard[0][2].removeprefix("Bearer ")
    key = jwt.PyJWK(keys["keys"][0])
    now: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    tenant = room.server.tenant
    claims = jwt.decode(
        token, key.key, algorithms=["RS256"], audience=tenant.app_id, options=now
    )
    assert (claims["iss"], claims["tid"]) == (
        "https://graph.microsoft.com",
        tenant.tenant_id,
    )
    other = jwt.PyJWK(Signer("activities").jwks()["keys"][0])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            token, other.key, algorithms=["RS256"], audience=tenant.app_id, options=now
        )


async def test_45_minutes_without_keep_alive_end_the_leg(room: Room) -> None:
    call = await room.join()
    room.stage.wait(44 * 60 + 59)
    assert (await room.ask("POST", call + "/keepAlive")).status_code == 200
    room.stage.wait(44 * 60 + 59)
    assert (await room.ask("GET", call)).status_code == 401  # the token is an hour old
    await room.sign_in()
    assert (await room.ask("GET", call)).status_code == 200
    room.stage.wait(1)
    assert (await room.ask("GET", call)).status_code == 404
    last = (await room.heard("calls"))[-1]["value"][0]["resourceData"]["resultInfo"]
    assert (last["code"], last["subcode"]) == (408, 8537)


async def test_a_bot_in_the_lobby_is_blind_and_helpless(clock: ManualClock) -> None:
    async with opened(clock, tenant=Tenant(bot_waits=True)) as room:
        stage = room.stage
        stage.world.start_meeting(stage.id)
        call = await room.join()
        assert set(await room.names(call)) == {"(Chaperone)"}
        room.server.admit_bot(room.server.legs[0])
        assert set(await room.names(call)) == {"Chaperone", "Anna Price"}
        late = await room.join()
        stage.wait(30 * 60)
        assert (await room.ask("GET", late)).status_code == 404
        assert (await room.ask("GET", call)).status_code == 200


async def test_trouble_looks_as_at_graph(room: Room) -> None:
    for trouble in (Trouble.RATE_LIMITED, Trouble.RATE_LIMITED_BARE):
        room.server.go_wrong("GET", "/onlineMeetings", trouble)
    answers = [await room.ask("GET", room.meeting) for _ in range(3)]
    assert [(a.status_code, a.headers.get("retry-after")) for a in answers] == [
        (429, "10"),
        (429, None),
        (200, None),
    ]


async def test_events_come_sealed_and_signed(room: Room, clock: ManualClock) -> None:
    eye, stage = witness(clock), room.stage
    made = await subscribe(room, eye)
    assert (made.status_code, shape(made.json())) == (
        201,
        shape(published("subscription_create_response")),
    )
    stage.world.start_meeting(stage.id)
    stage.world.leave(stage.id, "anna")
    heard = await room.heard("notifications")
    wanted = shape(published("notification_rich"))
    assert [shape(each) for each in heard] == [wanted] * 4
    events = [eye.read(each["value"][0]) for each in heard]
    assert [each["eventType"] for each in events] == [
        "callStarted",
        "rosterUpdated",
        "rosterUpdated",
        "callEnded",
    ]
    assert shape(events[2]) == shape(published("event_roster_left"))


async def test_one_subscription_a_meeting_reminded_and_expiring(
    room: Room, clock: ManualClock
) -> None:
    eye = witness(clock)
    assert (await subscribe(room, eye, "v1.0")).status_code == 400
    assert (await subscribe(room, eye)).status_code == 201
    assert (await subscribe(room, eye)).status_code == 409
    room.stage.wait(105 * 60)
    (reminder,) = await room.heard("notifications")
    assert shape(reminder) == shape(published("lifecycle_reauthorization_required"))
    room.stage.wait(15 * 60)
    room.stage.world.start_meeting(room.stage.id)
    assert len(await room.heard("notifications")) == 1
    await room.sign_in()
    assert (await subscribe(room, eye)).status_code == 201


async def test_a_refused_notification_comes_again_a_duplicate_in_3_minutes(
    clock: ManualClock,
) -> None:
    faults = Faults(webhook_duplicated=1.0, most_copies=2)
    async with opened(clock, faults=faults) as room:
        await subscribe(room, witness(clock))
        room.stage.world.start_meeting(room.stage.id)
        first = len(await room.heard("notifications"))
        room.stage.wait(179)
        assert len(await room.heard("notifications")) == first
        room.bot.status = 503
        room.stage.wait(1)
        assert len(await room.heard("notifications")) == 2 * first
        room.stage.wait(10)
        assert len(await room.heard("notifications")) == 3 * first


async def test_the_chat_hears_and_is_spoken_to_once_installed(room: Room) -> None:
    stage, teams = room.stage, room.server.meeting(room.stage.meeting)
    thread = quote(teams.thread_id, safe="")
    say = {"type": "message", "text": "Welcome"}
    posts = f"/v3/conversations/{thread}/activities"
    assert (await room.ask("POST", posts, say)).status_code == 403
    installed = await room.ask("POST", f"/v1.0/chats/{thread}/installedApps", {})
    assert installed.status_code == 201
    assert (await room.ask("POST", posts, say)).status_code == 201
    assert [text for _, text in teams.chat] == ["Welcome"]
    for _ in range(2):
        stage.world.start_meeting(stage.id)
        stage.world.leave(stage.id, "anna")
    heard = await room.heard("messages")
    assert {each["name"].strip().rpartition(".")[2] for each in heard} == {
        "meetingStart",
        "meetingEnd",
        "meetingParticipantJoin",
        "meetingParticipantLeave",
    }
    for name in (
        "activity_participant_join",
        "activity_meeting_start",
        "activity_meeting_end_pascal",
    ):
        assert shape(published(name)) in [shape(each) for each in heard], name
    answer = await room.ask(
        "GET", f"/v1/meetings/{quote(teams.chat_meeting_id, safe='')}"
    )
    wanted = published("bot_get_meeting_response")
    assert shape(answer.json()["details"]) == shape(wanted["details"])


async def test_attendance_is_reported_when_the_meeting_is_over(room: Room) -> None:
    stage = room.stage
    stage.world.start_meeting(stage.id)
    stage.wait(600)
    stage.world.leave(stage.id, "anna")
    path = room.meeting + "/attendanceReports"
    stage.wait(299)
    assert (await room.ask("GET", path)).json()["value"] == []
    stage.wait(1)
    (row,) = (await room.ask("GET", path)).json()["value"]
    whole = await room.ask("GET", f"{path}/{row['id']}?$expand=attendanceRecords")
    report = published("attendance_report")
    assert shape(whole.json()) == shape(report)
    (record,) = whole.json()["attendanceRecords"]
    assert (record["role"], record["totalAttendanceInSeconds"]) == ("Organizer", 600)


async def test_over_http_the_host_stands_in_the_path(room: Room) -> None:
    async with AsyncClient(trust_env=False) as http, room.server.listening() as base:
        urls = room.server.urls(base)
        config = (await http.get(urls["notification_keys"])).json()
        keys = (await http.get(config["jwks_uri"])).json()["keys"]
        answer = await http.get(
            urls["graph"] + room.meeting,
            headers={"authorization": f"Bearer {room.token}"},
        )
    assert (len(keys), answer.status_code) == (1, 200)
    assert answer.json()["participants"]["attendees"][0]["upn"] == SAM.email
