"""The go / no-go card: verdict, weights, exceptions and ticks."""

from dataclasses import replace
from typing import Any

import pytest

from app.core import fold
from app.core import presses as p
from app.core.checklist import Kind, parse_pack
from app.core.facts import Hands
from app.core.policy import Policy, Weight
from app.core.readiness import Excepted, Item, Ticked, Verdict, readiness
from app.core.readiness_items.finding import Result
from tests.core.builders import (
    ALL_HANDS,
    SAFE,
    at,
    plan,
    set_up,
)
from tests.core.cards import (
    NOW,
    PROJECT,
    WARN_TICKS,
    card,
    excepted,
    line,
    pack_text,
    ticked,
)

# --- the whole card --------------------------------------------------------------------


def test_a_safe_session_is_ready_once_the_workers_have_ticked() -> None:
    session = set_up()
    assert card(session).verdict is Verdict.NOT_READY
    assert {i.id for i in card(session).items if i.stops} == set(WARN_TICKS)
    assert card(ticked(session)).verdict is Verdict.READY


def test_a_card_says_which_pack_and_when() -> None:
    found = card(set_up())
    assert (found.pack, found.at, found.notes) == ("project", NOW, ())
    assert [i.id for i in found.items] == [i.id for i in PROJECT.items]


def test_a_card_tells_which_permission_is_missing_and_where_to_give_it() -> None:
    why = "Zoom has not given the permission meeting:update:status:admin. Add it."
    hands = replace(ALL_HANDS, end_for_all=False, problems=(why, why))
    session = set_up(hands=hands)
    assert card(session).notes == (why,)
    assert line(session, "end_for_all").result is Result.FAULT


def test_a_line_shows_what_was_read_when_and_how_to_mend_it() -> None:
    session = set_up(facts=replace(SAFE, waiting_room_for_everyone=False))
    assert line(session, "waiting_room") == Item(
        id="waiting_room",
        text="Everybody waits in the waiting room until a worker lets them in.",
        clause="T1",
        kind=Kind.AUTO,
        weight=Weight.BLOCK,
        result=Result.FAULT,
        evidence="Waiting room for everyone: off.",
        checked_at=at("18:00"),
        how="Switch the waiting room on for everyone, without exceptions.",
        mend="waiting_room_for_everyone",
        may_except=False,
    )


def test_a_warning_needs_a_name_and_a_reason() -> None:
    session = ticked(set_up(the_plan=plan(segments=0)))
    assert card(session).verdict is Verdict.NOT_READY
    excepted(session, "segments")
    assert card(session).verdict is Verdict.READY_WITH_EXCEPTIONS
    found = line(session, "segments")
    assert (found.result, found.exception) == (
        Result.EXCEPTED,
        Excepted("anna", "The manager knows.", at("18:25")),
    )
    assert found.evidence == "Parts in the plan: 0."


@pytest.mark.parametrize(
    "changed", [{"by": ""}, {"reason": " "}, {"withdrawn": True}], ids=str
)
def test_half_an_exception_is_none(changed: dict[str, Any]) -> None:
    session = excepted(set_up(the_plan=plan(segments=0)), "segments", **changed)
    assert line(session, "segments").result is Result.FAULT


def test_what_only_informs_never_stops_a_session() -> None:
    session = ticked(set_up(facts=replace(SAFE, passcode=False)))
    assert line(session, "passcode").result is Result.FAULT
    assert card(session).verdict is Verdict.READY


def test_an_exception_from_what_is_well_is_not_used() -> None:
    session = ticked(excepted(set_up(), "segments"))
    assert line(session, "segments").exception is None
    assert card(session).verdict is Verdict.READY


def test_a_block_cannot_be_excepted() -> None:
    session = ticked(set_up(facts=replace(SAFE, waiting_room_for_everyone=False)))
    excepted(session, "waiting_room")
    assert line(session, "waiting_room").result is Result.FAULT
    assert card(session).verdict is Verdict.NOT_READY


