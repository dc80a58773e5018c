"""The words pages use for states, results and times. One place, so that pages agree.

A tone is ``good``, ``wait``, ``bad`` or ``calm``: a colour and an icon in the templates,
always next to the word itself (WCAG 2.2, 1.4.1: never by colour alone).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.events import LeaveCause
from app.core.identity import Who
from app.core.names import display
from app.core.plan import Role
from app.core.presses import ActionState, Step
from app.core.readiness import Item, Verdict
from app.core.readiness_items.finding import Result
from app.core.session import ActionFact, GroupSession

GOOD, WAIT, BAD, CALM = "good", "wait", "bad", "calm"


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with its tone and icon."""

    tone: str
    icon: str
    word: str


def _tag(tone: str, word: str, icon: str = "") -> Tag:
    return Tag(tone, icon or {GOOD: "✓", WAIT: "!", BAD: "✕", CALM: "•"}[tone], word)


# --- times ------------------------------------------------------------------------


class Zone:
    """Times as the people of a session read them: in its own zone (assurance D01)."""

    def __init__(self, name: str) -> None:
        try:
            self._zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # Never a page that cannot be shown because a zone was renamed.
            name, self._zone = "UTC", ZoneInfo("UTC")
        self.name = name

    def local(self, at: datetime) -> datetime:
        """The same moment on this zone's clock."""
        return at.astimezone(self._zone)

    def clock(self, at: datetime | None) -> str:
        """``19:04``; "" for no time."""
        return "" if at is None else f"{self.local(at):%H:%M}"

    def seconds(self, at: datetime | None) -> str:
        """``19:04:10``."""
        return "" if at is None else f"{self.local(at):%H:%M:%S}"

    def day(self, at: datetime) -> str:
        """``Tuesday 17 November 2026``."""
        local = self.local(at)
        return f"{local:%A} {local.day} {local:%B %Y}"

    def short_day(self, at: datetime) -> str:
        """``Tue 17 Nov``."""
        local = self.local(at)
        return f"{local:%a} {local.day} {local:%b}"

    def when(self, at: datetime | None, now: datetime) -> str:
        """The clock alone for today, the day as well for any other."""
        if at is None:
            return ""
        same = self.local(at).date() == self.local(now).date()
        return self.clock(at) if same else f"{self.short_day(at)}, {self.clock(at)}"

    def says(self, at: datetime) -> str:
        """``Europe/London (GMT)``: written once on each page."""
        return f"{self.name} ({self.local(at):%Z})"

    def field(self, at: datetime | None) -> str:
        """The value of a ``datetime-local`` field, to the second."""
        return "" if at is None else f"{self.local(at):%Y-%m-%dT%H:%M:%S}"

    def entered(self, text: str) -> datetime:
        """The UTC moment somebody typed into such a field. Raises ValueError."""
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        return local.replace(tzinfo=self._zone).astimezone(UTC)


