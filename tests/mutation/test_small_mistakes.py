"""Small mistakes in what guards: each is noticed by the tests of its module."""

import os
import subprocess
import sys

import pytest

from tests.mutation.generate import compiled, mistakes
from tests.mutation.pairs import PAIRS, equivalent
from tests.tree import ROOT

SOURCE = """
LIMIT = 3

def over(count: int, taken: bool) -> bool:
    if not taken and count > LIMIT:
        return True
    return False
"""


def test_each_kind_of_mistake_is_made_once() -> None:
    assert [mistake.name for mistake in mistakes(SOURCE)] == [
        " | LIMIT = 3 | 3 + 1",
        " | LIMIT = 3 | 3 - 1",
        "over | if not taken and count > LIMIT: | And turned",
        "over | if not taken and count > LIMIT: | not left out",
        "over | if not taken and count > LIMIT: | Gt -> GtE",
        "over | if not taken and count > LIMIT: | Gt -> LtE",
        "over | return True | returns None",
        "over | return True | True turned",
        "over | return False | False turned",
    ]


def test_a_mistake_changes_what_the_module_does() -> None:
    said = []
    for mistake in mistakes(SOURCE):
        space: dict[str, object] = {}
        exec(compiled(mistake, "limit.py"), space)
        said.append(space["over"](3, False))  # type: ignore[operator]
    assert said == [False, True, True, False, True, True, False, False, True]


@pytest.mark.parametrize("path", PAIRS)
def test_what_nobody_can_notice_has_a_reason(path: str) -> None:
    assert all(reason for reason in equivalent(path).values())
    assert (ROOT / path).exists()


@pytest.mark.long
@pytest.mark.parametrize("path", PAIRS)
def test_every_small_mistake_is_noticed(path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout
