"""What every table is made of: moments, and sealed values.

A column ending in ``_sealed`` holds a value of :class:`app.crypto.Keyring`, bound to
``table:column:row``. Times are whole microseconds since 1970 UTC, so that both stores
sort and compare them alike.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks_of(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _TICK


def moment_of(ticks: int) -> datetime:
    """The aware UTC datetime again."""
    return _EPOCH + ticks * _TICK


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else ticks_of(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else moment_of(value)


def moment(*, index: bool = False, null: bool = False) -> Any:
    """A column of moments."""
    return Field(sa_column=Column(Moment, index=index, nullable=null), default=None)


def sealed(*, null: bool = True) -> Any:
    """A column of encrypted values; its name ends in ``_sealed``."""
    return Field(sa_column=Column(LargeBinary, nullable=null), default=None)
