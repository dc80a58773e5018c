"""What a preview of the policy found, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.policy import Mode
from app.store.sessions import SessionPlan
from app.web.pages import policy_replay
from app.web.pages.policy_replay import CHECKLIST, Changed, How
from app.web.words import DOES, Zone, length, named

MOST_LINES = 50
ENDS = "end_meeting"
HOW = {
    How.NEW: "would come as well",
    How.GONE: "would not come",
    How.OTHERWISE: "would come otherwise",
}
STOPS = "A line of the checklist stops the session"
FIRM = "nobody can let it go on by name and reason any more"
SOFT = "somebody can let it go on, by name and reason"
DOING = {Mode.WATCH: "only written down", Mode.ASK: "asked", Mode.ACT: "done"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One past session and what would have been otherwise."""

    plan: SessionPlan
    names: Mapping[str, str]
    changes: Sequence[Changed]


@dataclass(frozen=True, slots=True)
class Count:
    """How often one thing would be different, over all sessions looked at."""

    what: str
    how: str
    times: int


@dataclass(frozen=True, slots=True)
class Told:
    """One difference in words. ``at`` is when it would have come, or came."""

    what: str
    how: str
    reason: str
    more: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A session whose room would have been ended otherwise."""

    plan: SessionPlan
    zone: Zone
    sentences: list[str]


def counts(found: Sequence[Replayed]) -> list[Count]:
    """How often each thing would be different."""
    counted = Counter(
        (_what(one), HOW[one.how]) for part in found for one in part.changes
    )
    return [Count(*key, times) for key, times in sorted(counted.items())]


def ended(found: Sequence[Replayed]) -> list[Ended]:
    """Every session whose room would have been ended otherwise."""
    told = [(one.plan, list(_endings(one))) for one in found]
    return [Ended(plan, Zone(plan.zone), said) for plan, said in told if said]


def _endings(replayed: Replayed) -> Iterator[str]:
    zone = Zone(replayed.plan.zone)
    for one in replayed.changes:
        if one.wanted.kind != ENDS:
            continue
        at = zone.seconds(one.wanted.at)
        acts = one.wanted.mode is Mode.ACT
        if one.how is How.NEW:
            yield (
                f"The room would have been ended for everyone at {at}."
                if acts
                else f"It would have been {DOING[one.wanted.mode]} at {at}, no more."
            )
        elif one.how is How.GONE:
            yield f"The room would not have been ended for everyone at {at}."
        else:
            yield f"The end of the room would have come otherwise: {_more(one)}, at {at}."


def told(
    replayed: Replayed,
) -> tuple[SessionPlan, Zone, list[Told], int]:
    """The differences of one session, and how many more there are."""
    first = [
        Told(
            what=_what(one),
            how=HOW[one.how],
            reason=named(one.wanted.reason, replayed.names),
            more=_more(one),
            at=one.wanted.at,
        )
        for one in replayed.changes[:MOST_LINES]
    ]
    left = len(replayed.changes) - len(first)
    return replayed.plan, Zone(replayed.plan.zone), first, left


def _what(changed: Changed) -> str:
    kind = changed.wanted.kind
    if kind == CHECKLIST:
        return STOPS
    return "Alarm the contacts" if changed.wanted.red else DOES.get(kind, kind)


def _more(changed: Changed) -> str:
    if changed.how is not How.OTHERWISE:
        return ""
    if changed.wanted.kind == CHECKLIST:
        return FIRM if changed.wanted.firm else SOFT
    parts = []
    if changed.before is not None:
        now_so = DOING[changed.wanted.mode]
        parts.append(f"{now_so} instead of {DOING[changed.before]}")
    if abs(changed.later) >= policy_replay.NOTICED:
        word = "later" if changed.later.total_seconds() > 0 else "earlier"
        parts.append(f"{length(abs(changed.later))} {word}")
    return ", ".join(parts)
