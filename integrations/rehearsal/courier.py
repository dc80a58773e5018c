"""Signs webhooks and brings them to the bot on Zoom's schedule.

Zoom waits 3 s for an answer and tries again after 5, 20 and 60 more minutes, but only
when there was no answer or a status of 500 and above; a 3xx or 4xx is final
(developers.zoom.us/docs/api/webhooks/). Every try is kept in `sendings`.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.clock import Clock
from integrations.http import AsyncClient, HTTPError
from integrations.rehearsal.faults import Dice
from integrations.rehearsal.people import Account
from integrations.rehearsal.zoom_bodies import compact

RETRY_AFTER = (timedelta(minutes=5), timedelta(minutes=20), timedelta(minutes=60))
ANSWER_WITHIN = 3.0
FAILURES_THAT_DISABLE = 6


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v0=` and the HMAC of `v0:timestamp:body`, in lower-case hex."""
    text = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Sending:
    """One try of one webhook. `status` is None when nobody answered (in time)."""

    at: datetime
    event: str
    body: bytes
    headers: dict[str, str]
    retry_num: int
    status: int | None = None
    forged: bool = False
    lost: bool = False

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_worth_another_try(self) -> bool:
        return self.status is None or self.status >= 500


@dataclass(order=True, slots=True)
class Due:
    """One delivery that waits for its time."""

    at: datetime
    number: int
    event: str = field(compare=False)
    body: bytes = field(compare=False)
    timestamp: str = field(compare=False, default="")
    retry_num: int = field(compare=False, default=0)
    forgery: str = field(compare=False, default="")


class Courier:
    """Holds what is still to be delivered. `target` is the bot's webhook address."""

    def __init__(
        self,
        clock: Clock,
        account: Account,
        dice: Dice,
        new_token: Callable[[], str],
        *,
        target: str,
        client: AsyncClient | None = None,
        signs_retries_anew: bool = False,
    ) -> None:
        self.target = target
        self.client = client
        self.dice = dice
        self.sendings: list[Sending] = []
        self.is_subscribed = True
        self.failed_challenges = 0
        self._clock = clock
        self._account = account
        self._new_token = new_token
        self._signs_retries_anew = signs_retries_anew
        self._due: list[Due] = []
        self._taken = 0

    def take(self, event: str, body: bytes, at: datetime) -> None:
        """Plan the delivery of one event that happened at `at`, faults included."""
        if not self.is_subscribed:
            return
        if self.dice.is_down(self.dice.faults.blackouts, at):
            self._lose(event, body, at)
            return
        delays = self.dice.arrivals()
        if not delays:
            self._lose(event, body, at)
        for delay in delays:
            self._plan(Due(at + delay, 0, event, body))
        stream = self.dice.stream("forged")
        if stream.random() < self.dice.faults.webhook_forged:
            forgery = stream.choice(("other secret", "altered", "unsigned"))
            self._plan(Due(at, 0, event, body, forgery=forgery))

    def _lose(self, event: str, body: bytes, at: datetime) -> None:
        self.sendings.append(Sending(at, event, body, {}, 0, lost=True))

    def _plan(self, due: Due) -> None:
        self._taken += 1
        due.number = self._taken
        heapq.heappush(self._due, due)

    def next_at(self) -> datetime | None:
        return self._due[0].at if self._due else None

    def take_due(self) -> list[Due]:
        """Everything whose time has come, earliest first."""
        due = []
        while self._due and self._due[0].at <= self._clock.now():
            due.append(heapq.heappop(self._due))
        return due

    def hurry(self, latest: timedelta) -> None:
        """Whatever is still on its way comes within `latest`, the newest first."""
        now, waiting = self._clock.now(), sorted(self._due)
        for number, due in enumerate(reversed(waiting)):
            due.at = min(due.at, now + latest * (number / len(waiting)))
        heapq.heapify(self._due)

    async def bring(self, due: Due) -> Sending:
        """One try; plans the next one when Zoom would."""
        now = self._clock.now()
        if not due.timestamp or self._signs_retries_anew:
            due.timestamp = str(int(now.timestamp()))
        body, headers = self._sign(due)
        planned = Sending(
            now, due.event, body, headers, due.retry_num, forged=bool(due.forgery)
        )
        sending = replace(planned, status=(await self._post(body, headers))[0])
        self.sendings.append(sending)
        again = sending.is_worth_another_try and not due.forgery
        if again and due.retry_num < len(RETRY_AFTER):
            later = replace(due, at=now + RETRY_AFTER[due.retry_num])
            later.retry_num += 1
            self._plan(later)
        return sending

    async def challenge(self) -> bool:
        """Zoom's URL validation: 200 within 3 s, and the token signed back.

        Six failures in a row switch the subscription off, as Zoom does.
        """
        token = self._new_token()
        now = self._clock.now()
        body = compact(
            {
                "payload": {"plainToken": token},
                "event_ts": int(now.timestamp() * 1000),
                "event": "endpoint.url_validation",
            }
        )
        due = Due(now, 0, "endpoint.url_validation", body, str(int(now.timestamp())))
        status, answer = await self._post(*self._sign(due))
        secret = self._account.webhook_secret.encode()
        wanted = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
        passed = status == 200 and answer == {
            "plainToken": token,
            "encryptedToken": wanted,
        }
        self.failed_challenges = 0 if passed else self.failed_challenges + 1
        if self.failed_challenges >= FAILURES_THAT_DISABLE:
            self.is_subscribed = False
        return passed

    def _sign(self, due: Due) -> tuple[bytes, dict[str, str]]:
        secret, body = self._account.webhook_secret, due.body
        if due.forgery == "other secret":
            secret = "somebody-else"  # noqa: S105 - what a forger guesses
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            "clientid": self._account.client_id,
            "x-zm-request-id": self._new_token(),
            "x-zm-request-timestamp": due.timestamp,
            "x-zm-signature": signature(secret, due.timestamp, body),
        }
        if due.forgery == "unsigned":
            del headers["x-zm-signature"]
        if due.forgery == "altered":
            body += b" "
        return body, headers

    async def _post(
        self, body: bytes, headers: dict[str, str]
    ) -> tuple[int | None, object]:
        if self.client is None:
            raise RuntimeError("give the server a client, or let run() make one")
        try:
            answer = await self.client.post(
                self.target, content=body, headers=headers, timeout=ANSWER_WITHIN
            )
        except HTTPError:
            return None, None
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, None

    def log_rows(self, since: datetime, until: datetime, event: str) -> list[Sending]:
        """What the platform's own webhook log shows for [since, until)."""
        shown = self.dice.faults.lost_are_logged
        return [
            each
            for each in self.sendings
            if since <= each.at < until
            and event in ("", each.event)
            and not each.forged
            and (shown or not each.lost)
        ]


def log_row(sending: Sending, account: Account, target: str) -> dict[str, object]:
    """One row of `GET /marketplace/apps/{appId}/webhook_logs`."""
    row: dict[str, object] = {
        "event": sending.event,
        "status": sending.status or 0,
        "retry_num": sending.retry_num,
        "endpoint": target,
        "subscription_id": account.app_id + "-subscription",
        "request_headers": json.dumps(sending.headers),
        "request_body": sending.body.decode(),
        "response_headers": "",
        "response_body": "",
        "date_time": sending.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "trace_id": sending.headers.get("x-zm-request-id", ""),
    }
    if not sending.is_accepted:
        row["failed_reason_type"] = 1
    return row
