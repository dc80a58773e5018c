"""Several processes start on one database at once, or come while another works."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

from app.clock import ManualClock
from app.core.presses import ActionState
from app.crypto import Keyring
from app.main import lock_of, own_spool_file
from app.store.database import InlineDoor, Store, open_engine
from app.store.lock import AlreadyRunning, DatabaseLock
from app.store.migrate import migrate
from tests.engine.room import evening
from tests.store.postgres import Server
from tests.tree import ROOT, files
from tests.web.conftest import settings

pytestmark = pytest.mark.anyio


# --- migrations -------------------------------------------------------------------------


def test_one_migrates_and_the_others_wait(server: Server) -> None:
    address = server.empty_database()
    engines = [open_engine(address) for _process in range(4)]

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(migrate, engines))

    assert set(SQLModel.metadata.tables) < set(inspect(engines[0]).get_table_names())
    with engines[0].connect() as db:
        assert len(db.execute(text("SELECT * FROM alembic_version")).all()) == 1
    for engine in engines:
        engine.dispose()


def test_who_has_nothing_to_migrate_holds_nobody_up(server: Server) -> None:
    """A process that starts waits for no writer, and no writer for it."""
    first, second = (open_engine(server.cleared()) for _process in range(2))
    store = Store(first, Keyring([b"k" * 32]), InlineDoor(first))
    with store.unit():
        migrate(second)
    second.dispose()
    store.close()


async def test_the_version_before_goes_on_beside_a_newer_one(
    server: Server, clock: ManualClock
) -> None:
    """A newer version has added a table, a column and an index while a call runs."""
    address = server.empty_database()
    engine, newer = open_engine(address), open_engine(address)
    migrate(engine)
    store = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))
    async with evening(clock, store=store) as tonight:
        await tonight.join("anna", "ben")
        with newer.connect().execution_options(writing=True) as db, db.begin():
            for added in (
                "CREATE TABLE later (id TEXT PRIMARY KEY)",
                "ALTER TABLE actions ADD COLUMN later TEXT",
                "ALTER TABLE log ADD COLUMN later INTEGER NOT NULL DEFAULT 0",
                "CREATE INDEX later_index ON log (later)",
            ):
                db.execute(text(added))
        await tonight.leave("anna")
        await tonight.wait(60)
        await tonight.ended()

        assert tonight.count("end_meeting") == 1
        facts = (await tonight.state()).actions.values()
        [end] = [fact for fact in facts if fact.kind == "end_meeting"]
        assert end.state is ActionState.CONFIRMED
    newer.dispose()
    store.close()


TAKES_AWAY = (
    "drop_table", "drop_column", "drop_constraint", "drop_index", "rename_table",
    "alter_column", "execute",
)  # fmt: skip


def takes_away(migration: str) -> set[str]:
    """What in its upgrade would break a running process of the version before."""
    upgrade = migration.partition("def upgrade")[2].partition("def downgrade")[0]
    return {word for word in TAKES_AWAY if f".{word}(" in upgrade}


def test_migrations_only_add() -> None:
    versions = ROOT / "app/store/migrations/versions"
    found = list(files(str(versions.relative_to(ROOT)), suffix=".py"))
    assert found
    assert {path.name: takes_away(path.read_text()) for path in found} == {
        path.name: set() for path in found
    }


def test_and_one_that_takes_away_is_seen() -> None:
    bad = (
        "def upgrade():\n    op.drop_column('log', 'ref')\ndef downgrade():\n    pass\n"
    )
    assert takes_away(bad) == {"drop_column"}
    good = (
        "def upgrade():\n    op.add_column()\ndef downgrade():\n    op.drop_column()\n"
    )
    assert takes_away(good) == set()


# --- beside one another ----------------------------------------------------------------


@contextmanager
def taken(lock: Any) -> Iterator[None]:
    lock.take()
    try:
        yield
    finally:
        lock.release()


def test_services_share_a_database_and_who_must_be_alone_is_told(
    server: Server,
) -> None:
    known = settings(CHAPERONE_DATABASE_URL=server.cleared().replace("+psycopg", ""))
    with taken(lock_of(known, shared=True)), taken(lock_of(known, shared=True)):
        alone = lock_of(known)
        assert alone is not None
        with pytest.raises(AlreadyRunning):
            alone.take()
        alone.release()

    with taken(lock_of(known)):
        service = lock_of(known, shared=True)
        assert service is not None
        with pytest.raises(AlreadyRunning, match="not while a backup is put back"):
            service.take()
        service.release()


def test_a_shared_lock_keeps_nobody_out_of_another_database(server: Server) -> None:
    first = DatabaseLock(make_url(server.cleared()), shared=True)
    with taken(first), taken(DatabaseLock(make_url(server.empty_database()))):
        pass


def test_processes_with_one_data_folder_have_a_second_file_each(
    server: Server, tmp_path: Path
) -> None:
    known = settings(
        CHAPERONE_DATABASE_URL=server.cleared().replace("+psycopg", ""),
        CHAPERONE_DATA_DIR=str(tmp_path),
    )
    first, first_lock = own_spool_file(known)
    second, second_lock = own_spool_file(known)
    assert first is not None
    assert second is not None
    assert first_lock is not None
    assert second_lock is not None
    assert (first.path.name, second.path.name) == (
        "chaperone.spool",
        "chaperone.spool-2",
    )

    second.append("r1", b"owed")
    first_lock.release()
    second_lock.release()

    third, third_lock = own_spool_file(known)  # the first to come takes what is owed
    assert third is not None
    assert third_lock is not None
    assert third.path == second.path
    assert third.read().records == (("r1", b"owed"),)
    third_lock.release()


def test_on_sqlite_there_is_one_and_no_lock_beside_it(tmp_path: Path) -> None:
    known = settings(CHAPERONE_DATA_DIR=str(tmp_path))
    file, lock = own_spool_file(known)
    assert file is not None
    assert file.path.name.endswith(".spool")
    assert lock is None
