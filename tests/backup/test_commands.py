"""The commands, as somebody with the printed page meets them; and kill -9 in the middle."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.backup import erased
from app.cli import app
from app.clock import SystemClock
from app.config import load_settings
from app.crypto import new_key
from app.main import lock_of, open_store
from tests.backup.conftest import happens
from tests.store.conftest import plan

PROGRAM = [sys.executable, "-c", "from app.cli import main; main()"]
MANY = 6_000  # enough that a backup can be caught in the middle


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """A service with backups; its restore key lies in `restore.key`."""
    public, private = run("new-backup-key").stdout.split()
    (tmp_path / "restore.key").write_text(private)
    given = {
        "CHAPERONE_BASE_URL": "http://localhost:8000",
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(tmp_path / "data"),
        "CHAPERONE_BACKUP_FOLDER": str(tmp_path / "backups"),
        "CHAPERONE_BACKUP_KEY": public,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def filled(environ: Mapping[str, str]) -> Path:
    """Its database, with the Tuesday group in it."""
    fill(environ, 3)
    return database(environ)


def fill(environ: Mapping[str, str], count: int) -> None:
    store, now = open_store(load_settings(environ)), SystemClock().now()
    with store.unit() as db:
        if not db.exec_driver_sql("SELECT count(*) FROM people").scalar():
            plan(db, store)
        happens(db, store, now, count)
    store.close()


def database(environ: Mapping[str, str]) -> Path:
    return Path(environ["CHAPERONE_DATA_DIR"]) / "chaperone.sqlite3"


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=given)


def made(environ: Mapping[str, str]) -> list[Path]:
    return sorted(Path(environ["CHAPERONE_BACKUP_FOLDER"]).glob("chaperone-*.backup"))


def key_of(environ: Mapping[str, str]) -> str:
    return str(Path(environ["CHAPERONE_DATA_DIR"]).parent / "restore.key")


def facts(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        [count] = db.execute("SELECT count(*) FROM log").fetchone()
        [state] = db.execute("PRAGMA integrity_check").fetchone()
    assert state == "ok"
    return int(count)


# --- backup ---------------------------------------------------------------------------


def test_a_backup_says_what_it_did(filled: Path, environ: Mapping[str, str]) -> None:
    told = run("backup")
    assert told.exit_code == 0, told.output
    [path] = made(environ)
    assert re.search(rf"Backed up and tried out: {re.escape(str(path))}", told.stdout)
    assert re.search(r"\d+ rows in \d+ tables, .* restored on trial", told.stdout)


def test_it_works_while_the_service_runs(
    filled: Path, environ: Mapping[str, str]
) -> None:
    with held(environ):
        assert run("backup", "--gently").exit_code == 0
    assert len(made(environ)) == 1


def test_without_settings_it_says_what_to_set(
    filled: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAPERONE_BACKUP_FOLDER")
    monkeypatch.delenv("CHAPERONE_BACKUP_KEY")
    told = run("backup")
    assert told.exit_code == 2
    assert "new-backup-key" in told.stderr


@pytest.mark.parametrize("left_out", ["FOLDER", "KEY"])
def test_half_the_settings_are_a_fault(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    monkeypatch.delenv(f"CHAPERONE_BACKUP_{left_out}")
    told = run("backup")
    assert told.exit_code == 2
    assert f"CHAPERONE_BACKUP_{left_out} must be given too" in told.stderr


def test_the_restore_key_does_not_belong_into_the_settings(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAPERONE_BACKUP_KEY", Path(key_of(environ)).read_text())
    told = run("backup")
    assert told.exit_code == 2
    assert (
        "CHAPERONE_BACKUP_KEY cannot be used: it must be the backup-key-" in told.stderr
    )
    assert Path(key_of(environ)).read_text() not in told.stderr


def test_no_database_is_made_where_none_is(environ: Mapping[str, str]) -> None:
    told = run("backup")
    assert (told.exit_code, "There is no database" in told.stderr) == (1, True)
    assert not database(environ).exists()


# --- restore --------------------------------------------------------------------------


def test_the_printed_page_works(filled: Path, environ: Mapping[str, str]) -> None:
    """Stop, find, try out, put back: the key is typed, not a file's."""
    assert run("backup").exit_code == 0
    [path] = made(environ)
    key = Path(key_of(environ)).read_text().upper().replace("-", " ")
    tried = run("restore", str(path), "--only-check", given=f"{key}\n")
    assert tried.exit_code == 0, tried.output
    assert "This backup is good" in tried.stdout
    before = facts(filled)
    filled.unlink()
    told = run("restore", str(path), given=f"{key}\ny\n")
    assert told.exit_code == 0, told.output
    assert "(empty)" in told.stdout
    assert "chaperone check" in told.stdout
    assert facts(filled) == before


