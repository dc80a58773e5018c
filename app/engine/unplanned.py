"""A rostered worker opens a meeting nobody planned: ask "is this your session?"."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.core.events import MeetingEvent, ParticipantJoined
from app.engine.footing import Footing
from app.store import people, queue
from app.store import sessions as session_rows

WINDOW = timedelta(hours=2)
ASK = (
    "A worker of this session has opened a meeting that nobody planned. "
    "Is this your session?"
)
WHAT_TO_DO = (
    "Open Chaperone and answer the question on the first page. Until then the meeting "
    "is not guarded."
)


class Unplanned:
    """Hears of events of meetings that belong to no session."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._asked: set[str] = set()

    async def heard(self, event: MeetingEvent) -> bool:
        """Raise an alarm once per meeting, when one of our workers is in it."""
        if not isinstance(event, ParticipantJoined) or not event.platform_user_id:
            return False
        key = f"unplanned:{event.meeting.platform}:{event.meeting.instance}"
        account = event.platform_user_id
        if key in self._asked or not await self._footing.store.read(
            lambda db: people.worker_by_account(db, account)
        ):
            return False
        now = self._footing.clock.now()
        alarm_id = self._footing.new_id()
        store = self._footing.store

        def work(db: Connection) -> bool:
            person_id = people.worker_by_account(db, account)
            if not person_id:
                return False
            session_id = self._session_of(db, person_id, now)
            queue.raise_alarm(
                db,
                alarm_id=alarm_id,
                session_id=session_id,
                key=key,
                level="amber",
                audience="workers",
                text=ASK,
                what_to_do=WHAT_TO_DO,
                at=now,
                send=True,
                persons=[person_id],
            )
            return True

        if await store.write(work):
            self._asked.add(key)
        return key in self._asked

    def _session_of(self, db: Connection, person_id: str, now: datetime) -> str | None:
        """The session this worker is rostered for about now, if there is one."""
        found = session_rows.listed(
            db, self._footing.store, since=now - WINDOW, until=now + WINDOW
        )
        for plan in found:
            if any(worker.person_id == person_id for worker in plan.workers):
                return plan.id
        return None
