"""The web on top of the engine's evening: Anna leads, Sam supports, Eve is a stranger."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from app.clock import ManualClock
from app.config import Settings, load_settings
from app.crypto import Keyring, new_key
from app.store import access_rows
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from app.web.access import SCOPES, Role
from app.web.app import create_web
from tests.engine.room import Evening, evening

if TYPE_CHECKING:
    from tests.web.accounts_desk import Office
    from tests.web.reading import Browser

BASE = "https://chaperone.example"


def settings(**changed: str) -> Settings:
    """Settings of a charity with Zoom."""
    given = {
        "CHAPERONE_BASE_URL": BASE,
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_ZOOM_ACCOUNT_ID": "account",
        "CHAPERONE_ZOOM_CLIENT_ID": "client",
        "CHAPERONE_ZOOM_CLIENT_SECRET": "secret",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET": "webhook-secret",
    }
    return load_settings(given | changed)


@dataclass
class Front:
    """The front door and everything behind it."""

    evening: Evening
    app: FastAPI
    sent_codes: dict[str, str]

    @property
    def session(self) -> str:
        """The path of the Tuesday group's session."""
        return f"/api/v1/sessions/{self.evening.session_id}"

    def browser(self, **more: Any) -> httpx.AsyncClient:
        """A client that knows nobody here."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, **more), base_url=BASE
        )

    def token(self, scopes: Sequence[str] = tuple(SCOPES)) -> str:
        """A token with these scopes."""
        store, now = self.evening.store, self.evening.clock.now()
        with store.unit() as db:
            return access_rows.make_token(db, store, "case system", scopes, now)[1]

    def program(self, *scopes: str) -> httpx.AsyncClient:
        """A program with a token: of these scopes, of all when none is named."""
        client = self.browser()
        secret = self.token(scopes or tuple(SCOPES))
        client.headers["authorization"] = f"Bearer {secret}"
        return client

    def sign_in_link(self, name: str, role: Role) -> str:
        """The path of a single-use way in."""
        store, now = self.evening.store, self.evening.clock.now()
        person = self.evening.people[name]
        with store.unit() as db:
            text = access_rows.make_sign_in_link(db, store, person, role, now)
        return f"/sign-in/{text}"


@pytest.fixture(scope="session")
def tables() -> bytes:
    """A database with every table and no row, made once."""
    database = open_engine("sqlite://")
    migrate(database)
    connection = database.raw_connection()
    made: bytes = connection.driver_connection.serialize()  # type: ignore[union-attr]
    connection.close()
    database.dispose()
    return made


@pytest.fixture
def store(tables: bytes) -> Iterator[Store]:
    database = open_engine("sqlite://")
    connection = database.raw_connection()
    connection.driver_connection.deserialize(tables)  # type: ignore[union-attr]
    connection.close()
    made = Store(database, Keyring([b"k" * 32]), InlineDoor(database))
    yield made
    made.close()


@pytest.fixture
async def front(clock: ManualClock, store: Store) -> AsyncIterator[Front]:
    async with evening(clock, store=store) as one:
        codes: dict[str, str] = {}

        async def send_code(contact_id: str, code: str) -> None:
            codes[contact_id] = code

        app = create_web(settings(), one.engine, one.store, clock, send_code=send_code)
        yield Front(one, app, codes)


@pytest.fixture
def riverside(front: Front) -> "Office":
    """The office of a charity whose administrator is Ada."""
    from tests.web.accounts_desk import office  # which needs this file

    one = office(front.evening)
    one.account("ada", Role.ADMINISTRATOR)
    return one


@pytest.fixture
async def ada(riverside: "Office") -> AsyncIterator["Browser"]:
    """Ada's browser, signed in."""
    async with riverside.signed_in("ada") as browser:
        yield browser
