"""Which backups stay, and who was erased."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.backup import erased, folder
from app.clock import ManualClock
from app.crypto import Keyring
from tests.backup.conftest import KEYS

LONGEST = timedelta(days=35)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def stays(clock: ManualClock, *ages: timedelta) -> list[timedelta]:
    """Which of backups of these ages are kept."""
    now = clock.now()
    kept = [
        folder.Kept(now - age, Path(str(number))) for number, age in enumerate(ages)
    ]
    gone = {one.at for one in folder.superfluous(kept, now, LONGEST)}
    return [now - one.at for one in kept if one.at not in gone]


def test_two_hours_stay_whole(clock: ManualClock) -> None:
    """It is ten to seven: 110 minutes ago the hour began that is thinned out first."""
    ages = [MINUTE * 10 * number for number in range(13)]
    assert stays(clock, *ages) == ages


def test_then_the_newest_of_each_hour(clock: ManualClock) -> None:
    limit = 2 * HOUR
    assert stays(clock, MINUTE, limit - MINUTE, limit, limit + MINUTE) == [
        MINUTE,
        limit - MINUTE,
        limit,
        limit + MINUTE,
    ]
    assert stays(clock, MINUTE, limit + MINUTE, limit + 2 * MINUTE) == [
        MINUTE,
        limit + MINUTE,
    ]


def test_then_the_newest_of_each_day(clock: ManualClock) -> None:
    """At 18:50 a day ago is 18:50: 18:49 and 18:40 belong to that day, 18:51 to today."""
    assert stays(clock, MINUTE, DAY, DAY + MINUTE, DAY + 10 * MINUTE) == [
        MINUTE,
        DAY,
        DAY + MINUTE,
    ]


def test_nothing_is_kept_for_longer(clock: ManualClock) -> None:
    assert stays(clock, MINUTE, LONGEST - DAY, LONGEST, LONGEST + MINUTE) == [
        MINUTE,
        LONGEST - DAY,
        LONGEST,
    ]


def test_the_newest_stays_whatever_its_age(clock: ManualClock) -> None:
    assert stays(clock, 2 * LONGEST, 3 * LONGEST) == [2 * LONGEST]


def test_only_good_backups_are_listed(tmp_path: Path, clock: ManualClock) -> None:
    now = clock.now()
    for name in (
        folder.name_of(now),
        folder.name_of(now - MINUTE),
        f"{folder.UNFINISHED}{folder.name_of(now)}",
        "chaperone.backup",
        erased.NAME,
    ):
        (tmp_path / name).touch()
    assert [one.at for one in folder.listed(tmp_path)] == [now - MINUTE, now]


def test_what_a_killed_backup_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / f"{folder.UNFINISHED}x.backup").touch()
    (tmp_path / f"{folder.UNFINISHED}x.backup.trial").touch()
    (tmp_path / "chaperone-20261117T185000Z.backup").touch()
    folder.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [
        "chaperone-20261117T185000Z.backup"
    ]


# --- the list of the erased -----------------------------------------------------------


def micros(clock: ManualClock, ago: timedelta) -> int:
    return int((clock.now() - ago).timestamp()) * 1_000_000


def test_nobody_leaves_the_list_for_two_years(
    tmp_path: Path, clock: ManualClock
) -> None:
    now, limit = clock.now(), erased.KEPT
    ben, chloe, dev = (
        micros(clock, limit - MINUTE),
        micros(clock, limit),
        micros(clock, limit + MINUTE),
    )
    erased.add(tmp_path, KEYS, {"dev": dev, "ben": ben}, now - DAY)
    erased.add(tmp_path, KEYS, {"chloe": chloe}, now)
    found = erased.read(tmp_path, KEYS)
    assert found == erased.Erased(now, {"ben": ben, "chloe": chloe})


def test_nobody_else_writes_the_list(tmp_path: Path, clock: ManualClock) -> None:
    """Somebody who could would have Anna erased at the next restore."""
    erased.add(tmp_path, KEYS, {"ben": micros(clock, DAY)}, clock.now())
    path = tmp_path / erased.NAME
    path.write_text(path.read_text().replace("ben", "anna"))
    with pytest.raises(erased.BadList, match="was changed"):
        erased.read(tmp_path, KEYS)
    with pytest.raises(erased.BadList, match="was changed"):
        erased.add(tmp_path, KEYS, {}, clock.now())
    assert "anna" in path.read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"as_of": 1}'])
def test_a_damaged_list_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / erased.NAME).write_text(content)
    with pytest.raises(erased.BadList):
        erased.read(tmp_path, KEYS)


def test_the_list_outlives_a_change_of_the_key(
    tmp_path: Path, clock: ManualClock
) -> None:
    people = {"ben": micros(clock, DAY)}
    erased.add(tmp_path, KEYS, people, clock.now())
    newer = Keyring([b"n" * 32, b"k" * 32])
    erased.add(tmp_path, newer, {}, clock.now())
    found = erased.read(tmp_path, Keyring([b"n" * 32]))
    assert found == erased.Erased(clock.now(), people)
