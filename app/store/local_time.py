"""From what people enter (local time and zone) to the moment it means (D01-D04)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.store.refusals import Refused

FARTHEST = timedelta(days=5 * 366)
LONGEST_SESSION = timedelta(hours=24)


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone. Raises Refused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        sentence = "Enter a time zone such as Europe/London."
        raise Refused({"zone": sentence}) from error


def to_utc(field: str, entered: datetime, zone: ZoneInfo, hour: str = "") -> datetime:
    """The moment a local time means; a time with an offset already says it.

    ``hour``: ``first`` or ``second`` for the hour that comes twice in autumn. Raises
    Refused for an hour that does not exist (D02) and one that exists twice (D01).
    """
    try:
        if entered.tzinfo is not None:
            return entered.astimezone(UTC)
        first, second = (
            entered.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
        )
    except OverflowError as error:
        raise Refused({field: "Enter a day within five years from now."}) from error
    if first == second:
        return first
    if first.astimezone(zone).replace(tzinfo=None) != entered:
        raise Refused(
            {field: "The clocks go forward then: this time does not exist that day."}
        )
    if hour not in ("first", "second"):
        raise Refused(
            {
                field: "The clocks go back then, so this time comes twice: say whether "
                "you mean the first or the second."
            }
        )
    return first if hour == "first" else second


def bounds(starts_at: datetime, ends_at: datetime, now: datetime) -> dict[str, str]:
    """What is wrong with a session's times (D03): field -> sentence."""
    faults: dict[str, str] = {}
    if abs(starts_at - now) > FARTHEST:
        faults["starts_at"] = "Enter a day within five years from now."
    if ends_at <= starts_at:
        faults["ends_at"] = "The end must be later than the start."
    elif ends_at - starts_at > LONGEST_SESSION:
        faults["ends_at"] = "A session lasts 24 hours at most."
    return faults
