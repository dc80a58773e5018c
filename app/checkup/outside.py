"""The world as the check sees it: name servers, TLS, HTTP, mail, the disk."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from app.clock import Clock
from app.engine.disk import free_bytes
from integrations.http import AsyncClient
from integrations.mail import client as mail_client
from integrations.mail.settings import MailSettings
from integrations.oidc.provider import Provider
from integrations.outgoing.client import resolve_by_system

DEADLINE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Reached:
    """An HTTP answer: when it was asked and answered (ours), and its Date header."""

    asked_at: datetime
    answered_at: datetime
    date: datetime | None


async def reach(url: str, clock: Clock) -> Reached:
    """Ask an address without credentials; any answer counts. Raises HTTPError."""
    async with AsyncClient(
        trust_env=False, follow_redirects=False, timeout=DEADLINE.total_seconds()
    ) as client:
        asked_at = clock.now()
        async with client.stream("GET", url) as answer:
            return Reached(asked_at, clock.now(), _date(answer.headers.get("date")))


def _date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as the check sees it; tests hand in another."""

    resolve: Callable[[str, int], Awaitable[list[str]]] = resolve_by_system
    reach: Callable[[str, Clock], Awaitable[Reached]] = reach
    try_mail: Callable[[MailSettings], Awaitable[None]] = mail_client.try_login
    try_provider: Callable[[Provider], Awaitable[None]] = Provider.check
    free_bytes: Callable[[Path], int] = free_bytes
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    deadline: timedelta = DEADLINE
