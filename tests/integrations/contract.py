"""What every platform has to keep, whatever its protocol.

A platform joins by one line in `integrations.PLATFORMS` and one `Sample` here; the
tests below then run for it. Nothing in here knows a platform's own words.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.clock import ManualClock
from app.core import actions as a
from app.core.events import MeetingRef
from app.core.facts import Hands
from integrations import PLATFORMS, PlatformSettings
from integrations.base import BadWebhook, Delivery, Platform
from integrations.http import AsyncClient, MockTransport, Request, Response

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Sample:
    """How to build a platform and to speak to it.

    `settings`: enough to switch it on. `secrets`: names of settings that must not be
    empty. `sign`: the headers the platform would send with a body at a moment.
    `bodies`: every recorded webhook body by file name. `oldest`: from this age on a
    delivery is refused.
    """

    settings: Mapping[str, Any]
    secrets: Sequence[str]
    sign: Callable[[bytes, datetime], Headers]
    bodies: Mapping[str, bytes]
    now: datetime
    oldest: timedelta
    meeting: MeetingRef
    refused: int = 401
    more: Mapping[str, Any] = field(default_factory=dict)


class Hidden:
    """A secret setting."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value


async def _nobody_there(request: Request) -> Response:
    raise AssertionError(f"a pure part called {request.url}")


def settings_of(sample: Sample, **changed: Any) -> PlatformSettings:
    """What the service's settings look like to a platform."""
    settings: PlatformSettings = SimpleNamespace(**{**sample.settings, **changed})
    return settings


def build(name: str, sample: Sample, **changed: Any) -> Platform:
    """The platform with a client that fails every call."""
    http = AsyncClient(transport=MockTransport(_nobody_there))
    return PLATFORMS[name].build(
        settings_of(sample, **changed), ManualClock(sample.now), http
    )


def refusal(platform: Platform, headers: Headers, raw: bytes, now: datetime) -> int:
    """The status a delivery is refused with; 0 when it is believed."""
    try:
        platform.verify(headers, raw, now)
    except BadWebhook as bad:
        return bad.status if bad.counter else -1
    return 0


def forgeries(sample: Sample, raw: bytes) -> Mapping[str, tuple[Headers, bytes]]:
    """Deliveries that are not the platform's, by what is wrong with them."""
    good = list(sample.sign(raw, sample.now))
    old = sample.sign(raw, sample.now - sample.oldest - timedelta(seconds=1))
    return {
        "nothing signed": ([], raw),
        "another body": (good, raw + b" "),
        "too old": (old, raw),
        "any header doubled": (good + good, raw),
        "header values emptied": ([(name, b"") for name, _ in good], raw),
    }


def understood(platform: Platform, raw: bytes, now: datetime) -> Delivery | None:
    """Parse bytes of any kind: a delivery that says something, or None for a 400."""
    try:
        delivery = platform.parse(raw, now)
    except BadWebhook as bad:
        if bad.status not in (400, 413, 415):
            raise
        return None
    said = delivery.events or delivery.answer or delivery.quarantine
    assert said, "a delivery that says nothing"
    assert re.fullmatch(r"[0-9a-f]{64}", delivery.dedupe_key)
    for event in delivery.events:
        assert event.at.tzinfo is not None
        assert event.meeting.platform == platform.name
    return delivery


def every_action(meeting: MeetingRef) -> tuple[a.Action, ...]:
    """One of each kind the core knows."""
    common: dict[str, Any] = {"key": "k", "reason": "r", "clause": "c"}
    fill: dict[str, Any] = {
        "meeting": meeting,
        "cause": a.EndCause.NEVER_ALONE,
        "connection": "C",
        "connections": ("C",),
        "uuid": "U",
        "version": 1,
        "title": "t",
        "text": "t",
        "registrant_id": "R",
        "person_id": "p",
        "state": "suspended",
        "press": "check_room",
        "level": a.Level.RED,
        "audience": a.Audience.WORKERS,
        "what": "call",
        "due_at": datetime.max.replace(tzinfo=UTC),
    }
    made = []
    for kind in a.ACTIONS.values():
        names = inspect.signature(kind).parameters
        given = {key: value for key, value in fill.items() if key in names}
        made.append(kind(**common, **given))
    return tuple(made)


HANDS = (
    Hands(),
    Hands(
        live_roster=True, end_for_all=True, remove_one=True, hold_one=True,
        admit_one=True, waiting_text=True, room_chat=True, links=True,
    ),
    Hands(
        live_roster=False, end_for_all=False, remove_one=False, hold_one=False,
        admit_one=False, waiting_text=False, room_chat=False, links=False,
    ),
)  # fmt: skip


def every_press() -> frozenset[str]:
    """Buttons the core asks for: those the action documents and those rules name."""
    core = Path(inspect.getfile(a)).parent
    asked = set(re.findall(r"``(\w+)``", str(inspect.getdoc(a.AskWorker)))) - {"press"}
    for path in core.rglob("*.py"):
        asked |= set(re.findall(r"press=\"(\w+)\"", path.read_text()))
    more = {"remove", "hold", "post_rules", "private_message"}
    return frozenset(asked | more)
