"""The command: a good run says so, a broken one gives its smallest story as a file."""

import json
from pathlib import Path

import pytest

from app.simulate import Simulator, command
from app.simulate.core_alone import CoreEvening
from app.simulate.draw import draw
from app.simulate.scenario import Scenario, Step, read
from app.simulate.story import load
from tests.simulation import evenings as on
from tests.simulation.mutants import without_rule


def test_a_scenario_survives_being_written() -> None:
    for seed in range(20):
        evening = draw(seed)
        assert read(json.loads(evening.text())) == evening


def test_the_command_plays_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.simulate(3, 1) == 0
    said = capsys.readouterr().out
    assert said.startswith("SEED=3 COUNT=1\n1 evenings, 15 virtual minutes")
    assert command.trace(3) == 0
    assert "Anna Price is in the room." in capsys.readouterr().out


def test_a_failure_shrinks_to_its_smallest_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody guards: what is left is that people come and a worker goes."""
    simulator = Simulator(without_rule("never_alone.guard"))
    steps = (
        on.comes("anna", 20.0),
        on.comes("ben", 25.0),
        Step(at=30.4, do="admit"),
        Step(at=40, do="press rules", who="anna"),
        on.goes("anna", 100.0),
    )
    evening = Scenario(
        seed=1,
        clients=("ben",),
        support=(),
        steps=steps,
        faults=(on.LOST,),
        heals_at=110.0,
        ends_at=200.0,
    )
    told = simulator.tell(evening)
    assert {one.clause for one in told.violations} >= {"I1 never alone"}

    command.explain(simulator, told, write=True, folder=tmp_path)

    assert "Written: i1_never_alone_seed_1.json" in capsys.readouterr().out
    [written] = tmp_path.glob("*.json")
    smallest, said = load(written)
    assert [step.do for step in smallest.steps] == [
        "arrive",
        "arrive",
        "admit",
        "leave",
    ]
    assert smallest.faults == ()
    assert said["breaks"] == "I1 never alone"
    assert simulator.tell(smallest).violations != []


def test_the_core_alone_wants_each_end_at_its_deadline() -> None:
    broken = [
        said for seed in range(40) for said in CoreEvening(draw(seed)).play().broken
    ]
    assert broken == []
