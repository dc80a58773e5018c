"""Safety of presence: I1 to I8, judged by the World and by the calls that arrived."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import EndCause
from app.core.presses import ActionState, ClosingPressed, LadderPressed
from app.engine.intake import OFFSET_MATTERS
from app.simulate.allowance import CALLS, NEWS, allowed, heard_of, is_verified
from app.simulate.play import Outcome
from app.simulate.stage import Stage
from app.simulate.verdict import Figures
from integrations.rehearsal.rooms import MAIN, WAITING_ROOM, Connection, Instance, Stay
from integrations.rehearsal.truth import AloneInterval
from integrations.rehearsal.zoom_rest import Call

SLACK = timedelta(seconds=1.5)
"""The platform's times are whole seconds."""
FLIGHT = timedelta(seconds=5)


def gaps(stage: Stage) -> list[AloneInterval]:
    """Every time somebody was in a room without a verified worker, from when the bot
    knew that the meeting is ours."""
    if stage.meeting_id not in stage.world.meetings:
        return []
    found = stage.world.alone_intervals(
        stage.meeting_id, lambda connection: is_verified(stage, connection)
    )
    known = stage.bound_at
    if known is None:
        return []
    until = stage.clock.now()
    if not stage.scenario.planned:
        # An unplanned meeting is ours for one occurrence.
        first = stage.world.meeting(stage.meeting_id).instances[0]
        until = first.ended_at or until
    return [
        gap._replace(start=max(gap.start, known))
        for gap in found
        if gap.end > known and gap.start < until
    ]


def never_alone(outcome: Outcome, figures: Figures) -> list[str]:
    """I1, I1b, I1c: b - a <= G + N of the condition, for each room."""
    stage, found = outcome.stage, []
    for gap in gaps(stage):
        bound = allowed(stage, gap)
        if bound.beyond is None:
            stage.marks["alone without a promise"] += 1
            continue
        beyond = gap.end - gap.start - bound.grace
        figures.measure(bound.why, beyond.total_seconds(), outcome.scenario.seed)
        if beyond > bound.beyond:
            room = "the room" if gap.room == MAIN else "a breakout room"
            found.append(
                f"Nobody was with them in {room} from {_at(stage, gap.start)} to "
                f"{_at(stage, gap.end)}: {beyond.total_seconds():.1f} s beyond the grace "
                f"of {bound.grace.total_seconds():.0f} s; allowed are "
                f"{bound.beyond.total_seconds():.1f} s ({bound.why})."
            )
    return found


def _at(stage: Stage, when: datetime) -> str:
    return f"{(when - stage.began).total_seconds():.1f} s"


# --- I2 -------------------------------------------------------------------------------------


def strangers_out(outcome: Outcome, _figures: Figures) -> list[str]:
    """I2: who is not on the list is out or at the door 15 s after coming in, where a
    hand can remove one person and everything works."""
    stage, scenario = outcome.stage, outcome.scenario
    if not (scenario.live_roster and scenario.remove_enabled and scenario.planned):
        return []
    found = []
    for instance in _instances(stage):
        for connection in instance.connections:
            who = connection.person.key
            by_phone = bool(connection.phone)
            if who in scenario.workers or connection.registrant_id or by_phone:
                continue
            for stay in _inside(connection):
                end = stay.end or outcome.now
                if end - stay.start > timedelta(seconds=15) and not _any_fault(
                    stage, stay.start, end
                ):
                    found.append(
                        f"A stranger was inside from {_at(stage, stay.start)}."
                    )
    return found


def _any_fault(stage: Stage, start: datetime, end: datetime) -> bool:
    low = (start - stage.began).total_seconds() - 40
    high = (end - stage.began).total_seconds()
    return any(f.at < high and f.until > low for f in stage.scenario.faults)


# --- I3, I5 ---------------------------------------------------------------------------------


def end_calls(stage: Stage) -> Iterator[Call]:
    """Requests to end the meeting for everyone, in order."""
    for call in stage.server.calls:
        if call.method != "PUT" or not call.path.endswith("/status"):
            continue
        if isinstance(call.body, dict) and call.body.get("action") == "end":
            yield call


def no_early_clear(outcome: Outcome, _figures: Figures) -> list[str]:
    """I3: no end is sent although it was told or seen that a verified worker was there
    less than the grace ago. Ends a worker ordered, and the goodbye's, are excepted."""
    stage, found = outcome.stage, []
    if outcome.session is None or ordered(outcome):
        return []
    grace = timedelta(seconds=stage.scenario.grace)
    for call in end_calls(stage):
        if stage.meeting_id != _meeting_of(call):
            found.append(f"Another meeting was ended: {call.path} (I5).")
            continue
        if _for_a_breakout(outcome, call.at):
            continue
        if (other := _meant_for(outcome, call.at)) is not None:
            found.append(
                f"An end at {_at(stage, call.at)} was meant for {other}, which was over, "
                "while another occurrence ran (I5)."
            )
            continue
        proof = _last_proof(stage, call.at)
        if proof is None:
            continue
        slack = SLACK + _set_before_a_start(stage, proof, call.at)
        if call.at - proof < grace - slack:
            found.append(
                f"An end was sent at {_at(stage, call.at)}; that a worker was there was "
                f"known of {_at(stage, proof)}."
            )
    return found


