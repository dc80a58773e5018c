"""Apply one fact to the state.

What a platform reports may arrive in any order, late and more than once: the state in
the end is the same (I12). What we stamp ourselves is applied in the order of the log.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.core import events as e
from app.core import presses as p
from app.core import seats
from app.core.session import ActionFact, GroupSession, Instance, Link

Fact = e.MeetingEvent | p.SessionEvent


NEAR = timedelta(days=1)
"""An occurrence that began in the bound window is over a day after it at the latest."""

LAG = timedelta(seconds=10)
"""A platform's status may trail its own events a little."""


def apply(session: GroupSession, fact: Fact) -> None:
    """Bring one fact into the state. Facts of meetings not bound here change nothing."""
    session.version += 1
    if not isinstance(fact, e.MeetingEvent):
        _SESSION[type(fact)](session, fact)
        return
    if not _is_ours(session, fact):
        _keep_outside(session, fact)
        return
    _apply_meeting(session, fact)
    for waiting in session.outside.pop(fact.meeting, ()):
        _apply_meeting(session, waiting)


def _is_ours(session: GroupSession, fact: e.MeetingEvent) -> bool:
    # A recurring or personal room keeps its id: only the bound window is ours (I5).
    for bound in _bindings(session, fact.meeting):
        if bound.instance:
            ours = bound.instance == fact.meeting.instance
        else:
            ours = (
                not fact.meeting.instance
                or bound.opens_at <= fact.at <= bound.closes_at
                or (fact.meeting in session.instances and _is_near(bound, fact))
            )
        if ours:
            return True
    return False


def _is_near(bound: p.MeetingBound, fact: e.MeetingEvent) -> bool:
    return bound.opens_at - NEAR <= fact.at <= bound.closes_at + NEAR


def _keep_outside(session: GroupSession, fact: e.MeetingEvent) -> None:
    """A fact outside the window is ours once its occurrence turns out to be."""
    for bound in _bindings(session, fact.meeting):
        if not bound.instance and _is_near(bound, fact):
            session.outside.setdefault(fact.meeting, []).append(fact)
            return


def _bindings(session: GroupSession, ref: e.MeetingRef) -> list[p.MeetingBound]:
    return [
        bound
        for bound in session.bindings
        if (bound.platform, bound.meeting_id) == (ref.platform, ref.meeting_id)
    ]


def _apply_meeting(session: GroupSession, fact: e.MeetingEvent) -> None:
    if isinstance(fact, (e.MeetingChanged, e.MeetingDeleted)):
        session.meeting_changed_at = _latest(session.meeting_changed_at, fact.at)
    if not fact.meeting.instance:
        return
    instance = session.instances.get(fact.meeting)
    opened_at = instance.opened_at if instance is not None else None
    if instance is None:
        instance = session.instances[fact.meeting] = Instance(ref=fact.meeting)
        session.put_in_order()
    _apply_to(instance, fact)
    if instance.opened_at != opened_at:
        session.put_in_order()


def _apply_to(instance: Instance, fact: e.MeetingEvent) -> None:
    if fact.source is e.Source.WEBHOOK and fact.heard_at is not None:
        instance.heard_at = _latest(instance.heard_at, fact.heard_at)
    if isinstance(fact, e.SeatEvent):
        _apply_seat(instance, fact)
        return
    change = _INSTANCE.get(type(fact))
    if change is not None:
        change(instance, fact)


def _apply_seat(instance: Instance, fact: e.SeatEvent) -> None:
    if isinstance(fact, e.JoinedBeforeHost):
        instance.before_host_at = _earliest(instance.before_host_at, fact.at)
        return
    if isinstance(fact, e.WaitedForHost):
        return
    if not seats.take(instance, fact):
        # Nobody can be told from it: better to look at the room (W21).
        instance.unreadable_at = _latest(instance.unreadable_at, fact.at)
        return
    instance.first_seat_at = _earliest(instance.first_seat_at, fact.at)
    if isinstance(fact, e.ConnectionSeen) and not fact.waiting:
        instance.seen_at = _latest(instance.seen_at, fact.at)
    # The report after the meeting shows who was there, not that it still runs.
    joined = isinstance(fact, (e.ParticipantJoined, e.BreakoutJoined))
    if joined and fact.source is not e.Source.REPORT:
        instance.alive_at = _latest(instance.alive_at, fact.at)


# --- one instance -----------------------------------------------------------------


