"""One exchange with Zoom over HTTP: bytes out, a capped and checked answer in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from app.clock import Clock
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import AsyncClient, HTTPError, InvalidURL, Limits
from integrations.platform_time import read_http_date

MAX_ANSWER = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`body` is {} for an empty answer, None for one that is no JSON object.

    `offset`: Zoom's clock minus ours, as far as its Date header tells.
    """

    status: int
    body: dict[str, Any] | None
    empty: bool
    retry_after: str | None = None
    offset: timedelta | None = None

    @property
    def said(self) -> dict[str, Any]:
        return self.body or {}


def new_client() -> AsyncClient:
    """Without proxies from the environment, without following anybody elsewhere.

    As many connections as there are calls, which ``limits.Pace`` holds down: the call
    that ends a meeting never waits for one that a hung look still holds.
    """
    limits = Limits(max_connections=None, max_keepalive_connections=20)
    return AsyncClient(trust_env=False, follow_redirects=False, limits=limits)


async def exchange(
    http: AsyncClient,
    clock: Clock,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes | None,
    deadline: timedelta,
) -> Answer:
    """Send and read the whole answer. Raises TemporaryFailure and PermanentFailure.

    The total deadline is the caller's; `deadline` bounds each step on the way.
    """
    try:
        async with http.stream(
            method,
            url,
            # An unpacked answer may be a thousand times larger than the cap.
            headers={**headers, "accept-encoding": "identity"},
            content=content,
            timeout=deadline.total_seconds(),
            follow_redirects=False,
        ) as response:
            now = clock.now()
            raw = b""
            if response.headers.get("content-encoding", "identity") != "identity":
                raise TemporaryFailure("Zoom's answer is packed, which we did not ask.")
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > MAX_ANSWER:
                    raise TemporaryFailure("Zoom's answer is too long.")
    except InvalidURL as error:
        raise PermanentFailure("The address of the call is not proper.") from error
    except HTTPError as error:
        raise TemporaryFailure("Zoom could not be reached.") from error
    return Answer(
        status=response.status_code,
        body=_object(raw, response.headers.get("content-type", "")),
        empty=not raw,
        retry_after=response.headers.get("retry-after"),
        offset=_offset(response.headers.get("date"), now),
    )


def _object(raw: bytes, content_type: str) -> dict[str, Any] | None:
    if not raw:
        return {}
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _offset(date: str | None, now: datetime) -> timedelta | None:
    at = read_http_date(date) if date else None
    return at - now if at is not None else None
