"""A second process on the same SQLite file stays out (DESIGN §5, line 14)."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.store.lock import AlreadyRunning, LockFile

HOLDER = """
import sys
from pathlib import Path
from app.store.lock import LockFile
lock = LockFile(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_one_is_told_and_may_come_later(tmp_path: Path) -> None:
    path = tmp_path / "below" / "chaperone.db.lock"
    first, second = LockFile(path), LockFile(path)
    first.take()
    with pytest.raises(AlreadyRunning, match="already serves this database"):
        second.take()

    first.release()
    second.take()
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "chaperone.db.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning):
            LockFile(path).take()
        holder.kill()
        holder.wait()

        lock = LockFile(path)
        lock.take()
        lock.release()
