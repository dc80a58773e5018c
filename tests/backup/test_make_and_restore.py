"""What comes back is what was there, from either store into either store, or nothing."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from app.backup import erased, folder
from app.backup.dump import Tallies, dump, kind_of, tables_of, tally
from app.backup.envelope import NotABackup, WrongKey, opened
from app.backup.load import Differs, load, verify
from app.backup.make import (
    NothingToBackUp,
    make,
    quick_engine,
    reading,
    thin_out,
    unpacked,
)
from app.backup.restore import (
    CannotRestore,
    Order,
    erased_in,
    in_use,
    look,
    restore,
    to_erase_again,
)
from app.backup.schema import bring_to
from app.backup_key import new_pair, private_key, public_key
from app.crypto import Keyring
from app.privacy import holds
from app.privacy.erasure import erase_again
from app.store import people
from app.store.log import log
from app.store.migrate import HERE, migrate
from tests.backup.conftest import FROM_EITHER, INTO_EITHER, KEYS, Home, happens


def tallies(home: Home, address: str | None = None) -> Tallies:
    """What lies in a database; who was signed in does not come back."""
    store = home.open(make_url(address) if address else None)
    with store.engine.connect() as db, db.begin():
        found = tally(db)
    store.close()
    return found


def name_of_ben(home: Home, address: str) -> str:
    store = home.open(make_url(address))
    with store.unit() as db:
        name = people.get(db, store, home.evening.ben).name
    store.close()
    return name


# --- there and back -------------------------------------------------------------------


@FROM_EITHER
@INTO_EITHER
def test_everything_comes_back_in_either_store(home: Home, nowhere: str) -> None:
    before = tallies(home)
    made = home.make()
    done = home.restore(made.path, nowhere)
    assert tallies(home, nowhere) == before
    assert done.rows == made.rows == sum(one.rows for one in before.values())
    assert name_of_ben(home, nowhere) == "Ben"


@INTO_EITHER
def test_new_facts_are_numbered_after_the_restored_ones(
    home: Home, nowhere: str
) -> None:
    home.restore(home.make().path, nowhere)
    store = home.open(make_url(nowhere))
    with store.unit() as db:
        last = max(db.scalars(log.select().with_only_columns(log.c.seq)))
        happens(db, store, home.clock.now(), 1)
        assert max(db.scalars(log.select().with_only_columns(log.c.seq))) == last + 1
    store.close()


def test_every_column_there_is_can_be_carried(home: Home) -> None:
    store = home.open()
    with store.engine.connect() as db, db.begin():
        kinds = {kind_of(c) for table in tables_of(db) for c in table.columns}
    store.close()
    assert kinds == {"flag", "number", "bytes", "date", "json", "text"}


@FROM_EITHER
def test_one_moment_is_kept_while_the_service_writes(home: Home) -> None:
    """Facts that come while it is read are in the next one."""
    before = tallies(home)
    writer = home.open()

    def also(line: bytes) -> None:
        if line.startswith(b'{"table"'):
            with writer.unit() as db:
                happens(db, writer, home.clock.now(), 1)

    with reading(home.address) as db:
        assert dump(db, also) == before
    writer.close()
    assert tallies(home)["log"].rows > before["log"].rows


def test_nobody_is_signed_in_after_a_restore(home: Home, nowhere: str) -> None:
    store = home.open()
    with store.unit() as db:
        db.execute(
            text(
                "INSERT INTO web_sessions (digest, person_id, role, csrf, created_at,"
                " seen_at, expires_at) VALUES ('d', 'p', 'lead', 'c', 1, 1, 1)"
            )
        )
    store.close()
    home.restore(home.make().path, nowhere)
    assert tallies(home)["web_sessions"].rows == 1
    assert tallies(home, nowhere)["web_sessions"].rows == 0


# --- what is in the file --------------------------------------------------------------


def test_names_stay_sealed_inside_and_no_key_is_in_it(home: Home) -> None:
    path = home.make().path
    with path.open("rb") as file:
        key = private_key(home.pair.private)
        content = b"".join(unpacked(opened(file, key=key)))
    outside = path.read_bytes()
    for secret in (b"Ben", b"Worries at school", b"k" * 32, b"The school"):
        assert secret not in content
        assert secret not in outside
    assert b"people" not in outside
    assert home.evening.ben.encode() in content


def test_only_its_owner_may_read_it(home: Home) -> None:
    made = home.make()
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert home.folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in home.folder.iterdir()} == {
        made.path.name,
        erased.NAME,
        ".lock",
    }


def test_two_do_not_run_at_once(home: Home) -> None:
    home.folder.mkdir()
    with (
        folder.alone(home.folder),
        pytest.raises(folder.AnotherRuns, match="is being made"),
    ):
        home.make()


@INTO_EITHER
def test_there_must_be_a_database(home: Home, nowhere: str) -> None:
    key = public_key(home.pair.public)
    with pytest.raises(NothingToBackUp):
        make(make_url(nowhere), KEYS, home.folder, key, home.clock)
    assert folder.listed(home.folder) == []


def test_the_superfluous_are_deleted(home: Home) -> None:
    first, second = home.make().path, home.make().path
    home.clock.advance(timedelta(hours=3))
    third = home.make().path
    assert thin_out(home.folder, home.clock.now(), timedelta(days=35)) == 1
    assert [one.path for one in folder.listed(home.folder)] == [second, third]
    assert not first.exists()


# --- the proof ------------------------------------------------------------------------

SPOILED = [
    "DELETE FROM log WHERE seq = 1",
    "UPDATE log SET kind = 'Other' WHERE seq = 1",
    "UPDATE people SET consent_to_take_part = 0 WHERE kind = 'client'",
    "UPDATE people SET details_sealed = x'00' WHERE kind = 'client'",
    "INSERT INTO counters (name, count, last_at) VALUES ('x', 1, 1)",
]


def test_the_trial_finds_what_is_not_as_it_was(home: Home) -> None:
    before = tallies(home)
    with quick_engine(Path(str(home.address.database))) as engine:
        with engine.begin() as db:
            verify(db, before)
        for spoil in SPOILED:
            with engine.connect() as db, db.begin() as work:
                db.exec_driver_sql(spoil)
                with pytest.raises(Differs, match="differs from the backup in"):
                    verify(db, before)
                work.rollback()


def test_a_backup_without_its_end_is_none(home: Home, tmp_path: Path) -> None:
    lines: list[bytes] = []
    with reading(home.address) as db:
        dump(db, lines.append)
    whole = b"".join(lines).splitlines()
    for wrong in (whole[:-1], whole[:1] + whole[-1:]):
        with quick_engine(tmp_path / "x.db") as engine, engine.begin() as db:
            bring_to(db, "head")
            with pytest.raises(NotABackup, match="no end"):
                load(db, wrong)
        (tmp_path / "x.db").unlink()


# --- refused, and nothing changed -----------------------------------------------------


def torn(file: bytes) -> bytes:
    return file[:-100]


def tampered(file: bytes) -> bytes:
    at = len(file) - 200
    return file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]


@pytest.mark.parametrize("change", [torn, tampered])
@FROM_EITHER
def test_a_damaged_backup_changes_nothing(
    home: Home, change: Callable[[bytes], bytes]
) -> None:
    path, before = home.make().path, tallies(home)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(NotABackup, match="is damaged"):
        home.restore(path, home.address, replace=True)
    assert tallies(home) == before


def test_a_wrong_restore_key_changes_nothing(home: Home) -> None:
    path, before = home.make().path, tallies(home)
    key = private_key(new_pair().private)
    order = Order(path, key, home.address, KEYS, home.clock.now(), replace=True)
    with pytest.raises(WrongKey):
        restore(order)
    assert tallies(home) == before


def test_the_key_of_the_fields_must_be_there(home: Home) -> None:
    path = home.make().path
    with pytest.raises(CannotRestore, match="another CHAPERONE_SECRET_KEY"):
        look(path, Keyring([b"o" * 32]))
    assert look(path, Keyring([b"n" * 32, b"k" * 32])).schema


def test_data_that_is_there_is_not_overwritten(home: Home, nowhere: str) -> None:
    path, before = home.make().path, tallies(home)
    with pytest.raises(CannotRestore, match="add --replace"):
        home.restore(path, home.address)
    assert tallies(home) == before
    assert not in_use(make_url(nowhere))


@INTO_EITHER
def test_a_new_service_without_data_may_be_filled(home: Home, nowhere: str) -> None:
    path = home.make().path
    store = home.open(make_url(nowhere))
    migrate(store.engine)
    with store.unit() as db:
        db.execute(text("INSERT INTO periodic (name, last_at) VALUES ('clock', 1)"))
    store.close()
    assert not in_use(make_url(nowhere))
    home.restore(path, nowhere)
    assert name_of_ben(home, nowhere) == "Ben"
    assert in_use(make_url(nowhere))


@FROM_EITHER
def test_the_old_data_is_put_aside(home: Home) -> None:
    path, before = home.make().path, tallies(home)
    store = home.open()
    with store.unit() as db:
        happens(db, store, home.clock.now(), 7)
    store.close()
    done = home.restore(path, home.address, replace=True)
    assert tallies(home) == before
    if home.address.get_backend_name() == "sqlite":
        assert tallies(home, f"sqlite:///{done.kept_as}")["log"].rows == (
            before["log"].rows + 7
        )
        return
    schema = done.kept_as.removeprefix("schema ")
    store = home.open()
    with store.unit() as db:
        assert db.execute(text(f"SELECT count(*) FROM {schema}.log")).scalar() == (
            before["log"].rows + 7
        )
        db.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    store.close()


def test_a_damaged_database_can_be_replaced(tmp_path: Path, home: Home) -> None:
    path, before = home.make().path, tallies(home)
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database at all" * 1000)
    address = f"sqlite:///{broken}"
    assert in_use(make_url(address))
    assert erased_in(make_url(address)) == {}
    done = home.restore(path, address, replace=True)
    assert tallies(home, address) == before
    assert Path(done.kept_as).read_bytes().startswith(b"not a database")


# --- older and newer ------------------------------------------------------------------

SECOND = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0002", "{first}"
def upgrade():
    op.add_column("counters", sa.Column("added", sa.String(), server_default="later"))
    op.create_table("brand_new", sa.Column("id", sa.Integer(), primary_key=True))
"""