def _set_before_a_start(stage: Stage, proof: datetime, now: datetime) -> timedelta:
    """By how much the machine's clock was set forward before a process began: it knows no
    other clock (I19). Begun in this grace, what it finds stored is so much older; begun
    before it, only a difference too small to be put right counts."""
    in_grace = _forward(stage, proof, now)
    before = _forward(stage, stage.began, now)
    return max(in_grace, before if before <= OFFSET_MATTERS else timedelta())


def _forward(stage: Stage, since: datetime, now: datetime) -> timedelta:
    """The steps forward before the last start between these moments."""
    starts = [
        (down.until - stage.began).total_seconds()
        for down in stage.downs
        if down.until is not None and since < down.until < now
    ]
    return timedelta(
        seconds=sum(
            fault.amount
            for fault in stage.scenario.faults
            if fault.code == "F13"
            and fault.kind == "step"
            and fault.amount > 0
            and fault.at <= max(starts, default=-1.0)
        )
    )


def _for_a_breakout(outcome: Outcome, now: datetime) -> bool:
    """Whether a breakout room was without a worker, so that the whole call is ended; or
    the news that it was closed got lost or was late, so that nobody could know better."""
    stage, session = outcome.stage, outcome.session
    if any(g.room != MAIN and g.start < now <= g.end + SLACK for g in gaps(stage)):
        return True
    passed = (now - stage.began).total_seconds()
    could_be_late = any(
        fault.code in (*NEWS, "F10", "F11", "F12")
        and fault.at <= passed
        and (fault.until > passed - 60 or fault.code == "F2")
        for fault in stage.scenario.faults
    )
    blind = not stage.scenario.live_roster or _calls_fail(stage, now)
    return (could_be_late or blind) and any(
        fact.kind == "end_meeting"
        and fact.key.startswith("never_alone.end:")
        and fact.key.split(":")[2] != MAIN
        for fact in (session.actions.values() if session is not None else ())
    )


def _meant_for(outcome: Outcome, now: datetime) -> str | None:
    """The occurrence an end was decided for, when it is not the one that ran."""
    stage, session = outcome.stage, outcome.session
    running = [
        each.uuid
        for each in _instances(stage)
        if each.started_at <= now and (each.ended_at is None or each.ended_at >= now)
    ]
    meant = {
        fact.meeting.instance
        for fact in (session.actions.values() if session is not None else ())
        if fact.kind == "end_meeting"
        and fact.meeting is not None
        and fact.sent_at is not None
        and fact.sent_at <= now + SLACK
        and (fact.confirmed_at is None or fact.confirmed_at >= now - SLACK)
    }
    if not running or not meant or {*running} & meant or clock_was_set(stage):
        return None
    return next(
        (name for name in sorted(meant) if not name.startswith("unseen:")), None
    )


def _meeting_of(call: Call) -> int:
    return int(call.path.split("/meetings/")[1].split("/")[0])


def ordered(outcome: Outcome) -> bool:
    """Whether some end was not the guard's own."""
    session = outcome.session
    return session is not None and any(
        fact.kind == "end_meeting" and fact.cause != EndCause.NEVER_ALONE
        for fact in session.actions.values()
    )


def _last_proof(stage: Stage, now: datetime) -> datetime | None:
    """The last moment before `now` at which the bot had been told, or had seen, that a
    verified worker was in the main room of the instance that ran at `now`."""
    proofs: list[datetime] = []
    for instance in _instances(stage):
        if instance.started_at > now or (instance.ended_at or now) < now:
            continue
        for connection in instance.connections:
            if is_verified(stage, connection):
                proofs += _proofs(stage, connection, now)
    return max(proofs, default=None)


def _proofs(stage: Stage, connection: Connection, now: datetime) -> Iterator[datetime]:
    told_by = now - timedelta(seconds=1)
    for stay in connection.stays:
        if stay.room != MAIN or stay.start > told_by:
            continue
        if _must_be_seen(stage, connection, stay, now):
            yield told_by
            continue
        came = heard_of(stage, connection, stay.start)
        if came is None or came > told_by:
            continue
        yield stay.start
        if stay.end is None or stay.end > now:
            # Nobody can have said that they left: they are there.
            yield told_by
            continue
        gone = heard_of(stage, connection, stay.end)
        if gone is not None and gone <= told_by:
            yield stay.end


