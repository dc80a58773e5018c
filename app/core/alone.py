"""Since when somebody is without a worker, whichever rooms they went through meanwhile."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from app.core.stays import Stay

_FAR = datetime.max.replace(tzinfo=UTC)


def alone_through_rooms(
    stays: Sequence[Stay], workers: Sequence[Stay], bridge: timedelta
) -> datetime | None:
    """Since when the one with these stays, oldest first, goes about with no worker.

    None when they are in no room, came from no other room within ``bridge``, or a worker
    was with them up to the move: the countdown of their room says all then. Going to
    another room must not buy anybody more time alone (I1b).
    """
    ordered = stays[::-1]
    if not ordered or ordered[0].end is not None:
        return None
    since, went_through = ordered[0].begins, set[str]()
    for stay in ordered:
        if stay.end is not None and stay.end + bridge < since:
            break
        last = _worker_until(stay, workers)
        if last is not None and last >= (stay.end or _FAR):
            break
        went_through.add(stay.room)
        if last is not None:
            since = last
            break
        since = (stay.unseen_since or stay.begins) if workers else stay.begins
    return since if len(went_through) > 1 else None


def _worker_until(stay: Stay, workers: Iterable[Stay]) -> datetime | None:
    """The last proof of a worker in that room during that stay, None when none came.

    A worker proved there only before the stay was with others, not with this person.
    """
    came, end = stay.unseen_since or stay.begins, stay.end or _FAR
    return max(
        (
            until
            for one in workers
            if one.room == stay.room
            and one.begins < end
            and (one.end is None or one.end > stay.begins)
            and (until := one.seen_until or one.end or _FAR) > came
        ),
        default=None,
    )
