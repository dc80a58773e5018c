"""The store takes nothing: a second file does, and nothing of it is lost (I20, G15)."""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.clock import ManualClock
from app.config import load_settings
from app.core.presses import ActionMoved, ActionState
from app.crypto import Keyring, new_key
from app.engine.alarms import Alarms, Letter
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.engine.spool import Spool
from app.engine.spool_file import MOST, Found, SpoolFile
from app.engine.writing import Unusable, Writing, move, want
from app.main import spool_file_of
from app.store import log, remembered
from app.store.database import InlineDoor
from tests.engine.room import Evening, evening
from tests.engine.test_guard_goes_on import ended_after, moody, webhook

pytestmark = pytest.mark.anyio
KEYS = [b"k" * 32]


def file_at(folder: Path) -> SpoolFile:
    return SpoolFile(folder / "chaperone.spool", Keyring(KEYS))


def start_anew(tonight: Evening, file: SpoolFile, life: int = 1) -> None:
    """A new process on the same store and the same second file."""
    numbers = iter(range(10**9))

    async def keep(letter: Letter, _now: object) -> None:
        tonight.letters.append(letter)

    footing: Footing = replace(
        tonight.footing,
        new_id=lambda: f"life-{life}-{next(numbers):06}",
        spool_file=file,
    )
    tonight.footing = footing
    tonight.engine = Engine(footing, Alarms(footing, {"webhook": keep, "mail": keep}))


def kinds(tonight: Evening) -> list[str]:
    with tonight.store.unit() as db:
        return [row.kind for row in db.execute(text("SELECT kind FROM log"))]


def acts(tonight: Evening) -> dict[str, str]:
    with tonight.store.unit() as db:
        rows = db.execute(text("SELECT key, state FROM actions"))
        return {row.key.split(":")[0]: row.state for row in rows}


async def the_end_without_a_store(tonight: Evening) -> None:
    """Anna leaves; polls see it, the store takes nothing, the room is ended all the same."""
    await tonight.join("anna", "ben")
    await tonight.wait(5)
    door = tonight.store.door = moody_door(tonight)
    door.writes_fail = True
    tonight.webhooks = False
    await tonight.leave("anna")
    assert await ended_after(tonight, 80) <= 80
    await tonight.wait(6)


def moody_door(tonight: Evening) -> Any:
    with moody(tonight) as door:
        return door


# --- the whole way --------------------------------------------------------------------


async def test_what_the_store_refused_survives_the_process(
    clock: ManualClock, tmp_path: Path
) -> None:
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await the_end_without_a_store(tonight)
        before = await tonight.state()
        known = dict(before.actions)
        assert "ParticipantLeft" not in kinds(tonight)
        assert "store" in {one.key for one in tonight.letters}
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert b"anna" not in file.path.read_bytes()

        # kill -9, and the disk is mended before the next start
        tonight.store.door = InlineDoor(tonight.store.engine)
        start_anew(tonight, file, life=2)
        await tonight.engine.step()

        state = await tonight.state()
        moved = {key: state.actions[key].state for key in known}
        assert moved == {key: one.state for key, one in known.items()}
        assert acts(tonight)["never_alone.end"] == str(ActionState.CONFIRMED)
        assert file.path.read_bytes() == b""
        with tonight.store.unit() as db:
            assert remembered.recall(db, "spool:") == {}


async def test_it_is_written_as_soon_as_the_store_takes_it_again(
    clock: ManualClock, tmp_path: Path
) -> None:
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await the_end_without_a_store(tonight)
        assert file.read().records
        tonight.store.door = InlineDoor(tonight.store.engine)
        await tonight.wait(3)

        assert file.path.read_bytes() == b""
        assert acts(tonight)["never_alone.end"] == str(ActionState.CONFIRMED)


async def test_killed_again_before_the_file_is_emptied_nothing_is_doubled(
    clock: ManualClock, tmp_path: Path
) -> None:
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await the_end_without_a_store(tonight)
        spooled = file.path.read_bytes()
        tonight.store.door = InlineDoor(tonight.store.engine)
        start_anew(tonight, file, life=2)
        await tonight.engine.start()
        once, states = kinds(tonight), acts(tonight)
        with tonight.store.unit() as db:
            # What has moved on since must not be moved back by an old record.
            db.execute(text("UPDATE actions SET problem = 'newer'"))
            for ref, _ in _refs(spooled):
                remembered.first_time(db, f"spool:{ref}", clock.now())
        file.path.write_bytes(spooled)
        start_anew(tonight, file, life=3)
        await tonight.engine.start()

        assert kinds(tonight) == once
        assert acts(tonight) == states
        with tonight.store.unit() as db:
            problems = db.execute(text("SELECT DISTINCT problem FROM actions"))
            assert list(problems.scalars()) == ["newer"]
        assert file.path.read_bytes() == b""