def _must_be_seen(
    stage: Stage, connection: Connection, stay: Stay, now: datetime
) -> bool:
    """Whether the look that goes before every end had to show them."""
    there = stay.start <= now - FLIGHT - SLACK and (stay.end is None or stay.end > now)
    sees = stage.scenario.live_roster and connection.signed_in
    return there and sees and not _calls_fail(stage, now)


def _calls_fail(stage: Stage, now: datetime) -> bool:
    passed = (now - stage.began).total_seconds()
    return any(
        fault.code in CALLS and fault.at - 1 < passed < fault.until + 30
        for fault in stage.scenario.faults
    )


# --- I4 -------------------------------------------------------------------------------------


def never_the_wrong_person(outcome: Outcome, _figures: Figures) -> list[str]:
    """I4: nobody removes a verified worker, nor a client on their own link unpressed."""
    stage, found = outcome.stage, []
    pressed = any(isinstance(f, LadderPressed | ClosingPressed) for f in stage.pressed)
    by_uuid = {
        connection.participant_uuid: connection
        for instance in _instances(stage)
        for connection in instance.connections
    }
    for call in stage.server.calls:
        if not isinstance(call.body, dict):
            continue
        if call.body.get("method") != "participant.remove":
            continue
        uuid = str((call.body.get("params") or {}).get("participant_uuid"))
        connection = by_uuid.get(uuid)
        if connection is None:
            found.append(f"Nobody has the id in the removal at {_at(stage, call.at)}.")
        elif is_verified(stage, connection) and _proven(stage, connection, call.at):
            found.append(f"The worker {connection.person.key} was to be removed.")
        elif _own_link(stage, connection) and not pressed:
            found.append(f"{connection.person.key} was to be removed without a press.")
    return found


def _proven(stage: Stage, connection: Connection, now: datetime) -> bool:
    """Whether the bot could know: the list of the room shows accounts, not links."""
    if connection.signed_in:
        return True
    came = (heard_of(stage, connection, stay.start) for stay in connection.stays)
    return any(at is not None and at < now for at in came)


def _own_link(stage: Stage, connection: Connection) -> bool:
    own = stage.links.get(connection.person.key)
    registrant = (
        stage.world.meeting(stage.meeting_id).registrant_of(own) if own else None
    )
    return registrant is not None and registrant.id == connection.registrant_id


# --- I6, I8 ---------------------------------------------------------------------------------


def confirmed_is_so(outcome: Outcome, _figures: Figures) -> list[str]:
    """I6: an end is called confirmed only when the room was over."""
    stage, session = outcome.stage, outcome.session
    if session is None or clock_was_set(stage):
        return []
    found = []
    known = {each.uuid: each for each in _instances(stage)}
    for fact in session.actions.values():
        if fact.kind != "end_meeting" or fact.state is not ActionState.CONFIRMED:
            continue
        instance = known.get(fact.meeting.instance) if fact.meeting else None
        if instance is None or fact.confirmed_at is None:
            continue
        if instance.ended_at is None or instance.ended_at > fact.confirmed_at + SLACK:
            found.append(f"{fact.key} is confirmed, and the room was not over.")
    return found


def races_are_told(outcome: Outcome, _figures: Figures) -> list[str]:
    """I8: an end that met a worker who had just come back is labelled so."""
    stage, session = outcome.stage, outcome.session
    if session is None or ordered(outcome) or clock_was_set(stage):
        return []
    found = []
    for instance in _instances(stage):
        ended = instance.ended_at
        facts = [
            fact
            for fact in session.actions.values()
            if fact.kind == "end_meeting"
            and fact.meeting is not None
            and fact.meeting.instance == instance.uuid
            and fact.state is ActionState.CONFIRMED
        ]
        if ended is None or not facts:
            continue
        back = [
            (connection, stay.start)
            for connection in instance.connections
            if is_verified(stage, connection)
            for stay in connection.stays
            if stay.room == MAIN and stay.end == ended and stay.start > ended - FLIGHT
        ]
        if not back:
            continue
        stage.marks["worker back just before a clear"] += 1
        told = any(heard_of(stage, *one) is not None for one in back)
        if told and not any(fact.race for fact in facts):
            found.append(
                f"The end at {_at(stage, ended)} met a worker who had come back at "
                f"{_at(stage, max(at for _, at in back))}, and nobody was told."
            )
    return found


def clock_was_set(stage: Stage) -> bool:
    """Whether the bot's own times may differ from true time: a step and a new start."""
    return any(fault.code == "F13" for fault in stage.scenario.faults)


def _instances(stage: Stage) -> list[Instance]:
    meeting = stage.world.meetings.get(stage.meeting_id)
    return meeting.instances if meeting is not None else []


def _inside(connection: Connection) -> Iterator[Stay]:
    for stay in connection.stays:
        if stay.room != WAITING_ROOM:
            yield stay
