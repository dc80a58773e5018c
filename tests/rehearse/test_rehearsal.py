"""Every scene keeps its promises, and loses one when the guard behind it is taken away.

The scenes run side by side, each against its own service over real HTTP on 127.0.0.1.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.core.rules import RULES
from app.rehearse.run import Rehearsal, play_all
from integrations.rehearsal.scene import names

# (rule taken away, scene, the promise that must break)
GUARDS = [
    ("never_alone.guard", "lost_lead", "never_alone_longer_than"),
    ("closing.links", "lost_lead", "as_written"),
    ("entry.host_rights", "crowned", "alarm_raised"),
    ("entry.copied_name", "copied_name", "alarm_raised"),
    ("ladder.steps", "ladder", "ladder_recorded"),
    ("ladder.removed_stay_out", "ladder", "removed"),
    ("follow_ups.open", "ladder", "follow_up_open"),
    ("ground_rules.post", "quiet_evening", "rules_sent"),
    ("arrival.nobody_came", "late_worker", "alarm_raised"),
]
LONG_GRACE = {"grace": 200, "grace_first_worker": 200}
TOGETHER = 4


async def _all(out: Path) -> dict[str, list[str]]:
    gate = asyncio.Semaphore(TOGETHER)

    async def one(name: str, rehearsal: Rehearsal) -> tuple[str, list[str]]:
        async with gate:
            return name, await play_all(rehearsal)

    plays = [
        one(name, Rehearsal(scenes=(name,), out=out / name, exit_after=True))
        for name in names()
    ]
    for rule, scene, _ in GUARDS:
        away = Rehearsal(
            scenes=(scene,), out=out / rule, exit_after=True, without=frozenset({rule})
        )
        plays.append(one(rule, away))
    late = Rehearsal(
        scenes=("lost_lead",), out=out / "late", exit_after=True, policy=LONG_GRACE
    )
    plays.append(one("a grace too long", late))
    return dict(await asyncio.gather(*plays))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    return asyncio.run(_all(tmp_path_factory.mktemp("rehearsal")))


@pytest.mark.parametrize("scene", names())
def test_every_promise_of_the_scene_is_kept(
    scene: str, broken: Mapping[str, list[str]]
) -> None:
    assert broken[scene] == []


@pytest.mark.parametrize(("rule", "scene", "promise"), GUARDS)
def test_a_promise_breaks_without_its_guard(
    rule: str, scene: str, promise: str, broken: Mapping[str, list[str]]
) -> None:
    assert rule in dict(RULES)

    assert any(f": {promise}: " in sentence for sentence in broken[rule])


def test_a_grace_that_is_too_long_breaks_the_promise(
    broken: Mapping[str, list[str]],
) -> None:
    [sentence] = [s for s in broken["a grace too long"] if "never_alone" in s]

    assert "Longest time without a worker: " in sentence
