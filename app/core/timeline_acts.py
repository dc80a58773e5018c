"""What the bot wanted, sent and saw proved, as lines of the timeline."""

from collections.abc import Iterator

from app.core.actions import (
    AdmitParticipant,
    AlertStaff,
    AskWorker,
    ChangeLink,
    EndMeeting,
    HoldParticipant,
    Level,
    PostGroundRules,
    ReadRoom,
    RemoveParticipant,
    SendReminder,
    SendWarning,
    StartFollowUp,
    StopLiveStream,
    StopRecording,
    TellWaitingRoom,
)
from app.core.callings import Names, connection_name, name_of
from app.core.presses import ActionState
from app.core.session import ActionFact, GroupSession
from app.core.timeline_entry import BOT, Entry

WORDS = {
    EndMeeting.kind: "end the meeting for everyone",
    RemoveParticipant.kind: "remove {who}",
    HoldParticipant.kind: "take {who} to the waiting room",
    AdmitParticipant.kind: "let {who} in",
    PostGroundRules.kind: "give the ground rules",
    SendReminder.kind: "remind {who}",
    SendWarning.kind: "warn {who}",
    TellWaitingRoom.kind: "tell everybody at the door",
    ChangeLink.kind: "change a personal link",
    StopRecording.kind: "stop the recording",
    StopLiveStream.kind: "stop the live stream",
    AskWorker.kind: "ask a worker",
    StartFollowUp.kind: "open a follow-up for {who}",
    ReadRoom.kind: "look at the room",
    AlertStaff.kind: "tell staff",
}
_ROUTES = {
    "api": " through the platform",
    "panel": " in a worker's meeting window",
    "person": " by asking a worker",
}
_ENDED = {
    ActionState.WITHDRAWN: "No longer needed: {what}.",
    ActionState.REFUSED: "Refused: {what}.",
    ActionState.EXPIRED: "Too late: {what}.",
    ActionState.ESCALATED: "Not proved, so people were told: {what}.",
}


def acted(session: GroupSession, names: Names) -> Iterator[Entry]:
    """One line for each step of each action; looking at the room is left out."""
    for fact in session.actions.values():
        if fact.kind == AlertStaff.kind:
            yield _alert(fact)
        elif fact.kind != ReadRoom.kind:
            yield from _steps(fact, what_it_does(session, names, fact))


def what_it_does(session: GroupSession, names: Names, fact: ActionFact) -> str:
    """The action in words, such as "remove Ben"."""
    words = WORDS.get(fact.kind, fact.kind.replace("_", " "))
    if fact.kind == StartFollowUp.kind and not fact.person_id:
        return "open a follow-up"
    if "{who}" not in words:
        return words
    if fact.person_id:
        return words.format(who=name_of(names, fact.person_id))
    return words.format(who=connection_name(session, names, fact.connection))


def level_of(fact: ActionFact) -> Level:
    """How loud an alert was: the engine writes its level as the cause."""
    return Level.__members__.get(fact.cause.upper(), Level.INFO)


def _alert(fact: ActionFact) -> Entry:
    level = level_of(fact)
    word = "Alarm" if level is Level.RED else "Told staff"
    return Entry(fact.wanted_at, BOT, f"{word}: {fact.reason}", level, key=fact.key)


def _steps(fact: ActionFact, what: str) -> Iterator[Entry]:
    level = Level.RED if fact.kind == EndMeeting.kind else Level.INFO
    yield Entry(
        fact.wanted_at,
        BOT,
        f"Decided to {what}. {fact.reason}".strip(),
        level,
        key=fact.key,
    )
    if fact.sent_at is not None:
        how = _ROUTES.get(fact.route, "")
        yield Entry(fact.sent_at, BOT, f"Sent{how}: {what}.", key=fact.key)
    if fact.confirmed_at is not None:
        race = " A worker had just come back." if fact.race else ""
        text = f"Done: {what}.{race}"
        yield Entry(fact.confirmed_at, BOT, text, proof=fact.proof, key=fact.key)
    elif fact.state in _ENDED:
        text = _ENDED[fact.state].format(what=what)
        problem = f" {fact.problem}" if fact.problem else ""
        loud = fact.state in (ActionState.REFUSED, ActionState.ESCALATED)
        level = Level.AMBER if loud else Level.INFO
        yield Entry(fact.moved_at, BOT, text + problem, level, key=fact.key)
