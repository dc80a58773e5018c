"""Build the record of one group session from its state (guidance §4, E1-E3).

``Record -> bytes`` is what an export does (:mod:`app.exports`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from app.core.attendance import Flag, Line, attendance
from app.core.names import NO_NAME, plain
from app.core.record_acts import Names, actions, alarms, follow_ups, holds, ladder
from app.core.record_parts import (
    Amendment,
    AttendanceRow,
    ChecklistFacts,
    DebriefFacts,
    ItemFact,
    LinkFact,
    MeetingFact,
    PlanFacts,
    Record,
    RulesGiven,
    Safety,
    Signed,
)
from app.core.rules.ground_rules import RulesReceipt, receipts
from app.core.safety_times import (
    blind,
    clears,
    closing_receipt,
    debrief,
    time_with_enough,
    worker_gaps,
)
from app.core.session import GroupSession
from app.core.timeline import timeline


def build_record(
    session: GroupSession,
    now: datetime,
    names: Mapping[str, str],
    checklist: ChecklistFacts | None = None,
) -> Record:
    """The whole record as of ``now``.

    ``names`` maps person ids to names; ids are printed where it has none (erased, or not
    for this reader). ``checklist`` is the verdict as it was when the session started.
    """
    called = Names(session, names)
    given = receipts(session)
    confirmed = session.attendance_confirmed
    notes_at = session.notes_at
    return Record(
        session_id=session.session_id,
        written_at=now,
        plan=_plan(session),
        meetings=tuple(_meetings(session)),
        attendance=tuple(_attendance(session, now, called, given)),
        attendance_confirmed=(
            Signed(
                version=confirmed[2], at=confirmed[0], by=called.person(confirmed[1])
            )
            if confirmed is not None
            else None
        ),
        notes=(
            Signed(version=session.notes_version, at=notes_at, by=None)
            if session.notes_version
            else None
        ),
        checklist=checklist,
        items=tuple(_items(session, called)),
        ground_rules_given=tuple(
            RulesGiven(
                person=called.connection(receipt.connection),
                at=receipt.at,
                how=receipt.how,
                version=receipt.version,
            )
            for receipt in given
        ),
        ladder=tuple(ladder(session, called)),
        holds=tuple(holds(session, called)),
        alarms=tuple(alarms(session, called)),
        safety=_safety(session, now),
        closing=closing_receipt(session, now),
        debrief=_debrief(session, now, called),
        links=tuple(_links(session, called)),
        follow_ups=tuple(follow_ups(session, called)),
        actions=tuple(actions(session, called)),
        timeline=timeline(session, names),
    )


def _plan(session: GroupSession) -> PlanFacts | None:
    plan = session.plan
    if plan is None:
        return None
    return PlanFacts(
        group_id=plan.group_id,
        title=plan.title,
        purpose=plan.purpose,
        platform=plan.platform,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        zone=plan.zone,
        plan_version=plan.version,
        segments=plan.segments,
        under_18=plan.under_18,
        risk_assessment=plan.risk_assessment,
        recording_reason=plan.recording_reason,
        ground_rules_version=plan.ground_rules.version,
        ground_rules=tuple(rule.text for rule in plan.ground_rules.rules),
    )


def _meetings(session: GroupSession) -> Iterator[MeetingFact]:
    for instance in session.instances.values():
        if instance.opened_at is None:
            continue  # News of the plan, not of an evening.
        yield MeetingFact(
            platform=instance.ref.platform,
            meeting_id=instance.ref.meeting_id,
            instance=instance.ref.instance,
            started_at=instance.started_at,
            ended_at=instance.closed_at,
        )


def _attendance(
    session: GroupSession, now: datetime, called: Names, given: list[RulesReceipt]
) -> Iterator[AttendanceRow]:
    for line in attendance(session, now):
        rules = next(
            (
                receipt
                for receipt in given
                if (line.person_id and receipt.person_id == line.person_id)
                or receipt.connection in line.connections
            ),
            None,
        )
        yield _row(line, called, rules)


def _row(line: Line, called: Names, rules: RulesReceipt | None) -> AttendanceRow:
    typed = plain(line.shown[-1]) if line.shown else NO_NAME
    original = line.original
    return AttendanceRow(
        line=line.line,
        person=called.person(line.person_id, otherwise=typed),
        part=line.part.value,
        role=line.role.value if line.role is not None else "",
        expected=line.expected,
        matched_by=line.matched_by,
        shown=tuple(plain(name) for name in line.shown),
        joined_at=line.joined_at,
        left_at=line.left_at,
        minutes=line.minutes,
        present=line.present,
        waited=line.waited,
        spans=line.spans,
        flags=tuple(flag.value for flag in Flag if flag in line.flags),
        rules_at=rules.at if rules is not None else None,
        rules_how=rules.how if rules is not None else "",
        original_joined_at=original.joined_at if original is not None else None,
        original_left_at=original.left_at if original is not None else None,
        original_present=original.present if original is not None else None,
        amendments=tuple(
            Amendment(
                at=amended.at,
                by=called.person(amended.by),
                line=amended.line,
                joined_at=amended.joined_at,
                left_at=amended.left_at,
                person=called.person(amended.person_id) if amended.person_id else None,
                reason=amended.reason,
            )
            for amended in line.amendments
        ),
    )


def _items(session: GroupSession, called: Names) -> Iterator[ItemFact]:
    for tick in sorted(session.ticks.values(), key=lambda t: (t.at, t.item)):
        yield ItemFact(
            item=tick.item,
            kind="tick" if tick.ticked else "tick taken back",
            at=tick.at,
            by=called.person(tick.by),
            text=tick.note,
        )
    for given in sorted(session.exceptions.values(), key=lambda x: (x.at, x.item)):
        yield ItemFact(
            item=given.item,
            kind="exception withdrawn" if given.withdrawn else "exception",
            at=given.at,
            by=called.person(given.by),
            text=given.reason,
        )


def _safety(session: GroupSession, now: datetime) -> Safety:
    return Safety(
        workers_needed=session.policy.workers_needed,
        time_with_enough_workers=time_with_enough(session, now),
        worker_gaps=worker_gaps(session, now),
        clears=clears(session, now),
        blind=blind(session),
    )


def _debrief(session: GroupSession, now: datetime, called: Names) -> DebriefFacts:
    found, said = debrief(session, now), session.debrief
    return DebriefFacts(
        start=found.start,
        end=found.end,
        length=found.length,
        present=tuple(called.person(person) for person in found.present),
        skipped=found.skipped,
        reason=found.reason,
        went_well=said.went_well if said is not None else "",
        change=said.change if said is not None else "",
        staff=said.staff if said is not None else "",
    )


def _links(session: GroupSession, called: Names) -> Iterator[LinkFact]:
    for link in session.links.values():
        yield LinkFact(
            person=called.person(link.person_id),
            registrant_id=link.registrant_id,
            meeting_id=link.meeting_id,
            issued_at=link.issued_at,
            state=link.state.value,
            changed_at=link.changed_at,
        )
