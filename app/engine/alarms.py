"""Alarms that leave the page: at least once, repeated until a named person takes them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.engine.footing import Footing
from app.store import people, queue
from integrations.base import PermanentFailure, TemporaryFailure

REPEAT = timedelta(seconds=60)
CALM_REPEAT = timedelta(minutes=15)
CALM_AFTER = 30
RETRY = (5, 15, 30, 60)
PERSON_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One alarm for one contact. ``round_id`` is new for each repeat, the same for a retry."""

    alarm_id: str
    round_id: str
    session_id: str
    key: str
    level: str
    audience: str
    text: str
    what_to_do: str
    raised_at: datetime
    repeated: int
    address: str
    secret: str


Sender = Callable[[Letter, datetime], Awaitable[None]]


class Alarms:
    """Works through the outbox. ``senders`` has one way per channel (mail, webhook)."""

    def __init__(self, footing: Footing, senders: Mapping[str, Sender]) -> None:
        self._footing = footing
        self._senders = senders

    async def send_due(self) -> datetime | None:
        """Send what is due; returns when the next one is."""
        store, clock = self._footing.store, self._footing.clock
        now = clock.now()
        rows = await store.read(lambda db: queue.due_letters(db, now))
        for row in rows:
            await self._send(row)
        next_at: datetime | None = await store.read(queue.next_letter_at)
        return next_at

    async def _send(self, row: Any) -> None:
        to_person = row.contact_id.startswith(queue.PERSON)
        channel = "mail" if to_person else row.channel
        sender = self._senders.get(channel)
        now = self._footing.clock.now()
        if sender is None:
            problem = f"No way to send by {channel} is set up."
            await self._settle(row, now, problem, sent=False)
            return
        try:
            letter = await self._letter(row)
            if not letter.address:
                await self._settle(row, now, "No work address on file.", sent=False)
                return
            await sender(letter, now)
        except (TemporaryFailure, PermanentFailure) as failure:
            await self._settle(row, now, str(failure), sent=False)
        except Exception as failure:  # noqa: BLE001 - one channel must not stop the other
            self._footing.log.error("alarm not sent", why=repr(failure)[:300])
            await self._settle(row, now, type(failure).__name__, sent=False)
        else:
            await self._settle(row, now, "", sent=True)

    async def _letter(self, row: Any) -> Letter:
        store = self._footing.store
        secret = ""
        if row.contact_id.startswith(queue.PERSON):
            person_id = row.contact_id.removeprefix(queue.PERSON)
            person = await store.read(lambda db: people.get(db, store, person_id))
            address = person.email
        elif row.address_sealed is None:
            address = ""
        else:
            place = f"contacts:address:{row.contact_id}"
            address = store.open(row.address_sealed, place).decode()
        if row.secret_sealed is not None:
            place = f"contacts:secret:{row.contact_id}"
            secret = store.open(row.secret_sealed, place).decode()
        return Letter(
            alarm_id=row.alarm_id,
            round_id=f"{row.id}~{row.sent_count}",
            session_id=row.session_id or "",
            key=row.key,
            level=row.level,
            audience=row.audience,
            text=row.text,
            what_to_do=row.what_to_do,
            raised_at=row.raised_at,
            repeated=row.sent_count,
            address=address,
            secret=secret,
        )

    async def _settle(
        self, row: Any, now: datetime, problem: str, *, sent: bool
    ) -> None:
        to_person = row.contact_id.startswith(queue.PERSON)
        if to_person and (sent or row.tries >= PERSON_TRIES):
            values: dict[str, Any] = {
                "state": "done" if sent else "failed",
                "sent_count": row.sent_count + int(sent),
                "problem": problem[:500],
            }
        elif sent:
            gap = CALM_REPEAT if row.sent_count + 1 >= CALM_AFTER else REPEAT
            values = {
                "sent_count": row.sent_count + 1,
                "tries": 0,
                "last_sent_at": now,
                "next_at": now + gap,
                "problem": "",
            }
        else:
            wait = RETRY[min(row.tries, len(RETRY) - 1)]
            values = {
                "tries": row.tries + 1,
                "next_at": now + timedelta(seconds=wait),
                "problem": problem[:500],
            }
            self._footing.log.warning("alarm not sent yet", alarm=row.alarm_id)
        await self._footing.store.write(
            lambda db: queue.settle_letter(db, row.id, **values)
        )
