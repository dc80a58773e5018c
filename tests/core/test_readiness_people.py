"""Who comes to the session: each limit below, at and after."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core import fold
from app.core import presses as p
from app.core.gates import invitation_gate, one_to_ones_count
from app.core.plan import Role, WorkerSlot
from app.core.policy import Policy, Weight
from app.core.readiness_items.finding import Result
from tests.core.builders import (
    at,
    client,
    plan,
    set_up,
)
from tests.core.cards import ANNA_LEADS, NOW, SAM_SUPPORTS, TALK, excepted, line


def two_workers(count: int) -> tuple[WorkerSlot, ...]:
    roles = (Role.LEAD, Role.SUPPORT, Role.SUPPORT)
    return tuple(
        WorkerSlot(person_id=f"w{n}", role=role, platform_user_id=f"zoom-w{n}")
        for n, role in enumerate(roles[:count])
    )


# --- limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "result"), [(1, Result.FAULT), (2, Result.OK), (3, Result.OK)]
)
def test_two_workers_are_planned(count: int, result: Result) -> None:
    session = set_up(the_plan=plan(workers=two_workers(count)))
    assert line(session, "two_workers").result is result


def test_three_where_the_organisation_wants_three() -> None:
    policy = Policy(workers_needed=3)
    for count, result in ((2, Result.FAULT), (3, Result.OK)):
        the_plan = plan(workers=two_workers(count))
        assert line(set_up(the_plan=the_plan, policy=policy), "two_workers").result is (
            result
        )


def test_neither_standby_nor_one_person_twice_makes_two_workers() -> None:
    standby = WorkerSlot(person_id="noor", role=Role.STANDBY)
    twice = replace(ANNA_LEADS, role=Role.SUPPORT)
    for second in (standby, twice):
        session = set_up(the_plan=plan(workers=(ANNA_LEADS, second)))
        assert line(session, "two_workers").result is Result.FAULT
        assert line(session, "support_worker").result is Result.FAULT


def test_too_few_workers_stop_a_group_under_18_and_warn_a_group_of_adults() -> None:
    few = plan(workers=(ANNA_LEADS,))
    young, adult = set_up(the_plan=few), set_up(the_plan=replace(few, under_18=False))
    assert line(young, "two_workers").weight is Weight.BLOCK
    assert line(adult, "two_workers").weight is Weight.WARN
    found = line(excepted(young, "two_workers"), "two_workers")
    assert (found.result, found.weight) == (Result.EXCEPTED, Weight.BLOCK)


def test_two_leads_are_as_wrong_as_none() -> None:
    both = plan(workers=(ANNA_LEADS, replace(SAM_SUPPORTS, role=Role.LEAD)))
    assert (
        line(set_up(the_plan=both), "one_lead").evidence == "Lead workers planned: 2."
    )
    assert line(set_up(the_plan=both), "one_lead").result is Result.FAULT


@pytest.mark.parametrize(
    ("count", "result"), [(0, Result.FAULT), (1, Result.FAULT), (2, Result.OK)]
)
def test_two_alarm_contacts_are_confirmed(count: int, result: Result) -> None:
    session = set_up(the_plan=plan(alarm_contacts_confirmed=count))
    assert line(session, "alarm_contacts").result is result


@pytest.mark.parametrize(("ways", "warned"), [(0, False), (1, True), (2, False)])
def test_two_contacts_by_one_way_are_said_to_be(ways: int, warned: bool) -> None:
    the_plan = plan(alarm_contacts_confirmed=2, alarm_channels=ways)
    found = line(set_up(the_plan=the_plan), "alarm_contacts")
    assert found.result is Result.OK
    assert ("the same way" in found.evidence) is warned


@pytest.mark.parametrize(
    ("needed", "gate"),
    [
        (1, ()),
        (2, ("1 of 2 one-to-one talks with a worker who leads this group on file.",)),
    ],
)
def test_one_to_ones_below_and_at_the_limit(needed: int, gate: tuple[str, ...]) -> None:
    policy = Policy(one_to_ones_needed=needed)
    ben = client("ben")
    assert one_to_ones_count(policy, ben) == 1
    assert invitation_gate(policy, ben) == gate
    session = set_up(the_plan=plan(clients=(ben,)), policy=policy)
    assert (line(session, "one_to_one").result is Result.OK) is (gate == ())


def test_a_talk_with_another_worker_counts_only_where_the_policy_says_so() -> None:
    ben = client("ben", one_to_ones=(TALK,))
    assert one_to_ones_count(Policy(), ben) == 0
    wide = Policy(one_to_one_with_group_lead=False)
    assert one_to_ones_count(wide, ben) == 1
    assert invitation_gate(replace(wide, one_to_ones_needed=2), ben) == (
        "1 of 2 one-to-one talks with a worker on file.",
    )


def test_a_talk_that_is_only_planned_does_not_count() -> None:
    for held_on, counts in ((NOW.date(), 1), (NOW.date() + timedelta(days=1), 0)):
        talk = replace(TALK, held_on=held_on, worker_leads_group=True)
        ben = client("ben", one_to_ones=(talk,))
        assert one_to_ones_count(Policy(), ben, NOW.date()) == counts
        session = set_up(the_plan=plan(clients=(ben,)))
        assert (line(session, "one_to_one").result is Result.OK) is bool(counts)


def test_an_invitation_waits_for_consent_and_for_a_reviewed_risk() -> None:
    policy = Policy()
    assert invitation_gate(policy, client("ben", consent_to_take_part=False)) == (
        "No consent to take part is on file.",
    )
    assert invitation_gate(policy, client("ben", high_risk=True)) == (
        "High risk, and no reviewed risk assessment of this client is on file.",
    )
    seen = client("ben", high_risk=True, risk_reviewed=True)
    assert invitation_gate(policy, seen) == ()


@pytest.mark.parametrize(
    ("item", "gap"),
    [
        ("risk_assessment", {"risk_assessment": False}),
        ("client_contacts", {}),
    ],
)
def test_a_high_risk_client_makes_a_warning_a_block(
    item: str, gap: dict[str, Any]
) -> None:
    def weight(high: bool) -> Weight:
        ben = client("ben", high_risk=high, risk_reviewed=True, has_contact=False)
        return line(set_up(the_plan=plan(clients=(ben,), **gap)), item).weight

    assert (weight(False), weight(True)) == (Weight.WARN, Weight.BLOCK)


def test_a_contact_missing_elsewhere_does_not_block_for_the_high_risk_client() -> None:
    clients = (
        client("ben", high_risk=True, risk_reviewed=True),
        client("dev", has_contact=False),
    )
    found = line(set_up(the_plan=plan(clients=clients)), "client_contacts")
    assert (found.result, found.weight) == (Result.FAULT, Weight.WARN)


def test_nobody_invited_is_said() -> None:
    found = line(set_up(the_plan=plan(clients=())), "consent")
    assert (found.result, found.evidence) == (Result.OK, "Nobody is invited yet.")


# --- workers who can be told from strangers ---------------------------------------------


def test_a_shared_account_is_a_way_only_when_marked_as_shared() -> None:
    same = replace(SAM_SUPPORTS, platform_user_id="zoom-anna")
    marked = (replace(ANNA_LEADS, shared_login=True), replace(same, shared_login=True))
    one_marked = (ANNA_LEADS, replace(same, shared_login=True))
    assert line(set_up(the_plan=plan(workers=marked)), "workers_proved").result is (
        Result.OK
    )
    assert line(set_up(the_plan=plan(workers=one_marked)), "workers_proved").result is (
        Result.OK
    )
    found = line(set_up(the_plan=plan(workers=(ANNA_LEADS, same))), "workers_proved")
    why = "the same account as another worker, not marked as shared"
    assert found.evidence == f"anna: {why}; sam: {why}."


def test_a_cancelled_link_proves_nobody() -> None:
    noor = WorkerSlot(person_id="noor", role=Role.STANDBY)
    session = set_up(the_plan=plan(workers=(ANNA_LEADS, SAM_SUPPORTS, noor)))
    assert line(session, "workers_proved").result is Result.OK
    cancelled = p.LinkChanged(
        at=at("18:10"), registrant_id="reg-noor", state=p.LinkState.CANCELLED
    )
    fold.apply(session, cancelled)
    found = line(session, "workers_proved")
    # Only the standby worker is missing: the session can start without.
    assert (found.result, found.weight) == (Result.FAULT, Weight.WARN)


def test_no_worker_at_all_is_a_fault() -> None:
    session = set_up(the_plan=plan(workers=()))
    assert line(session, "workers_proved").evidence == "No worker is planned."
