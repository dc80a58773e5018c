"""Calls to Zoom's API: paced, within one total deadline, failures translated.

Base `https://api.zoom.us/v2`; errors are `{"code": int, "message": str}`.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from app.clock import Clock
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import AsyncClient
from integrations.zoom import refusals, wire
from integrations.zoom.account import ZoomSettings
from integrations.zoom.limits import (
    CHANGES_A_DAY,
    CHANGES_KEPT,
    HEAVY_KEPT_SHARE,
    DailyCap,
    Pace,
)
from integrations.zoom.token import RENEWAL, Access
from integrations.zoom.wire import Answer

MAX_PAGES = 50
PAGE_SIZE = "300"
_MEETING_ID = re.compile(r"[0-9]{1,20}")

Rows = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `path` is below /v2 and encoded already; `ok` the status of success.

    `paced` False: waits behind nobody. `urgent`: takes the present token although a
    renewal is due. `reserved`: may use what is kept back of a daily figure.
    """

    method: str
    path: str
    scope: str
    label: str = "LIGHT"
    query: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    ok: int = 200
    paced: bool = True
    urgent: bool = False
    reserved: bool = False


def meeting_path(meeting_id: str) -> str:
    """The id for a path. Raises PermanentFailure for what is no meeting id."""
    if not _MEETING_ID.fullmatch(meeting_id):
        raise PermanentFailure(
            "This is not the id of a Zoom meeting.",
            "A Zoom meeting id is a number of 9 to 11 digits, without spaces.",
        )
    return meeting_id


def segment(name: str) -> str:
    """A user's, an app's or an instance's id for a path, encoded once.

    Raises PermanentFailure for what would climb out of its place in the path.
    """
    if name.strip(". ") == "":
        raise PermanentFailure("Zoom's id of what the call is about is not known.")
    return quote(name, safe="")


def uuid_path(uuid: str) -> str:
    """An instance's uuid for a path: encoded twice where it holds slashes.

    Zoom asks for that when it begins with / or contains // (API reference, past
    meetings).
    """
    once = segment(uuid)
    return quote(once, safe="") if uuid.startswith("/") or "//" in uuid else once


class Calls:
    """The way to one account. Raises PlatformFailure, and nothing else, for outcomes."""

    def __init__(
        self, settings: ZoomSettings, http: AsyncClient | None, clock: Clock
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._http = http or wire.new_client()
        self._ours = http is None
        self.access = Access(settings, self._exchange, clock)
        self._pace = Pace(settings.rates, clock)
        self.changes = DailyCap(
            CHANGES_A_DAY,
            CHANGES_KEPT,
            clock,
            "100 creations and changes of meetings Zoom allows for one host",
        )
        self.heavy = DailyCap(
            settings.heavy_a_day,
            int(settings.heavy_a_day * HEAVY_KEPT_SHARE),
            clock,
            "calls for lists of participants",
        )

    async def send(self, call: Call) -> Answer:
        """Send; returns the answer that has the expected status and shape."""
        if call.label == "HEAVY":
            self.heavy.take("", reserved=call.reserved)
        if call.paced:
            await self._pace.wait(call.label)
        else:
            self._pace.spend(call.label)
        try:
            async with asyncio.timeout(self.settings.deadline.total_seconds()):
                answer = await self._with_access(call)
        except TimeoutError as error:
            raise TemporaryFailure("Zoom did not answer in time.") from error
        if answer.status != call.ok:
            raise refusals.failure(
                answer.status,
                answer.said,
                answer.retry_after,
                self.clock.now(),
                scope=call.scope,
            )
        if not _is_sound(answer):
            raise TemporaryFailure("Zoom's answer is not what it has to be.")
        return answer

    async def _with_access(self, call: Call) -> Answer:
        token = await self.access.token(urgent=call.urgent)
        answer = await self._once(call, token)
        if answer.status != 401 or refusals.lacks_scope(
            *refusals.code_and_words(answer.said)
        ):
            return answer
        # Once more with a new token, quickly: it may be the call that ends a meeting.
        self.access.drop(token)
        try:
            async with asyncio.timeout(RENEWAL.total_seconds()):
                return await self._once(call, await self.access.token())
        except TimeoutError as error:
            raise TemporaryFailure("Zoom did not renew our access in time.") from error

    async def _once(self, call: Call, token: str) -> Answer:
        url = f"{self.access.api_url}{call.path}"
        if call.query:
            url += "?" + urlencode(call.query)
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        content = None
        if call.json is not None:
            headers["content-type"] = "application/json"
            content = orjson.dumps(call.json)
        return await self._exchange(call.method, url, headers, content)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        return await wire.exchange(
            self._http,
            self.clock,
            method,
            url,
            headers,
            content,
            self.settings.deadline,
        )

    async def collect(self, call: Call, key: str) -> tuple[Rows, bool, Answer]:
        """All pages of a list: (rows, complete, last answer).

        The first page raises; a later one that fails, repeats its token or goes on for
        ever leaves the list incomplete, which may prove presence, never absence (P07).
        """
        answer = await self.send(call)
        rows, sound = _rows(answer, key)
        if not sound and not rows:
            raise TemporaryFailure("Zoom's answer holds no list.")
        total, seen = answer.said.get("total_records"), set[str]()
        for _ in range(MAX_PAGES - 1):
            token = answer.said.get("next_page_token")
            if not token:
                short = type(total) is int and len(rows) < total
                return rows, sound and not short, answer
            if not isinstance(token, str) or token in seen:
                return rows, False, answer
            seen.add(token)
            query = {**call.query, "next_page_token": token}
            try:
                answer = await self.send(replace(call, query=query))
            except (TemporaryFailure, PermanentFailure):
                return rows, False, answer
            more, well = _rows(answer, key)
            rows, sound = rows + more, sound and well
        return rows, not answer.said.get("next_page_token") and sound, answer

    async def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._ours:
            await self._http.aclose()


def listing(
    path: str,
    scope: str,
    label: str,
    query: Mapping[str, str] | None = None,
    *,
    reserved: bool = False,
) -> Call:
    """A call for the first page of a list."""
    return Call(
        method="GET",
        path=path,
        scope=scope,
        label=label,
        query={**(query or {}), "page_size": PAGE_SIZE},
        reserved=reserved,
    )


def _rows(answer: Answer, key: str) -> tuple[Rows, bool]:
    listed = answer.said.get(key)
    if not isinstance(listed, list):
        return [], False
    rows: Rows = [row for row in listed if isinstance(row, dict)]
    return rows, len(rows) == len(listed)


def _is_sound(answer: Answer) -> bool:
    """A 202 or 204 is empty; a 200 or 201 is a JSON object that says something (P03)."""
    if answer.status in (202, 204):
        return answer.empty
    return bool(answer.body)
