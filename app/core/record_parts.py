"""The parts of one group session's record (guidance §4; E1-E3).

Frozen data, ready for any export: times are aware UTC, durations timedelta, people are
:class:`Named`. ``None`` means: it did not happen, or nobody knows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.safety_times import Blind, Clear, Closing, Gap
from app.core.spans import Span
from app.core.timeline_entry import Entry


@dataclass(frozen=True, slots=True)
class Named:
    """A person: the pseudonymous id ("" for nobody on the list) and what to print."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What was decided before anybody joined."""

    group_id: str
    title: str
    purpose: str
    platform: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    plan_version: int
    segments: int
    under_18: bool
    risk_assessment: bool
    recording_reason: str
    ground_rules_version: int
    ground_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingFact:
    """One occurrence of a platform meeting that belonged to the session."""

    platform: str
    meeting_id: str
    instance: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A correction of an attendance line, on top of what events said."""

    at: datetime
    by: Named
    line: str
    joined_at: datetime | None
    left_at: datetime | None
    person: Named | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRow:
    """One row per person, and one per connection nobody knows.

    ``flags`` in a fixed order. ``original_*`` are set when a correction was made.
    """

    line: str
    person: Named
    part: str
    role: str
    expected: bool
    matched_by: str
    shown: tuple[str, ...]
    joined_at: datetime | None
    left_at: datetime | None
    minutes: int
    present: timedelta
    waited: timedelta
    spans: tuple[Span, ...]
    flags: tuple[str, ...]
    rules_at: datetime | None
    rules_how: str
    original_joined_at: datetime | None
    original_left_at: datetime | None
    original_present: timedelta | None
    amendments: tuple[Amendment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistLine:
    """One item of the pre-session checklist as it stood."""

    item: str
    clause: str
    result: str
    weight: str
    evidence: str
    excepted_by: Named | None = None
    excepted_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistFacts:
    """The verdict when it was last read; handed in, since a pack is needed for it."""

    verdict: str
    at: datetime
    pack: str
    items: tuple[ChecklistLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFact:
    """A tick, or a named exception with its reason."""

    item: str
    kind: str
    at: datetime
    by: Named
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderEntry:
    """One step of the ladder, from press to proof, and what undid it (T5, I7)."""

    press_id: str
    step: str
    at: datetime
    by: Named
    person: Named
    rule: int
    rule_text: str
    immediate: bool
    reason: str
    reason_at: datetime | None
    sent_at: datetime | None
    confirmed_at: datetime | None
    route: str
    proof: str
    problem: str
    undone_at: datetime | None
    undone_by: Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEntry:
    """Somebody taken to the waiting room or let in, by a press or by the bot."""

    kind: str
    at: datetime
    by: Named | None
    person: Named
    reason: str
    sent_at: datetime | None
    confirmed_at: datetime | None
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEntry:
    """An alert and who took it."""

    key: str
    level: str
    at: datetime
    reason: str
    acknowledged_at: datetime | None
    acknowledged_by: Named | None
    waited: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesGiven:
    """Who had the ground rules, when and how (T3)."""

    person: Named
    at: datetime
    how: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DebriefFacts:
    """Staff among themselves after the last client (E2)."""

    start: datetime | None
    end: datetime | None
    length: timedelta | None
    present: tuple[Named, ...]
    skipped: bool
    reason: str
    went_well: str = ""
    change: str = ""
    staff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFact:
    """A personal link; its address is not in the record."""

    person: Named
    registrant_id: str
    meeting_id: str
    issued_at: datetime
    state: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpFact:
    """A task for a person, open or done."""

    key: str
    what: str
    person: Named
    opened_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    done_by: Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEntry:
    """Everything the bot wanted: three stored facts and the proof (I6)."""

    key: str
    kind: str
    state: str
    reason: str
    person: Named | None
    wanted_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    route: str
    proof: str
    problem: str
    race: bool
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The safety timings of the whole session."""

    workers_needed: int
    time_with_enough_workers: timedelta
    worker_gaps: tuple[Gap, ...]
    clears: tuple[Clear, ...]
    blind: tuple[Blind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Notes and attendance: which version, when, by whom."""

    version: int
    at: datetime | None
    by: Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything of one group session: it wrote itself.

    ``version``: the confirmed record this is, 0 for one built from the log as it is now.
    ``notes_text`` is filled in when it is exported; a frozen record holds none, so that
    notes have one place.
    """

    session_id: str
    written_at: datetime
    version: int = 0
    plan: PlanFacts | None
    meetings: tuple[MeetingFact, ...]
    attendance: tuple[AttendanceRow, ...]
    attendance_confirmed: Signed | None
    notes: Signed | None
    notes_text: str = ""
    checklist: ChecklistFacts | None
    items: tuple[ItemFact, ...]
    ground_rules_given: tuple[RulesGiven, ...]
    ladder: tuple[LadderEntry, ...]
    holds: tuple[HoldEntry, ...]
    alarms: tuple[AlarmEntry, ...]
    safety: Safety
    closing: Closing
    debrief: DebriefFacts
    links: tuple[LinkFact, ...]
    follow_ups: tuple[FollowUpFact, ...]
    actions: tuple[ActionEntry, ...]
    timeline: tuple[Entry, ...]

    @property
    def standing(self) -> str:
        """What it is worth, in words: confirmed when and by whom, or a draft."""
        signed = self.attendance_confirmed
        if signed is None or signed.at is None:
            return "draft, not confirmed"
        if not self.version:
            return f"draft, written after version {signed.version} was confirmed"
        by = f" by {signed.by.name}" if signed.by is not None else ""
        return f"confirmed {signed.at:%Y-%m-%d %H:%M} UTC{by}"

    @property
    def workers(self) -> tuple[AttendanceRow, ...]:
        """The workers' rows of the attendance."""
        return tuple(row for row in self.attendance if row.part == "worker")
