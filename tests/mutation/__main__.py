"""``python -m tests.mutation [module ...]``: 1 when a mistake is noticed by no test.

Without a module: all of `pairs.py`, each in a process of its own. ``--only TEXT`` tries
those whose name holds it.
"""

import argparse
import subprocess
import sys

from tests.mutation.pairs import PAIRS, equivalent
from tests.mutation.played import play


def main() -> int:
    """Play what was asked for, and tell."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutation")
    asked.add_argument("modules", nargs="*")
    asked.add_argument("--only", action="append", default=[])
    given = asked.parse_args()
    if len(given.modules) != 1:
        more = [f"--only={text}" for text in given.only]
        ends = [
            subprocess.run(
                [sys.executable, "-m", "tests.mutation", path, *more]
            ).returncode
            for path in given.modules or PAIRS
        ]
        return max(ends)
    [path] = given.modules
    played = play(path, PAIRS[path], tuple(given.only))
    known = equivalent(path)
    new = [name for name in played.alive if name not in known]
    gone = [name for name in known if name not in played.alive and not given.only]
    told = f"{path}: {played.tried} mistakes, {len(played.alive)} alive, {len(new)} new"
    print(f"{told}. {played.broken}", flush=True)  # noqa: T201
    for name in gone:
        print(f"listed and not alive: {name}", flush=True)  # noqa: T201
    return int(bool(new or gone or played.broken or not played.tried))


sys.exit(main())
