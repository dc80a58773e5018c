"""What people pressed in Chaperone, as lines of the timeline."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import Level
from app.core.callings import Names, connection_name, first_up, name_of
from app.core.ladder import ladder_problem, step_key
from app.core.presses import LadderPressed, Step
from app.core.session import GroupSession
from app.core.timeline_entry import WORKER, Entry

_STEPS = {
    Step.REMIND: "reminded {who}",
    Step.WARN: "warned {who}",
    Step.REMOVE: "removed {who}",
}

_TAKEN_BACK = {Step.REMIND: "reminder", Step.WARN: "warning"}


def pressed(session: GroupSession, names: Names) -> Iterator[Entry]:
    """Every press, with who pressed it."""
    for at, by, text, level in (
        *_about_people(session, names),
        *_about_the_session(session),
        *_afterwards(session),
    ):
        who = name_of(names, by) if by else "a worker"
        yield Entry(at, WORKER, f"{first_up(who)} {text}", level)


Line = tuple[datetime, str, str, Level]


def _about_people(session: GroupSession, names: Names) -> Iterator[Line]:
    for press in {p.press_id: p for p in session.ladder}.values():
        yield press.at, press.by, _step(session, names, press), Level.AMBER
    for given in session.reasons.values():
        yield given.at, given.by, f"gave the reason: {given.reason}", Level.INFO
    for back in session.readmitted:
        who = (
            name_of(names, back.person_id)
            if back.person_id
            else connection_name(session, names, back.connection)
        )
        yield back.at, back.by, f"readmitted {who}.", Level.INFO
    steps = {press.press_id: press for press in session.ladder}
    for taken in session.taken_back:
        step = steps.get(taken.step_id)
        if step is not None and step.step in _TAKEN_BACK:
            who = connection_name(session, names, step.connection)
            text = f"took the {_TAKEN_BACK[step.step]} to {who} back as a mistake."
            yield taken.at, taken.by, text, Level.INFO
    for hold in session.holds:
        who = connection_name(session, names, hold.connection)
        yield hold.at, hold.by, f"asked to take {who} to the waiting room.", Level.INFO
    for admit in session.admits:
        who = connection_name(session, names, admit.connection)
        yield admit.at, admit.by, f"asked to let {who} in.", Level.INFO
    for vouched in session.vouched.values():
        if vouched.person_id:
            who = name_of(names, vouched.person_id)
            yield (
                vouched.at,
                vouched.by,
                f"said that one connection is {who}.",
                Level.INFO,
            )
    for sure in session.confirmed.values():
        yield sure.at, sure.by, "pressed “I am in”.", Level.INFO


def _step(session: GroupSession, names: Names, press: LadderPressed) -> str:
    who = connection_name(session, names, press.connection)
    text = _STEPS[press.step].format(who=who)
    text += " at once, for serious harm" if press.immediate else ""
    text += f" (rule {press.rule})" if press.rule else ""
    text += f": {press.reason}" if press.reason else "."
    if step_key(press) in session.actions:
        return text
    problem = ladder_problem(session, press)
    return f"{text} Not carried out: {problem}" if problem else text


def _in_words(item: str) -> str:
    return item.replace("_", " ")


def _about_the_session(session: GroupSession) -> Iterator[Line]:
    for item in session.ticks.values():
        word = "ticked" if item.ticked else "took back the tick of"
        yield (
            item.at,
            item.by,
            f"{word} “{_in_words(item.item)}” on the checklist.",
            Level.INFO,
        )
    for exception in session.exceptions.values():
        word = "withdrew the exception from" if exception.withdrawn else "excepted"
        why = f": {exception.reason}" if exception.reason else "."
        yield (
            exception.at,
            exception.by,
            f"{word} “{_in_words(exception.item)}”{why}",
            Level.AMBER,
        )
    if session.lead_accepted is not None:
        yield *session.lead_accepted, "accepted the lead.", Level.INFO
    for at in sorted(set(session.rules_spoken.values())):
        yield at, "", "talked the ground rules through.", Level.INFO
    for at in session.rules_requested:
        yield at, "", "asked to send the ground rules again.", Level.INFO
    for resumed in session.resumed:
        yield *resumed, "resumed the session.", Level.AMBER
    if session.closing is not None:
        yield *session.closing, "said goodbye: clients leave first.", Level.INFO
    for end in session.ends:
        yield end.at, end.by, "ended the meeting for everyone.", Level.INFO
    if session.debrief is not None:
        done = session.debrief
        word = "skipped the debrief" if done.skipped else "ended the debrief"
        why = f": {done.reason}" if done.reason else "."
        yield done.at, done.by, f"{word}{why}", Level.INFO
    if session.closed is not None:
        yield *session.closed, "closed the session; its links are dead.", Level.INFO


def _afterwards(session: GroupSession) -> Iterator[Line]:
    for key, (at, by) in session.acknowledged.items():
        alarm = session.actions.get(key)
        about = f": {alarm.reason}" if alarm is not None and alarm.reason else "."
        yield at, by, f"took the alarm{about}", Level.INFO
    for at, by, done in session.action_ticks.values():
        word = "said that it is done." if done else "said that it cannot be done."
        yield at, by, word, Level.INFO if done else Level.AMBER
    for task in session.agreed.values():
        word = "took back a follow-up" if task.dropped else "agreed a follow-up"
        yield task.at, task.by, f"{word}: {task.what}", Level.INFO
    for at, by in session.followed_up.values():
        yield at, by, "finished a follow-up.", Level.INFO
    if session.notes_at is not None:
        yield session.notes_at, "", "saved the session notes.", Level.INFO
    if session.attendance_confirmed is not None:
        at, by, _ = session.attendance_confirmed
        yield at, by, "confirmed the attendance.", Level.INFO
    for amended in session.amendments:
        why = f": {amended.reason}" if amended.reason else "."
        yield amended.at, amended.by, f"corrected the attendance{why}", Level.INFO
