"""May the session start? The checklist of one session, item by item (go / no-go card)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.core.checklist import FIXED, Kind, Pack, PackItem
from app.core.policy import Weight
from app.core.readiness_items import CHECKS
from app.core.readiness_items.finding import Finding, Result
from app.core.session import GroupSession


class Verdict(StrEnum):
    """The answer at the top of the card."""

    READY = "ready"
    READY_WITH_EXCEPTIONS = "ready with named exceptions"
    NOT_READY = "not ready"


class Excepted(NamedTuple):
    """Who excepted an item, why and when."""

    by: str
    reason: str
    at: datetime


class Ticked(NamedTuple):
    """Who attested an item and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the card.

    ``evidence`` is a plain sentence with the value read, ``checked_at`` when that was.
    ``mend`` is the field of MeetingFacts the platform's settings can put right.
    ``may_except``: whether a named exception would be accepted.
    """

    id: str
    text: str
    clause: str
    kind: Kind
    weight: Weight
    result: Result
    evidence: str
    checked_at: datetime | None
    how: str
    mend: str | None
    may_except: bool
    exception: Excepted | None = None
    ticked: Ticked | None = None

    @property
    def stops(self) -> bool:
        """Whether the session is not ready because of it: unknown counts as unsafe."""
        settled = self.result in (Result.OK, Result.TICKED, Result.EXCEPTED)
        return not settled and self.weight is not Weight.INFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The whole checklist at one moment.

    ``notes`` are shown and never stop a session: a pack past its review date, and what
    the platform lets us not do, with the way to mend it.
    """

    verdict: Verdict
    items: tuple[Item, ...]
    at: datetime
    pack: str
    notes: tuple[str, ...] = ()

    def item(self, item_id: str) -> Item | None:
        """The line of that id, or None."""
        return next((i for i in self.items if i.id == item_id), None)


def readiness(session: GroupSession, pack: Pack, now: datetime) -> Card:
    """Check every item of the pack against what is so now.

    A ``warn`` item goes on with a name and a reason; a ``block`` item only where the
    pack allows an exception (guidance, head). Never raises.
    """
    items = tuple(_item(session, row, now) for row in pack.items)
    return Card(
        verdict=_verdict(items),
        items=items,
        at=now,
        pack=pack.id,
        notes=tuple(dict.fromkeys((*_notes(pack, now), *session.hands.problems))),
    )


def one_to_one_excepted(session: GroupSession, person_id: str) -> bool:
    """Whether somebody lets this client in without a one-to-one, by name and reason."""
    items = ("one_to_one", f"one_to_one:{person_id}")
    return any(exception_of(session, item) is not None for item in items)


def exception_of(session: GroupSession, item_id: str) -> Excepted | None:
    """The exception on file, if it has a name and a reason and was not taken back."""
    given = session.exceptions.get(item_id)
    if given is None or given.withdrawn or not given.by or not given.reason.strip():
        return None
    return Excepted(given.by, given.reason, given.at)


def _verdict(items: tuple[Item, ...]) -> Verdict:
    if any(item.stops for item in items):
        return Verdict.NOT_READY
    if any(item.result is Result.EXCEPTED for item in items):
        return Verdict.READY_WITH_EXCEPTIONS
    return Verdict.READY


def _notes(pack: Pack, now: datetime) -> tuple[str, ...]:
    if pack.review_on is None or now.date() <= pack.review_on:
        return ()
    return (
        f"The policy behind this checklist was due for review on {pack.review_on}.",
    )


def _item(session: GroupSession, row: PackItem, now: datetime) -> Item:
    ticked = _ticked(session, row)
    found = CHECKS[row.id](session, now) if row.kind is Kind.AUTO else _attested(ticked)
    weight = _weight(session, row, found)
    may_except = row.id not in FIXED and (row.exception or weight is not Weight.BLOCK)
    settled = found.result in (Result.OK, Result.TICKED)
    exception = exception_of(session, row.id) if may_except and not settled else None
    return Item(
        id=row.id,
        text=row.text,
        clause=row.clause,
        kind=row.kind,
        weight=weight,
        result=found.result if exception is None else Result.EXCEPTED,
        evidence=found.evidence,
        checked_at=found.checked_at,
        how=row.how,
        mend=row.mend or None,
        may_except=may_except,
        exception=exception,
        ticked=ticked,
    )


def _weight(session: GroupSession, row: PackItem, found: Finding) -> Weight:
    """The organisation's word wins, then the circumstances, then the pack."""
    if row.id in FIXED:
        return Weight.BLOCK
    return session.policy.weights.get(row.id, found.weight or row.weight)


def _ticked(session: GroupSession, row: PackItem) -> Ticked | None:
    tick = session.ticks.get(row.id)
    if row.kind is not Kind.TICK or tick is None or not tick.ticked or not tick.by:
        return None
    return Ticked(tick.by, tick.at)


def _attested(ticked: Ticked | None) -> Finding:
    if ticked is None:
        return Finding(Result.TODO, "No worker has ticked this yet.")
    return Finding(Result.TICKED, "A worker ticked this.", None, ticked.at)