def _refs(data: bytes) -> list[tuple[str, bytes]]:
    return [(line.split()[0].decode(), line) for line in data.splitlines()]


async def test_a_store_that_still_refuses_after_the_restart_hides_nothing(
    clock: ManualClock, tmp_path: Path
) -> None:
    """The dead process had wanted to end the room: the next one goes on with that."""
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await tonight.join("anna", "ben")
        await tonight.wait(5)
        door = tonight.store.door = moody_door(tonight)
        door.writes_fail = True
        tonight.webhooks = False
        tonight.room.ghost = True
        await tonight.leave("anna")
        await tonight.wait(70)
        assert tonight.room.started
        tonight.room.ghost = False
        tonight.letters.clear()
        start_anew(tonight, file, life=2)

        assert await ended_after(tonight, 15) <= 15
        assert "store" in {one.key for one in tonight.letters}
        door.writes_fail = False
        await tonight.wait(15)
        assert acts(tonight)["never_alone.end"] == str(ActionState.CONFIRMED)
        assert file.path.read_bytes() == b""


async def test_a_webhook_the_store_refuses_is_not_acknowledged_for_the_file(
    clock: ManualClock, tmp_path: Path
) -> None:
    """Only the store makes a 2xx (I11): the platform has to come again."""
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await tonight.engine.step()
        door = tonight.store.door = moody_door(tonight)
        door.writes_fail = True
        with pytest.raises(OperationalError):
            await tonight.engine.intake.accept_delivery(
                "zoom", webhook(tonight, 1), b"{}", clock.now()
            )
        assert not file.path.exists()


