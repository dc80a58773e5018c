"""Found failures, each shrunken to a small evening and played for ever.

A file `*.json` is what `chaperone simulate --write` left: the evening, the clause that
broke and the sentence. One that still breaks has its reason in `STILL_BROKEN`; the day it
is mended this test says so, and the line goes.
"""

from pathlib import Path

import pytest

from app.simulate import Simulator
from app.simulate.story import load
from app.simulate.verdict import Violation

STORIES = sorted(Path(__file__).parent.glob("*.json"))
STILL_BROKEN: dict[str, tuple[str, str]] = {}
"""File -> (the words by which the same failure is known again, the reason)."""


def _marked(path: Path) -> object:
    known = STILL_BROKEN.get(path.name)
    marks = [pytest.mark.xfail(reason=known[1], strict=True)] if known else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.mark.parametrize("path", [_marked(path) for path in STORIES])
def test_the_story_ends_well(simulator: Simulator, path: Path) -> None:
    evening, _ = load(path)
    assert simulator.tell(evening).violations == []


def known_to_break(violation: Violation) -> bool:
    """Whether a story above tells of this already."""
    return any(
        load(path)[1]["breaks"] == violation.clause
        and STILL_BROKEN[path.name][0] in violation.said
        for path in STORIES
        if path.name in STILL_BROKEN
    )


def test_every_broken_story_is_there() -> None:
    assert STILL_BROKEN.keys() <= {path.name for path in STORIES}
