"""Run a module's tests against each of its mistakes: collected once, a fork for each.

A pytest plugin: `python -m tests.mutation` starts it.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.mutation.applied import apply
from tests.mutation.generate import Mistake, compiled, mistakes

LONGEST = 120
"""Seconds for one mistake: one that makes a loop endless is noticed by that."""


class Played:
    """`alive`: what no test noticed. `only`: parts of names to try."""

    def __init__(self, path: str, only: tuple[str, ...] = ()) -> None:
        self.path = path
        self.only = only
        self.tried = 0
        self.alive: list[str] = []
        self.broken = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of running the tests once."""
        name = self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        module = importlib.import_module(name)
        if self._noticed(session, None, module):
            self.broken = "the tests fail without any mistake"
            return True
        for mistake in mistakes(Path(self.path).read_text(encoding="utf-8")):
            if self.only and not any(part in mistake.name for part in self.only):
                continue
            self.tried += 1
            if not self._noticed(session, mistake, module):
                self.alive.append(mistake.name)
                print(f"ALIVE {self.path}:{mistake.line} {mistake.name}", flush=True)  # noqa: T201
        return True

    def _noticed(
        self, session: pytest.Session, mistake: Mistake | None, module: ModuleType
    ) -> bool:
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            os._exit(self._in_the_child(session, mistake, module))
        _, status = os.waitpid(child, 0)
        return status != 0

    def _in_the_child(
        self, session: pytest.Session, mistake: Mistake | None, module: ModuleType
    ) -> int:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            if mistake is not None:
                apply(module, compiled(mistake, self.path))
            return int(_fails(session.items))
        except BaseException:  # noqa: BLE001 - a module that cannot be loaded is noticed
            return 1


class Reports:
    """Whether a test failed, at whatever stage."""

    failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Told of each stage of each test."""
        self.failed = self.failed or report.failed


def _fails(items: list[Any]) -> bool:
    """Whether one of the tests fails; quick ones first."""
    reports = Reports()
    for item in items[:1]:
        item.config.pluginmanager.register(reports)
    rows = sorted(items, key=lambda one: hasattr(one.obj, "hypothesis"))
    for at, item in enumerate(rows):
        after = rows[at + 1] if at + 1 < len(rows) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if reports.failed:
            return True
    return False


def play(path: str, tests: list[str], only: tuple[str, ...] = ()) -> Played:
    """All mistakes of one module. Raises nothing: look at `broken` and `alive`."""
    played = Played(path, only)
    words = ["-p", "no:cacheprovider", "-p", "no:terminal", "-m", "not long"]
    pytest.main([*words, *tests], plugins=[played])
    sys.stdout.flush()
    return played
