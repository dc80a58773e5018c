"""Who may take which step against whom, and what undoes it (guidance T5, T4; I4, I7).

Pages ask ``*_problem`` before they write a press down and show the sentence; rules ask
again and leave a press alone that should never have been written. Once acted on, a press
stays valid, whatever changes afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.core.identity import Who
from app.core.presses import (
    LadderPressed,
    Readmitted,
    ReasonGiven,
    Step,
    StepTakenBack,
)
from app.core.reasons import camera_problem
from app.core.rooms import who_is_who
from app.core.session import GroupSession

NOT_ROSTERED = "Only a worker on this session's list may do this."
SESSION_OVER = "This session is over; steps of the ladder end with it."
NOBODY_THERE = "That connection is not known in this session."
IS_WORKER = "That is a verified worker. The ladder is for people who take part."

NO_STEP = "There is no reminder or warning like that to take back."
BACK_ALREADY = "That was taken back already."
LATER_FIRST = "Another step was taken after it; take that one back first."

_LISTED = (Who.CLIENT, Who.DOUBTFUL)
_BEFORE = {Step.WARN: Step.REMIND, Step.REMOVE: Step.WARN}
_NAMES = {Step.REMIND: "a reminder", Step.WARN: "a warning", Step.REMOVE: "a removal"}


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a press is about, by everything that can recognise them again.

    Each id is "" where nothing is known; a display name is never one of them.
    """

    connection: str
    person_id: str = ""
    registrant_id: str = ""
    platform_user_id: str = ""
    who: Who = Who.STRANGER

    def is_same(self, other: "Target") -> bool:
        """Whether both are one person, as far as link, account or a vouching tells."""
        if self.connection and self.connection == other.connection:
            return True
        if self.person_id and other.person_id:
            return self.person_id == other.person_id
        return any(
            mine and mine == theirs
            for mine, theirs in (
                (self.registrant_id, other.registrant_id),
                (self.platform_user_id, other.platform_user_id),
            )
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """A valid press to remove, and the press that undid it."""

    press: LadderPressed
    target: Target
    undone: Readmitted | None = None


def target_of(session: GroupSession, connection: str) -> Target | None:
    """Whom that connection belongs to, or None when it is not known here."""
    found = session.find(connection)
    if found is None:
        return None
    instance, known = found
    who = who_is_who(session, instance)[known.key]
    return Target(
        connection=known.key,
        person_id=who.person_id,
        registrant_id=known.registrant_id,
        platform_user_id=known.platform_user_id,
        who=who.who,
    )


def expires_at(session: GroupSession) -> datetime | None:
    """When the steps of the ladder end: at closing, or when the links die (T5)."""
    if session.closed is not None:
        return session.closed[0]
    if session.plan is None:
        return None
    return session.plan.ends_at + session.policy.links_die_after_end


def over(session: GroupSession, at: datetime) -> bool:
    """Whether the session is over for presses at this moment."""
    end = expires_at(session)
    return end is not None and at >= end


def step_key(press: LadderPressed) -> str:
    """The key of the action that carries out a press."""
    return f"ladder.{press.step.value}:{press.press_id}"


def ladder_problem(session: GroupSession, press: LadderPressed) -> str:
    """Why this step may not be taken, as a plain sentence; "" when it may."""
    if session.worker_slot(press.by) is None:
        return NOT_ROSTERED
    if over(session, press.at):
        return SESSION_OVER
    target = target_of(session, press.connection)
    if target is None:
        return NOBODY_THERE
    if target.who is Who.WORKER:
        return IS_WORKER
    return _reason_problem(session, press) or _order_problem(session, press, target)


def reason_problem(session: GroupSession, given: ReasonGiven) -> str:
    """Why a reason given afterwards cannot stand; "" when it can."""
    if session.worker_slot(given.by) is None:
        return NOT_ROSTERED
    if not given.reason.strip():
        return "Write the reason in a sentence."
    return camera_problem(given.reason, session.names.values())


def _reason_problem(session: GroupSession, press: LadderPressed) -> str:
    camera = camera_problem(press.reason, session.names.values())
    if camera:
        return camera
    rules = session.plan.ground_rules.rules if session.plan is not None else ()
    if not 0 <= press.rule <= len(rules):
        return f"The group has agreed no rule {press.rule}; choose one of its rules."
    if press.rule or press.reason.strip():
        return ""
    if press.step is Step.REMOVE and press.immediate:
        return ""
    return "Name the agreed rule that was broken, or write the reason in a sentence."


def _order_problem(session: GroupSession, press: LadderPressed, target: Target) -> str:
    needed = _BEFORE.get(press.step)
    # The ladder is owed to those who belong to the group; a stranger may go at once.
    if needed is None or press.immediate or target.who not in _LISTED:
        return ""
    if _had(session, needed, press, target):
        return ""
    return (
        f"There has been no {_NAMES[needed].removeprefix('a ')} in this session before "
        f"{_NAMES[press.step]} (remind, then warn, then remove). For serious harm choose "
        "the immediate step."
    )


def _had(
    session: GroupSession, needed: Step, press: LadderPressed, target: Target
) -> bool:
    return any(
        earlier.step is needed
        and earlier.at <= press.at
        and not _taken_back_by(session, earlier, press.at)
        and (known := target_of(session, earlier.connection)) is not None
        and known.is_same(target)
        and is_valid(session, earlier)
        for earlier in session.ladder
    )


def _taken_back_by(session: GroupSession, step: LadderPressed, at: datetime) -> bool:
    # What is taken back later makes nothing wrong that was right when it was pressed.
    back = taken_back(session, step)
    return back is not None and back.at <= at


def is_valid(session: GroupSession, press: LadderPressed) -> bool:
    """Whether a written press counts: acted on already, or nothing against it."""
    return step_key(press) in session.actions or not ladder_problem(session, press)


def steps_of(session: GroupSession, connection: str) -> tuple[LadderPressed, ...]:
    """The valid steps taken against the person of that connection, oldest first, without
    those taken back."""
    target = target_of(session, connection)
    if target is None:
        return ()
    return tuple(
        press
        for press in valid_presses(session)
        if taken_back(session, press) is None
        and (known := target_of(session, press.connection)) is not None
        and known.is_same(target)
    )


def taken_back(session: GroupSession, press: LadderPressed) -> StepTakenBack | None:
    """The word that this reminder or warning was pressed in error, or None.

    Once said it stands: a reminder is given anew, never brought back.
    """
    if press.step is Step.REMOVE:
        return None
    said = [
        back
        for back in session.taken_back
        if back.step_id == press.press_id
        and back.at >= press.at
        and session.worker_slot(back.by) is not None
    ]
    return min(said, key=lambda back: (back.at, back.press_id), default=None)


def take_back_problem(session: GroupSession, back: StepTakenBack) -> str:
    """Why this step cannot be taken back; "" when it can (invariant I7)."""
    if session.worker_slot(back.by) is None:
        return NOT_ROSTERED
    if over(session, back.at):
        return SESSION_OVER
    press = next(
        (p for p in valid_presses(session) if p.press_id == back.step_id), None
    )
    if press is None or press.step is Step.REMOVE:
        return NO_STEP
    if taken_back(session, press) is not None:
        return BACK_ALREADY
    undone = {r.press.press_id for r in removals(session) if r.undone is not None}
    later = [
        step
        for step in steps_of(session, press.connection)
        if (step.at, step.press_id) > (press.at, press.press_id)
        and step.press_id not in undone
    ]
    return LATER_FIRST if later else ""


def next_step(session: GroupSession, connection: str) -> Step:
    """The step a page proposes next: remind, then warn, then remove."""
    taken = {press.step for press in steps_of(session, connection)}
    if Step.REMIND not in taken and Step.WARN not in taken:
        return Step.REMIND
    return Step.REMOVE if Step.WARN in taken else Step.WARN


def valid_presses(session: GroupSession) -> tuple[LadderPressed, ...]:
    """The ladder of the session in time order, each press once."""
    return session.remember("ladder.presses", lambda: _valid_presses(session))


def _valid_presses(session: GroupSession) -> tuple[LadderPressed, ...]:
    once = {press.press_id: press for press in reversed(session.ladder)}
    ordered = sorted(once.values(), key=lambda press: (press.at, press.press_id))
    return tuple(press for press in ordered if is_valid(session, press))


def removals(session: GroupSession) -> tuple[Removal, ...]:
    """Every valid removal by a worker's press, undone or not."""
    return session.remember("ladder.removals", lambda: tuple(_removals(session)))


def _removals(session: GroupSession) -> Iterator[Removal]:
    for press in valid_presses(session):
        target = target_of(session, press.connection)
        if press.step is Step.REMOVE and target is not None:
            yield Removal(press, target, _undone(session, press, target))


def _undone(
    session: GroupSession, press: LadderPressed, target: Target
) -> Readmitted | None:
    for back in sorted(session.readmitted, key=lambda r: r.at):
        if (
            back.at >= press.at
            and session.worker_slot(back.by) is not None
            and readmitted_target(session, back).is_same(target)
        ):
            return back
    return None


def readmitted_target(session: GroupSession, back: Readmitted) -> Target:
    """Whom a readmission is about."""
    known = target_of(session, back.connection)
    if known is None:
        return Target(connection=back.connection, person_id=back.person_id)
    if back.person_id and back.person_id != known.person_id:
        return Target(connection="", person_id=back.person_id)
    return known


def standing_removal(session: GroupSession, target: Target) -> Removal | None:
    """The removal that keeps this person out now, or None."""
    return next(
        (
            removal
            for removal in reversed(removals(session))
            if removal.undone is None and removal.target.is_same(target)
        ),
        None,
    )


def is_removed(session: GroupSession, person_id: str) -> bool:
    """Whether a worker removed this person and nobody has let them back in.

    Ask before any link of theirs is made to work again.
    """
    who = Target(connection="", person_id=person_id)
    return bool(person_id) and standing_removal(session, who) is not None


def readmit_problem(session: GroupSession, back: Readmitted) -> str:
    """Why this removal cannot be undone; "" when it can (invariant I7)."""
    if session.worker_slot(back.by) is None:
        return NOT_ROSTERED
    if over(session, back.at):
        return SESSION_OVER
    target = readmitted_target(session, back)
    by_bot = any(
        fact.kind == "remove_participant"
        and (
            fact.connection == back.connection
            or (target.person_id and fact.person_id == target.person_id)
        )
        for fact in session.actions.values()
    )
    if by_bot or standing_removal(session, target) is not None:
        return ""
    return "There is no removal to undo for that person."
