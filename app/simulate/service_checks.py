"""What the service owes besides decisions: I6, I12, I15, I17, I19."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import text

from app.core.presses import ActionState
from app.simulate.allowance import allowed
from app.simulate.ground import KEYS
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set, end_calls, gaps, ordered
from app.simulate.stage import Stage
from app.simulate.verdict import Figures
from integrations.rehearsal.rooms import MAIN
from integrations.rehearsal.truth import AloneInterval
from integrations.rehearsal.zoom_rest import Call

ANSWERED_WITHIN = 0.25
AT_REST = timedelta(seconds=10)
"""So long after a room became unsafe every word of it is stored, when all is well."""
WHOLE_SECONDS = timedelta(seconds=1.5)
PROMPT = timedelta(seconds=5)


def kept_once(outcome: Outcome, _figures: Figures) -> list[str]:
    """I12: a webhook that came several times lies in the store once."""
    stage = outcome.stage
    if not any(f.code in ("F3", "F11", "F12") for f in outcome.scenario.faults):
        return []
    bodies: Counter[bytes] = Counter()
    with stage.ground.database.connect() as db:
        for row in db.execute(text("SELECT ref, body_sealed FROM deliveries")):
            if row.body_sealed is not None:
                place = f"deliveries:body:{row.ref}".encode()
                bodies[KEYS.decrypt(row.body_sealed, place)] += 1
    twice = [times for times in bodies.values() if times > 1]
    return [f"{len(twice)} webhooks lie in the store twice or more."] if twice else []


def only_added(outcome: Outcome, _figures: Figures) -> list[str]:
    """I15: what was in the log when a process died, or when all was mended, is in it at
    the end, unchanged and in its place."""
    stage, found = outcome.stage, []
    now = stage.log_rows()
    for at, rows in stage.log_seen:
        changed = [seq for seq, row in rows.items() if now.get(seq) != row]
        if changed:
            passed = (at - stage.began).total_seconds()
            found.append(
                f"Row {changed[0]} of the log is not what it was at {passed:.1f} s."
            )
    return found


def done_is_confirmed(outcome: Outcome, _figures: Figures) -> list[str]:
    """I6: an end that ended the room is called confirmed at last, not withdrawn."""
    stage, session = outcome.stage, outcome.session
    if session is None or clock_was_set(stage) or not stage.meeting_id:
        return []
    found = []
    for instance in stage.world.meeting(stage.meeting_id).instances:
        ended = instance.ended_at
        if ended is None or not any(_did_it(call, ended) for call in end_calls(stage)):
            continue
        states = [
            fact.state
            for fact in session.actions.values()
            if fact.kind == "end_meeting"
            and fact.meeting is not None
            and fact.meeting.instance == instance.uuid
        ]
        if states and ActionState.CONFIRMED not in states:
            found.append(f"{instance.uuid} was ended by us; the ends are {states}.")
    return found


def _did_it(call: Call, ended: datetime) -> bool:
    """Whether this call was taken, and the room was over within the flight of it."""
    took = call.status // 100 == 2 and call.trouble is None
    return took and call.at <= ended <= call.at + PROMPT


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
            if not gap.start + AT_REST < down.since < gap.start + grace:
                continue
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
        if calls and not due - WHOLE_SECONDS <= calls[0] <= due + PROMPT:
            early = (calls[0] - due).total_seconds()
            found.append(f"With the clock set, the end came {early:+.1f} s from due.")
        elif not calls and gap.end > due + PROMPT:
            found.append("With the clock set, the end never came.")
    return found


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
