"""Several processes: the same evenings, the same figures, the same failures."""

from concurrent.futures import Future

from app.simulate import Run, Simulator, Told
from app.simulate.crew import Crew, Playing
from app.simulate.scenario import Scenario
from app.simulate.verdict import Violation

SEEDS = (3, 11)


def test_two_processes_find_what_one_finds() -> None:
    with Crew(2) as crew:
        together = crew.begin(SEEDS, share=1).wait()
    alone = Simulator().run(SEEDS)

    together.seconds = alone.seconds = 0.0
    assert together == alone
    assert together.played == len(SEEDS)


def played(*broken: int) -> "Future[Run]":
    """Ten evenings, of which those broke."""
    told = [Told(Scenario(seed=seed), [Violation("I1", "alone")]) for seed in broken]
    done: Future[Run] = Future()
    done.set_result(Run(played=10, broken=told))
    return done


def test_what_broke_comes_in_the_order_of_seeds() -> None:
    run = Playing({played(17), played(4, 5), played()}, stop_at=9).wait()
    assert [told.scenario.seed for told in run.broken] == [4, 5, 17]
    assert run.played == 30


def test_after_so_many_failures_the_rest_is_not_begun() -> None:
    waiting: Future[Run] = Future()
    run = Playing({played(4, 5), waiting}, stop_at=2).wait()
    assert [told.scenario.seed for told in run.broken] == [4, 5]
    assert waiting.cancelled()