@INTO_EITHER
def test_an_older_backup_is_brought_to_this_version(
    home: Home, nowhere: str, tmp_path: Path
) -> None:
    path = home.make().path
    later = tmp_path / "later"
    (later / "versions").mkdir(parents=True)
    for file in [HERE / "env.py", *(HERE / "versions").glob("*.py")]:
        (later / file.relative_to(HERE)).write_bytes(file.read_bytes())
    first = look(path, KEYS).schema
    (later / "versions" / "0002_more.py").write_text(SECOND.format(first=first))
    home.restore(path, nowhere, migrations=later)
    store = home.open(make_url(nowhere))
    with store.engine.connect() as db:
        assert inspect(db).has_table("brand_new")
        assert "added" in {c["name"] for c in inspect(db).get_columns("counters")}
    store.close()
    assert tallies(home, nowhere)["log"] == tallies(home)["log"]


def test_a_newer_backup_is_refused(home: Home) -> None:
    made = home.make()
    first = look(made.path, KEYS).schema.encode()
    made.path.write_bytes(
        made.path.read_bytes().replace(
            b'"schema":"' + first, b'"schema":"9' + first[1:]
        )
    )
    with pytest.raises(CannotRestore, match="newer Chaperone"):
        look(made.path, KEYS)


def test_tables_of_another_shape_are_told(home: Home, tmp_path: Path) -> None:
    store = home.open()
    with store.unit() as db:
        db.exec_driver_sql("ALTER TABLE counters ADD COLUMN odd INTEGER")
    store.close()
    try:
        with pytest.raises(Differs, match="not those of any released Chaperone"):
            home.make()
    finally:
        store = home.open()
        with store.unit() as db:
            db.exec_driver_sql("ALTER TABLE counters DROP COLUMN odd")
        store.close()
    assert folder.listed(home.folder) == []
    assert [path.name for path in home.folder.iterdir()] == [".lock"]


