"""What the check found, and how it is told."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from app.config import SettingsFault
from integrations.base import PermanentFailure, PlatformFailure

State = Literal["ok", "warn", "fault"]

_SIGNS = {"ok": "ok   ", "warn": "look ", "fault": "FAULT"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``fix`` is empty only when ``state`` is ok."""

    name: str
    state: State
    sentence: str
    fix: str = ""

    def plain(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def of_settings(fault: SettingsFault) -> list[Finding]:
    """What to say when there is nothing to look at yet."""
    return [
        Finding(
            "settings", "fault", sentence, "docs/settings.md explains each setting."
        )
        for sentence in fault.faults
    ]


def told(findings: Iterable[Finding]) -> str:
    """The findings for a person to read."""
    lines: list[str] = []
    counts: dict[str, int] = {"fault": 0, "warn": 0}
    for one in findings:
        lines.append(f"{_SIGNS[one.state]}  {one.name}: {one.sentence}")
        if one.fix:
            lines.append(f"       To mend it: {one.fix}")
        if one.state != "ok":
            counts[one.state] += 1
    last = "All is well."
    if counts["fault"]:
        last = f"{counts['fault']} to mend before the next session."
    elif counts["warn"]:
        last = f"Nothing is broken; {counts['warn']} to look at."
    return "\n".join([*lines, "", last])


def failed(what: str, failure: PlatformFailure) -> Finding:
    """A call that had no usable outcome."""
    fix = "Try again in a moment."
    if isinstance(failure, PermanentFailure):
        fix = failure.fix or "Look at the platform's settings of this service."
    return Finding(what, "fault", str(failure), fix)
