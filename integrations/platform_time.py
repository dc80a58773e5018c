"""The one parser for times that platforms send, in all the forms seen so far.

ISO 8601 with `Z`, `z`, `+01:00`, `+0100` or no zone (then UTC) and any number of
decimals; seconds or milliseconds since 1970 as number or text; Zoom's
`GMT20261117-191337`. Pure.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 100_000_000_000
_GMT = re.compile(r"GMT(\d{8})-(\d{6})", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d[\d:.,]*([Zz]|[+-][\d:]+)?", re.ASCII)
_NUMBER = re.compile(r"\d{9,16}(\.\d+)?", re.ASCII)


def read_time(value: Any) -> datetime | None:
    """Return an aware UTC time, or None for anything that is not clearly one."""
    if type(value) is str:
        at = _from_text(value)
    elif type(value) is int or type(value) is float:
        at = _from_number(value)
    else:
        return None
    return at if at is not None and _FIRST <= at < _LAST else None


def read_http_date(value: str) -> datetime | None:
    """Return the time of an HTTP date header (RFC 9110 §5.6.7), or None."""
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _from_text(text: str) -> datetime | None:
    if _ISO.fullmatch(text):
        try:
            at = datetime.fromisoformat(text.upper())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    if gmt := _GMT.fullmatch(text):
        try:
            return datetime.strptime(
                f"{gmt[1]}{gmt[2]}+0000", "%Y%m%d%H%M%S%z"
            ).astimezone(UTC)
        except ValueError:
            return None
    return None


def _from_number(number: float) -> datetime | None:
    try:
        if abs(number) >= _MILLISECONDS_FROM:
            return _EPOCH + timedelta(milliseconds=number)
        return _EPOCH + timedelta(seconds=number)
    except (OverflowError, ValueError):
        return None
