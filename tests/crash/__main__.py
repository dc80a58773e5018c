"""``python -m tests.crash --count 500``: so many real kills; 1 when a promise broke.

The database lies on the disk the checkout is on: elsewhere fsync may cost nothing.
"""

import argparse
import tempfile
from pathlib import Path

import anyio

from tests.crash.story import Tally, play

IN_ONE_EVENING = 8


def main() -> None:
    """Play evenings until the count is reached. Raises AssertionError with what broke."""
    asked = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    asked.add_argument("--count", type=int, default=100, help="kills, at least")
    asked.add_argument("--seed", type=int, default=1, help="of the first evening")
    given = asked.parse_args()
    tally, seed = Tally(), given.seed
    while tally.kills < given.count:
        with tempfile.TemporaryDirectory(prefix=".crash-", dir=Path.cwd()) as name:
            anyio.run(play, Path(name), IN_ONE_EVENING, seed, tally)
        print(f"seed {seed}: {tally.told()}", flush=True)  # noqa: T201
        seed += 1


main()
