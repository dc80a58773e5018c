"""Server-to-server access: one token, renewed early and by one caller at a time.

`POST https://zoom.us/oauth/token`, grant type account_credentials; several tokens may
be valid at once, none can be refreshed (developers.zoom.us/docs/internal-apps/s2s-oauth/).
"""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from app.clock import Clock
from integrations.base import PlatformFailure, TemporaryFailure
from integrations.zoom.account import API_URL, RefusedHost, ZoomSettings, check_host
from integrations.zoom.refusals import no_token
from integrations.zoom.wire import Answer

RENEW_AT = 0.5
MARGIN = timedelta(seconds=10)
RENEWAL = timedelta(seconds=2)
TRY_AGAIN = timedelta(seconds=30)
ALARM_BELOW = timedelta(minutes=5)
_USUAL_LIFE = 3600.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")

Exchange = Callable[[str, str, Mapping[str, str], bytes | None], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    taken_at: float
    life: float


class Access:
    """The token in use. `granted` None: Zoom has not said; `trouble`: the last failure."""

    def __init__(
        self, settings: ZoomSettings, exchange: Exchange, clock: Clock
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self._not_before = 0.0
        self.granted: tuple[str, ...] | None = None
        self.api_url = settings.api_url.rstrip("/")
        self.trouble = ""

    async def token(self, *, urgent: bool = False) -> str:
        """A usable token. `urgent` takes the present one although a renewal is due.

        Raises PlatformFailure only when there is no usable token at all.
        """
        known = self._usable()
        if known is not None and (urgent or not self._is_old(known)):
            return known.text
        async with self._lock:
            known = self._usable()
            if known is not None and not self._is_old(known):
                return known.text
            try:
                return await self._renew(patient=known is None)
            except PlatformFailure as failed:
                self.trouble = str(failed)
                self._not_before = self._clock.monotonic() + TRY_AGAIN.total_seconds()
                if known is None:
                    raise
                return known.text

    async def fresh(self) -> str:
        """A new token, whatever the present one is good for."""
        async with self._lock:
            return await self._renew(patient=True)

    def drop(self, text: str) -> None:
        """Zoom refused this token: do not use it again."""
        if self._token is not None and self._token.text == text:
            self._token = None

    @property
    def valid_for(self) -> timedelta:
        """How long the present token can still be used."""
        token = self._token
        if token is None:
            return timedelta()
        left = token.taken_at + token.life - self._clock.monotonic()
        return timedelta(seconds=max(0.0, left))

    def problem(self) -> str:
        """A sentence when the token runs out and could not be renewed (P06)."""
        if not self.trouble or self.valid_for >= ALARM_BELOW:
            return ""
        return f"Access to Zoom could not be renewed and runs out soon. {self.trouble}"

    def _usable(self) -> _Token | None:
        usable = self._token is not None and self.valid_for > MARGIN
        return self._token if usable else None

    def _is_old(self, token: _Token) -> bool:
        now = self._clock.monotonic()
        due = now - token.taken_at >= token.life * RENEW_AT
        return due and now >= self._not_before

    async def _renew(self, *, patient: bool) -> str:
        limit = self._settings.deadline if patient else RENEWAL
        taken_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(
                min(limit, self._settings.deadline).total_seconds()
            ):
                answer = await self._ask()
        except TimeoutError as error:
            raise TemporaryFailure("Zoom gave no access token in time.") from error
        self._token = self._read(answer, taken_at)
        self.trouble, self._not_before = "", 0.0
        return self._token.text

    async def _ask(self) -> Answer:
        settings = self._settings
        pair = f"{settings.client_id}:{settings.client_secret}".encode()
        form = {"grant_type": "account_credentials", "account_id": settings.account_id}
        return await self._exchange(
            "POST",
            settings.oauth_url,
            {
                "authorization": "Basic " + base64.b64encode(pair).decode(),
                "content-type": "application/x-www-form-urlencoded",
            },
            urlencode(form).encode(),
        )

    def _read(self, answer: Answer, taken_at: float) -> _Token:
        said = answer.said
        if answer.status != 200:
            raise no_token(answer.status, said, answer.retry_after, self._clock.now())
        text, life, scope = (
            said.get(k) for k in ("access_token", "expires_in", "scope")
        )
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise TemporaryFailure("Zoom's answer holds no access token.")
        if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
            life = _USUAL_LIFE
        self.granted = (
            tuple(scope.split()) if isinstance(scope, str) and scope else None
        )
        self._choose_host(said.get("api_url"))
        return _Token(text, taken_at, float(life))

    def _choose_host(self, api_url: object) -> None:
        # Zoom may name a nearer host of its own. An address the administrator chose
        # stays, and nobody sends our token to a host that is not Zoom's.
        if self._settings.api_url.rstrip("/") != API_URL or not isinstance(
            api_url, str
        ):
            return
        try:
            self.api_url = check_host(api_url) + "/v2"
        except (RefusedHost, ValueError):
            self.api_url = API_URL
