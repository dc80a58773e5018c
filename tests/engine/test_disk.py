"""A disk that fills up is told while there is time, and not every ten minutes."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.engine.disk import LEAST, MAKE_ROOM, TOLD_AGAIN, DiskRoom, free_bytes

pytestmark = pytest.mark.anyio


class Disks:
    """Folders with so many free bytes; -1: cannot be looked at."""

    def __init__(self, clock: ManualClock, **free: int) -> None:
        self.free = free
        self.cries: list[tuple[str, str, str]] = []
        self.room = DiskRoom([Path(one) for one in free], clock, self.cry, self.left)

    def left(self, folder: Path) -> int:
        if self.free[str(folder)] < 0:
            raise PermissionError(13, "Permission denied")
        return self.free[str(folder)]

    async def cry(self, key: str, text: str, what_to_do: str) -> None:
        self.cries.append((key, text, what_to_do))


@pytest.mark.parametrize(
    ("free", "why"),
    [
        (LEAST - 1, "Only 1000 MB are free where the data lies."),
        (LEAST, None),
        (LEAST + 1, None),
        (-1, "The disk of the data cannot be looked at (Permission denied)."),
    ],
)
def test_the_least_room(clock: ManualClock, free: int, why: str | None) -> None:
    assert Disks(clock, data=5 * LEAST, spool=free).room.trouble() == why


async def test_it_is_cried_out_at_once_and_every_six_hours(clock: ManualClock) -> None:
    disks = Disks(clock, data=200 * 10**6)
    await disks.room.run()
    assert disks.cries == [
        ("disk", "Only 200 MB are free where the data lies.", MAKE_ROOM)
    ]
    clock.advance(TOLD_AGAIN - timedelta(seconds=1))
    await disks.room.run()
    assert len(disks.cries) == 1
    clock.advance(timedelta(seconds=1))
    await disks.room.run()
    assert len(disks.cries) == 2


async def test_room_made_and_lost_again_is_told_anew(clock: ManualClock) -> None:
    disks = Disks(clock, data=LEAST - 1)
    for free in (LEAST - 1, LEAST, LEAST - 1):
        disks.free["data"] = free
        await disks.room.run()
    assert len(disks.cries) == 2


def test_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") == free_bytes(tmp_path)
