"""The stage: the real service and a simulated Zoom, both over real HTTP on 127.0.0.1."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from app.clock import FastClock
from app.config import load_settings
from app.core.rules import RULES, Rule
from app.crypto import new_key
from app.main import Service, build
from app.store import access_rows, contacts
from app.web.access import SCOPES
from app.web.pretending import Pretend
from integrations.http import AsyncClient, Limits
from integrations.outgoing.sign import secret_of, verify
from integrations.rehearsal.listening import listening
from integrations.rehearsal.people import Account
from integrations.rehearsal.servers import PlatformServer


class Switchboard:
    """One address for the platform's API, whichever evening is played behind it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.app is None:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


@dataclass
class Phone:
    """An alarm contact's gateway: keeps what rings, and checks who sent it."""

    secret: str
    clock: FastClock
    rung: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        verify((self.secret,), headers, body, self.clock.now())
        self.rung.append(orjson.loads(body)["data"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Stage:
    """Everything that runs during a rehearsal."""

    clock: FastClock
    service: Service
    base_url: str
    api: AsyncClient
    switchboard: Switchboard
    phone: Phone
    account: Account

    def perform(self, server: PlatformServer) -> None:
        """From now on this is the platform the service talks to."""
        self.switchboard.app = server.app

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the JSON API. Raises Refusal with the service's own words."""
        answer = await self.api.request(
            method, f"/api/v1{path}", json=body if method != "GET" else None
        )
        if answer.status_code >= 300:
            raise Refusal(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def sign_in_link(self, person_id: str, role: str = "session_lead") -> str:
        """A single-use way in for a person."""
        store = self.service.store
        with store.unit() as db:
            text = access_rows.make_sign_in_link(
                db, store, person_id, role, self.clock.now()
            )
        return f"{self.base_url}/sign-in/{text}"


class Refusal(Exception):
    """The service did not take a press or an entry of the rehearsal."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(
    base_url: str, zoom_url: str, folder: Path, account: Account
) -> dict[str, str]:
    """The settings of a service that knows nothing but the simulated Zoom."""
    return {
        "CHAPERONE_BASE_URL": base_url,
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(folder),
        "CHAPERONE_ORGANISATION_NAME": "Rehearsal Youth Project",
        "CHAPERONE_ALLOW_TEST_HOSTS": "1",
        "CHAPERONE_LOG_LEVEL": "error",
        "CHAPERONE_ZOOM_ACCOUNT_ID": account.account_id,
        "CHAPERONE_ZOOM_CLIENT_ID": account.client_id,
        "CHAPERONE_ZOOM_CLIENT_SECRET": account.client_secret,
        "CHAPERONE_ZOOM_WEBHOOK_SECRET": account.webhook_secret,
        "CHAPERONE_ZOOM_HOST_USER": "anna.price@charity.example",
        "CHAPERONE_ZOOM_APP_ID": account.app_id,
        "CHAPERONE_ZOOM_API_URL": f"{zoom_url}/v2",
        "CHAPERONE_ZOOM_OAUTH_URL": f"{zoom_url}/oauth/token",
    }


@asynccontextmanager
async def on_stage(
    folder: Path,
    start: datetime,
    speed: float,
    port: int | None = None,
    rules: Sequence[tuple[str, Rule]] = RULES,
    *,
    known_as: str = "",
    pretend: Pretend | None = None,
) -> AsyncIterator[Stage]:
    """Start the simulated Zoom, a phone and the real service.

    ``known_as``: the address its pages are known by, where that is not its own.
    """
    clock = FastClock(start, speed)
    account, board = Account(), Switchboard()
    phone = Phone(secret_of(b"rehearsal-phone-secret-24"), clock)
    own_port = port or free_port()
    base_url = f"http://127.0.0.1:{own_port}"
    async with listening(board) as zoom_url, listening(phone) as phone_url:
        settings = load_settings(
            environment(known_as or base_url, zoom_url, folder, account), clock
        )
        service = build(settings, clock=clock, rules=rules, pretend=pretend)
        token = _prepare_store(service, phone, phone_url)
        async with (
            service.app.router.lifespan_context(service.app),
            listening(service.app, own_port),
            AsyncClient(
                base_url=base_url,
                headers={"authorization": f"Bearer {token}"},
                trust_env=False,
                timeout=30,
                # Ours and the server's idea of an idle connection differ.
                limits=Limits(max_keepalive_connections=0),
            ) as api,
        ):
            yield Stage(clock, service, base_url, api, board, phone, account)


def _prepare_store(service: Service, phone: Phone, phone_url: str) -> str:
    """What an administrator does on the command line: a token, two alarm contacts."""
    store, now = service.store, service.clock.now()
    with store.unit() as db:
        for number in (1, 2):
            contact = contacts.Contact(
                channel="webhook",
                address=f"{phone_url}/phone-{number}",
                secret=phone.secret,
                label=f"Phone {number}",
            )
            made, code = contacts.add(db, store, contact, now, allow_test_hosts=True)
            contacts.confirm(db, store, made, code, now)
        _, token = access_rows.make_token(db, store, "rehearsal", list(SCOPES), now)
    return token
