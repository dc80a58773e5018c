"""The organisation's policy: every number and severity a rule uses.

Defaults come from guidance.md (clause ids in the comments' place: see each docstring)
and from the safety-time budget of the assurance reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Mode(StrEnum):
    """How far the bot goes by itself: write down, ask a worker, or act."""

    WATCH = "watch"
    ASK = "ask"
    ACT = "act"


class Weight(StrEnum):
    """How much a checklist item weighs."""

    BLOCK = "block"
    WARN = "warn"
    INFORM = "inform"


LONGEST_GRACE = timedelta(seconds=300)
SHORTEST_FIRST_GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations are timedelta. The live guard (guidance E1) has times but no off switch.

    ``grace``: G of the budget, 0-300 s. ``grace_first_worker``: G0, 30-300 s.
    ``poll_*``: gaps between roster reads. ``call_deadline``: T, one API call in total.
    ``verify_after``: V. ``blind_after``: first failed read to "blind".
    """

    version: int = 1
    grace: timedelta = timedelta(seconds=60)
    grace_first_worker: timedelta = timedelta(seconds=120)
    grace_late_news: timedelta = timedelta(seconds=10)
    poll_calm: timedelta = timedelta(seconds=30)
    poll_watchful: timedelta = timedelta(seconds=10)
    poll_unsafe: timedelta = timedelta(seconds=5)
    call_deadline: timedelta = timedelta(seconds=5)
    retry_cap: timedelta = timedelta(seconds=5)
    verify_after: timedelta = timedelta(seconds=5)
    blind_after: timedelta = timedelta(seconds=30)
    roster_staleness: timedelta = timedelta(seconds=60)
    alarm_repeat: timedelta = timedelta(seconds=60)
    settings_every: timedelta = timedelta(minutes=5)
    workers_needed: int = 2
    one_to_ones_needed: int = 1
    one_to_one_with_group_lead: bool = True
    resume_window: timedelta = timedelta(minutes=30)
    links_die_after_end: timedelta = timedelta(minutes=30)
    opens_before_start: timedelta = timedelta(minutes=30)
    goodbye: timedelta = timedelta(seconds=30)
    welfare_due: timedelta = timedelta(minutes=15)
    reason_due: timedelta = timedelta(hours=24)
    notes_due: timedelta = timedelta(hours=24)
    nobody_came_after: timedelta = timedelta(minutes=2)
    late_after: timedelta = timedelta(minutes=5)
    left_early_before: timedelta = timedelta(minutes=5)
    removals_per_minute: int = 20
    hold_phone_callers: bool = False
    share_by_workers_only: bool = True
    private_chat_allowed: bool = False
    file_transfer_allowed: bool = False
    rename_allowed: bool = True
    chat_lasting_allowed: bool = False
    modes: Mapping[str, Mode] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)

    def mode(self, kind: str) -> Mode:
        """How far the bot goes with this kind of action (DESIGN §5, line 5)."""
        return self.modes.get(kind, Mode.ACT)

    def faults(self) -> list[str]:
        """Every number outside its bounds, as plain sentences; empty when all is well."""
        found: list[str] = []
        if not timedelta(0) <= self.grace <= LONGEST_GRACE:
            found.append("The grace must lie between 0 and 300 seconds.")
        if not SHORTEST_FIRST_GRACE <= self.grace_first_worker <= LONGEST_GRACE:
            found.append(
                "The grace before the first worker must lie between 30 and 300 seconds."
            )
        if self.workers_needed < 1:
            found.append("At least one worker is needed in every session.")
        if not timedelta(0) < self.poll_unsafe <= timedelta(seconds=10):
            found.append(
                "The room must be read at least every 10 s while it is unsafe."
            )
        if not timedelta(0) < self.poll_watchful <= timedelta(seconds=10):
            found.append(
                "The room must be read at least every 10 s while one worker is there."
            )
        if not timedelta(0) < self.blind_after <= timedelta(seconds=30):
            found.append("Workers must be told within 30 s that we cannot see.")
        return found
