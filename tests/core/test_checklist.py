"""Packs are data: what they must hold, and what is said of a spoilt one."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.core.checklist import BadPack, Kind, parse_pack
from app.core.policy import Weight
from app.core.readiness import Verdict, readiness
from app.core.readiness_items import CHECKS
from tests.core.builders import (
    at,
    plan,
    set_up,
    started,
    story,
)
from tests.core.cards import (
    PROJECT,
    ROOT,
    WARN_TICKS,
    card,
    pack_text,
    ticked,
)

PACKS = [parse_pack(path.read_text()) for path in (ROOT / "checklists").glob("*.toml")]

# --- packs ------------------------------------------------------------------------------

CLAUSE = re.compile(r"[PBRHSTEXUIA]\d+[a-c]?|00[1-4]\.\d+")


def test_the_base_pack_and_the_checks_agree_both_ways() -> None:
    automatic = [i.id for i in PROJECT.items if i.kind is Kind.AUTO]
    assert sorted(automatic) == sorted(CHECKS)


def test_more_than_one_pack_is_shipped_and_every_line_has_a_clause() -> None:
    assert len(PACKS) >= 2
    for pack in PACKS:
        assert [i.id for i in pack.items if not CLAUSE.fullmatch(i.clause)] == []


def test_another_pack_asks_other_things() -> None:
    second = next(pack for pack in PACKS if pack.id == "online-safety")
    session = set_up(the_plan=plan(risk_assessment=False))
    found = card(session, second).item("risk_assessment")
    assert found is not None
    assert (found.weight, found.clause) == (Weight.BLOCK, "004.7")


def test_the_page_about_the_checklist_lists_every_item() -> None:
    page = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^\| `(\w+)` \| (\S+) \| (\w+) \| ([^|]+) \| ([^|]+) \|$", page, re.M
    )
    packs = sorted(PACKS, key=lambda pack: page.index(f"(`{pack.id}`)"))
    assert found == [
        (
            item.id,
            item.clause,
            item.kind.value,
            item.weight.value + (", exception" if item.exception else ""),
            item.text,
        )
        for pack in packs
        for item in pack.items
    ]


@pytest.mark.parametrize(
    ("day", "notes"),
    [
        (at("23:59:59"), 0),
        (at("23:59:59") + timedelta(seconds=1), 1),
    ],
)
def test_a_policy_past_its_review_is_said_and_stops_nothing(
    day: Any, notes: int
) -> None:
    pack = replace(PROJECT, review_on=date(2026, 11, 17))
    found = readiness(set_up(), pack, day)
    assert len(found.notes) == notes
    assert {i.id for i in found.items if i.stops} == set(WARN_TICKS)


def spoilt(change: Callable[[str], str]) -> list[str]:
    with pytest.raises(BadPack) as raised:
        parse_pack(change(pack_text("online-safety")))
    return raised.value.faults


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('weight = "inform"', 'weight = "loud"', "weight is block, warn or inform."),
        (
            'id = "risk_assessment"',
            'id = "palm_reading"',
            "kind is auto for what the bot can check, and tick for all else.",
        ),
        (
            'id = "platform_assessed"',
            'id = "purpose"',
            "kind is auto for what the bot can check, and tick for all else.",
        ),
        ('clause = "004.9"', 'clause = " "', "clause is missing."),
        ("exception = true", 'exception = "yes"', "exception is true or false."),
        (
            "exception = true",
            'mend = "the roof"',
            "mend is not a setting that can be read.",
        ),
        ("exception = true", "colour = 1", "colour is not a word of a pack."),
        ('kind = "tick"', 'kind = "guess"', "kind is auto or tick."),
        ('issued = "2022-04"', "", "issued is missing."),
        (
            'issued = "2022-04"',
            'issued = "2022-04"\nreview_on = "soon"',
            "review_on has to be a date such as 2027-09-30.",
        ),
        (
            'issued = "2022-04"',
            'issued = "2022-04"\nupdated = 2023',
            "updated has to be text.",
        ),
        (
            'id = "two_workers"',
            'id = "risk_assessment"',
            "risk_assessment is listed twice.",
        ),
        (
            'id = "end_for_all"',
            'id = "remove_one"',
            "end_for_all is missing: no pack may leave it out.",
        ),
        (
            'id = "emergency_contacts"',
            'id = "purpose"',
            "emergency_contacts is missing: no pack may leave it out.",
        ),
    ],
)
def test_a_spoilt_pack_says_what_is_wrong(old: str, new: str, fault: str) -> None:
    faults = spoilt(lambda text: text.replace(old, new, 1))
    assert [f for f in faults if f.endswith(fault)] != []


def test_all_faults_of_a_pack_are_told_at_once() -> None:
    faults = spoilt(
        lambda text: text.replace('clause = "004.9"', "").replace(
            'weight = "inform"', 'weight = "loud"'
        )
    )
    assert faults == [
        "Item two_workers: clause is missing.",
        "Item personal_devices: weight is block, warn or inform.",
        "Item incident_route: weight is block, warn or inform.",
    ]


@pytest.mark.parametrize(
    "text", ["[[", "", "items = 3", 'items = [1]\n[pack]\nid = "x"']
)
def test_what_is_no_pack_is_refused(text: str) -> None:
    with pytest.raises(BadPack):
        parse_pack(text)


def test_a_live_room_can_be_checked_too() -> None:
    assert card(ticked(story(started()))).verdict is Verdict.READY