async def test_when_the_second_disk_is_full_too_people_hear_of_it(
    clock: ManualClock, tmp_path: Path
) -> None:
    class Full(SpoolFile):
        def append(self, ref: str, record: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    async with evening(clock) as tonight:
        start_anew(tonight, Full(tmp_path / "full", Keyring(KEYS)))
        await the_end_without_a_store(tonight)

        told = [one for one in tonight.letters if one.key == "spool"]
        assert {one.address for one in told} == {
            "https://alarm0.example/",
            "https://alarm1.example/",
        }
        assert "neither to its store nor to its second file" in told[0].text


@pytest.mark.parametrize(("free", "lost"), [(1, []), (0, ["Too much waits."])])
async def test_no_more_is_kept_than_was_promised_and_that_is_said(
    clock: ManualClock, tmp_path: Path, free: int, lost: list[str]
) -> None:
    async with evening(clock) as tonight:
        start_anew(tonight, file_at(tmp_path))
        await tonight.engine.step()
        spool: Spool = tonight.engine.spool
        spool._kept = MOST - free
        heard: list[str] = []
        spool.on_lost = heard.append
        held = await tonight.engine.sessions.held(tonight.session_id)
        await spool.keep(held, Writing(session_id=tonight.session_id))

        assert len(heard) == len(lost)
        assert spool.owes(tonight.session_id) is not bool(lost)


async def test_the_file_is_not_emptied_under_somebody_who_just_came(
    clock: ManualClock, tmp_path: Path
) -> None:
    file = file_at(tmp_path)
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await tonight.engine.step()
        spool: Spool = tonight.engine.spool
        held = await tonight.engine.sessions.held(tonight.session_id)
        await spool.keep(held, Writing(session_id=tonight.session_id))
        async with spool._file_in_use:
            paid = asyncio.ensure_future(spool.pay(tonight.session_id))
            await clock.elapse(timedelta(0))
            later = asyncio.ensure_future(
                spool.keep(held, Writing(session_id=tonight.session_id))
            )
            await clock.elapse(timedelta(0))
        await asyncio.gather(paid, later)

        assert len(file.read().records) == 2  # the first is marked as written
        assert await spool.pay(tonight.session_id)
        assert file.path.read_bytes() == b""


# --- the file ---------------------------------------------------------------------------


def test_a_line_cut_short_is_left_out_and_counted(tmp_path: Path) -> None:
    file = file_at(tmp_path)
    file.append("a", b"one")
    file.append("b", b"two")
    whole = file.path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first + 1, len(whole)):
        file.path.write_bytes(whole[:cut])
        assert file.read() == Found((("a", b"one"),), torn=1)
        file.append("c", b"three")
        assert file.read() == Found((("a", b"one"), ("c", b"three")))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b"a ", b"x ", 1),  # another record's name
        lambda data: b"\x00" + data,
        lambda data: b"words\n" + data,
    ],
)
def test_a_damaged_line_hides_no_other(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    file = file_at(tmp_path)
    file.append("a", b"one")
    file.append("b", b"two")
    file.path.write_bytes(spoil(file.path.read_bytes()))
    found = file.read()

    assert ("b", b"two") in found.records
    assert found.damaged == 1


def test_a_write_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_at(tmp_path)
    file.append("a", b"one")
    before = file.path.read_bytes()
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space"):
        file.append("b", b"two")

    assert file.path.read_bytes() == before


def _full(_file: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_what_the_file_cannot_give_back_is_counted_and_put_aside(
    clock: ManualClock, tmp_path: Path
) -> None:
    file = file_at(tmp_path)
    file.append("newer", b'{"steps": [["conjure", {}]]}')
    with file.path.open("ab") as spooled:
        spooled.write(b"words\nto")
    async with evening(clock) as tonight:
        start_anew(tonight, file)
        await tonight.engine.start()
        with tonight.store.unit() as db:
            seen = {name: number for name, (number, _) in log.counted(db).items()}

        assert seen["spool:torn"] == 1
        assert seen["spool:damaged"] == 2
        assert not file.path.exists()
        assert (tmp_path / "chaperone.spool.unread").read_bytes().endswith(b"words\n")


# --- the record -------------------------------------------------------------------------


async def test_a_change_comes_back_from_its_bytes_as_it_was(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        held = tonight.engine.sessions.all()[tonight.session_id]
        facts = [
            ActionMoved(
                at=clock.now(), key="k", kind="k", state=ActionState.SENT, reason="<b>"
            )
        ]
        [one, *_] = held.actions.values()
        whole = Writing(
            session_id=tonight.session_id,
            entries=tonight.engine.spool.entries(facts, tonight.session_id),
            steps=(
                want(one, tonight.session_id, clock.now()),
                move(one.id, {"next_at": None, "sent_at": clock.now(), "tries": 2}),
                ("look", {"ref": tonight.ref, "proof_at": None, "seen": ["U-ben"]}),
                ("deadline", {"session_id": "s", "at": clock.now(), "why": "?"}),
            ),
            if_moved=True,
        )
        again = Writing.load(whole.dump())

        assert again == whole
        assert list(again.facts(tonight.store)) == facts


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"session_id": 1}'])
def test_bytes_that_are_no_change_say_so(data: bytes) -> None:
    with pytest.raises(Unusable):
        Writing.load(data)


async def test_what_is_held_back_writes_nothing_at_all(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        facts = [ActionMoved(at=clock.now(), key="k", kind="k", state=ActionState.SENT)]
        held_back = Writing(
            session_id=tonight.session_id,
            entries=tonight.engine.spool.entries(facts, tonight.session_id),
            steps=(move("nobody", {"tries": 1}),),
            if_moved=True,
        )
        before = kinds(tonight)

        def work(db: Connection) -> bool:
            return held_back.write(db, tonight.store)

        assert await tonight.store.write(work) is False
        assert kinds(tonight) == before


def settings(tmp_path: Path, **more: str) -> Any:
    given = {
        "CHAPERONE_BASE_URL": "https://chaperone.example",
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(tmp_path),
    }
    return load_settings({**given, **more})


def test_where_the_second_file_lies(tmp_path: Path) -> None:
    def path(**more: str) -> Path | None:
        found = spool_file_of(settings(tmp_path, **more))
        return found.path if found is not None else None

    postgres = "postgresql://a:b@localhost/c"
    assert path() == tmp_path / "chaperone.sqlite3.spool"
    assert path(CHAPERONE_SPOOL_FILE="/other/disk") == Path("/other/disk")
    in_memory = settings(tmp_path).model_copy(
        update={"database_url": SecretStr("sqlite://")}
    )
    assert spool_file_of(in_memory) is None
    assert path(CHAPERONE_DATABASE_URL=postgres) == tmp_path / "chaperone.spool"
