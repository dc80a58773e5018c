"""A real SMTP server on 127.0.0.1 that keeps what it takes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from types import MappingProxyType

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME, PASSWORD = "bot@charity.example", "an app password"


@dataclass
class Postbox:
    """`refuse` holds the answers to MAIL, RCPT, DATA, QUIT or AUTH that are not OK."""

    refuse: Mapping[str, str]
    pause: float = 0
    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    greeted_by: set[str] = field(default_factory=set)

    async def handle_MAIL(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        await self._think()
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        await self._think()
        if "RCPT" in self.refuse:
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        await self._think()
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.taken.append(envelope)
        self.over_tls.append(session.ssl is not None)
        self.greeted_by.add(str(session.host_name))
        return "250 OK"

    async def handle_QUIT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return self.refuse.get("QUIT", "221 Bye")

    async def _think(self) -> None:
        try:
            async with asyncio.timeout(self.pause):
                await asyncio.Event().wait()
        except TimeoutError:
            return

    def log_in(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mechanism: str,
        data: object,
    ) -> AuthResult:
        if "AUTH" in self.refuse:
            return AuthResult(success=False, handled=False, message=self.refuse["AUTH"])
        good = data == LoginPassword(USERNAME.encode(), PASSWORD.encode())
        self.logins.append(mechanism)
        # handled=True would mean that an answer has been written already.
        return AuthResult(success=good, handled=False)

    def only_mail(self) -> EmailMessage:
        [envelope] = self.taken
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=SMTP_POLICY)
        assert isinstance(message, EmailMessage)
        return message


@asynccontextmanager
async def postbox_on(
    starttls: ssl.SSLContext | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    logins: bool = False,
    refuse: Mapping[str, str] = MappingProxyType({}),
    pause: float = 0,
) -> AsyncIterator[Postbox]:
    """Serve until the block ends.

    `refuse` maps a command to the answer it gets; `pause`: seconds before an answer.
    """
    postbox = Postbox(refuse, pause)
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def new_session() -> SMTP:
        session = SMTP(
            postbox,
            hostname="mail.example",
            loop=loop,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=logins,
            auth_require_tls=tls is None,
            authenticator=postbox.log_in if logins else None,
        )
        sessions.append(session)
        return session

    server = await loop.create_server(new_session, "127.0.0.1", 0, ssl=tls)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        # After a failed handshake the server would wait for its next command for ever.
        for task in (running := _running(sessions)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


def _running(sessions: list[SMTP]) -> list[asyncio.Task[None]]:
    tasks = [getattr(session, "_handler_coroutine", None) for session in sessions]
    return [task for task in tasks if task is not None]
