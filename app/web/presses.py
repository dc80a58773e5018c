"""What somebody presses in a session: checked against what is so, then written down.

The checks of the core say why a press makes no sense *before* it is stored; rules ask
again and leave alone what should never have been written.
"""

from collections.abc import Callable, Sequence
from typing import Any

from app.core import ladder
from app.core.admission import admit_problem, hold_problem
from app.core.ladder import NOT_ROSTERED, SESSION_OVER
from app.core.presses import (
    ActionTicked,
    AdmitPressed,
    AlarmAcknowledged,
    ClosingPressed,
    ConnectionVouched,
    DebriefEnded,
    EndPressed,
    FollowUpAgreed,
    FollowUpDone,
    HoldPressed,
    LadderPressed,
    LeadAccepted,
    Readmitted,
    ReasonGiven,
    RulesRequested,
    RulesSpoken,
    SessionClosed,
    SessionEvent,
    SessionResumed,
    StepTakenBack,
    WorkerConfirmed,
)
from app.core.rules.closing import may_resume
from app.core.session import GroupSession

NOT_THERE = "That is not open in this session; it may have been settled already."
NO_CONNECTION = "That connection is not known in this session."
NOT_ON_LIST = "Choose somebody who is on this session's list."
SAY_HOW = (
    "Write how you know who it is: voice, camera at the door, call-back, code word."
)
NOTHING_CLEARED = "There is nothing to resume: the room was not cleared just now."
SAY_WHY = "Write the reason in a sentence."


def problem(session: GroupSession, fact: SessionEvent) -> str:
    """Why this press may not be written down, as a plain sentence; "" when it may."""
    check = _CHECKS.get(type(fact))
    if check is not None:
        return check(session, fact)
    return _rostered(session, fact)


def repeated(session: GroupSession, fact: SessionEvent) -> bool:
    """Whether this very press was written down before: a double click (S10)."""
    press_id = getattr(fact, "press_id", "")
    if not press_id or isinstance(fact, ReasonGiven):
        return False
    known: Sequence[Any] = (
        *session.ladder,
        *session.readmitted,
        *session.taken_back,
        *session.holds,
        *session.admits,
        *session.ends,
    )
    return any(earlier.press_id == press_id for earlier in known)


def _rostered(session: GroupSession, fact: SessionEvent) -> str:
    return "" if session.worker_slot(fact.by) is not None else NOT_ROSTERED


def _running(session: GroupSession, fact: SessionEvent) -> str:
    if ladder.over(session, fact.at):
        return SESSION_OVER
    return _rostered(session, fact)


def _i_am_in(session: GroupSession, fact: WorkerConfirmed) -> str:
    found = session.find(fact.connection)
    return _running(session, fact) or ("" if found is not None else NO_CONNECTION)


def _resume(session: GroupSession, fact: SessionResumed) -> str:
    offered = may_resume(session, fact.at)
    return _running(session, fact) or ("" if offered else NOTHING_CLEARED)


def _vouch(session: GroupSession, fact: ConnectionVouched) -> str:
    plan = session.plan
    if session.find(fact.connection) is None:
        return _rostered(session, fact) or NO_CONNECTION
    if fact.person_id and not fact.how.strip():
        return _rostered(session, fact) or SAY_HOW
    listed = plan is not None and plan.client(fact.person_id) is not None
    if fact.person_id and not listed:
        return _rostered(session, fact) or NOT_ON_LIST
    return _rostered(session, fact)


def _reason(session: GroupSession, fact: ReasonGiven) -> str:
    known = any(press.press_id == fact.press_id for press in session.ladder)
    return ladder.reason_problem(session, fact) or ("" if known else NOT_THERE)


def _ticked(session: GroupSession, fact: ActionTicked) -> str:
    return _rostered(session, fact) or (
        "" if fact.key in session.actions else NOT_THERE
    )


def _taken(session: GroupSession, fact: AlarmAcknowledged) -> str:
    # Whoever is on call may take an alarm, also when not rostered here.
    return "" if fact.key in session.actions else NOT_THERE


def _followed_up(session: GroupSession, fact: FollowUpDone) -> str:
    if fact.key not in session.actions:
        return NOT_THERE
    return "" if fact.outcome.strip() else "Write what came of it in a sentence."


def _agreed(session: GroupSession, fact: FollowUpAgreed) -> str:
    if not fact.what.strip():
        return _rostered(session, fact) or "Write what has to be done."
    if session.worker_slot(fact.owner) is None:
        return _rostered(session, fact) or "Choose a worker of this session."
    return _rostered(session, fact)


def _debrief(session: GroupSession, fact: DebriefEnded) -> str:
    if fact.skipped and not fact.reason.strip():
        return _rostered(session, fact) or SAY_WHY
    return _rostered(session, fact)


_CHECKS: dict[type[SessionEvent], Callable[[GroupSession, Any], str]] = {
    LadderPressed: ladder.ladder_problem,
    Readmitted: ladder.readmit_problem,
    StepTakenBack: ladder.take_back_problem,
    ReasonGiven: _reason,
    HoldPressed: hold_problem,
    AdmitPressed: admit_problem,
    WorkerConfirmed: _i_am_in,
    ConnectionVouched: _vouch,
    ActionTicked: _ticked,
    AlarmAcknowledged: _taken,
    FollowUpAgreed: _agreed,
    FollowUpDone: _followed_up,
    DebriefEnded: _debrief,
    LeadAccepted: _running,
    RulesSpoken: _running,
    RulesRequested: _running,
    SessionResumed: _resume,
    ClosingPressed: _running,
    EndPressed: _rostered,
    SessionClosed: _rostered,
}
