"""Ada connects the platform: steps, a test of each permission, whether events come; mail."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import uvicorn

from app.store import log
from app.web.access import Role
from app.web.app import create_web
from integrations import PLATFORMS
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import AsyncClient, MockTransport, Response
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer
from integrations.zoom.scopes import LIVE_LIST, NEEDED, OPTIONAL
from tests.web.accounts_desk import Office, mail, office
from tests.web.conftest import settings
from tests.web.reading import Browser

pytestmark = pytest.mark.anyio

ZOOM = "/settings/platforms/zoom"
HOST = Person("anna", "Anna", "anna@charity.example", "ANNA-ID", in_account=True)


@asynccontextmanager
async def at_zoom(
    riverside: Office, account: Account, **changed: str
) -> AsyncIterator[Browser]:
    """Ada's browser on a service whose Zoom is this one, over HTTP on this machine."""
    one = riverside.evening
    world = World(one.clock, account, seed=7)
    world.add_person(HOST)
    nobody = AsyncClient(transport=MockTransport(lambda _: Response(204)))
    zoom = ZoomServer(world, one.clock, client=nobody)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        zoom.app, host="127.0.0.1", port=port, log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.wait({serving}, timeout=0.02)
    there = f"http://127.0.0.1:{port}"
    given = {
        "CHAPERONE_ALLOW_TEST_HOSTS": "1",
        "CHAPERONE_ZOOM_API_URL": f"{there}/v2",
        "CHAPERONE_ZOOM_OAUTH_URL": f"{there}/oauth/token",
        "CHAPERONE_ZOOM_ACCOUNT_ID": account.account_id,
        "CHAPERONE_ZOOM_CLIENT_ID": account.client_id,
        "CHAPERONE_ZOOM_CLIENT_SECRET": account.client_secret,
        "CHAPERONE_ZOOM_HOST_USER": HOST.email,
    }
    riverside.app = create_web(
        settings(**{**given, **changed}), one.engine, one.store, one.clock
    )
    async with riverside.signed_in("ada") as browser:
        yield browser
    server.should_exit = server.force_exit = True
    await serving


async def test_the_guide_says_what_to_tick_and_what_is_set(ada: Browser) -> None:
    listed = await ada.open("/settings/platforms")
    assert "Connect Zoom ✓ Switched on" in listed.words

    page = await ada.open(ZOOM)
    assert all(name in page.words for name in [*NEEDED, *OPTIONAL])
    assert "https://chaperone.example/webhooks/zoom" in page.words
    assert "CHAPERONE_ZOOM_WEBHOOK_SECRET ✓ Set" in page.words
    assert "CHAPERONE_ZOOM_HOST_USER ● Not set" in page.words
    # The values themselves are nowhere.
    assert "webhook-secret" not in page.answer.text


async def test_the_test_proves_each_permission(riverside: Office) -> None:
    async with at_zoom(riverside, Account()) as ada:
        page = await ada.press(ZOOM, "Test the connection now")

    assert "Everything that is needed is there." in page.words
    assert page.words.count("✓ Tried, works") == 3
    assert page.words.count("✓ Given") == len(NEEDED) + len(OPTIONAL) - 3


async def test_what_is_missing_is_red_and_says_how_to_mend_it(
    riverside: Office,
) -> None:
    account = Account()
    ending = "meeting:update:status:admin"
    less = replace(account, scopes=account.scopes - {ending, LIVE_LIST})
    async with at_zoom(riverside, less) as ada:
        page = await ada.press(ZOOM, "Test the connection now")

    assert "Something that is needed is missing." in page.words
    assert "✕ Not given end a meeting for everyone when no worker is left" in page.words
    assert "To mend it: At marketplace.zoom.us open Manage" in page.words
    # What is only useful does not make it red.
    assert "● Left out see who is in the room" in page.words


async def test_zoom_without_what_is_only_useful_works(riverside: Office) -> None:
    account = Account()
    less = replace(account, scopes=account.scopes - set(OPTIONAL))
    async with at_zoom(riverside, less) as ada:
        page = await ada.press(ZOOM, "Test the connection now")
    assert "Everything that is needed is there." in page.words


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"CHAPERONE_ZOOM_CLIENT_SECRET": "of-another-app"},
            "Zoom does not let us in.",
        ),
        (
            {"CHAPERONE_ZOOM_OAUTH_URL": "http://127.0.0.1:1/oauth/token"},
            "Try again in a moment.",
        ),
    ],
    ids=["wrong secret", "nobody there"],
)
async def test_a_zoom_that_does_not_let_us_in_is_told(
    riverside: Office, changed: dict[str, str], said: str
) -> None:
    async with at_zoom(riverside, Account(), **changed) as ada:
        page = await ada.press(ZOOM, "Test the connection now")
    assert page.status == 200
    assert said in page.words
    assert "To mend it:" in page.words
    assert "✓ Given" not in page.words


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (None, "✕ No No event we could believe"),
        (timedelta(days=7), "✓ Yes The last event came"),
        (timedelta(days=7, microseconds=1), "● Not for a while"),
    ],
)
async def test_whether_events_were_seen(
    riverside: Office, ada: Browser, age: timedelta | None, said: str
) -> None:
    one = riverside.evening
    if age is not None:
        row = {
            "ref": "first",
            "platform": "zoom",
            "event_type": "meeting.started",
            "meeting_id": "1",
            "received_at": one.clock.now() - age,
        }
        with one.store.unit() as db:
            db.execute(log.deliveries.insert().values(row))
    page = await ada.open(ZOOM)
    assert said in page.words
    assert ("see that the subscription is on" in page.words) is (said[0] != "✓")