def test_unknown_counts_as_unsafe() -> None:
    session = ticked(set_up(facts=replace(SAFE, waiting_room_for_everyone=None)))
    assert line(session, "waiting_room").result is Result.UNKNOWN
    assert card(session).verdict is Verdict.NOT_READY


def test_an_unknown_warning_can_be_excepted() -> None:
    session = ticked(set_up(facts=replace(SAFE, private_chat=None)))
    assert card(session).verdict is Verdict.NOT_READY
    excepted(session, "private_chat")
    assert card(session).verdict is Verdict.READY_WITH_EXCEPTIONS


# --- weights ----------------------------------------------------------------------------


def test_the_organisation_may_weigh_otherwise() -> None:
    facts = replace(SAFE, waiting_room_for_everyone=False, passcode=False)
    policy = Policy(weights={"waiting_room": Weight.WARN, "passcode": Weight.BLOCK})
    session = ticked(set_up(facts=facts, policy=policy))
    assert line(session, "waiting_room").weight is Weight.WARN
    assert line(excepted(session, "waiting_room"), "waiting_room").result is (
        Result.EXCEPTED
    )
    assert line(excepted(session, "passcode"), "passcode").result is Result.FAULT


@pytest.mark.parametrize(
    ("item", "made_unsafe"),
    [
        ("end_for_all", {"hands": replace(ALL_HANDS, end_for_all=False)}),
        ("emergency_contacts", {"the_plan": plan(emergency_contacts=False)}),
    ],
)
def test_the_two_fixed_items_can_neither_be_loosened_nor_excepted(
    item: str, made_unsafe: dict[str, Any]
) -> None:
    policy = Policy(weights={item: Weight.INFORM})
    session = excepted(ticked(set_up(policy=policy, **made_unsafe)), item)
    found = line(session, item)
    assert (found.weight, found.result, found.may_except) == (
        Weight.BLOCK,
        Result.FAULT,
        False,
    )
    assert card(session).verdict is Verdict.NOT_READY


def test_a_pack_cannot_loosen_the_fixed_items() -> None:
    text = pack_text("project").replace(
        'id = "end_for_all"\nclause = "E1"\nkind = "auto"\nweight = "block"',
        'id = "end_for_all"\nclause = "E1"\nkind = "auto"\nweight = "inform"\n'
        "exception = true",
    )
    session = excepted(set_up(hands=Hands()), "end_for_all")
    found = readiness(session, parse_pack(text), NOW).item("end_for_all")
    assert found is not None
    assert (found.weight, found.result) == (Weight.BLOCK, Result.UNKNOWN)


# --- ticks ------------------------------------------------------------------------------


def test_a_worker_ticks_and_takes_it_back() -> None:
    session = ticked(set_up(), "practised")
    found = line(session, "practised")
    assert (found.result, found.ticked, found.checked_at) == (
        Result.TICKED,
        Ticked("anna", at("18:20")),
        at("18:20"),
    )
    back = p.ItemTicked(at=at("18:21"), by="anna", item="practised", ticked=False)
    fold.apply(session, back)
    assert line(session, "practised").result is Result.TODO


def test_a_tick_without_a_name_counts_for_nothing() -> None:
    session = set_up()
    fold.apply(session, p.ItemTicked(at=at("18:20"), item="practised"))
    assert line(session, "practised").result is Result.TODO


def test_a_tick_does_not_answer_for_the_bot() -> None:
    session = ticked(set_up(the_plan=plan(segments=0)), "segments")
    found = line(session, "segments")
    assert (found.result, found.ticked) == (Result.FAULT, None)


def test_a_tick_left_out_can_be_excepted() -> None:
    session = excepted(ticked(set_up(), *WARN_TICKS[1:]), WARN_TICKS[0])
    assert card(session).verdict is Verdict.READY_WITH_EXCEPTIONS
