"""Every number of the policy has bounds, said in plain sentences."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.core.actions import ACTIONS
from app.core.policy import Mode, Policy

S = timedelta(seconds=1)


def test_the_defaults_are_within_bounds_and_act_by_themselves() -> None:
    assert Policy().faults() == []
    assert Policy().mode("remove_participant") is Mode.ACT
    asks = Policy(modes={"remove_participant": Mode.ASK})
    assert asks.mode("remove_participant") is Mode.ASK


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("grace", (0 * S, 300 * S), (-1 * S, 301 * S)),
        ("grace_first_worker", (30 * S, 300 * S), (29 * S, 301 * S)),
        ("workers_needed", (1, 5), (0, -1)),
        ("poll_unsafe", (1 * S, 10 * S), (0 * S, 11 * S)),
        ("poll_watchful", (1 * S, 10 * S), (0 * S, 11 * S)),
        ("blind_after", (1 * S, 30 * S), (0 * S, 31 * S)),
    ],
)
def test_below_at_and_above_each_bound(
    name: str, good: tuple[Any, ...], bad: tuple[Any, ...]
) -> None:
    assert [Policy(**{name: value}).faults() for value in good] == [[]] * len(good)
    assert [len(Policy(**{name: value}).faults()) for value in bad] == [1] * len(bad)


def test_all_faults_are_said_at_once() -> None:
    wrong = Policy(
        grace=-S,
        grace_first_worker=0 * S,
        workers_needed=0,
        poll_unsafe=60 * S,
        poll_watchful=60 * S,
        blind_after=60 * S,
    )
    assert len(wrong.faults()) == 6


ACTS_BY_ITSELF = "docs/decisions/0015-what-is-done-without-a-press.md"


def test_every_kind_of_action_acts_by_itself_for_a_written_reason() -> None:
    text = (Path(__file__).parents[2] / ACTS_BY_ITSELF).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \|", text, flags=re.MULTILINE)
    written = re.findall(r"`(\w+)`", " ".join(rows))

    assert sorted(written) == sorted(ACTIONS)
    assert {Policy().mode(kind) for kind in ACTIONS} == {Mode.ACT}
