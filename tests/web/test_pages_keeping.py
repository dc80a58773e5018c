"""Whether backups are made and the second file can be written, on the page of the set-up."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.crypto import Keyring
from app.engine.spool_file import SpoolFile
from app.web.app import create_web
from tests.web.accounts_desk import Office
from tests.web.conftest import settings

pytestmark = pytest.mark.anyio

KEYS = Keyring([b"k" * 32])


class Kept:
    """Backups of a given age."""

    def __init__(self, age: timedelta | None, trouble: str | None = None) -> None:
        self._age, self._trouble = age, trouble

    def age(self) -> timedelta | None:
        return self._age

    def trouble(self) -> str | None:
        return self._trouble


class Room:
    """A disk with so many free bytes, and what is wrong with that."""

    def __init__(self, free: int, trouble: str | None = None) -> None:
        self._free, self._trouble = free, trouble

    def least(self) -> int:
        return self._free

    def trouble(self) -> str | None:
        return self._trouble


async def words(
    riverside: Office,
    backups: Kept | None = None,
    spool_file: SpoolFile | None = None,
    disk: Room | None = None,
) -> str:
    one = riverside.evening
    riverside.app = create_web(
        settings(),
        one.engine,
        one.store,
        one.clock,
        backups=backups,
        spool_file=spool_file,
        disk=disk,
    )
    async with riverside.signed_in("ada") as ada:
        return (await ada.open("/settings")).words


async def test_no_backups_are_something_to_look_at(riverside: Office) -> None:
    said = await words(riverside)
    assert "Backups ● Look at this This service makes none by itself." in said
    assert "Second file" not in said


async def test_a_young_backup_is_well(riverside: Office) -> None:
    said = await words(riverside, Kept(timedelta(minutes=9)))
    assert "Backups ✓ Well The last good one is 9 minutes old" in said


async def test_the_first_one_is_waited_for(riverside: Office) -> None:
    said = await words(riverside, Kept(None))
    assert "Backups ● Look at this The first is being made." in said


async def test_an_old_one_is_to_be_mended_and_told_once(riverside: Office) -> None:
    trouble = "The last good backup is 31 minutes old."
    said = await words(riverside, Kept(timedelta(minutes=31), trouble))
    assert f"Backups ✕ To mend {trouble} To mend it:" in said
    assert said.count(trouble) == 1


async def test_a_second_file_that_cannot_be_written_is_to_be_mended(
    riverside: Office, tmp_path: Path
) -> None:
    well = await words(riverside, spool_file=SpoolFile(tmp_path / "spool", KEYS))
    assert "Second file ✓ Well" in well
    lost = SpoolFile(tmp_path / "no" / "spool", KEYS)
    said = await words(riverside, spool_file=lost)
    assert "Second file ✕ To mend" in said
    assert "cannot be written (No such file or directory)" in said


async def test_room_on_the_disk_is_well(riverside: Office) -> None:
    said = await words(riverside, disk=Room(7 * 10**9))
    assert "Disk ✓ Well 7 GB are free." in said


async def test_a_disk_that_fills_up_says_what_to_do(riverside: Office) -> None:
    said = await words(riverside, disk=Room(1, "Only 0 MB are free."))
    assert "Disk ✕ To mend Only 0 MB are free. To mend it: Make room" in said
