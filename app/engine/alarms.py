"""Alarms that leave the page: at least once, repeated until a named person takes them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.crypto import CannotDecrypt
from app.engine.footing import Footing
from app.store import contacts, people, queue
from app.store.contacts import Contact
from app.store.database import Work
from integrations.base import PermanentFailure, TemporaryFailure

REPEAT = timedelta(seconds=60)
CALM_REPEAT = timedelta(minutes=15)
CALM_AFTER = 30
RETRY = (5, 15, 30, 60)
PERSON_TRIES = 10
SENDING_HAS = 15.0  # seconds for one letter, all told
AT_ONCE = 20
STORE_HAS = 5.0  # seconds; a store that hangs must not end the ringing


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
        self._contacts: list[Contact] = []
        self._cried: dict[str, float] = {}
        self._unsettled: dict[str, float] = {}

    async def _read(self, work: Work) -> Any:
        async with asyncio.timeout(STORE_HAS):
            return await self._footing.store.read(work)

    async def _write(self, work: Work) -> None:
        async with asyncio.timeout(STORE_HAS):
            await self._footing.store.write(work)

    async def remember(self) -> None:
        """Learn whom to call should the store fail."""
        self._contacts = await self._read(self._known)

    def _known(self, db: Connection) -> list[Contact]:
        try:
            return contacts.listed(db, self._footing.store, confirmed_only=True)
        except CannotDecrypt as problem:
            self._footing.log.error("contacts not readable", why=str(problem))
            return self._contacts

    async def cry(
        self, key: str, text: str, what_to_do: str, session_id: str = ""
    ) -> None:
        """Tell every contact at once and without the store, once a minute for a key.

        For the alarms that cannot be stored (I9, I20): nobody can acknowledge these, so
        whoever finds the cause still there cries again.
        """
        now = self._footing.clock.monotonic()
        recent = now - REPEAT.total_seconds()
        if self._cried.get(key, recent) > recent:
            return
        self._cried = {k: at for k, at in self._cried.items() if at > recent}
        self._cried[key] = now
        self._footing.log.error("alarm", key=key, text=text)
        letters = [
            (contact.channel, self._cry(contact, key, text, what_to_do, session_id))
            for contact in self._contacts
        ]
        await asyncio.gather(*(self._call_out(way, one) for way, one in letters))

    def _cry(
        self, contact: Contact, key: str, text: str, what_to_do: str, session_id: str
    ) -> Letter:
        alarm_id = self._footing.new_id()
        return Letter(
            alarm_id=alarm_id,
            round_id=f"{alarm_id}~{contact.id}",
            session_id=session_id,
            key=key,
            level="red",
            audience="administrator",
            text=text,
            what_to_do=what_to_do,
            raised_at=self._footing.clock.now(),
            repeated=0,
            address=contact.address,
            secret=contact.secret,
        )

    async def _call_out(self, channel: str, letter: Letter) -> None:
        sender = self._senders.get(channel)
        if sender is None:
            return
        try:
            async with asyncio.timeout(SENDING_HAS):
                await sender(letter, self._footing.clock.now())
        except Exception as failure:  # noqa: BLE001 - the other channels still try
            why = type(failure).__name__
            self._footing.log.error("alarm not sent", key=letter.key, why=why)

    async def send_due(self) -> datetime:
        """Send what is due, to everybody at once; returns when to look again.

        After ``REPEAT`` at the latest: a contact confirmed by another process is told
        of what is open, and nobody wakes us.
        """
        now = self._footing.clock.now()
        rows = await self._read(lambda db: queue.due_letters(db, now))
        if rows:
            await self.remember()
        for start in range(0, len(rows), AT_ONCE):
            await self._send_all(rows[start : start + AT_ONCE])
        next_at: datetime | None = await self._read(queue.next_letter_at)
        return min(next_at or now + REPEAT, now + REPEAT)

    async def _send_all(self, rows: Sequence[Any]) -> None:
        told = await asyncio.gather(
            *(self._send(row) for row in rows), return_exceptions=True
        )
        for problem in told:
            if isinstance(problem, BaseException):
                raise problem

    async def _send(self, row: Any) -> None:
        recent = self._footing.clock.monotonic() - REPEAT.total_seconds()
        if self._unsettled.get(row.id, recent) > recent:
            # Sent, and the store did not take note: not again and again (I10).
            await self._settle(row, self._footing.clock.now(), "", sent=True)
            return
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
            async with asyncio.timeout(SENDING_HAS):
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
            person = await self._read(lambda db: people.get(db, store, person_id))
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
        # Only red goes on until somebody takes it; the rest is said once (I9, I10).
        once = row.level != "red" or row.contact_id.startswith(queue.PERSON)
        if once and (sent or row.tries >= PERSON_TRIES):
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
            self._footing.log.warning(
                "alarm not sent yet", alarm=row.alarm_id, why=problem[:200]
            )
        if sent:
            self._unsettled[row.id] = self._footing.clock.monotonic()
        await self._write(lambda db: queue.settle_letter(db, row.id, **values))
        self._unsettled.pop(row.id, None)
