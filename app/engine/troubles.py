"""What is wrong with Chaperone itself is cried out: it may not be possible to store it."""

from collections.abc import Callable

from app.core.actions import AlertStaff
from app.core.session import GroupSession
from app.engine.alarms import Alarms
from app.engine.footing import Footing
from app.engine.tasks import Tasks

STORE_FAILS = (
    "Chaperone cannot write to its store. It goes on guarding the rooms from memory."
)
WATCH_THE_STORE = (
    "Look at the disk and the database now. Until it is mended, keep two workers in "
    "every call and do not start Chaperone anew."
)
NOTHING_WRITES = (
    "Chaperone can write neither to its store nor to its second file. What happens now is "
    "in its memory only and is lost if it stops; it goes on guarding the rooms."
)
TURN_FAILS = "Chaperone cannot work out what to do in one session."
WATCH_BY_HAND = (
    "Join this session's call and watch it by hand. Send the log to whoever looks after "
    "Chaperone."
)


class Troubles:
    """Each at once, then at most once a minute while it lasts (I10, I20)."""

    def __init__(
        self, footing: Footing, tasks: Tasks, alarms: Callable[[], Alarms]
    ) -> None:
        self._footing = footing
        self._tasks = tasks
        self._alarms = alarms

    def _cry(self, key: str, text: str, what_to_do: str, session_id: str = "") -> None:
        crying = self._alarms().cry(key, text, what_to_do, session_id)
        self._tasks.start(crying)

    def store_failed(self, problem: BaseException) -> None:
        """The store did not take something, or did not answer."""
        self._footing.log.error("store fails", why=repr(problem)[:300])
        self._cry("store", STORE_FAILS, WATCH_THE_STORE)

    def spool_failed(self, why: str) -> None:
        """Nor did the second file."""
        self._footing.log.error("in memory only", why=why)
        self._cry("spool", NOTHING_WRITES, WATCH_THE_STORE)

    def turn_failed(self, session_id: str) -> None:
        """It is not known what to do in a session."""
        self._cry(f"turn:{session_id}", TURN_FAILS, WATCH_BY_HAND, session_id)

    def not_stored(self, session: GroupSession, alert: AlertStaff) -> None:
        """An alarm the store did not take goes out all the same."""
        session_id = session.session_id
        key = f"{session_id}:{alert.key}"
        self._cry(key, alert.reason, alert.what_to_do, session_id)