def test_no_is_no(filled: Path, environ: Mapping[str, str]) -> None:
    run("backup")
    filled.unlink()
    told = run(
        "restore", str(made(environ)[0]), "--key-file", key_of(environ), given="n\n"
    )
    assert (told.exit_code, "Nothing was changed" in told.stderr) == (1, True)
    assert not filled.exists()


@contextmanager
def held(environ: Mapping[str, str]) -> Iterator[None]:
    """As if `serve` ran."""
    lock = lock_of(load_settings(environ))
    assert lock is not None
    lock.take()
    try:
        yield
    finally:
        lock.release()


def test_a_running_service_is_left_alone(
    filled: Path, environ: Mapping[str, str]
) -> None:
    run("backup")
    fill(environ, 5)
    before = facts(filled)
    words = (str(made(environ)[0]), "--key-file", key_of(environ), "--replace", "--yes")
    with held(environ):
        told = run("restore", *words)
    assert (told.exit_code, "already serves" in told.stderr) == (1, True)
    assert facts(filled) == before
    assert run("restore", *words).exit_code == 0
    assert facts(filled) == before - 5


def test_another_program_with_the_database_open_is_told(
    filled: Path, environ: Mapping[str, str]
) -> None:
    """What lies in its write-ahead log would be read as the new file's."""
    run("backup")
    words = (str(made(environ)[0]), "--key-file", key_of(environ), "--replace", "--yes")
    with closing(sqlite3.connect(filled)) as viewer:
        viewer.execute("BEGIN")
        viewer.execute("SELECT * FROM log").fetchone()
        fill(environ, 5)
        told = run("restore", *words)
    assert (told.exit_code, "Another program has the database open" in told.stderr) == (
        1,
        True,
    )
    assert facts(filled) == 3 + 5


def test_data_that_is_there_is_told_before_anything_is_asked(
    filled: Path, environ: Mapping[str, str]
) -> None:
    run("backup")
    told = run("restore", str(made(environ)[0]), "--key-file", key_of(environ))
    assert (told.exit_code, "add --replace" in told.stderr) == (1, True)


def test_without_the_list_of_the_erased_it_refuses(
    filled: Path, environ: Mapping[str, str]
) -> None:
    run("backup")
    (Path(environ["CHAPERONE_BACKUP_FOLDER"]) / erased.NAME).unlink()
    filled.unlink()
    words = ("restore", str(made(environ)[0]), "--key-file", key_of(environ), "--yes")
    told = run(*words)
    assert (told.exit_code, "list of erased people" in told.stderr) == (1, True)
    assert not filled.exists()
    assert run(*words, "--without-erased-list").exit_code == 0


def test_a_wrong_key_is_told(filled: Path, environ: Mapping[str, str]) -> None:
    run("backup")
    path = str(made(environ)[0])
    other = run("new-backup-key").stdout.split()[1]
    told = run("restore", path, "--only-check", given=f"{other}\n")
    assert (told.exit_code, "does not open this backup" in told.stderr) == (1, True)
    told = run("restore", path, "--only-check", given="restore-key-abcd\n")
    assert (told.exit_code, "typing error" in told.stderr) == (1, True)


# --- kill -9 --------------------------------------------------------------------------


def killed_when(
    environ: Mapping[str, str], watched: Path, pattern: str, size: int, *words: str
) -> None:
    """Start a command and kill it once a file it writes has this size."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHAPERONE_")}
    with subprocess.Popen(
        [*PROGRAM, *words],
        env={**clean, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        while process.poll() is None:
            if any(path.stat().st_size >= size for path in watched.glob(pattern)):
                process.kill()
                break
        assert process.wait() == -9, process.stderr.read() if process.stderr else ""


@pytest.mark.parametrize("pattern", [".unfinished-*.backup", ".unfinished-*.trial"])
def test_a_killed_backup_is_none(
    environ: Mapping[str, str], filled: Path, pattern: str
) -> None:
    fill(environ, MANY)
    folder = Path(environ["CHAPERONE_BACKUP_FOLDER"])
    killed_when(environ, folder, pattern, 65_536, "backup")
    assert made(environ) == []
    assert facts(filled) == MANY + 3
    assert run("backup").exit_code == 0
    assert len(made(environ)) == 1
    assert list(folder.glob(".unfinished-*")) == []


def test_a_killed_restore_leaves_the_old(
    environ: Mapping[str, str], filled: Path
) -> None:
    fill(environ, MANY)
    assert run("backup").exit_code == 0
    fill(environ, 5)
    words = (str(made(environ)[0]), "--key-file", key_of(environ), "--replace", "--yes")
    killed_when(environ, filled.parent, "*.restoring", 700_000, "restore", *words)
    assert facts(filled) == MANY + 8
    done = run("restore", *words)
    assert done.exit_code == 0, done.output
    assert facts(filled) == MANY + 3
    assert list(filled.parent.glob("*.restoring*")) == []
