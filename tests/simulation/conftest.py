"""The seeds are played beside the other tests, in processes that give way to them."""

import os
from collections.abc import Iterator

import pytest

from app.simulate.crew import Crew, Playing
from tests.simulation import seeds

PATIENCE = 10
_WHERE = "test_promises.py"

_under_way = pytest.StashKey[tuple[Crew, Playing, Playing]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin when all tests are known: until theirs comes, the seeds are played."""
    wanted = any(
        item.path.name == _WHERE and not item.get_closest_marker("long")
        for item in session.items
    )
    if wanted and not session.config.option.collectonly:
        crew = Crew(min(2, os.cpu_count() or 1), PATIENCE)
        session.config.stash[_under_way] = (
            crew,
            crew.begin(seeds.FIXED, stop_at=10),
            crew.begin(seeds.TODAYS, stop_at=10),
        )


@pytest.fixture(scope="session")
def under_way(request: pytest.FixtureRequest) -> Iterator[tuple[Playing, Playing]]:
    """The fixed seeds and today's, as far as they have been played."""
    crew, fixed, todays = request.config.stash[_under_way]
    with crew:
        yield fixed, todays


def pytest_unconfigure(config: pytest.Config) -> None:
    """Whatever became of the tests: leave no process behind."""
    if _under_way in config.stash:
        crew, *_ = config.stash[_under_way]
        crew.close()
