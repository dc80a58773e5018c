"""What every REST call passes first: token, scope, rate; and the token endpoint."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from app.clock import Clock
from integrations.rehearsal.people import Account
from integrations.rehearsal.rooms import Json
from integrations.rehearsal.zoom_desk import Answer, ApiError, Operation

TOKEN_LIFE = timedelta(hours=1)
# Calls a second, all apps of the account together; and HEAVY calls a day.
RATES = {
    "free": {"LIGHT": 4, "MEDIUM": 2, "HEAVY": 1},
    "pro": {"LIGHT": 30, "MEDIUM": 20, "HEAVY": 10},
    "business": {"LIGHT": 80, "MEDIUM": 60, "HEAVY": 40},
}
DAILY = {
    "free": {"LIGHT": 6_000, "MEDIUM": 2_000, "HEAVY": 1_000},
    "pro": {"HEAVY": 30_000},
    "business": {"HEAVY": 60_000},
}


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    expires_at: datetime
    scopes: frozenset[str]


class Gate:
    """Tokens and rates of one account. `keeps_rates` switches the limits on."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        new_token: Callable[[], str],
        *,
        keeps_rates: bool = False,
    ) -> None:
        self.account = account
        self.keeps_rates = keeps_rates
        self._clock = clock
        self._new_token = new_token
        self._tokens: dict[str, Token] = {}
        self._recent: dict[str, deque[float]] = {}
        self._today: dict[tuple[str, str], int] = {}

    def issue(self, authorization: str, form: bytes) -> Answer:
        """POST /oauth/token, grant type account_credentials."""
        fields = {name: values[0] for name, values in parse_qs(form.decode()).items()}
        client_id, _, secret = _basic(authorization).partition(":")
        if not client_id or not secret:
            return _refusal(4706, "invalid_request", "Missing client id or secret")
        if fields.get("grant_type") != "account_credentials":
            return _refusal(4705, "unsupported_grant_type", "Unsupported grant type")
        wrong = (
            client_id != self.account.client_id
            or secret != self.account.client_secret
            or fields.get("account_id") != self.account.account_id
        )
        if wrong:
            return _refusal(
                4702, "invalid_client", "Invalid client_id or client_secret"
            )
        token = Token(
            self._new_token(), self._clock.now() + TOKEN_LIFE, self.account.scopes
        )
        self._tokens[token.text] = token
        return Answer(
            200,
            {
                "access_token": token.text,
                "token_type": "bearer",
                "expires_in": int(TOKEN_LIFE.total_seconds()),
                "scope": " ".join(sorted(token.scopes)),
                "api_url": "https://api.zoom.us",
            },
        )

    def revoke_tokens(self) -> None:
        """Every token dies, as when the app is switched off."""
        self._tokens.clear()

    def check(self, authorization: str, operation: Operation) -> None:
        """Raises `ApiError` 401/124, 401/4700 or 429."""
        scheme, _, text = authorization.partition(" ")
        token = self._tokens.get(text) if scheme.casefold() == "bearer" else None
        if token is None:
            raise ApiError(401, 124, "Invalid access token.")
        if token.expires_at <= self._clock.now():
            raise ApiError(401, 124, "Access token is expired.")
        if operation.scope not in token.scopes:
            message = (
                f"Invalid access token, does not contain scopes:[{operation.scope}]."
            )
            raise ApiError(401, 4700, message)
        if self.keeps_rates:
            self._count(operation.label)

    def _count(self, label: str) -> None:
        now = self._clock.monotonic()
        recent = self._recent.setdefault(label, deque())
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if len(recent) >= RATES[self.account.plan][label]:
            raise too_many(label)
        day = self._clock.now().astimezone(UTC).date()
        limit = DAILY[self.account.plan].get(label)
        used = self._today.get((label, day.isoformat()), 0)
        if limit is not None and used >= limit:
            tomorrow = f"{day + timedelta(days=1)}T00:00:00Z"
            raise too_many_today(label, limit, tomorrow)
        recent.append(now)
        self._today[(label, day.isoformat())] = used + 1


def too_many(label: str, *, bare: bool = False) -> ApiError:
    """429 of the second; real answers sometimes carry no header at all."""
    message = (
        "You have reached the maximum per-second rate limit for this API."
        " Try again later."
    )
    headers = {
        "x-ratelimit-category": label.capitalize(),
        "x-ratelimit-type": "QPS",
    }
    return ApiError(429, 4001, message, {} if bare else headers)


def too_many_today(label: str, limit: int, until: str) -> ApiError:
    """429 of the day: Retry-After is an ISO date-time."""
    message = (
        "You have reached the maximum daily rate limit for this API. Refer to the"
        " response header for details on when you can make another request."
    )
    headers = {
        "x-ratelimit-category": label.capitalize(),
        "x-ratelimit-type": "Daily-limit",
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": "0",
        "retry-after": until,
    }
    return ApiError(429, 429, message, headers)


def _basic(authorization: str) -> str:
    scheme, _, coded = authorization.partition(" ")
    if scheme.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refusal(code: int, error: str, reason: str) -> Answer:
    """The OAuth answer carries words; the number stands in Zoom's error table."""
    body: Json = {"reason": reason, "error": error, "code": code}
    return Answer(400, body)
