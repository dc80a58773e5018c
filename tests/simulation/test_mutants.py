"""Proof that the checks can fail: every broken guard is caught by the invariant named.

Layers hide one another: a missing poll changes nothing while every webhook comes. So each
mutant has an evening with the layers above it taken away (webhooks only, polls only).
"""

import pytest

from app.simulate import Simulator
from app.simulate.invariants import INVARIANTS
from app.simulate.many import Told
from app.simulate.scenario import Scenario
from tests.simulation.evenings import ALL
from tests.simulation.every_mutant import MUTANTS
from tests.simulation.mutants import Mutant, replaced


@pytest.fixture(scope="module")
def shipped() -> Simulator:
    return Simulator()


@pytest.mark.parametrize("evening", ALL.values(), ids=ALL)
def test_the_shipped_guard_keeps_every_promise(
    shipped: Simulator, evening: Scenario
) -> None:
    assert shipped.tell(evening).violations == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_killed_by_its_invariant(
    shipped: Simulator, mutant: Mutant
) -> None:
    """By that one; whatever else it breaks, an exception is no proof."""
    assert mutant.killed_by in INVARIANTS
    before, shipped.change = shipped.change, mutant.change
    try:
        broken, stumbled = broken_by(shipped, mutant)
        assert mutant.killed_by in broken
        assert stumbled == []
    finally:
        shipped.change = before


def broken_by(simulator: Simulator, mutant: Mutant) -> tuple[set[str], list[str]]:
    """What breaks, up to the first evening on which its invariant does; and over which
    mistakes of its own the mutant fell."""
    broken: set[str] = set()
    stumbled: list[str] = []
    with replaced(mutant.replaces):
        for evening in mutant.evenings:
            told = simulator.tell(evening)
            broken |= {one.clause for one in told.violations}
            stumbled += mistakes(told)
            if mutant.killed_by in broken:
                break
    return broken, stumbled


MISTAKES = ("TypeError", "AttributeError", "NameError", "UnboundLocalError")


def mistakes(told: Told) -> list[str]:
    """Exceptions that no broken guard raises, only one that was broken carelessly."""
    if told.outcome is None:
        return []
    said = [str(more.get("why", "")) for _, _, more in told.outcome.stage.log.lines]
    return [why for why in said if why.startswith(MISTAKES)] + [
        one for one in told.outcome.complaints if any(m in one for m in MISTAKES)
    ]


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40


def test_each_promise_has_a_mutant() -> None:
    """A check that nothing can trip proves nothing."""
    assert {*INVARIANTS} - {mutant.killed_by for mutant in MUTANTS} == set()
