"""When a message that did not arrive is posted again. Pure.

Six more attempts over a day; then somebody has to be told that the gateway is lost.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(days=1)

PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=15, minutes=24),
)


def pause_after(attempts: int, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after this many attempts (1 or more); None means give up.

    `asked` is what the gateway asked for (TemporaryFailure.retry_after); it can only
    make the wait longer.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1]
    return pause if asked is None else max(pause, asked)


def retry_after(said: str, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110 §10.2.3) as a wait of at most a day.

    None for a header that is absent, unreadable, negative or in the past.
    """
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None
