"""What a field of the policy page is: its words, its range, how it is read and written."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.policy import Policy

SHIPPED = Policy()
SECONDS, MINUTES, HOURS = "seconds", "minutes", "hours"
_UNITS = {
    SECONDS: timedelta(seconds=1),
    MINUTES: timedelta(minutes=1),
    HOURS: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its range. ``unit`` "" for a count; ``clause`` of the guidance."""

    name: str
    title: str
    meaning: str
    unit: str
    low: int
    high: int
    clause: str

    def shown(self, policy: Policy) -> str:
        """Its value in this policy, in its unit, as it stands in the field."""
        value = getattr(policy, self.name)
        if isinstance(value, timedelta):
            return f"{value / _UNITS[self.unit]:g}"
        return str(value)

    def told(self, policy: Policy) -> str:
        """Its value with the unit."""
        return f"{self.shown(policy)} {self.unit}".strip()

    def read(self, text: str) -> tuple[Any, str]:
        """The value as it is stored, and what is wrong with it, "" for nothing."""
        plain = text.strip()
        whole = plain.isascii() and plain.isdecimal() and len(plain) < 7
        if not whole or not self.low <= int(plain) <= self.high:
            return None, f"{self.title}: enter a whole number, {self.range}."
        if self.unit:
            return (int(plain) * _UNITS[self.unit]).total_seconds(), ""
        return int(plain), ""

    @property
    def range(self) -> str:
        """The allowed range in words."""
        return f"{self.low} to {self.high} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that is so or is not."""

    name: str
    title: str
    meaning: str
    clause: str

    def shown(self, policy: Policy) -> str:
        """Its value in this policy, as it stands in the field."""
        return "yes" if getattr(policy, self.name) else "no"

    def told(self, policy: Policy) -> str:
        """The same in words."""
        return self.shown(policy)

    def read(self, text: str) -> tuple[Any, str]:
        """The value as it is stored, and what is wrong with it, "" for nothing."""
        if text not in ("yes", "no"):
            return None, f"{self.title}: choose yes or no."
        return text == "yes", ""


Field = Number | Choice


@dataclass(frozen=True, slots=True)
class Part:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]
