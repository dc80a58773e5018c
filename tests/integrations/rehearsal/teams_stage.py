"""A charity's Teams meeting, a bot that only listens, and hands on Graph."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
from integrations.rehearsal.teams_server import TeamsServer
from tests.integrations.rehearsal.stage import Stage

PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"
GRAPH, LOGIN = "https://graph.microsoft.com", "https://login.microsoftonline.com"
CHAT = "https://smba.trafficmanager.net/teams"
HOME = "https://bot.example/webhooks/teams"


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
    echoes: bool = True

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self.hear, methods=["POST"])])

    async def hear(self, request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            return PlainTextResponse(token if self.echoes else "hello")
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
