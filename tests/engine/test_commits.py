"""Many share one commit, nobody waits for ever, and each is told what became of theirs."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy.exc import IntegrityError, OperationalError

from app.clock import ManualClock
from app.engine.commits import (
    BUSY_FROM,
    MOST_BYTES,
    MOST_WAITING,
    Batch,
    Commits,
    Overloaded,
    Waiting,
)
from app.store.database import Done, StoreClosed
from tests.store.test_entries import entry

pytestmark = pytest.mark.anyio

LOCKED = OperationalError("INSERT", {}, Exception("database is locked"))
SENSELESS = IntegrityError("INSERT", {}, Exception("NOT NULL"))


class Disk:
    """Stands for the store: a commit is done when the test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, Done]] = []
        self.alone: list[str] = []
        self.spoilt = ""
        self.changed = asyncio.Event()

    def begin(self, work: Any, done: Done, _within: float) -> None:
        self.begun.append((len(work.entries), done))
        self.changed.set()

    async def write(self, work: Any) -> None:
        [one] = work.entries
        self.alone.append(one.ref)
        if one.ref == self.spoilt:
            raise SENSELESS

    @property
    def sizes(self) -> list[int]:
        return [size for size, _ in self.begun]

    def done(self, problem: BaseException | None = None) -> None:
        """The commit under way is over."""
        self.begun[-1][1](problem)

    async def next(self) -> None:
        """Until another commit begins."""
        self.changed.clear()
        async with asyncio.timeout(10):
            await self.changed.wait()


class Log:
    """Stands for the service's log."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def error(self, what: str, **_more: Any) -> None:
        self.said.append(what)


class Desk:
    """Commits on a disk of the test's own, and what everybody was told."""

    def __init__(self, clock: ManualClock) -> None:
        self.disk, self.log = Disk(), Log()
        self.clock = clock
        self.commits = Commits(self)  # type: ignore[arg-type]
        self.store = self.disk
        self.trouble: list[BaseException] = []
        self.commits.on_trouble = self.trouble.append
        self.told: dict[str, BaseException | None] = {}

    def bring(self, *names: str, after: Callable[[], None] | None = None) -> None:
        for name in names:

            def kept(problem: BaseException | None, name: str = name) -> None:
                self.told[name] = problem
                if after is not None:
                    after()

            part = Batch(entries=[entry(1, prefix=name)])
            self.commits.add(Waiting(part, 100, kept))


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    return Desk(clock)


async def turn() -> None:
    for _ in range(3):
        await checkpoint()


async def test_what_comes_in_one_turn_goes_into_one_commit(desk: Desk) -> None:
    desk.bring("ben", "chloe")
    assert desk.disk.sizes == []
    await turn()
    assert desk.disk.sizes == [2]
    assert desk.told == {}

    desk.disk.done()
    assert desk.told == {"ben": None, "chloe": None}
    await desk.commits.drained()


async def test_what_comes_meanwhile_waits_for_the_next(desk: Desk) -> None:
    desk.bring("ben")
    await turn()
    desk.bring("chloe", "dev")
    await turn()
    assert desk.disk.sizes == [1]

    desk.disk.done()
    assert desk.disk.sizes == [1, 2]
    assert desk.told == {"ben": None}
    desk.disk.done()
    assert set(desk.told) == {"ben", "chloe", "dev"}


async def test_the_disk_is_asked_before_the_answers_are_written(desk: Desk) -> None:
    begun_then: list[int] = []
    desk.bring("ben", after=lambda: begun_then.append(len(desk.disk.begun)))
    await turn()
    desk.bring("chloe")
    desk.disk.done()

    assert begun_then == [2]


@pytest.mark.parametrize(
    ("number", "busy"),
    [(BUSY_FROM - 1, False), (BUSY_FROM, True), (BUSY_FROM + 1, True)],
)
async def test_busy_is_when_several_wait_for_one_commit(
    desk: Desk, number: int, busy: bool
) -> None:
    desk.bring(*(f"client-{n}" for n in range(number)))
    await turn()
    assert desk.commits.is_busy is busy


async def test_while_busy_half_of_the_senders_are_waited_for(desk: Desk) -> None:
    first = [f"first-{n}" for n in range(8)]
    desk.bring(*first)
    await turn()
    desk.bring("a")
    desk.clock.advance(timedelta(milliseconds=40))
    desk.disk.done()
    # Nine senders: four are hoped for, one is there.
    assert desk.disk.sizes == [8]
    desk.bring("b", "c")
    assert desk.disk.sizes == [8]
    desk.bring("d")
    assert desk.disk.sizes == [8, 4]


async def test_nobody_is_waited_for_long(desk: Desk) -> None:
    desk.bring(*(f"first-{n}" for n in range(8)))
    await turn()
    desk.bring("a")
    desk.clock.advance(timedelta(milliseconds=40))
    desk.disk.done()
    assert desk.disk.sizes == [8]
    await desk.disk.next()

    assert desk.disk.sizes == [8, 1]


async def test_trouble_of_the_store_is_everybodys(desk: Desk) -> None:
    for problem in (LOCKED, TimeoutError(), StoreClosed()):
        desk.bring("ben", "chloe")
        await turn()
        desk.disk.done(problem)
        assert desk.told == {"ben": problem, "chloe": problem}
    assert len(desk.trouble) == 3
    assert desk.disk.alone == []


async def test_one_that_cannot_be_stored_spoils_it_for_nobody_else(
    desk: Desk,
) -> None:
    desk.bring("ben", "eve", "chloe")
    await turn()
    desk.bring("dev")
    desk.disk.spoilt = "eve-1.0"
    desk.disk.done(SENSELESS)
    await desk.disk.next()

    assert desk.disk.alone == ["ben-1.0", "eve-1.0", "chloe-1.0"]
    assert desk.told == {"ben": None, "eve": SENSELESS, "chloe": None}
    assert desk.trouble == []
    assert desk.disk.sizes == [3, 1]


async def test_a_mistake_in_telling_one_hides_nothing_from_the_next(
    desk: Desk,
) -> None:
    def fall() -> None:
        raise ArithmeticError

    desk.bring("ben", after=fall)
    desk.bring("chloe")
    await turn()
    desk.disk.done()

    assert desk.told == {"ben": None, "chloe": None}
    assert desk.log.said == ["after a commit"]
    await desk.commits.drained()


async def test_there_is_an_end_to_who_may_wait(desk: Desk) -> None:
    desk.bring("first")
    await turn()
    desk.bring(*(f"n-{number}" for number in range(MOST_WAITING - 1)))
    desk.commits.check_room(1)
    desk.bring("last")
    with pytest.raises(Overloaded):
        desk.commits.check_room(1)


async def test_there_is_an_end_to_what_they_may_bring(desk: Desk) -> None:
    desk.bring("first")
    room = MOST_BYTES - 100
    desk.commits.check_room(room)
    with pytest.raises(Overloaded):
        desk.commits.check_room(room + 1)
    await turn()
    desk.disk.done()
    desk.commits.check_room(MOST_BYTES)


async def test_stopping_waits_for_all_of_them(desk: Desk) -> None:
    desk.bring("ben")
    await turn()
    desk.bring("chloe")
    over = asyncio.create_task(desk.commits.drained())
    await turn()
    desk.disk.done()
    await turn()
    assert not over.done()
    desk.disk.done()
    await over
    assert desk.told == {"ben": None, "chloe": None}