def _latest(old: datetime | None, new: datetime) -> datetime:
    return new if old is None else max(old, new)


def _earliest(old: datetime | None, new: datetime) -> datetime:
    return new if old is None else min(old, new)


def _started(i: Instance, f: Any) -> None:
    i.started_at = _earliest(i.started_at, f.at)
    i.alive_at = _latest(i.alive_at, f.at)


def _ended(i: Instance, f: Any) -> None:
    i.ends[f.at] = timedelta(0)


def _recording(i: Instance, f: Any) -> None:
    # Should two come at one moment: "stopped" is the last of these words.
    i.recording = max(i.recording or (f.at, f.state), (f.at, f.state))


def _streaming(i: Instance, f: Any) -> None:
    i.streaming = max(i.streaming or (f.at, f.started), (f.at, f.started))


_REGISTRATION = ("pending", "approved", "denied", "cancelled")


def _registration(i: Instance, f: Any) -> None:
    old = i.registrations.get(f.registrant_id, (f.at, f.status))
    i.registrations[f.registrant_id] = max(old, (f.at, f.status), key=_later_status)


def _later_status(one: tuple[datetime, str]) -> tuple[datetime, int, str]:
    at, status = one
    known = _REGISTRATION.index(status) if status in _REGISTRATION else -1
    return (at, known, status)


def _leaked(i: Instance, f: Any) -> None:
    i.leaked_at = _latest(i.leaked_at, f.at)


def _changed(i: Instance, f: Any) -> None:
    i.changed_at = _latest(i.changed_at, f.at)


def _unreadable(i: Instance, f: Any) -> None:
    i.unreadable_at = _latest(i.unreadable_at, f.at)


def _sight_lost(i: Instance, f: Any) -> None:
    i.sight[f.at] = "lost"


def _sight_regained(i: Instance, f: Any) -> None:
    i.sight.setdefault(f.at, "regained")


def _status(i: Instance, f: Any) -> None:
    i.status = max(i.status or (f.at, f.started), (f.at, f.started))
    if f.started:
        _started(i, f)
    else:
        i.ends.setdefault(f.at, LAG)


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
    for slot in s.plan.workers if s.plan is not None else ():
        now = f.plan.worker(slot.person_id)
        if now is None or now.platform_user_id != slot.platform_user_id:
            s.former_workers[slot.person_id] = (f.at, slot)
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
    s.own_moves += 1
    fact = s.actions.get(f.key)
    if fact is None:
        fact = s.actions[f.key] = ActionFact(
            f.key, f.kind, f.state, wanted_at=f.at, moved_at=f.at
        )
    if fact.confirmed_at is not None and f.state is not p.ActionState.CONFIRMED:
        return  # What was proved stays proved: a step decided before is late (I6).
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
        # Said again only to add that it met a returning worker (I8).
        fact.confirmed_at, fact.proof = fact.confirmed_at or f.at, f.proof


def _lead(s: GroupSession, f: p.LeadAccepted) -> None:
    s.lead_accepted = (f.at, f.by)


def _closing(s: GroupSession, f: p.ClosingPressed) -> None:
    s.closing = s.closing or (f.at, f.by)


def _closed(s: GroupSession, f: p.SessionClosed) -> None:
    s.closed = s.closed or (f.at, f.by)


def _debrief(s: GroupSession, f: p.DebriefEnded) -> None:
    before = s.debrief
    if before is None:
        s.debrief = f
        return
    # Two who write at once: both texts, never one instead of the other (S09).
    s.debrief = replace(
        before,
        skipped=before.skipped and f.skipped,
        reason=_both(before.reason, f.reason),
        went_well=_both(before.went_well, f.went_well),
        change=_both(before.change, f.change),
        staff=_both(before.staff, f.staff),
    )


def _both(one: str, other: str) -> str:
    if not other or other in one.split("\n\n"):
        return one
    return f"{one}\n\n{other}" if one else other


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
    p.StepTakenBack: lambda s, f: s.taken_back.append(f),
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
    p.FollowUpAgreed: lambda s, f: s.agreed.__setitem__(f.task_id, f),
    p.FollowUpDone: lambda s, f: s.followed_up.__setitem__(f.key, (f.at, f.by)),
    p.NotesSaved: _notes,
    p.AttendanceConfirmed: _attendance,
    p.AttendanceAmended: lambda s, f: s.amendments.append(f),
    p.ActionMoved: _moved,
}
