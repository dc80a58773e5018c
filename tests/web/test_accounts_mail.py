"""An invitation goes through a real mail server, and its troubles are told."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest

from app.clock import ManualClock
from app.main import mail_settings, sign_in_provider
from app.store.passwords import password_matches
from app.web.access import Role
from app.web.app import create_web
from app.web.errors import Answer
from app.web.letters import letter_sender
from app.web.password_work import MOST_WAITING, PasswordWork
from integrations.base import PermanentFailure
from integrations.mail.settings import MailSettings
from tests.integrations.mail.postbox import postbox_on
from tests.web.accounts_desk import Mailbox, Office, enter, mail
from tests.web.conftest import Front, settings
from tests.web.reading import Page

pytestmark = pytest.mark.anyio


async def invites(front: Front, port: int, name: str = "pat") -> tuple[Office, Page]:
    """Ada invites somebody, by the mail server on this port."""
    one = front.evening
    server = MailSettings(
        host="127.0.0.1",
        sender="chaperone@riverside.example",
        port=port,
        security="plain",
        deadline=timedelta(seconds=2),
    )
    app = create_web(
        settings(),
        one.engine,
        one.store,
        one.clock,
        send_letter=letter_sender(server, one.clock),
    )
    riverside = Office(one, app, {}, Mailbox())
    riverside.account("ada", Role.ADMINISTRATOR)
    async with riverside.signed_in("ada") as ada:
        page = await ada.press(
            "/accounts", "Invite", name=name, email=mail(name), role_worker="1"
        )
    return riverside, page


def link_in(letter: EmailMessage) -> str:
    [found] = re.findall(
        r"https://chaperone\.example(/password/\S+)", letter.get_content()
    )
    return str(found)


async def test_pat_opens_the_link_that_came_by_mail(front: Front) -> None:
    async with postbox_on() as postbox:
        riverside, page = await invites(front, postbox.port)
        letter = postbox.only_mail()
        assert "The invitation is on its way" in page.words
        assert letter["To"] == mail("pat")
        assert letter["Auto-Submitted"] == "auto-generated"
        async with riverside.at("192.0.2.2") as pat:
            words = {"new": "teapots like wet weather"}
            page = await pat.press(
                link_in(letter), "Keep this password", again=words["new"], **words
            )
            assert page.status == 200
    async with riverside.at() as pat:
        assert (await enter(pat, "pat", words["new"])).status == 200


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("452 4.2.2 Mailbox full", "did not take the mail now (452 4.2.2)"),
        ("550 5.1.1 No such mailbox", "refused the mail (550 5.1.1)"),
    ],
)
async def test_what_the_mail_server_says_is_shown_with_the_link(
    front: Front, answer: str, says: str
) -> None:
    async with postbox_on(refuse={"RCPT": answer}) as postbox:
        _, page = await invites(front, postbox.port)

    assert "The mail was not sent" in page.words
    assert says in page.words
    assert "https://chaperone.example/password/" in page.words


async def test_a_dead_mail_server_is_shown_too(front: Front) -> None:
    async with postbox_on() as postbox:
        port = postbox.port
    _, page = await invites(front, port)

    assert "No connection to the mail server" in page.words
    assert "https://chaperone.example/password/" in page.words


async def test_an_address_no_mail_can_go_to_is_a_plain_failure(front: Front) -> None:
    async with postbox_on() as postbox:
        server = MailSettings(
            host="127.0.0.1",
            sender="chaperone@riverside.example",
            port=postbox.port,
            security="plain",
        )
        send = letter_sender(server, front.evening.clock)
        assert send is not None
        with pytest.raises(PermanentFailure, match="was not sent"):
            await send("pat@@x", "Subject", "Text")


async def test_the_settings_say_what_there_is(clock: ManualClock) -> None:
    bare = settings()
    assert letter_sender(mail_settings(bare), clock) is None
    assert sign_in_provider(bare) is None
    whole = settings(
        CHAPERONE_OIDC_ISSUER="https://login.riverside.example",
        CHAPERONE_OIDC_CLIENT_ID="chaperone",
        CHAPERONE_OIDC_CLIENT_SECRET="s",
        CHAPERONE_OIDC_TITLE="your Riverside account",
    )
    provider = sign_in_provider(whole)
    assert provider is not None
    assert (provider.title, provider.settings.client_secret) == (
        "your Riverside account",
        "s",
    )
    assert "client_secret" not in repr(provider.settings)


# --- many at once -------------------------------------------------------------------


async def test_whoever_comes_when_too_many_wait_is_told_to_try_again() -> None:
    work = PasswordWork()
    for waiting in (MOST_WAITING - 1, MOST_WAITING):
        work._waiting = waiting
        if waiting < MOST_WAITING:
            kept = await work.hashed("kettle moss ninety")
            assert password_matches(kept, "kettle moss ninety")
            assert work._waiting == waiting
        else:
            with pytest.raises(Answer) as told:
                await work.matches(None, "x")
            assert (told.value.status_code, told.value.headers) == (
                503,
                {"Retry-After": "5"},
            )
            assert work._waiting == waiting