async def test_events_with_a_wrong_secret_are_told_apart_from_none(
    riverside: Office, ada: Browser
) -> None:
    async with riverside.browser() as eve:
        await eve.post(
            "/webhooks/zoom",
            content=b'{"event":"meeting.started"}',
            headers={
                "content-type": "application/json",
                "x-zm-signature": "v0=" + "0" * 64,
                "x-zm-request-timestamp": str(
                    int(riverside.evening.clock.now().timestamp())
                ),
            },
        )
    with riverside.evening.store.unit() as db:
        log.count(db, "refused:zoom:sig_wrong", riverside.evening.clock.now())
    page = await ada.open(ZOOM)
    assert "✕ Only with a wrong secret" in page.words
    assert "Copy the Secret Token" in page.words


async def test_a_platform_nobody_knows_is_not_found(ada: Browser) -> None:
    assert (await ada.open("/settings/platforms/meet")).status == 404
    form = (await ada.open(ZOOM)).form("Test the connection now")
    form.action = "/settings/platforms/meet/test"
    assert (await ada.send(form)).status == 404


async def test_a_platform_that_is_off_shows_its_steps_all_the_same(
    riverside: Office,
) -> None:
    one = riverside.evening
    riverside.app = create_web(
        settings(), one.engine, one.store, one.clock, platforms=()
    )
    async with riverside.signed_in("ada") as ada:
        page = await ada.open(ZOOM)
    assert "Zoom is not switched on. Follow the steps" in page.words
    assert "Tick the permissions" in page.words


def test_every_platform_has_a_guide() -> None:
    assert [e.name for e in PLATFORMS.values() if e.guide is None] == []


# --- mail -------------------------------------------------------------------------


async def test_ada_sends_herself_a_test_letter(riverside: Office, ada: Browser) -> None:
    page = await ada.press(
        "/settings/mail", "Send me a test letter", to="eve@elsewhere.example"
    )
    [letter] = riverside.mailbox.letters
    assert letter.to == mail("ada")
    assert f"The mail server took the letter to {mail('ada')}" in page.words


async def test_the_same_letter_pressed_twice_leaves_once(
    riverside: Office, ada: Browser
) -> None:
    form = (await ada.open("/settings/mail")).form("Send me a test letter")
    await ada.send(form)
    await ada.send(form)
    assert len(riverside.mailbox.letters) == 1


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            TemporaryFailure("The mail server did not take the mail now (452 4.2.2)."),
            "(452 4.2.2)",
        ),
        (
            PermanentFailure("The mail server refused the mail (550).", "Check SPF."),
            "(550). Check SPF.",
        ),
    ],
)
async def test_what_the_mail_server_answered_is_shown(
    riverside: Office,
    ada: Browser,
    failure: TemporaryFailure | PermanentFailure,
    said: str,
) -> None:
    riverside.mailbox.failure = failure
    page = await ada.press("/settings/mail", "Send me a test letter")
    assert page.status == 422
    assert said in page.words
    assert "took the letter" not in page.words


async def test_without_a_mail_server_it_says_what_to_set(riverside: Office) -> None:
    bare = office(riverside.evening, mails=False)
    async with bare.signed_in("ada") as ada:
        page = await ada.open("/settings/mail")
        assert "No mail server is set." in page.words
        assert "CHAPERONE_SMTP_HOST" in page.words
        assert not [f for f in page.forms if "test letter" in " ".join(f.buttons)]
        form = page.form("Sign out")
        form.action = "/settings/mail/test"
        sent = await ada.send(form, key="k" * 16)
        assert "so nothing can be sent" in sent.words


async def test_the_password_of_the_mailbox_is_never_shown(riverside: Office) -> None:
    one = riverside.evening
    given = settings(
        CHAPERONE_SMTP_HOST="mail.example.org",
        CHAPERONE_SMTP_FROM="chaperone@example.org",
        CHAPERONE_SMTP_USERNAME="chaperone",
        CHAPERONE_SMTP_PASSWORD="marmalade",
    )
    riverside.app = create_web(
        given, one.engine, one.store, one.clock, send_letter=riverside.mailbox.send
    )
    async with riverside.signed_in("ada") as ada:
        page = await ada.open("/settings/mail")
    assert "mail.example.org" in page.words
    assert "marmalade" not in page.answer.text


@pytest.mark.parametrize(
    "role", [Role.WORKER, Role.SESSION_LEAD, Role.SAFEGUARDING_LEAD]
)
async def test_platforms_and_mail_are_the_administrators(
    riverside: Office, role: Role
) -> None:
    riverside.account("sam", role)
    async with riverside.signed_in("sam") as sam:
        for path in ("/settings/platforms", ZOOM, "/settings/mail"):
            assert (await sam.open(path)).status == 403
