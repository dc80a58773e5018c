"""Truth of records and the service itself: I9 to I13, I16, I20, I23."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from app.core.attendance import attendance
from app.core.presses import ActionState
from app.core.readiness_items.hands import NEWS_IN_TIME
from app.core.session import Instance
from app.simulate.allowance import allowed, heard_of, is_verified
from app.simulate.ground import KEYS
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set, gaps
from app.simulate.stage import Stage
from app.simulate.verdict import Figures
from integrations.rehearsal.rooms import MAIN, WAITING_ROOM, Connection

TWO_CHANNELS_WITHIN = timedelta(seconds=30)
TO_THE_SECOND = timedelta(seconds=2)
REPEATED_AFTER = timedelta(seconds=58)
WHILE_BUSY = timedelta(seconds=45)
"""A store that takes seconds for a commit shifts one letter, not the next."""
CANARIES = (
    "Anna Price",
    "Sam Okoro",
    "Kim Doyle",
    "Lee Marsh",
    "@family.example",
    "@elsewhere.example",
    "447700900",
    "<script>",
    "=1+1",
    "Meeting notes",
)
OUR_FAULT = (
    "session turn failed",
    "action failed",
    "engine loop",
    "engine work failed",
    "look not usable",
    "act not usable",
    "no routes",
)
NOT_OURS = ("OperationalError", "TimeoutError", "StoreClosed", "Killed")


def alarms_go_out(outcome: Outcome, _figures: Figures) -> list[str]:
    """I9: a room that stayed alone beyond its grace was told on two channels."""
    stage, found = outcome.stage, []
    for gap in gaps(stage):
        bound = allowed(stage, gap)
        if bound.beyond is None or _letters_fail(stage):
            continue
        alone_for = gap.end - gap.start
        known = timedelta() if bound.why == "all well" else bound.beyond - NEWS_IN_TIME
        if alone_for <= bound.grace + known:
            continue
        by = gap.start + bound.grace + bound.beyond + TWO_CHANNELS_WITHIN
        if by > outcome.now:
            continue
        told = {
            "mail" if "@" in letter.address else "webhook"
            for at, letter in stage.letters
            if gap.start <= at <= by and "never_alone.alert" in letter.key
        }
        if len(told) < 2:
            start = (gap.start - stage.began).total_seconds()
            found.append(f"Alone from {start:.1f} s, and alarmed on {sorted(told)}.")
    return found


def _letters_fail(stage: Stage) -> bool:
    return any(fault.code == "F16" for fault in stage.scenario.faults)


def no_flood(outcome: Outcome, _figures: Figures) -> list[str]:
    """I10: nobody hears of one alarm twice within a minute, but for a kill between."""
    stage, found = outcome.stage, []
    last: dict[tuple[str, str], datetime] = {}
    least = WHILE_BUSY if stage.struck["F12 busy"] else REPEATED_AFTER
    for at, letter in sorted(stage.letters, key=lambda each: each[0]):
        key = (letter.address, letter.alarm_id)
        before = last.get(key)
        last[key] = at
        if before is None or at - before >= least:
            continue
        killed = any(
            before <= down.since + timedelta(seconds=1) <= at + timedelta(seconds=2)
            for down in stage.downs
        )
        if not killed and not clock_was_set(stage):
            gap = (at - before).total_seconds()
            found.append(
                f"{letter.key} rang twice within {gap:.1f} s at {letter.address}."
            )
    return found


def nothing_acknowledged_is_lost(outcome: Outcome, _figures: Figures) -> list[str]:
    """I11: every webhook answered 2xx lies in the store, byte for byte, encrypted."""
    stage = outcome.stage
    if not stage.scenario.planned:
        return []
    kept: set[bytes] = set()
    with stage.ground.database.connect() as db:
        for row in db.execute(text("SELECT ref, body_sealed FROM deliveries")):
            if row.body_sealed is not None:
                place = f"deliveries:body:{row.ref}".encode()
                kept.add(KEYS.decrypt(row.body_sealed, place))
    lost = [
        sent
        for sent in stage.server.sendings
        if sent.is_accepted
        and not sent.forged
        and sent.body not in kept
        and f'"{stage.meeting_id}"'.encode() in sent.body
    ]
    return [f"{sent.event} was acknowledged and is not in the store." for sent in lost]


def folded_once(outcome: Outcome, _figures: Figures) -> list[str]:
    """I12: the state in memory is the state of the log, folded anew."""
    live, anew = outcome.session, outcome.refolded
    if live is None or anew is None:
        return []
    different = [
        name
        for name in ("actions", "links", "bindings", "acknowledged")
        if getattr(live, name) != getattr(anew, name)
    ]
    for ref, instance in live.instances.items():
        other = anew.instances.get(ref)
        if other is None or _seats(instance) != _seats(other):
            different.append("who is where")
        elif (instance.ends, instance.sight) != (other.ends, other.sight):
            different.append("ends and sight")
    return (
        [f"In memory and from the log differ: {', '.join(different)}."]
        if different
        else []
    )


def _seats(instance: Instance) -> dict[str, object]:
    """Who is where. When a look last proved it is not in the log."""
    return {
        key: (
            connection.uuid,
            connection.registrant_id,
            connection.platform_user_id,
            connection.name,
            connection.whereabouts(instance.closed_at),
        )
        for key, connection in instance.connections.items()
    }


def attendance_is_true(outcome: Outcome, _figures: Figures) -> list[str]:
    """I13: who was there for a minute is in the register; comings and goings that were
    told are right to the second. A call that was opened again while news got lost is
    left out (docs/simulation.md)."""
    stage, session = outcome.stage, outcome.session
    if session is None or clock_was_set(stage) or not stage.scenario.planned:
        return []
    if len(stage.world.meeting(stage.meeting_id).instances) > 1 and _news_fail(stage):
        return []
    key_of = {person_id: key for key, person_id in stage.ground.people.items()}
    said: dict[str, list[Edges]] = {
        key_of[line.person_id]: [(stay.start, stay.end) for stay in line.stays]
        for line in attendance(session, outcome.now)
        if line.person_id in key_of
    }
    return [
        fault
        for who, stays in _own_stays(stage).items()
        for one in stays
        for fault in _misread(outcome, who, one, said.get(who, []))
    ]


Edges = tuple[datetime | None, datetime | None]
OneStay = tuple[Connection, datetime, datetime | None]


def _misread(
    outcome: Outcome, who: str, one: OneStay, said: list[Edges]
) -> Iterator[str]:
    """What the register has wrong about one stay."""
    stage = outcome.stage
    connection, start, end = one
    lasted = (end or outcome.now) - start
    if not said:
        if lasted >= timedelta(seconds=60) and not _news_fail(stage):
            yield f"{who} was there for {lasted} and is not in the register."
        return
    for moment, at in ((start, 0), (end, 1)):
        if moment is None or heard_of(stage, connection, moment) is None:
            continue
        edges = [edge for span in said if (edge := span[at]) is not None]
        if not any(abs(edge - moment) <= TO_THE_SECOND for edge in edges):
            word = ("came", "went")[at]
            passed = (moment - stage.began).total_seconds()
            yield f"{who} {word} at {passed:.1f} s, and the register says otherwise."


def _news_fail(stage: Stage) -> bool:
    """By looks alone nobody can tell whose link a guest used."""
    codes = ("F1", "F2", "F4", "F6", "F11", "F12")
    return any(fault.code in codes for fault in stage.scenario.faults)


def _own_stays(stage: Stage) -> dict[str, list[OneStay]]:
    """Whole stays of everybody who came on their own proof, and of nobody else's.

    Whoever was in a breakout room is left out: of the seconds between it and the door
    the platform tells nothing.
    """
    found: dict[str, list[OneStay]] = {}
    shared = {str(step.args.get("link_of")) for step in stage.scenario.steps}
    meeting = stage.world.meeting(stage.meeting_id)
    for instance in meeting.instances:
        for connection in instance.connections:
            who = connection.person.key
            own = stage.links.get(who)
            known = meeting.registrant_of(own) if own else None
            on_own = known is not None and known.id == connection.registrant_id
            rooms = {stay.room for stay in connection.stays} - {WAITING_ROOM}
            proven = on_own or is_verified(stage, connection)
            if who in shared or not proven or rooms != {MAIN}:
                continue
            mine = found.setdefault(who, [])
            mine += [
                (connection, stay.start, stay.end)
                for stay in connection.stays
                if stay.room == MAIN
            ]
    return found


def decisions_explain_themselves(outcome: Outcome, _figures: Figures) -> list[str]:
    """I16: an end that was confirmed was wanted and sent before, for a reason."""
    session = outcome.session
    found = []
    for fact in session.actions.values() if session is not None else ():
        if fact.kind != "end_meeting" or fact.state is not ActionState.CONFIRMED:
            continue
        if fact.confirmed_at is None or not (fact.proof and fact.reason):
            found.append(f"{fact.key} is confirmed without time, proof or reason.")
        elif (
            fact.sent_at is not None
            and not (fact.wanted_at <= fact.sent_at <= fact.confirmed_at)
            and not clock_was_set(outcome.stage)
        ):
            found.append(f"{fact.key}: wanted, sent, confirmed are not in this order.")
    return found


def fails_safe(outcome: Outcome, _figures: Figures) -> list[str]:
    """I20: nothing the bot met was its own mistake, and a full disk was told."""
    stage = outcome.stage
    found = [f"Nobody caught: {said}" for said in outcome.complaints[:3]]
    for level, event, more in stage.log.lines:
        why = str(more.get("why", ""))
        if (
            event in OUR_FAULT
            and not why.startswith(NOT_OURS)
            and "OperationalError" not in why
        ):
            found.append(f"The log says {level} “{event}”: {why}")
            break
    if outcome.session is None and not stage.downs:
        found.append("The bot does not run any more.")
    return found


def full_disk_is_told(outcome: Outcome, _figures: Figures) -> list[str]:
    """I20: when the store takes nothing for half a minute, the contacts hear of it."""
    stage = outcome.stage
    if stage.struck["F12 full"] < 3 or stage.downs or _letters_fail(stage):
        return []
    if any(letter.key == "store" for _, letter in stage.letters):
        return []
    return ["The disk was full, and nobody was told."]


def heals(outcome: Outcome, _figures: Figures) -> list[str]:
    """Two minutes after everything works again nothing is left undone."""
    stage, session = outcome.stage, outcome.session
    if session is None:
        return ["The bot does not run at the end."]
    found = []
    for fact in session.actions.values():
        if fact.kind not in ("end_meeting", "remove_participant"):
            continue
        instance = session.instances.get(fact.meeting) if fact.meeting else None
        over = instance is not None and instance.closed_at is not None
        if over and fact.state in (ActionState.WANTED, ActionState.SENT):
            found.append(f"{fact.key} is still {fact.state}, and the room is over.")
    meeting = stage.world.meetings.get(stage.meeting_id)
    live = (
        {each.uuid for each in meeting.instances if each.ended_at is None}
        if meeting
        else set()
    )
    for instance in session.live():
        gone = meeting is not None and instance.ref.instance not in live
        if gone and not instance.ref.instance.startswith("unseen:"):
            found.append(f"{instance.ref.instance} is over, and the bot does not know.")
    return found


def no_leak(outcome: Outcome, _figures: Figures) -> list[str]:
    """I23: no name, address or number in logs, alarms, or the bytes of the database."""
    stage, found = outcome.stage, []
    said = "\n".join(f"{event} {more}" for _, event, more in stage.log.lines)
    said += "\n".join(
        f"{one.text} {one.what_to_do} {one.key}" for _, one in stage.letters
    )
    for canary in CANARIES:
        if canary in said:
            found.append(f"“{canary}” stands in a log line or an alarm.")
    with closing(stage.ground.database.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        tables: bytes = driver.serialize()
    found += [
        f"“{canary}” lies in the database as plain text."
        for canary in CANARIES
        if canary.encode() in tables
    ]
    return found


def lies_are_refused(outcome: Outcome, _figures: Figures) -> list[str]:
    """A7: what nobody signed, or signed hours ago, is answered 401 and changes nothing."""
    return [
        f"A lie ({what}) was answered {status}."
        for what, status in outcome.stage.lies.items()
        if status not in (401, 503) and not what.endswith("other account")
    ]
