"""What a worker's press does to one person, and that it can be undone: I2 and I7."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.actions import ChangeLink, EndMeeting
from app.core.presses import (
    ActionState,
    ClosingPressed,
    LadderPressed,
    Readmitted,
    SessionClosed,
)
from app.core.presses import Step as Rung
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set, end_calls
from app.simulate.stage import Stage
from app.simulate.verdict import Figures
from integrations.rehearsal.rooms import WAITING_ROOM, Registrant

OUT_WITHIN = timedelta(seconds=15)
LINK_WITHIN = timedelta(seconds=60)
APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Pressed:
    """`who` was put out, or let back in, until the next press about them."""

    who: str
    out: bool
    at: datetime
    until: datetime | None


def pressed(outcome: Outcome) -> list[Pressed]:
    """Removals of clients on their own link, and their undoing, as far as taken."""
    stage, session = outcome.stage, outcome.session
    rows: list[tuple[datetime, str, bool]] = []
    for fact in stage.pressed:
        if not isinstance(fact, LadderPressed | Readmitted) or session is None:
            continue
        out = isinstance(fact, LadderPressed)
        if isinstance(fact, LadderPressed) and fact.step is not Rung.REMOVE:
            continue
        seat = session.find(fact.connection)
        who = _whose(stage, seat[1].uuid) if seat is not None else ""
        if isinstance(fact, Readmitted) and fact.person_id:
            # By name: perhaps they were on the telephone, and it is their link all the same.
            who = next(
                (k for k, v in stage.ground.people.items() if v == fact.person_id), who
            )
        if who in outcome.scenario.clients:
            rows.append((fact.at, who, out))
    found = []
    for number, (at, who, out) in enumerate(rows):
        later = (when for when, other, _ in rows[number + 1 :] if other == who)
        found.append(Pressed(who, out, at, next(later, None)))
    return found


def removed_stay_out(outcome: Outcome, _figures: Figures) -> list[str]:
    """I2: whom a worker removed is out 15 s later, and again 15 s after coming back, until
    somebody lets them in. Judged where a hand can remove, and while nothing is broken."""
    stage, scenario = outcome.stage, outcome.scenario
    if not (scenario.live_roster and scenario.remove_enabled) or _unsure(stage):
        return []
    found = []
    for press in pressed(outcome):
        if not press.out:
            continue
        for start, end in _inside(stage, press.who):
            low, high = max(start, press.at), min(end, press.until or outcome.now)
            if high - low > OUT_WITHIN and not _broken(stage, low, high):
                passed = (low - stage.began).total_seconds()
                found.append(
                    f"{press.who} was removed, and inside from {passed:.1f} s."
                )
    return found


def links_are_as_pressed(outcome: Outcome, _figures: Figures) -> list[str]:
    """I7: who was let back in has a link that works a minute later; who was put out has
    none; everybody else's works. Judged at the end, of evenings that nobody ended, nor
    the bot tried to: a clear whose call was lost counts once the room is over. Where the
    platform refused, a worker was asked to do it, and said to have it not done."""
    stage = outcome.stage
    if outcome.session is None or _unsure(stage) or any(True for _ in end_calls(stage)):
        return []
    if any(
        fact.kind == EndMeeting.kind and fact.sent_at is not None
        for fact in outcome.session.actions.values()
    ):
        return []
    last = {press.who: press for press in pressed(outcome)}
    found = []
    for who in outcome.scenario.clients:
        link, press = _registrant(stage, who), last.get(who)
        if link is None or _shared(outcome, who):
            continue
        works, out = link.status == APPROVED, press is not None and press.out
        if works is out and not _asked_of_a_worker(outcome, link):
            found.append(f"The link of {who} is {link.status} at the end.")
        elif press is not None and works:
            late = max(link.status_changes, default=press.at) - press.at
            until = press.at + LINK_WITHIN
            if late > LINK_WITHIN and not _broken(stage, press.at, until):
                found.append(f"The link of {who} worked {late} after the press.")
    return found


def _asked_of_a_worker(outcome: Outcome, link: Registrant) -> bool:
    session = outcome.session
    return session is not None and any(
        fact.kind == ChangeLink.kind
        and fact.key.startswith(f"closing.link:{link.id}:")
        and fact.route == "person"
        and fact.state is ActionState.ESCALATED
        for fact in session.actions.values()
    )


def _unsure(stage: Stage) -> bool:
    """Whether the bot's own times differ from true time, or staff said goodbye."""
    over = any(isinstance(f, ClosingPressed | SessionClosed) for f in stage.pressed)
    return over or clock_was_set(stage) or not stage.scenario.planned


def _shared(outcome: Outcome, who: str) -> bool:
    """A link in two hands is a matter of its own (K01)."""
    return any(step.args.get("link_of") == who for step in outcome.scenario.steps)


def _broken(stage: Stage, low: datetime, high: datetime) -> bool:
    began = stage.began
    start, end = (low - began).total_seconds() - 40, (high - began).total_seconds()
    return any(f.at < end and f.until > start for f in stage.scenario.faults)


def _inside(stage: Stage, who: str) -> Iterator[tuple[datetime, datetime]]:
    for instance in stage.world.meeting(stage.meeting_id).instances:
        for connection in instance.connections:
            if connection.person.key != who:
                continue
            for stay in connection.stays:
                if stay.room != WAITING_ROOM:
                    yield stay.start, stay.end or stage.clock.now()


def _registrant(stage: Stage, who: str) -> Registrant | None:
    own = stage.links.get(who)
    return stage.world.meeting(stage.meeting_id).registrant_of(own) if own else None


def _whose(stage: Stage, uuid: str) -> str:
    """Who came by their own link on the connection with this id; "" for nobody."""
    for instance in stage.world.meeting(stage.meeting_id).instances:
        for connection in instance.connections:
            if connection.participant_uuid != uuid:
                continue
            own = _registrant(stage, connection.person.key)
            if own is not None and own.id == connection.registrant_id:
                return connection.person.key
    return ""