def iso(at: datetime) -> str:
    """For ``<time datetime>`` and scripts."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_words(day: date) -> str:
    """``3 November 2026``."""
    return f"{day.day} {day:%B %Y}"


def length(span: timedelta) -> str:
    """``45 seconds``, ``3 minutes``, ``1 hour 5 minutes``."""
    total = max(0, round(span.total_seconds()))
    if total < 120:
        return _count(total, "second")
    minutes = total // 60
    if minutes < 60:
        return _count(minutes, "minute")
    hours, rest = divmod(minutes, 60)
    return _count(hours, "hour") + (f" {_count(rest, 'minute')}" if rest else "")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# --- people -----------------------------------------------------------------------

WHO: Mapping[Who, Tag] = {
    Who.WORKER: _tag(GOOD, "Verified worker"),
    Who.CLIENT: _tag(GOOD, "Invited client"),
    Who.CHALLENGED: _tag(BAD, "Says worker, not proven", "?"),
    Who.DOUBTFUL: _tag(WAIT, "Client's link, person not sure", "?"),
    Who.STRANGER: _tag(BAD, "Stranger", "?"),
    Who.PHONE: _tag(WAIT, "Phone caller", "?"),
    Who.RECORDER: _tag(BAD, "Recorder or note-taker"),
}

ROLES: Mapping[Role, str] = {
    Role.LEAD: "lead worker",
    Role.SUPPORT: "support worker",
    Role.STANDBY: "standby worker",
}

LEFT: Mapping[str, str] = {
    LeaveCause.LEFT: "left",
    LeaveCause.DROPPED: "lost the connection",
    LeaveCause.REMOVED: "was removed",
    LeaveCause.ENDED: "the call ended",
}


def name_of(session: GroupSession, person_id: str) -> str:
    """The name on the list, made safe to look at; the id where the name was erased."""
    name = session.names.get(person_id, "")
    return display(name) if name else person_id or "somebody"


def named(text: str, names: Mapping[str, str]) -> str:
    """A sentence of the core with person ids written as names."""
    if not names:
        return text
    ids = "|".join(re.escape(i) for i in sorted(names, key=len, reverse=True) if i)
    return re.sub(
        rf"(?<![\w-])(?:{ids})(?![\w-])", lambda m: display(names[m[0]]), text
    )


# --- the checklist ----------------------------------------------------------------

VERDICT: Mapping[Verdict, Tag] = {
    Verdict.READY: _tag(GOOD, "Ready"),
    Verdict.READY_WITH_EXCEPTIONS: _tag(WAIT, "Ready with named exceptions"),
    Verdict.NOT_READY: _tag(BAD, "Not ready"),
}

_RESULT: Mapping[Result, Tag] = {
    Result.OK: _tag(GOOD, "OK"),
    Result.TICKED: _tag(GOOD, "Ticked"),
    Result.EXCEPTED: _tag(WAIT, "Exception"),
    Result.FAULT: _tag(BAD, "Not safe"),
    Result.UNKNOWN: _tag(BAD, "Not known", "?"),
    Result.TODO: _tag(BAD, "To do"),
}


def item_tag(item: Item) -> Tag:
    """How a line of the checklist stands: red stops the session, amber does not."""
    tag = _RESULT[item.result]
    if tag.tone == BAD and not item.stops:
        return _tag(WAIT, {Result.FAULT: "Look at this"}.get(item.result, tag.word))
    return tag


# --- what the bot does ------------------------------------------------------------

DOES: Mapping[str, str] = {
    "end_meeting": "End the call for everyone",
    "remove_participant": "Take out of the room",
    "hold_participant": "Take to the waiting room",
    "admit_participant": "Let in",
    "post_ground_rules": "Give the ground rules",
    "send_reminder": "Give a reminder",
    "send_warning": "Give a warning",
    "tell_waiting_room": "Change the words at the door",
    "change_link": "Change a personal link",
    "stop_recording": "Stop the recording",
    "stop_live_stream": "Stop the live stream",
    "ask_worker": "Ask a worker",
    "alert_staff": "Tell the staff",
    "start_follow_up": "Open a follow-up task",
    "read_room": "Look at the room",
}

HINTS: Mapping[str, str] = {
    "remove_participant": "remove",
    "hold_participant": "hold",
    "admit_participant": "admit",
    "post_ground_rules": "post_rules",
    "send_reminder": "private_message",
    "send_warning": "private_message",
}
"""What platforms call the press that carries out an action, where it has another name."""

STEPS: Mapping[Step, str] = {
    Step.REMIND: "Remind",
    Step.WARN: "Warn",
    Step.REMOVE: "Remove",
}


def state_tag(fact: ActionFact) -> Tag:
    """How far an action has come; "done" only when the room has shown it (DESIGN §5.4)."""
    if fact.state is ActionState.SENT:
        if fact.kind == "alert_staff":
            return _tag(WAIT, "Told, nobody has taken it yet", "…")
        if fact.route == "person" or fact.kind == "ask_worker":
            return _tag(WAIT, "Asked a worker, no proof yet", "…")
        if fact.kind == "tell_waiting_room" and not fact.problem:
            return _tag(CALM, "Sent; no look at the room can show it")
        return _tag(WAIT, "Sent, no proof yet", "…")
    if fact.kind == "change_link" and fact.state is ActionState.CONFIRMED:
        return _tag(GOOD, "Done, says the platform")
    return _STATE[fact.state]


_STATE: Mapping[ActionState, Tag] = {
    ActionState.WANTED: _tag(WAIT, "Wanted, not sent yet", "…"),
    ActionState.CONFIRMED: _tag(GOOD, "Done and proved"),
    ActionState.WITHDRAWN: _tag(CALM, "No longer needed"),
    ActionState.REFUSED: _tag(BAD, "Not done: nobody can"),
    ActionState.EXPIRED: _tag(CALM, "Not done: its time has passed"),
    ActionState.ESCALATED: _tag(BAD, "Not done: people were told"),
}

LEVELS: Mapping[int, Tag] = {
    0: _tag(CALM, "For you to know", "i"),
    1: _tag(WAIT, "Warning"),
    2: _tag(BAD, "Alarm", "!"),
}
