"""Brings callbacks, notifications and activities to the bot, each with its own token.

Change notifications are tried again with growing pauses when nobody answered or the
answer was 5xx (learn.microsoft.com/graph/change-notifications-delivery-webhooks); for
call callbacks and activities no rule is published: they are tried once. A duplicate
comes three minutes late, as redeliveries do.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from app.clock import Clock
from integrations.http import AsyncClient, HTTPError
from integrations.rehearsal.courier import Sending
from integrations.rehearsal.faults import Dice
from integrations.rehearsal.rooms import Json
from integrations.rehearsal.teams_keys import (
    ACTIVITIES,
    CALLBACKS,
    NOTIFICATIONS,
    Signer,
)
from integrations.rehearsal.teams_tenant import Tenant

ANSWER_WITHIN = 10.0
REDELIVERED_AFTER = timedelta(minutes=3)
RETRY_AFTER = tuple(timedelta(seconds=each) for each in (10, 60, 300, 1_800, 7_200))
# Azure's first-party app that publishes change notifications.
PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"


@dataclass(slots=True)
class Letter:
    """One delivery. `channel` is one of the issuers of `teams_keys`."""

    at: datetime
    channel: str
    url: str
    event: str
    body: Json
    tries: int = 0
    forged: bool = False


class TeamsCourier:
    def __init__(
        self,
        clock: Clock,
        tenant: Tenant,
        dice: Dice,
        client: AsyncClient | None = None,
    ) -> None:
        self.client = client
        self.tenant = tenant
        self.dice = dice
        self.sendings: list[Sending] = []
        self.signers = {
            each: Signer(each) for each in (NOTIFICATIONS, CALLBACKS, ACTIVITIES)
        }
        self._stranger = Signer("nobody")
        self._clock = clock
        self._due: list[tuple[datetime, int, Letter]] = []
        self._taken = 0

    def take(self, letter: Letter) -> None:
        """Plan a delivery, faults included."""
        if self.dice.is_down(self.dice.faults.blackouts, letter.at):
            self._lose(letter)
            return
        delays = self.dice.arrivals()
        if not delays:
            self._lose(letter)
        for number, delay in enumerate(delays):
            late = REDELIVERED_AFTER if number else timedelta()
            self._plan(replace(letter, at=letter.at + delay + late))
        if self.dice.happens("forged", self.dice.faults.webhook_forged):
            self._plan(replace(letter, forged=True))

    def _lose(self, letter: Letter) -> None:
        body = json.dumps(letter.body).encode()
        self.sendings.append(
            Sending(letter.at, letter.event, body, {}, letter.tries, lost=True)
        )

    def _plan(self, letter: Letter) -> None:
        self._taken += 1
        heapq.heappush(self._due, (letter.at, self._taken, letter))

    def next_at(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def take_due(self) -> list[Letter]:
        """Everything whose time has come, earliest first."""
        due = []
        while self._due and self._due[0][0] <= self._clock.now():
            due.append(heapq.heappop(self._due)[2])
        return due

    async def bring(self, letter: Letter) -> Sending:
        """One try; plans the next one of a change notification."""
        now = self._clock.now()
        body, headers = self._signed(letter, now)
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        status, _ = await self._post(letter.url, raw, headers)
        sending = Sending(
            now, letter.event, raw, headers, letter.tries, status, letter.forged
        )
        self.sendings.append(sending)
        failed = status is None or status >= 500
        again = letter.channel == NOTIFICATIONS and not letter.forged
        if failed and again and letter.tries < len(RETRY_AFTER):
            pause = RETRY_AFTER[letter.tries]
            self._plan(replace(letter, at=now + pause, tries=letter.tries + 1))
        return sending

    async def handshake(self, url: str, token: str) -> bool:
        """Does `url` answer 200 with the decoded token as plain text?"""
        sign = "&" if "?" in url else "?"
        asked = f"{url}{sign}validationToken={quote_plus(token)}"
        headers = {"content-type": "text/plain; charset=utf-8"}
        status, text = await self._post(asked, b"", headers)
        return status == 200 and text == token

    def claims(self, channel: str, now: datetime) -> Json:
        """What the token of this channel says, good for an hour."""
        tenant, start = self.tenant, int(now.timestamp())
        times: Json = {"nbf": start, "exp": start + 3_600, "aud": tenant.app_id}
        if channel == ACTIVITIES:
            url, issuer = tenant.service_url, "https://api.botframework.com"
            return {"serviceurl": url, "iss": issuer, **times}
        times |= {"iat": start, "tid": tenant.tenant_id}
        if channel == CALLBACKS:
            return {"iss": "https://graph.microsoft.com", **times}
        issuer = f"https://sts.windows.net/{tenant.tenant_id}/"
        return {"iss": issuer, "idp": issuer, "appid": PUBLISHER, "ver": "1.0", **times}

    def _signed(self, letter: Letter, now: datetime) -> tuple[Json, dict[str, str]]:
        signer = self._stranger if letter.forged else self.signers[letter.channel]
        token = signer.sign(self.claims(letter.channel, now))
        headers = {"content-type": "application/json; charset=utf-8"}
        if letter.channel == NOTIFICATIONS:
            rich = any("encryptedContent" in each for each in letter.body["value"])
            more = {"validationTokens": [token]} if rich else {}
            return {**letter.body, **more}, headers
        return letter.body, {**headers, "authorization": f"Bearer {token}"}

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int | None, str]:
        if self.client is None:
            raise RuntimeError("give the server a client, or let run() make one")
        try:
            answer = await self.client.post(
                url, content=body, headers=headers, timeout=ANSWER_WITHIN
            )
        except HTTPError:
            return None, ""
        return answer.status_code, answer.text
