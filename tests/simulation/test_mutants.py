"""Proof that the checks can fail: every broken guard is caught by the invariant named.

Layers hide one another: a missing poll changes nothing while every webhook comes. So each
mutant has an evening with the layers above it taken away (webhooks only, polls only).
"""

import pytest

from app.simulate import Simulator
from app.simulate.scenario import Scenario
from tests.simulation.evenings import ALL
from tests.simulation.mutants import MUTANTS, Mutant, replaced


@pytest.fixture(scope="module")
def shipped() -> Simulator:
    return Simulator()


@pytest.mark.parametrize("evening", ALL.values(), ids=ALL)
def test_the_shipped_guard_keeps_every_promise(
    shipped: Simulator, evening: Scenario
) -> None:
    assert shipped.tell(evening).violations == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_killed_by_its_invariant(mutant: Mutant) -> None:
    simulator = Simulator(mutant.change)
    broken: set[str] = set()
    with replaced(mutant.replaces):
        for evening in mutant.evenings:
            broken |= {one.clause for one in simulator.tell(evening).violations}
    assert mutant.killed_by in broken


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
