"""Apply one fact to the state. Order of arrival never matters within a connection."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.core import events as e
from app.core import presses as p
from app.core.connections import Connection, Mark, MarkKind
from app.core.session import ActionFact, GroupSession, Instance, Link

Fact = e.MeetingEvent | p.SessionEvent


def apply(session: GroupSession, fact: Fact) -> None:
    """Bring one fact into the state. Facts of meetings not bound here change nothing."""
    session.version += 1
    if isinstance(fact, e.MeetingEvent):
        if _covers(session, fact):
            _apply_meeting(session, fact)
        return
    _SESSION[type(fact)](session, fact)


def _covers(session: GroupSession, fact: e.MeetingEvent) -> bool:
    # A recurring or personal room keeps its id: only the bound window is ours (I5).
    latest = None
    for bound in session.bindings:
        if (bound.platform, bound.meeting_id) != (
            fact.meeting.platform,
            fact.meeting.meeting_id,
        ):
            continue
        if not bound.instance:
            latest = bound
        elif bound.instance == fact.meeting.instance:
            return True
    if latest is None:
        return False
    return (
        not fact.meeting.instance
        or fact.meeting in session.instances
        or latest.opens_at <= fact.at <= latest.closes_at
    )


def _instance(session: GroupSession, ref: e.MeetingRef) -> Instance:
    found = session.instances.get(ref)
    if found is None:
        found = session.instances[ref] = Instance(ref=ref)
    return found


def _apply_meeting(session: GroupSession, fact: e.MeetingEvent) -> None:
    if isinstance(fact, (e.MeetingChanged, e.MeetingDeleted)):
        session.meeting_changed_at = _latest(session.meeting_changed_at, fact.at)
    if not fact.meeting.instance:
        return
    instance = _instance(session, fact.meeting)
    if fact.source is e.Source.WEBHOOK and fact.heard_at is not None:
        instance.heard_at = _latest(instance.heard_at, fact.heard_at)
    if isinstance(fact, e.SeatEvent):
        _apply_seat(instance, fact)
        return
    change = _INSTANCE.get(type(fact))
    if change is not None:
        change(instance, fact)


# --- one connection ---------------------------------------------------------------


def _connection(instance: Instance, seat: e.Seat) -> Connection | None:
    """Find or make the connection; merge when two names turn out to be one."""
    by_uuid = instance.resolve(seat.uuid) if seat.uuid else None
    seats = [f"seat:{u}" for u in (seat.user_id, seat.parent_user_id) if u]
    by_seat = next(
        (c for s in seats if (c := instance.resolve(s)) is not None),
        None,
    )
    if by_uuid is not None and by_seat is not None and by_uuid is not by_seat:
        if by_seat.uuid and by_seat.uuid != by_uuid.uuid:
            by_seat = None
        else:
            _merge(instance, by_uuid, by_seat)
    found = by_uuid or by_seat
    if found is None:
        key = seat.uuid or (seats[0] if seats else "")
        if not key:
            return None
        found = instance.connections[key] = Connection(key=key)
    elif seat.uuid and not found.uuid and found.key != seat.uuid:
        # First heard of without its uuid: from now on it goes by the uuid.
        del instance.connections[found.key]
        instance.aliases[found.key] = seat.uuid
        found.key = seat.uuid
        instance.connections[found.key] = found
    for s in seats:
        if s != found.key and instance.aliases.get(s) is None:
            instance.aliases[s] = found.key
    _learn(found, seat)
    return found


def _merge(instance: Instance, keep: Connection, gone: Connection) -> None:
    keep.absorb(gone)
    instance.connections.pop(gone.key, None)
    for alias, key in list(instance.aliases.items()):
        if key == gone.key:
            instance.aliases[alias] = keep.key
    instance.aliases[gone.key] = keep.key


def _learn(connection: Connection, seat: e.Seat) -> None:
    connection.uuid = connection.uuid or seat.uuid
    if seat.user_id:
        connection.user_ids.add(seat.user_id)
    connection.registrant_id = connection.registrant_id or seat.registrant_id
    connection.platform_user_id = connection.platform_user_id or seat.platform_user_id
    connection.email = connection.email or seat.email
    connection.phone = connection.phone or seat.phone


_MARKS: dict[type[e.SeatEvent], MarkKind] = {
    e.ParticipantWaiting: MarkKind.WAITING,
    e.ParticipantStoppedWaiting: MarkKind.STOPPED_WAITING,
    e.ParticipantHeld: MarkKind.HELD,
    e.ParticipantJoined: MarkKind.JOINED,
    e.ParticipantLeft: MarkKind.LEFT,
    e.BreakoutJoined: MarkKind.BREAKOUT_JOINED,
    e.BreakoutLeft: MarkKind.BREAKOUT_LEFT,
    e.ConnectionMissed: MarkKind.MISSED,
}


def _apply_seat(instance: Instance, fact: e.SeatEvent) -> None:
    if isinstance(fact, e.JoinedBeforeHost):
        instance.before_host_at = _earliest(instance.before_host_at, fact.at)
        return
    if isinstance(fact, e.WaitedForHost):
        return
    connection = _connection(instance, fact.seat)
    if connection is None:
        # Nobody can be told from it: better to look at the room (W21).
        instance.unreadable_at = _latest(instance.unreadable_at, fact.at)
        return
    _rename(connection, fact)
    connection.by_phone = connection.by_phone or fact.by_phone
    if isinstance(fact, e.RoleChanged):
        connection.roles[fact.at] = fact.role
    elif isinstance(fact, e.PhoneBound):
        connection.by_phone = True
        connection.bound_to = fact.bound_uuid or f"seat:{fact.bound_user_id}"
    elif isinstance(fact, e.ConnectionSeen):
        if fact.role:
            connection.roles[fact.at] = fact.role
        kind = MarkKind.SEEN_WAITING if fact.waiting else MarkKind.SEEN
        connection.add(Mark(fact.at, kind, fact.room, fact.source))
    elif (kind_ := _MARKS.get(type(fact))) is not None:
        connection.add(_mark(kind_, fact))


def _mark(kind: MarkKind, fact: e.SeatEvent) -> Mark:
    room = fact.room if isinstance(fact, (e.BreakoutJoined, e.BreakoutLeft)) else ""
    proof = fact.last_proof_at if isinstance(fact, e.ConnectionMissed) else None
    cause = str(fact.cause) if isinstance(fact, e.ParticipantLeft) else ""
    return Mark(
        fact.at,
        kind,
        room or e.MAIN_ROOM,
        fact.source,
        proof_at=proof,
        heard_at=fact.heard_at,
        cause=cause,
    )


def _rename(connection: Connection, fact: e.SeatEvent) -> None:
    if not fact.name:
        return
    connection.names[fact.at] = max(connection.names.get(fact.at, ""), fact.name)
    connection.name = connection.names[max(connection.names)]


# --- one instance -----------------------------------------------------------------


def _latest(old: datetime | None, new: datetime) -> datetime:
    return new if old is None else max(old, new)


def _earliest(old: datetime | None, new: datetime) -> datetime:
    return new if old is None else min(old, new)


def _started(i: Instance, f: Any) -> None:
    i.started_at = _earliest(i.started_at, f.at)


def _ended(i: Instance, f: Any) -> None:
    i.ended_at = _earliest(i.ended_at, f.at)


def _recording(i: Instance, f: Any) -> None:
    if i.recording is None or f.at >= i.recording[0]:
        i.recording = (f.at, f.state)


def _streaming(i: Instance, f: Any) -> None:
    if i.streaming is None or f.at >= i.streaming[0]:
        i.streaming = (f.at, f.started)


def _registration(i: Instance, f: Any) -> None:
    old = i.registrations.get(f.registrant_id)
    if old is None or f.at >= old[0]:
        i.registrations[f.registrant_id] = (f.at, f.status)


def _leaked(i: Instance, f: Any) -> None:
    i.leaked_at = _latest(i.leaked_at, f.at)


def _changed(i: Instance, f: Any) -> None:
    i.changed_at = _latest(i.changed_at, f.at)


def _unreadable(i: Instance, f: Any) -> None:
    i.unreadable_at = _latest(i.unreadable_at, f.at)


def _sight_lost(i: Instance, f: Any) -> None:
    i.sight[f.at] = "lost"


def _sight_regained(i: Instance, f: Any) -> None:
    i.sight[f.at] = "regained"


def _status(i: Instance, f: Any) -> None:
    if i.status is None or f.at >= i.status[0]:
        i.status = (f.at, f.started)
    if f.started:
        i.started_at = _earliest(i.started_at, f.at)
    elif i.started_at is not None or i.connections:
        i.ended_at = _earliest(i.ended_at, f.at)


_INSTANCE: dict[type[e.MeetingEvent], Callable[[Instance, Any], None]] = {
    e.MeetingStarted: _started,
    e.MeetingEnded: _ended,
    e.MeetingChanged: _changed,
    e.MeetingDeleted: _changed,
    e.RecordingChanged: _recording,
    e.LiveStreamChanged: _streaming,
    e.LinkLeaked: _leaked,
    e.RegistrationChanged: _registration,
    e.UnreadableReceived: _unreadable,
    e.SightLost: _sight_lost,
    e.SightRegained: _sight_regained,
    e.StatusRead: _status,
}


# --- presses and the bot's own doing ----------------------------------------------


def _planned(s: GroupSession, f: p.SessionPlanned) -> None:
    if s.planned_at is not None and f.at < s.planned_at:
        return
    if s.plan is not None:
        kept = {w.person_id for w in f.plan.workers}
        if any(w.person_id not in kept for w in s.plan.workers):
            s.workers_removed_at = f.at
    s.plan, s.planned_at = f.plan, f.at


def _link_issued(s: GroupSession, f: p.LinkIssued) -> None:
    s.links[f.registrant_id] = Link(f.person_id, f.registrant_id, f.meeting_id, f.at)


def _link_changed(s: GroupSession, f: p.LinkChanged) -> None:
    link = s.links.get(f.registrant_id)
    if link is not None and link.state is not p.LinkState.CANCELLED:
        link.state, link.changed_at = f.state, f.at


def _facts(s: GroupSession, f: p.FactsRead) -> None:
    if s.facts_at is None or f.at >= s.facts_at:
        s.facts, s.facts_at = f.facts, f.at


def _hands(s: GroupSession, f: p.HandsProbed) -> None:
    if s.hands_at is None or f.at >= s.hands_at:
        s.hands, s.hands_at = f.hands, f.at


def _rules_spoken(s: GroupSession, f: p.RulesSpoken) -> None:
    for key in f.heard:
        s.rules_spoken.setdefault(key, f.at)


def _moved(s: GroupSession, f: p.ActionMoved) -> None:
    fact = s.actions.get(f.key)
    if fact is None:
        fact = s.actions[f.key] = ActionFact(
            f.key, f.kind, f.state, wanted_at=f.at, moved_at=f.at
        )
    fact.state, fact.moved_at = f.state, f.at
    fact.connection = f.connection or fact.connection
    fact.person_id = f.person_id or fact.person_id
    fact.meeting = f.meeting or fact.meeting
    fact.cause = f.cause or fact.cause
    fact.reason = f.reason or fact.reason
    fact.route = f.route or fact.route
    fact.details = f.details or fact.details
    fact.problem, fact.race, fact.tries = f.problem, fact.race or f.race, f.tries
    if f.state is p.ActionState.SENT and fact.sent_at is None:
        fact.sent_at = f.at
    if f.state is p.ActionState.CONFIRMED:
        fact.confirmed_at, fact.proof = f.at, f.proof


def _lead(s: GroupSession, f: p.LeadAccepted) -> None:
    s.lead_accepted = (f.at, f.by)


def _closing(s: GroupSession, f: p.ClosingPressed) -> None:
    s.closing = s.closing or (f.at, f.by)


def _closed(s: GroupSession, f: p.SessionClosed) -> None:
    s.closed = s.closed or (f.at, f.by)


def _debrief(s: GroupSession, f: p.DebriefEnded) -> None:
    s.debrief = f


def _notes(s: GroupSession, f: p.NotesSaved) -> None:
    s.notes_version, s.notes_at = max(s.notes_version, f.version), f.at


def _attendance(s: GroupSession, f: p.AttendanceConfirmed) -> None:
    s.attendance_confirmed = (f.at, f.by, f.version)


_SESSION: dict[type[p.SessionEvent], Callable[[GroupSession, Any], None]] = {
    p.SessionPlanned: _planned,
    p.MeetingBound: lambda s, f: s.bindings.append(f),
    p.LinkIssued: _link_issued,
    p.LinkChanged: _link_changed,
    p.FactsRead: _facts,
    p.HandsProbed: _hands,
    p.ItemTicked: lambda s, f: s.ticks.__setitem__(f.item, f),
    p.ExceptionGiven: lambda s, f: s.exceptions.__setitem__(f.item, f),
    p.WorkerConfirmed: lambda s, f: s.confirmed.__setitem__(f.connection, f),
    p.ConnectionVouched: lambda s, f: s.vouched.__setitem__(f.connection, f),
    p.LadderPressed: lambda s, f: s.ladder.append(f),
    p.ReasonGiven: lambda s, f: s.reasons.__setitem__(f.press_id, f),
    p.Readmitted: lambda s, f: s.readmitted.append(f),
    p.HoldPressed: lambda s, f: s.holds.append(f),
    p.AdmitPressed: lambda s, f: s.admits.append(f),
    p.LeadAccepted: _lead,
    p.RulesSpoken: _rules_spoken,
    p.RulesRequested: lambda s, f: s.rules_requested.append(f.at),
    p.SessionResumed: lambda s, f: s.resumed.append((f.at, f.by)),
    p.ClosingPressed: _closing,
    p.EndPressed: lambda s, f: s.ends.append(f),
    p.DebriefEnded: _debrief,
    p.SessionClosed: _closed,
    p.ActionTicked: lambda s, f: s.action_ticks.__setitem__(
        f.key, (f.at, f.by, f.done)
    ),
    p.AlarmAcknowledged: lambda s, f: s.acknowledged.__setitem__(f.key, (f.at, f.by)),
    p.FollowUpDone: lambda s, f: s.followed_up.__setitem__(f.key, (f.at, f.by)),
    p.NotesSaved: _notes,
    p.AttendanceConfirmed: _attendance,
    p.AttendanceAmended: lambda s, f: s.amendments.append(f),
    p.ActionMoved: _moved,
}
