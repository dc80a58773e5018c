"""While the service runs: a process makes backups, and silence about them is told."""

import os
import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.backup import folder
from app.backup.periodic import EVERY, TOO_OLD, Backups
from app.backup_key import new_pair
from app.clock import ManualClock
from app.config import load_settings
from app.crypto import new_key
from app.main import build, open_store
from app.web.house import House
from tests.web.conftest import Front, front, settings, store, tables

__all__ = ["front", "store", "tables"]

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
WELL = (sys.executable, "-c", "")
FAILS = (sys.executable, "-c", "import sys; sys.exit('the disk is full')")


@dataclass
class Heard:
    """Who listens to alarms."""

    cries: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, key: str, text: str, what_to_do: str) -> None:
        assert "chaperone backup" in what_to_do
        self.cries.append((key, text))


def backups(
    into: Path, clock: ManualClock, heard: Heard, program: tuple[str, ...] = WELL
) -> Backups:
    return Backups(into, clock, heard, program=program, environ={"PATH": os.defpath})


def good(into: Path, clock: ManualClock, ago: timedelta) -> None:
    (into / folder.name_of(clock.now() - ago)).touch()


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(), None),
        (TOO_OLD, None),
        (TOO_OLD + MINUTE, "The last good backup is 31 minutes old."),
        (timedelta(days=2), "The last good backup is 2880 minutes old."),
    ],
)
async def test_half_an_hour_without_a_good_backup_is_told(
    tmp_path: Path, clock: ManualClock, ago: timedelta, told: str | None
) -> None:
    good(tmp_path, clock, ago)
    good(tmp_path, clock, timedelta(days=9))
    made = backups(tmp_path, clock, Heard())
    assert (made.trouble(), made.age()) == (told, ago)


async def test_a_new_service_has_half_an_hour_for_its_first(
    tmp_path: Path, clock: ManualClock
) -> None:
    for into in (tmp_path, tmp_path / "not-there"):
        made = backups(into, clock, Heard())
        clock.advance(TOO_OLD)
        assert (made.trouble(), made.age()) == (None, None)
        clock.advance(MINUTE)
        assert made.trouble() == "There is no good backup."


async def test_who_does_not_make_them_says_nothing_of_them(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Another process does, perhaps on another machine, into a folder not seen from here."""
    made = Backups(tmp_path, clock, Heard(), is_ours=lambda: False)
    clock.advance(TOO_OLD + MINUTE)
    assert made.trouble() is None


async def test_one_failure_is_logged_and_a_lasting_one_cried_out(
    tmp_path: Path, clock: ManualClock
) -> None:
    heard = Heard()
    good(tmp_path, clock, timedelta())
    made = backups(tmp_path, clock, heard, FAILS)
    clock.advance(TOO_OLD)
    await made.run()
    assert heard.cries == []
    clock.advance(MINUTE)
    await made.run()
    assert heard.cries == [("backup", "The last good backup is 31 minutes old.")]


async def test_a_program_that_is_not_there_is_a_failure(
    tmp_path: Path, clock: ManualClock
) -> None:
    heard = Heard()
    made = backups(tmp_path, clock, heard, (str(tmp_path / "nothing"),))
    clock.advance(TOO_OLD + MINUTE)
    await made.run()
    assert [key for key, _ in heard.cries] == ["backup"]


async def test_success_is_silent(tmp_path: Path, clock: ManualClock) -> None:
    heard = Heard()
    made = backups(tmp_path, clock, heard)
    clock.advance(TOO_OLD + MINUTE)
    await made.run()
    assert heard.cries == []


# --- /readyz and /metrics -------------------------------------------------------------


async def look(front: Front) -> tuple[int, list[str], str]:
    async with front.browser() as nobody:
        ready = await nobody.get("/readyz")
        counts = await nobody.get("/metrics")
    return ready.status_code, ready.json()["problems"], counts.text


def with_backups(front: Front, made: Backups) -> None:
    house: House = front.app.state.house
    front.app.state.house = replace(house, backups=made)


async def test_readyz_tells_and_stays_ready(
    front: Front, tmp_path: Path, clock: ManualClock
) -> None:
    good(tmp_path, clock, TOO_OLD)
    with_backups(front, backups(tmp_path, clock, Heard()))
    status, problems, counts = await look(front)
    assert (status, problems) == (200, [])
    assert "chaperone_last_backup_age_seconds 1800.0" in counts
    clock.advance(MINUTE)
    status, problems, counts = await look(front)
    assert (status, problems) == (200, ["The last good backup is 31 minutes old."])
    assert "chaperone_last_backup_age_seconds 1860.0" in counts


async def test_a_service_that_makes_none_says_nothing(front: Front) -> None:
    status, problems, counts = await look(front)
    assert (status, problems) == (200, [])
    assert "backup" not in counts


# --- the real program -----------------------------------------------------------------


async def test_the_service_starts_the_command_that_is_there(
    tmp_path: Path, clock: ManualClock
) -> None:
    """The process gets the service's own settings, and leaves a good backup."""
    environ = {
        "PATH": os.defpath,
        "CHAPERONE_BASE_URL": "http://localhost:8000",
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(tmp_path / "data"),
        "CHAPERONE_BACKUP_FOLDER": str(tmp_path / "backups"),
        "CHAPERONE_BACKUP_KEY": new_pair().public,
    }
    open_store(load_settings(environ)).close()
    made = Backups(tmp_path / "backups", clock, Heard(), environ=environ)
    await made.run()
    assert len(folder.listed(tmp_path / "backups")) == 1


async def test_serve_makes_backups_when_a_folder_is_set(
    tmp_path: Path, clock: ManualClock
) -> None:
    given = {
        "CHAPERONE_BACKUP_FOLDER": str(tmp_path / "backups"),
        "CHAPERONE_BACKUP_KEY": new_pair().public,
        "CHAPERONE_DATA_DIR": str(tmp_path / "data"),
    }
    for more, has in ((given, True), ({"CHAPERONE_DATA_DIR": str(tmp_path)}, False)):
        service = build(settings(**more), clock=clock)
        jobs = service.engine.every.due(clock.now() + EVERY)
        assert ("backup" in jobs) is has
        assert (service.app.state.house.backups is not None) is has
        for platform in service.platforms.values():
            await platform.close()
        service.store.close()
