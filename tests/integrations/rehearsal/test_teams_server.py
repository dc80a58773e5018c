"""The simulated Teams, against Microsoft's published bodies and msal itself."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from anyio.from_thread import run as from_thread
from anyio.to_thread import run_sync
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.clock import ManualClock
from integrations.http import ASGITransport, AsyncClient
from integrations.http import Response as HttpResponse
from integrations.rehearsal.faults import Faults, Trouble
from integrations.rehearsal.teams_keys import Signer
from integrations.rehearsal.teams_server import TeamsServer
from integrations.rehearsal.teams_tenant import Tenant, object_id
from tests.integrations.rehearsal.stage import ANNA, SAM, Stage

msal: Any = import_module("msal")  # Microsoft ships it without types

PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"
GRAPH, LOGIN = "https://graph.microsoft.com", "https://login.microsoftonline.com"
CHAT = "https://smba.trafficmanager.net/teams"
HOME = "https://bot.example/webhooks/teams"

pytestmark = pytest.mark.anyio


def published(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def shape(body: Any) -> Any:
    """Names and nesting, without what an envelope adds and what is left unknown."""
    if isinstance(body, dict):
        return {
            key: shape(value)
            for key, value in body.items()
            if key != "@odata.context" and value is not None
        }
    return [shape(body[0])] if isinstance(body, list) and body else type(body).__name__


@dataclass
class Bot:
    """Whoever listens: keeps what comes, and answers the handshake."""

    heard: list[tuple[str, Any, str]] = field(default_factory=list)
    status: int = 202

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self.hear, methods=["POST"])])

    async def hear(self, request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            return PlainTextResponse(token)
        channel = request.url.path.rpartition("/")[2]
        authorization = request.headers.get("authorization", "")
        self.heard.append((channel, await request.json(), authorization))
        return Response(status_code=self.status)

    def bodies(self, channel: str) -> list[Any]:
        return [body for name, body, _ in self.heard if name == channel]


@dataclass
class Room:
    """Anna's meeting on Teams, and Chaperone's hands on Graph."""

    stage: Stage
    server: TeamsServer
    bot: Bot
    http: AsyncClient
    token: str = ""
    chat_token: str = ""

    async def sign_in(self) -> None:
        for scope in (GRAPH, "https://api.botframework.com"):
            form = {
                "client_id": self.server.tenant.app_id,
                "client_secret": self.server.tenant.client_secret,
                "grant_type": "client_credentials",
                "scope": f"{scope}/.default",
            }
            url = f"{LOGIN}/{self.server.tenant.tenant_id}/oauth2/v2.0/token"
            answer = (await self.http.post(url, data=form)).json()
            if scope == GRAPH:
                self.token = answer["access_token"]
            else:
                self.chat_token = answer["access_token"]

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> HttpResponse:
        url, token = GRAPH + path, self.token
        if path.startswith(("/v3/", "/v1/")):
            url, token = CHAT + path, self.chat_token
        sent = {"authorization": f"Bearer {token}", **headers}
        return await self.http.request(method, url, json=body, headers=sent)

    @property
    def meeting(self) -> str:
        teams = self.server.meeting(self.stage.meeting)
        return f"/v1.0/users/{teams.organiser_id}/onlineMeetings/{quote(teams.id)}"

    async def join(self, *, delta: bool = False) -> str:
        """Chaperone joins as the published request does; returns the call's path."""
        teams = self.server.meeting(self.stage.meeting)
        asked = published("call_join_delta_request" if delta else "call_join_request")
        asked["callbackUri"] = HOME + "/calls"
        asked["tenantId"] = self.server.tenant.tenant_id
        asked["chatInfo"]["threadId"] = teams.thread_id
        asked["meetingInfo"]["organizer"]["user"]["id"] = teams.organiser_id
        answer = await self.ask("POST", "/v1.0/communications/calls", asked)
        assert (answer.status_code, shape(answer.json())) == (
            201,
            shape(published("call_join_response")),
        )
        return f"/v1.0/communications/calls/{answer.json()['id']}"

    async def names(self, call: str) -> dict[str, str]:
        """Who the call's list shows: name to participant id, lobby in brackets."""
        answer = await self.ask("GET", call + "/participants")
        return {name_of(row): row["id"] for row in answer.json()["value"]}

    async def heard(self, channel: str) -> list[Any]:
        await self.server.deliver()
        return self.bot.bodies(channel)


def name_of(row: Any) -> str:
    identities = row["info"]["identity"].values()
    name = next(each["displayName"] for each in identities if isinstance(each, dict))
    return f"({name})" if row["isInLobby"] else str(name)


@pytest.fixture
async def room(clock: ManualClock) -> AsyncIterator[Room]:
    async with opened(clock) as made:
        yield made


def opened(clock: ManualClock, **more: Any) -> "Opened":
    return Opened(clock, more)


@dataclass
class Opened:
    clock: ManualClock
    more: dict[str, Any]

    async def __aenter__(self) -> Room:
        stage, bot = Stage(self.clock), Bot()
        listener = AsyncClient(transport=ASGITransport(bot.app))
        server = TeamsServer(
            stage.world,
            self.clock,
            client=listener,
            bot_url="https://bot.example",
            **self.more,
        )
        http = AsyncClient(transport=ASGITransport(server.app))
        self.clients = (listener, http)
        room = Room(stage, server, bot, http)
        await room.sign_in()
        return room

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            await client.aclose()


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


@dataclass
class Witness:
    """A certificate of Chaperone's own, and what it opens."""

    key: rsa.RSAPrivateKey
    certificate: str

    def read(self, item: Any) -> Any:
        sealed = {
            name: base64.b64decode(item["encryptedContent"][name])
            for name in ("data", "dataKey", "dataSignature")
        }
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        key = self.key.decrypt(sealed["dataKey"], oaep)
        wanted = hmac.new(key, sealed["data"], hashlib.sha256).digest()
        assert wanted == sealed["dataSignature"]
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        padded = cipher.update(sealed["data"]) + cipher.finalize()
        unpadder = PKCS7(128).unpadder()
        return json.loads(unpadder.update(padded) + unpadder.finalize())


def witness(clock: ManualClock) -> Witness:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chaperone")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(clock.now())
        .not_valid_after(clock.now() + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    return Witness(key, base64.b64encode(made.public_bytes(Encoding.DER)).decode())


async def subscribe(room: Room, eye: Witness, version: str = "beta") -> HttpResponse:
    link = quote(room.server.meeting(room.stage.meeting).join_url, safe="")
    ends = room.stage.clock.now() + timedelta(hours=2)
    asked = {
        "changeType": "updated",
        "notificationUrl": HOME + "/notifications",
        "lifecycleNotificationUrl": HOME + "/notifications",
        "resource": f"communications/onlineMeetings(joinWebUrl='{link}')"
        "/meetingCallEvents",
        "includeResourceData": True,
        "encryptionCertificate": eye.certificate,
        "encryptionCertificateId": "chaperone-1",
        "expirationDateTime": ends.isoformat(),
        "clientState": "secret",
    }
    return await room.ask("POST", f"/{version}/subscriptions", asked)


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
