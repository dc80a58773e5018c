"""Signed news nobody understood: the rooms are asked, and the operator is told."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection

from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.sessions import Sessions
from app.store import queue
from integrations.base import Delivery

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
NOT_UNDERSTOOD = "The platform sent signed news that Chaperone could not understand."
WHAT_TO_DO = (
    "The rooms are being read instead. Look for a newer version of Chaperone, and send "
    "the log to whoever looks after it."
)


class Unreadable:
    """A platform never repeats what it was thanked for, so the room itself must tell."""

    def __init__(
        self,
        footing: Footing,
        sessions: Sessions,
        intake: Intake,
        wake: Callable[[str], None],
    ) -> None:
        self._footing = footing
        self._sessions = sessions
        self._intake = intake
        self._wake = wake

    def look_soon(self, platform: str, delivery: Delivery) -> None:
        """Let the room it is about be read at once (W21); every room when none is named."""
        meeting = delivery.meeting
        if meeting is None:
            self.look_everywhere(platform)
            self._footing.leases.tell("look-everywhere", platform)
            return
        key = (meeting.platform, meeting.meeting_id)
        for session_id in self._intake.bound.get(key, ()):
            if not self._footing.leases.holds(session_id):
                self._footing.leases.tell("look", session_id)
                continue
            held = self._sessions.known(session_id)
            if held is not None:
                held.looked_at[meeting.instance] = LONG_AGO
            self._wake(session_id)

    def look_everywhere(self, platform: str) -> None:
        """Let every room of ours be read at once."""
        for session_id in list(self._sessions.all()):
            if self._footing.leases.holds(session_id):
                self.look_at(session_id, platform)

    def look_at(self, session_id: str, platform: str = "") -> None:
        """Let the rooms of this session be read at once."""
        held = self._sessions.known(session_id)
        if held is None:
            return
        for instance in held.session.live():
            if platform in ("", instance.ref.platform):
                held.looked_at[instance.ref.instance] = LONG_AGO
                self._wake(session_id)

    async def tell(self, platform: str) -> None:
        """The operator hears of it, once a minute at most (DESIGN §5, line 10; I10)."""
        now, alarm_id = self._footing.clock.now(), self._footing.new_id()

        def work(db: Connection) -> None:
            queue.raise_alarm(
                db,
                alarm_id=alarm_id,
                session_id=None,
                key=f"unreadable:{platform}:{now:%Y-%m-%dT%H:%M}",
                level="amber",
                audience="administrator",
                text=NOT_UNDERSTOOD,
                what_to_do=WHAT_TO_DO,
                at=now,
                send=True,
            )

        await self._footing.store.write(work)
