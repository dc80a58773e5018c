"""The sessions of some days, as the calendar of their own zone has them."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from app.store import sessions
from app.store.database import Store
from app.store.sessions import SessionPlan

AT_ONCE = 200
MOST = 2_000
_EVER = (date(1970, 1, 1), date(9000, 1, 1))  # a day beside date.max has no next one
_ZONES = timedelta(days=1)  # no zone is further from UTC than that


def of_days(
    db: Connection, store: Store, first: date, last: date, group_id: str = ""
) -> list[SessionPlan]:
    """Sessions that begin on these local days, both included, by start.

    Cancelled ones are among them. At most :data:`MOST`.
    """
    since = datetime.combine(max(first, _EVER[0]), time(), UTC) - _ZONES
    until = datetime.combine(min(last, _EVER[1]), time(), UTC) + 2 * _ZONES
    found: list[SessionPlan] = []
    after: tuple[datetime, str] | None = None
    while len(found) < MOST:
        some = sessions.listed(
            db,
            store,
            since=since,
            until=until,
            group_id=group_id,
            after=after,
            limit=AT_ONCE,
        )
        found += [one for one in some if first <= day_of(one) <= last]
        if len(some) < AT_ONCE:
            break
        after = (some[-1].starts_at, some[-1].id)
    return found[:MOST]


def day_of(plan: SessionPlan) -> date:
    """The day it begins on, where it was planned."""
    return date.fromisoformat(plan.local_start[:10])
