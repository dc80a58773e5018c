"""A mail is handed to a real SMTP server, or the failure says what to do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import PermanentFailure, TemporaryFailure
from integrations.mail.client import send
from integrations.mail.message import Mail, message_id
from integrations.mail.settings import MailSettings
from tests.integrations.certificates import Authority
from tests.integrations.mail.postbox import PASSWORD, USERNAME, postbox_on

pytestmark = pytest.mark.anyio

MAIL = Mail(
    to="anna@charity.example",
    to_name="Anna Lead",
    subject="Alarm: nobody with the group",
    text="Open the room now.",
    message_id_seed="al_17/1",
    written_at=datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC),
)


def settings(authority: Authority, port: int, **changes: object) -> MailSettings:
    plain = MailSettings(
        host="127.0.0.1",
        port=port,
        sender="bot@charity.example",
        sender_name="Chaperone",
        tls=authority.client(),
        deadline=timedelta(seconds=5),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def server_that_says(
    greeting: bytes, *, drips: bool = False
) -> AsyncIterator[int]:
    """Something on a port that is no good mail server; gives the port."""
    closing = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(greeting)
            await writer.drain()
            while drips and not closing.is_set():
                writer.write(b"220-one moment\r\n")
                await writer.drain()
                try:
                    async with asyncio.timeout(0.01):
                        await closing.wait()
                except TimeoutError:
                    continue
            await closing.wait()
        except ConnectionError:
            return
        finally:
            writer.close()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(serve(writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        closing.set()
        server.close()
        await asyncio.gather(*tasks)
        await server.wait_closed()


async def test_a_mail_goes_over_starttls_to_one_person(authority: Authority) -> None:
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        sent = await send(settings(authority, postbox.port), MAIL)
    [envelope] = postbox.taken
    assert envelope.mail_from == "bot@charity.example"
    assert envelope.rcpt_tos == ["anna@charity.example"]
    assert postbox.over_tls == [True]
    mail = postbox.only_mail()
    assert mail["Message-ID"] == sent == message_id("al_17/1", "bot@charity.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == "Open the room now."
    # The machine's own name is nobody's business.
    assert postbox.greeted_by == {"charity.example"}


async def test_a_repeat_is_recognised_by_its_message_id(authority: Authority) -> None:
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        here = settings(authority, postbox.port)
        later = replace(MAIL, written_at=MAIL.written_at + timedelta(minutes=5))
        assert await send(here, MAIL) == await send(here, later)
        assert await send(here, replace(MAIL, message_id_seed="al_17/2")) != (
            await send(here, MAIL)
        )


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: all@charity.example",
        "Eve <all@charity.example>, all@charity.example",
        "Eve\r\n.\r\nRCPT TO:<all@charity.example>",
    ],
)
async def test_n11_a_name_in_the_subject_reaches_one_recipient(
    authority: Authority, name: str
) -> None:
    mail = replace(MAIL, subject=f"{name} joined", to_name=name, text=name)
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        await send(settings(authority, postbox.port), mail)
    [envelope] = postbox.taken
    assert envelope.rcpt_tos == ["anna@charity.example"]
    assert postbox.only_mail()["Bcc"] is None


async def test_names_in_any_script_arrive_whole(authority: Authority) -> None:
    mail = replace(
        MAIL, to_name="Zoë Łącka", subject="Grüße 松本 🎈", text="Ça va, Łucja"
    )
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        await send(settings(authority, postbox.port), mail)
    received = postbox.only_mail()
    assert received["Subject"] == "Grüße 松本 🎈"
    assert received["To"].addresses[0].display_name == "Zoë Łącka"
    assert received.get_content().strip() == "Ça va, Łucja"


async def test_a_login_with_the_right_password(authority: Authority) -> None:
    async with postbox_on(authority.server("127.0.0.1"), logins=True) as postbox:
        await send(
            settings(authority, postbox.port, username=USERNAME, password=PASSWORD),
            MAIL,
        )
    assert len(postbox.taken) == 1
    assert postbox.logins == ["PLAIN"]


async def test_a_login_with_a_wrong_password_asks_for_an_app_password(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with postbox_on(authority.server("127.0.0.1"), logins=True) as postbox:
        with (
            caplog.at_level(logging.DEBUG),
            pytest.raises(PermanentFailure) as failure,
        ):
            await send(
                settings(authority, postbox.port, username=USERNAME, password="wrong!"),
                MAIL,
            )
    assert str(failure.value) == (
        "The mail server refused the user name or password (535 5.7.8)."
    )
    assert failure.value.fix.startswith("Make an app password")
    assert postbox.taken == []


async def test_a_login_the_server_cannot_check_now_is_temporary(
    authority: Authority,
) -> None:
    async with postbox_on(
        authority.server("127.0.0.1"),
        logins=True,
        refuse={"AUTH": "454 4.7.0 Try later"},
    ) as postbox:
        with pytest.raises(TemporaryFailure, match=r"454 4\.7\.0"):
            await send(
                settings(authority, postbox.port, username=USERNAME, password=PASSWORD),
                MAIL,
            )


async def test_a_server_that_wants_a_login_says_so(authority: Authority) -> None:
    async with postbox_on(authority.server("127.0.0.1"), logins=True) as postbox:
        with pytest.raises(PermanentFailure) as failure:
            await send(settings(authority, postbox.port), MAIL)
    assert str(failure.value) == "The mail server refused the mail (530 5.7.0)."
    assert failure.value.fix == "Put the mailbox's user name and password in."


async def test_a_server_without_logins_is_told_no_password(
    authority: Authority,
) -> None:
    # Without TLS this server offers no AUTH.
    async with postbox_on() as postbox:
        with pytest.raises(PermanentFailure, match="does not take a user name"):
            await send(
                settings(
                    authority,
                    postbox.port,
                    security="plain",
                    username=USERNAME,
                    password=PASSWORD,
                ),
                MAIL,
            )
    assert postbox.taken == []


@pytest.mark.parametrize(
    ("command", "answer", "code"),
    [
        ("MAIL", "451 4.3.0 Later", "451 4.3.0"),
        ("RCPT", "450 4.2.1 Greylisted anna@charity.example", "450 4.2.1"),
        ("RCPT", "452 4.2.2 Mailbox full", "452 4.2.2"),
        ("DATA", "452 4.3.1 Disk full", "452 4.3.1"),
        ("DATA", "421 Going down", "421"),
    ],
)
async def test_a_refusal_for_now_is_temporary(
    authority: Authority, command: str, answer: str, code: str
) -> None:
    async with postbox_on(
        authority.server("127.0.0.1"), refuse={command: answer}
    ) as postbox:
        with pytest.raises(TemporaryFailure) as failure:
            await send(settings(authority, postbox.port), MAIL)
    assert str(failure.value) == f"The mail server did not take the mail now ({code})."


@pytest.mark.parametrize(
    ("command", "answer", "code", "fix"),
    [
        ("MAIL", "553 5.7.1 Not yours", "553 5.7.1", "send as the sender's address"),
        ("RCPT", "550 5.1.1 No anna@charity.example", "550 5.1.1", "person's mail"),
        ("RCPT", "550 Unknown", "550", "person's mail"),
        ("DATA", "550 5.7.26 Not authenticated", "550 5.7.26", "SPF and DKIM"),
        ("DATA", "552 5.3.4 Too big", "552 5.3.4", "whoever runs the mail server"),
        ("DATA", "554 5.7.1 Spam", "554 5.7.1", "whoever runs the mail server"),
    ],
)
async def test_a_refusal_for_good_says_what_to_do(
    authority: Authority, command: str, answer: str, code: str, fix: str
) -> None:
    async with postbox_on(
        authority.server("127.0.0.1"), refuse={command: answer}
    ) as postbox:
        with pytest.raises(PermanentFailure) as failure:
            await send(settings(authority, postbox.port), MAIL)
    assert str(failure.value) == f"The mail server refused the mail ({code})."
    assert fix in failure.value.fix
    assert "anna" not in str(failure.value) + failure.value.fix


async def test_a_quarrel_after_the_mail_was_taken_changes_nothing(
    authority: Authority,
) -> None:
    async with postbox_on(
        authority.server("127.0.0.1"), refuse={"QUIT": "421 Cannot stop"}
    ) as postbox:
        await send(settings(authority, postbox.port), MAIL)
    assert len(postbox.taken) == 1


async def test_a_server_that_was_switched_off_is_temporary(
    authority: Authority,
) -> None:
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        here = settings(authority, postbox.port)
    with pytest.raises(TemporaryFailure, match="No connection to the mail server"):
        await send(here, MAIL)


@pytest.mark.parametrize("drips", [False, True])
async def test_a_server_that_takes_for_ever_is_left_at_the_deadline(
    authority: Authority, drips: bool
) -> None:
    greeting = b"220-welcome\r\n" if drips else b""
    async with server_that_says(greeting, drips=drips) as port:
        hurried = settings(authority, port, deadline=timedelta(seconds=0.2))
        with pytest.raises(TemporaryFailure) as failure:
            async with asyncio.timeout(2):
                await send(hurried, MAIL)
    assert str(failure.value) == "The mail server did not answer in time."


async def test_the_deadline_counts_all_answers_together(authority: Authority) -> None:
    async with postbox_on(pause=0.15) as postbox:
        hurried = settings(
            authority, postbox.port, security="plain", deadline=timedelta(seconds=0.3)
        )
        with pytest.raises(TemporaryFailure, match="did not answer in time"):
            await send(hurried, MAIL)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"554 5.7.1 Go away\r\n"]
)
async def test_what_is_no_mail_server_is_a_failure(
    authority: Authority, greeting: bytes
) -> None:
    async with server_that_says(greeting) as port:
        with pytest.raises((TemporaryFailure, PermanentFailure)):
            await send(settings(authority, port), MAIL)


async def test_a_server_without_starttls_gets_no_mail(authority: Authority) -> None:
    async with postbox_on() as postbox:
        with pytest.raises(PermanentFailure) as failure:
            await send(settings(authority, postbox.port), MAIL)
    assert str(failure.value) == "The mail server does not offer STARTTLS on this port."
    assert postbox.taken == []


async def test_tls_from_the_first_byte(authority: Authority) -> None:
    async with postbox_on(tls=authority.server("127.0.0.1")) as postbox:
        await send(settings(authority, postbox.port, security="tls"), MAIL)
    assert len(postbox.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_for_another_name_is_not_believed(
    authority: Authority, security: str
) -> None:
    wrong = authority.server("evil.example")
    starttls, tls = (wrong, None) if security == "starttls" else (None, wrong)
    async with postbox_on(starttls, tls=tls) as postbox:
        with pytest.raises(PermanentFailure) as failure:
            await send(settings(authority, postbox.port, security=security), MAIL)
    assert "certificate is not good" in str(failure.value)
    assert postbox.taken == []


async def test_a_certificate_of_an_unknown_authority_is_not_believed(
    authority: Authority,
) -> None:
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        with pytest.raises(PermanentFailure, match="certificate is not good"):
            await send(settings(authority, postbox.port, tls=None), MAIL)
    assert postbox.taken == []


async def test_a_relay_on_this_machine_needs_no_tls(authority: Authority) -> None:
    async with postbox_on() as postbox:
        await send(settings(authority, postbox.port, security="plain"), MAIL)
    assert postbox.over_tls == [False]


async def test_two_people_in_one_address_are_refused(authority: Authority) -> None:
    async with postbox_on(authority.server("127.0.0.1")) as postbox:
        both = replace(MAIL, to="anna@charity.example, eve@evil.example")
        with pytest.raises(PermanentFailure) as failure:
            await send(settings(authority, postbox.port), both)
    assert failure.value.fix == "Correct the person's mail address."
    assert "eve" not in str(failure.value)
    assert postbox.taken == []


async def test_bad_settings_send_nothing_and_name_every_fault() -> None:
    bad = MailSettings(
        host="mail.example",
        port=0,
        sender="bot",
        security="plain",
        username="bot",
        password="",
    )
    assert bad.faults() == (
        "The mail server's port 0 is not a port.",
        "The sender's address: this is not one mail address in plain letters.",
        "Mail without TLS is sent to a relay on this machine only.",
        "The mail server's user name or password is empty.",
    )
    with pytest.raises(PermanentFailure, match="port 0"):
        await send(bad, MAIL)
    more = MailSettings(host=" ", sender="bot@charity.example", username="bot")
    assert more.faults() == (
        "The mail server has no name.",
        "The mail server's user name and password go together.",
    )
    unsafe = replace(more, host="mail.example", username=None, security="none")  # type: ignore[arg-type]
    assert unsafe.faults() == (
        "The mail server's security must be starttls, tls or plain.",
    )


def test_the_password_is_not_in_the_repr() -> None:
    shown = repr(
        MailSettings(host="mail.example", sender="b@c.example", password="hunter2")
    )
    assert "hunter2" not in shown
