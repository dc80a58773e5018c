"""What the store keeps: each fact once, unchanged, and ends as they were: I6, I12, I15."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import text

from app.core.presses import ActionState
from app.simulate.ground import KEYS
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set, end_calls
from app.simulate.verdict import Figures
from integrations.rehearsal.zoom_rest import Call

FLIGHT = timedelta(seconds=5)


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
    return took and call.at <= ended <= call.at + FLIGHT


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