# --- erased people stay erased --------------------------------------------------------


def erase_ben(home: Home) -> None:
    store = home.open()
    with store.unit() as db:
        erase_again(db, store, [home.evening.ben], home.clock.now())
    store.close()


@INTO_EITHER
def test_whoever_was_erased_since_is_erased_again(home: Home, nowhere: str) -> None:
    """Tuesday's backup still knows Ben; Wednesday's list knows that he was erased."""
    tuesday = home.make().path
    erase_ben(home)
    home.clock.advance(timedelta(days=1))
    home.make()
    made_at = look(tuesday, KEYS).made_at
    gone = to_erase_again([home.folder], KEYS, made_at)
    assert gone is not None
    assert list(gone) == [home.evening.ben]
    done = home.restore(tuesday, nowhere, erased=gone)
    assert (done.erased, done.on_hold) == (1, [])
    assert name_of_ben(home, nowhere) == ""


def test_a_list_from_before_the_backup_is_none(home: Home, tmp_path: Path) -> None:
    home.make()
    old = (home.folder / erased.NAME).read_bytes()
    home.clock.advance(timedelta(days=1))
    made_at = look(home.make().path, KEYS).made_at
    assert to_erase_again([home.folder, tmp_path], KEYS, made_at) == {}
    (home.folder / erased.NAME).write_bytes(old)
    assert to_erase_again([home.folder, tmp_path], KEYS, made_at) is None
    assert to_erase_again([tmp_path], KEYS, made_at) is None


def test_the_database_that_is_replaced_knows_the_last_ones(home: Home) -> None:
    home.make()
    assert erased_in(home.address) == {}
    erase_ben(home)
    assert list(erased_in(home.address)) == [home.evening.ben]


def test_a_hold_of_then_is_told(home: Home, nowhere: str) -> None:
    """It wins over the list, and a person has to decide."""
    store = home.open()
    with store.unit() as db:
        holds.place(
            db,
            store,
            holds.PERSON,
            home.evening.ben,
            reason="An investigation of the council",
            by=home.evening.anna,
            review_on=home.clock.now().date() + timedelta(days=90),
            now=home.clock.now(),
        )
    store.close()
    path = home.make().path
    done = home.restore(path, nowhere, erased={home.evening.ben: 1})
    assert (done.erased, done.on_hold) == (0, [home.evening.ben])
    assert name_of_ben(home, nowhere) == "Ben"


def test_the_restored_file_is_its_owners_alone(home: Home, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "back.db"
    home.restore(home.make().path, f"sqlite:///{target}")
    assert target.stat().st_mode & 0o777 == 0o600
    assert os.listdir(target.parent) == ["back.db"]
