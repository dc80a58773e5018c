"""Cards of one evening, for the tests of readiness."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from app.core import fold
from app.core import presses as p
from app.core.checklist import Kind, Pack, parse_pack
from app.core.plan import OneToOne, Role, WorkerSlot
from app.core.policy import Policy, Weight
from app.core.readiness import Card, Item, readiness
from app.core.session import GroupSession
from tests.core.builders import (
    at,
)

ROOT = Path(__file__).resolve().parents[2]
NOW = at("18:30")


def pack_text(name: str) -> str:
    """The TOML of a shipped pack."""
    return (ROOT / "checklists" / f"{name}.toml").read_text(encoding="utf-8")


PROJECT = parse_pack(pack_text("project"))
WARN_TICKS = [
    item.id
    for item in PROJECT.items
    if item.kind is Kind.TICK and item.weight is not Weight.INFORM
]


def card(session: GroupSession, pack: Pack = PROJECT) -> Card:
    """The card of half past six."""
    return readiness(session, pack, NOW)


def line(session: GroupSession, item_id: str) -> Item:
    """One line of that card."""
    found = card(session).item(item_id)
    assert found is not None
    return found


def ticked(session: GroupSession, *items: str) -> GroupSession:
    """Anna ticks these items, or all that the card waits for."""
    for item in items or WARN_TICKS:
        fold.apply(session, p.ItemTicked(at=at("18:20"), by="anna", item=item))
    return session


def excepted(session: GroupSession, item: str, **changed: Any) -> GroupSession:
    """Anna gives a named exception."""
    given = p.ExceptionGiven(
        at=at("18:25"), by="anna", item=item, reason="The manager knows."
    )
    fold.apply(session, replace(given, **changed))
    return session


STRICT = Policy(rename_allowed=False)

TALK = OneToOne(worker_id="sam", held_on=date(2026, 11, 3), worker_leads_group=False)
SAM_SUPPORTS = WorkerSlot(
    person_id="sam", role=Role.SUPPORT, platform_user_id="zoom-sam"
)
ANNA_LEADS = WorkerSlot(person_id="anna", role=Role.LEAD, platform_user_id="zoom-anna")
