"""Send one mail over SMTP with TLS, within one deadline.

Failures are sorted by RFC 5321 §4.2.1: 4xx, silence and broken connections may be
different next time, 5xx and a refused login want somebody to change something.
The server's own words stay out of the sentences: they often hold the address.
"""

import asyncio
import re
import ssl

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from integrations.base import PermanentFailure, TemporaryFailure
from integrations.mail.message import (
    BadAddress,
    Mail,
    check_address,
    message_id,
    write,
)
from integrations.mail.settings import MailSettings

_GOODBYE_SECONDS = 1.0
_DETAIL = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


async def send(settings: MailSettings, mail: Mail) -> str:
    """Hand one mail to the mail server; returns its Message-ID.

    Returning means the server took the mail on, not that a person read it. Raises
    TemporaryFailure (the same call may succeed later) and PermanentFailure (somebody
    must change something first).
    """
    faults = settings.faults()
    if faults:
        raise PermanentFailure(
            "The mail was not sent. " + " ".join(faults), "Mend the mail settings."
        )
    try:
        recipient = check_address(mail.to)
    except BadAddress as bad:
        raise PermanentFailure(
            f"The mail was not sent: {bad}", "Correct the person's mail address."
        ) from bad
    client = _client(settings)
    try:
        async with asyncio.timeout(settings.deadline.total_seconds()):
            await _connect(client, settings)
            # The one recipient is named here, whatever the headers say.
            await client.sendmail(
                check_address(settings.sender),
                [recipient],
                write(mail, settings.sender, settings.sender_name),
            )
        await _part(client)
    except (SMTPException, OSError, TimeoutError) as failure:
        raise _failure(failure) from failure
    finally:
        client.close()
    return message_id(mail.message_id_seed, settings.sender)


async def try_login(settings: MailSettings) -> None:
    """Connect, secure the way and sign in; send nothing. Raises as `send` does."""
    faults = settings.faults()
    if faults:
        raise PermanentFailure(" ".join(faults), "Mend the mail settings.")
    client = _client(settings)
    try:
        async with asyncio.timeout(settings.deadline.total_seconds()):
            await _connect(client, settings)
        await _part(client)
    except (SMTPException, OSError, TimeoutError) as failure:
        raise _failure(failure) from failure
    finally:
        client.close()


def _client(settings: MailSettings) -> SMTP:
    return SMTP(
        hostname=settings.host,
        port=settings.port,
        use_tls=settings.security == "tls",
        start_tls=False,
        tls_context=settings.tls,
        # The default asks the name server for this machine's own name, and tells it.
        local_hostname=check_address(settings.sender).rpartition("@")[2],
        timeout=settings.deadline.total_seconds(),
    )


async def _connect(client: SMTP, settings: MailSettings) -> None:
    await client.connect()
    await client.ehlo()
    if settings.security == "starttls":
        if not client.supports_extension("starttls"):
            raise PermanentFailure(
                "The mail server does not offer STARTTLS on this port.",
                "Use port 587, or choose tls with port 465.",
            )
        await client.starttls()
        await client.ehlo()
    if settings.username is not None and settings.password is not None:
        if not client.supports_extension("auth"):
            raise PermanentFailure(
                "The mail server does not take a user name and password here.",
                "Use port 587, or leave user name and password out.",
            )
        await client.login(settings.username, settings.password)


async def _part(client: SMTP) -> None:
    """Say goodbye; the mail is already the server's, so nothing here can undo it."""
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await client.quit()
    except (SMTPException, OSError, TimeoutError):
        pass


def _failure(failure: Exception) -> TemporaryFailure | PermanentFailure:
    if isinstance(failure, SMTPRecipientsRefused):
        failure = failure.recipients[0]
    if isinstance(failure, SMTPResponseException):
        return _answered(failure)
    if isinstance(failure, TimeoutError):
        return TemporaryFailure("The mail server did not answer in time.", None)
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentFailure(
                f"The mail server's certificate is not good: {cause.verify_message}.",
                "Use the server name its provider gives, or have the certificate"
                " renewed.",
            )
        cause = cause.__cause__ or cause.__context__
    return TemporaryFailure("No connection to the mail server, or it broke.", None)


def _answered(answer: SMTPResponseException) -> TemporaryFailure | PermanentFailure:
    detail = _DETAIL.search(answer.message)
    code = f"{answer.code} {detail.group()}" if detail else f"{answer.code}"
    if isinstance(answer, SMTPAuthenticationError) and not 400 <= answer.code < 500:
        return PermanentFailure(
            f"The mail server refused the user name or password ({code}).",
            "Make an app password for this mailbox and put it into the settings.",
        )
    if not 500 <= answer.code < 600:
        return TemporaryFailure(
            f"The mail server did not take the mail now ({code}).", None
        )
    if answer.code == 530:
        fix = "Put the mailbox's user name and password in."
    elif isinstance(answer, SMTPSenderRefused):
        fix = "Allow this mailbox to send as the sender's address."
    elif answer.code in (550, 551, 553):
        fix = (
            "Check the person's mail address, and SPF and DKIM of the sender's domain."
        )
    else:
        fix = "Ask whoever runs the mail server why it does not take this mail."
    return PermanentFailure(f"The mail server refused the mail ({code}).", fix)
