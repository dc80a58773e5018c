"""What the bot did and its proof, what it asks, and what it raises, for the live page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s

from app.core.actions import (
    Action,
    PostGroundRules,
    SendReminder,
    SendWarning,
    TellWaitingRoom,
)
from app.core.names import display
from app.core.presses import ActionState
from app.core.rules.follow_ups import AGREED, agreed_key, done_at, follow_ups
from app.core.session import ActionFact, GroupSession
from app.core.sight import is_lost
from app.web.words import DOES, HINTS, LEVELS, Tag, name_of, named, state_tag

OPEN = (ActionState.WANTED, ActionState.SENT, ActionState.ESCALATED)
SILENT = frozenset({"ask_worker", "alert_staff", "start_follow_up", "read_room"})
SHOWN = 30
LEVEL = {"info": 0, "amber": 1, "red": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a worker is asked to press, and where exactly.

    ``slug`` names it in ids of the page; ``words`` are to be pasted or read out, "" for
    none; ``press`` also offers a button.
    """

    key: str
    slug: str
    what: str
    who: str
    why: str
    hint: str
    words: str
    press: str
    connection: str
    at: datetime
    tickable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something people are told until a named person takes it; ``slug`` as in Ask."""

    key: str
    slug: str
    tag: Tag
    level: int
    text: str
    what_to_do: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing the bot wanted, and how far it came."""

    what: str
    who: str
    why: str
    by: str
    tag: Tag
    at: datetime
    proof: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A follow-up that is still open.

    ``reason_for``: the press whose reason is due; ``agreed``: the id of what staff
    agreed on, "" for what a rule asks for.
    """

    key: str
    what: str
    who: str
    why: str
    due_at: datetime
    reason_for: str
    agreed: str = ""


def words_of(action: Action) -> str:
    """What has to be said for this action, "" for nothing."""
    if isinstance(action, TellWaitingRoom):
        return f"{action.title}\n{action.text}"
    if isinstance(action, (SendReminder, SendWarning, PostGroundRules)):
        return action.text
    return ""


def asks(
    session: GroupSession, hint: Callable[[str], str], words: Mapping[str, str]
) -> list[Ask]:
    """What waits for a worker's hand, oldest first. ``words``: by the action's key."""
    found = []
    for fact in session.actions.values():
        by_hand = fact.route == "person" and fact.kind not in SILENT
        open_one = fact.state in (ActionState.SENT, ActionState.ESCALATED)
        if not open_one or not (by_hand or fact.kind == "ask_worker"):
            continue
        press = fact.cause if fact.kind == "ask_worker" else fact.kind
        found.append(
            Ask(
                key=fact.key,
                slug=_slug(fact.key),
                words=words.get(fact.key, ""),
                what=fact.reason if fact.kind == "ask_worker" else DOES[fact.kind],
                who=_whom(session, fact),
                why="" if fact.kind == "ask_worker" else fact.reason,
                hint=hint(HINTS.get(press, press)),
                press=press,
                connection=fact.connection,
                at=fact.sent_at or fact.wanted_at,
                tickable=fact.key not in session.action_ticks,
            )
        )
    return sorted(found, key=lambda ask: ask.at)


def _slug(key: str) -> str:
    return blake2s(key.encode(), digest_size=6).hexdigest()


def alarms(session: GroupSession) -> list[Alarm]:
    """What nobody has taken yet, loudest first."""
    found = [
        Alarm(
            key=fact.key,
            slug=_slug(fact.key),
            tag=LEVELS[LEVEL.get(fact.cause, 1)],
            level=LEVEL.get(fact.cause, 1),
            text=named(fact.reason, session.names),
            what_to_do=" ".join(named(d, session.names) for d in fact.details),
            who=_whom(session, fact),
            at=fact.wanted_at,
        )
        for fact in session.actions.values()
        if fact.kind == "alert_staff"
        and fact.state in OPEN
        and fact.key not in session.acknowledged
    ]
    return sorted(found, key=lambda alarm: (-alarm.level, alarm.at))


def doings(session: GroupSession) -> list[Doing]:
    """What the bot did, newest first; alarms and requests have their own places."""
    facts = [
        fact
        for fact in session.actions.values()
        if fact.kind not in SILENT or fact.state is ActionState.CONFIRMED
    ]
    facts = [fact for fact in facts if fact.kind not in ("read_room",)]
    facts.sort(key=lambda fact: (fact.moved_at, fact.key), reverse=True)
    return [
        Doing(
            what=DOES.get(fact.kind, fact.kind),
            who=_whom(session, fact),
            why=named(fact.reason, session.names),
            by="",
            tag=state_tag(fact),
            at=fact.moved_at,
            proof=fact.proof,
            problem=fact.problem,
        )
        for fact in facts[:SHOWN]
    ]


def tasks(session: GroupSession) -> Iterator[Task]:
    """Follow-ups nobody has done yet."""
    for task in follow_ups(session):
        if done_at(session, task) is None:
            reason_for = ""
            if task.key.startswith("follow_ups.reason:"):
                reason_for = task.key.removeprefix("follow_ups.reason:")
            agreed = ""
            if task.what == AGREED:
                agreed = task.key.removeprefix(agreed_key(""))
            yield Task(
                key=task.key,
                what=task.reason if agreed else task.what,
                who=name_of(session, task.person_id) if task.person_id else "",
                why="" if agreed else task.reason,
                due_at=task.due_at,
                reason_for=reason_for,
                agreed=agreed,
            )


def blind_since(session: GroupSession) -> datetime | None:
    """Since when we cannot see the room, None while we can (DESIGN §5, line 8)."""
    lost = [max(instance.sight) for instance in session.live() if is_lost(instance)]
    return min(lost, default=None)


def _whom(session: GroupSession, fact: ActionFact) -> str:
    if fact.person_id:
        return name_of(session, fact.person_id)
    found = session.find(fact.connection) if fact.connection else None
    return display(found[1].name) if found is not None else ""
