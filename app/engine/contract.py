"""What the rest of the house asks of the engine. Web and command line see only this."""

from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.presses import SessionEvent
from app.core.session import GroupSession
from integrations.base import Mended


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What to answer: 204 with nothing, or 200 with a JSON body (URL validation)."""

    status: int
    body: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """For /readyz, /metrics and the administrator's page.

    ``last_webhook_at``: per platform. ``problems``: plain sentences, empty when well.
    ``shards``: how many of the 64 this process is in charge of; sessions and actions are
    counted in those only. ``refused_writes``: because another process was in charge.
    """

    awake: bool
    live_sessions: int
    waiting_actions: int
    unacknowledged_alarms: int
    contacts_confirmed: int
    last_webhook_at: Mapping[str, datetime | None] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    shards: int = 64
    processes: int = 1
    refused_writes: int = 0


class EngineDoor(Protocol):
    """The engine as web and command line use it. All times are aware UTC."""

    async def accept_webhook(
        self, platform: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WebhookAnswer:
        """Verify, parse, store durably, wake; nothing external is awaited.

        Raises integrations.base.BadWebhook (its ``status`` is the answer) and KeyError
        for a platform that is not switched on; sqlalchemy errors mean 503 + Retry-After.
        """

    def take_webhook(
        self,
        platform: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        kept: Callable[[BaseException | None], None],
    ) -> WebhookAnswer | None:
        """The same without waiting: an answer at once when there is nothing to store.

        Else ``kept`` is called in the event loop after the commit, with what went wrong.
        """

    async def accept_press(self, session_id: str, *facts: SessionEvent) -> None:
        """Store what somebody pressed, durably, and let the engine decide on it.

        Raises UnknownSession.
        """

    async def alarms_stored(self) -> None:
        """Alarms were stored outside any session: they leave at once."""

    async def state(self, session_id: str) -> GroupSession:
        """The session as it is now (read only). Raises UnknownSession."""

    async def state_at(self, session_id: str, when: datetime) -> GroupSession:
        """The session as it was known at that moment. Raises UnknownSession."""

    async def plan_changed(self, session_id: str, by: str = "") -> None:
        """People, one-to-ones, group or plan changed in the tables: take the plan anew."""

    async def person_changed(self, person_id: str, by: str = "") -> None:
        """The same for every open session this person (or their group) is part of."""

    async def forget(self, session_ids: Collection[str]) -> None:
        """Somebody was erased who was part of these: their names leave the memory."""

    async def prepare(self, session_id: str, by: str = "") -> Sequence[str]:
        """Make (or adopt by marker) the safe meeting, bind it, give each client who may be
        invited and each worker without an account an own link, read settings and hands.

        Returns plain sentences about what could not be done. Raises UnknownSession.
        """

    async def bind(
        self,
        session_id: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        watch_only: bool = False,
    ) -> None:
        """This meeting belongs to this session. Raises UnknownSession."""

    async def check_now(self, session_id: str) -> Sequence[str]:
        """Read settings and hands again; returns plain sentences about what failed."""

    async def mend(self, session_id: str, wish: str, by: str) -> Mended:
        """Make one MeetingFacts field safe by the platform's API and read it back.

        Raises PlatformFailure and UnknownSession.
        """

    async def rotate_link(self, session_id: str, person_id: str, by: str) -> None:
        """Cancel a personal link and issue a new one. Raises PlatformFailure."""

    def changes(self, session_id: str) -> AsyncIterator[int]:
        """Yields the state's version whenever it changed, at once the first time."""

    async def status(self) -> EngineStatus:
        """How the engine is."""

    def press_hint(self, session_id: str, press: str) -> str:
        """Where exactly to press, in the words of the session's platform."""


class UnknownSession(KeyError):
    """No group session has this id."""
