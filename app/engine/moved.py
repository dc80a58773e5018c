"""The fact that an action changed its state, and what to store of an alarm."""

from datetime import datetime
from typing import Any

from app.core.actions import (
    Action,
    AlertStaff,
    AskWorker,
    Audience,
    ChangeLink,
    ConnectionAction,
    EndMeeting,
    Level,
    MeetingAction,
    PostGroundRules,
    StartFollowUp,
)
from app.core.presses import ActionMoved, ActionState
from app.core.session import GroupSession


def moved(
    action: Action,
    state: ActionState,
    now: datetime,
    **more: Any,
) -> ActionMoved:
    """The fact that an action changed its state."""
    connection = person = ""
    if isinstance(action, (ConnectionAction, AskWorker, AlertStaff)):
        connection, person = action.connection, action.person_id
    elif isinstance(action, (StartFollowUp, ChangeLink)):
        person = action.person_id
    return ActionMoved(
        at=now,
        by=action.by,
        key=action.key,
        kind=action.kind,
        state=state,
        connection=connection,
        person_id=person,
        meeting=action.meeting if isinstance(action, MeetingAction) else None,
        cause=_cause(action),
        reason=action.reason,
        details=_details(action),
        **more,
    )


def _cause(action: Action) -> str:
    if isinstance(action, EndMeeting):
        return str(action.cause)
    if isinstance(action, AlertStaff):
        return action.level.name.lower()
    if isinstance(action, AskWorker):
        return action.press
    return action.what if isinstance(action, StartFollowUp) else ""


def _details(action: Action) -> tuple[str, ...]:
    if isinstance(action, PostGroundRules):
        return action.connections
    if isinstance(action, StartFollowUp):
        return (action.due_at.isoformat(),)
    if isinstance(action, AlertStaff) and action.what_to_do:
        return (action.what_to_do,)
    return ()


def alarm_of(
    alarm_id: str, session: GroupSession, alert: AlertStaff, at: datetime
) -> dict[str, Any]:
    """What to store of an alarm; it leaves the page when it is red or calls the standby."""
    persons: list[str] = []
    if alert.audience is Audience.STANDBY and session.plan is not None:
        persons = [worker.person_id for worker in session.plan.workers]
    return {
        "alarm_id": alarm_id,
        "session_id": session.session_id,
        "key": f"{session.session_id}:{alert.key}",
        "level": alert.level.name.lower(),
        "audience": str(alert.audience),
        "text": alert.reason,
        "what_to_do": alert.what_to_do,
        "at": at,
        "send": alert.level is Level.RED or alert.audience is Audience.OPERATOR,
        "persons": persons,
    }
