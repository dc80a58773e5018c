"""When things happen: webhooks answered, deadlines stored and kept: I1, I17, I19."""

from datetime import datetime, timedelta

from app.simulate.allowance import allowed
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set, end_calls, gaps, ordered
from app.simulate.stage import Stage
from app.simulate.verdict import Figures
from integrations.rehearsal.rooms import MAIN
from integrations.rehearsal.truth import AloneInterval

ANSWERED_WITHIN = 0.25
AT_REST = timedelta(seconds=10)
"""So long after a room became unsafe every word of it is stored, when all is well."""
WHOLE_SECONDS = timedelta(seconds=1.5)
PROMPT = timedelta(seconds=5)


def answered_at_once(outcome: Outcome, _figures: Figures) -> list[str]:
    """I17: a webhook is answered within 250 ms: nothing but the store is waited for."""
    stage = outcome.stage
    busy = [f for f in outcome.scenario.faults if f.code == "F12"]
    for passed, took, _ in stage.answers:
        if took <= ANSWERED_WITHIN:
            continue
        if any(f.at - 1 <= passed + took and passed <= f.until + 5 for f in busy):
            continue
        return [f"A webhook at {passed:.1f} s was answered after {took:.2f} s."]
    return []


def deadline_is_stored(outcome: Outcome, _figures: Figures) -> list[str]:
    """I1, I19: when a process dies while a room is alone, the store holds a deadline that
    is not later than the grace allows."""
    stage, found = outcome.stage, []
    for gap in gaps(stage):
        grace = allowed(stage, gap).grace
        for down in stage.downs:
            over = gap.start + grace - WHOLE_SECONDS
            if not gap.start + AT_REST < down.since < over:
                continue  # Once it is over, the end that is wanted is what is stored.
            if not _quiet(stage, gap, down.since):
                continue
            due = gap.start + grace + down.ahead + PROMPT
            if down.deadline is None or down.deadline > due:
                found.append(
                    f"Killed {down.since - gap.start} after the last worker went; stored "
                    f"as the deadline: {down.deadline}, due {due}."
                )
    return found


def no_clock_moves_a_deadline(outcome: Outcome, _figures: Figures) -> list[str]:
    """I19: on an evening whose clock is set or runs off, and nothing else is broken, the
    end of a room comes exactly when its grace is over."""
    stage, found = outcome.stage, []
    if not clock_was_set(stage):
        return []
    for gap in gaps(stage):
        due = gap.start + allowed(stage, gap).grace
        calls = [c.at for c in end_calls(stage) if gap.start < c.at <= gap.end + PROMPT]
        if not _quiet(stage, gap, due + PROMPT) or ordered(outcome):
            continue
        if _down_when_due(stage, due):
            continue  # Nobody was there to end it; I1 says how late it may come.
        if calls and not due - WHOLE_SECONDS <= calls[0] <= due + PROMPT:
            early = (calls[0] - due).total_seconds()
            found.append(f"With the clock set, the end came {early:+.1f} s from due.")
        elif not calls and gap.end > due + PROMPT:
            found.append("With the clock set, the end never came.")
    return found


def _down_when_due(stage: Stage, due: datetime) -> bool:
    return any(
        down.since <= due + PROMPT
        and (down.until is None or down.until >= due - PROMPT)
        for down in stage.downs
    )


def _quiet(stage: Stage, gap: AloneInterval, until: datetime) -> bool:
    """Whether a worker had been there for a good while, in a room that can be read, and
    nothing but kills and clocks is broken from long before this gap."""
    low = (gap.start - stage.began).total_seconds() - 60
    high = (until - stage.began).total_seconds()
    return (
        gap.room == MAIN
        and stage.scenario.live_roster
        and stage.scenario.planned
        and len(stage.world.meeting(stage.meeting_id).instances) == 1
        and not any(
            fault.code not in ("F5", "F11", "F13", "F14", "F17")
            and fault.at < high
            and fault.until > low
            for fault in stage.scenario.faults
        )
        and all(down.until is not None for down in stage.downs)
    )
