"""What has to follow: the tasks of one session, and who may have one."""

from typing import Any

from app.core.rules.follow_ups import AGREED, done_at, follow_ups
from app.web.pages import doings
from app.web.pages.visit import Visit
from app.web.words import name_of


def known(visit: Visit) -> dict[str, Any]:
    """What ``follow_ups.html`` shows: open tasks, those done, and whom one may choose."""
    return {
        "tasks": list(doings.tasks(visit.here)),
        "finished": [
            (task.reason if task.what == AGREED else task.what, *done)
            for task in follow_ups(visit.here)
            if (done := done_at(visit.here, task)) is not None
        ],
        "owners": owners(visit),
        "day_today": visit.zone.local(visit.now).date().isoformat(),
    }


def owners(visit: Visit) -> list[tuple[str, str]]:
    """The workers of this session, by name."""
    ids = [worker.person_id for worker in visit.planned.workers]
    found = [(one, name_of(visit.here, one)) for one in ids]
    return sorted(found, key=lambda row: row[1].casefold())
