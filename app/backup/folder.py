"""The folder backups lie in: names, which are kept, and the list of erased people.

A file has its final name only once it was restored on trial, so whatever is listed here
is good. What a killed process left behind begins with a dot and is swept away.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ENDING = ".backup"
UNFINISHED = ".unfinished-"
ALL_FOR = timedelta(hours=2)
HOURLY_FOR = timedelta(hours=24)
_NAME = re.compile(r"chaperone-(\d{8}T\d{6}Z)\.backup")
_STAMP = "%Y%m%dT%H%M%SZ"


class AnotherRuns(Exception):
    """Another backup is being made into this folder. A sentence."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that was tried out. ``at``: the moment it shows."""

    at: datetime
    path: Path


def name_of(at: datetime) -> str:
    """``chaperone-20261117T190000Z.backup``."""
    return f"chaperone-{at:{_STAMP}}{ENDING}"


def stamp(at: datetime) -> str:
    """A moment as part of a name."""
    return f"{at:{_STAMP}}"


def listed(folder: Path) -> list[Kept]:
    """The good backups, oldest first. Raises OSError."""
    found = []
    for path in folder.iterdir():
        if match := _NAME.fullmatch(path.name):
            at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
            found.append(Kept(at, path))
    return sorted(found, key=lambda one: one.at)


def superfluous(
    kept: Iterable[Kept], now: datetime, longest: timedelta
) -> Iterator[Kept]:
    """What may go: two hours all stay, a day one an hour, then one a day up to `longest`.

    The newest of each hour or day stays, and the newest of all whatever its age.
    """
    newest_first = sorted(kept, key=lambda one: one.at, reverse=True)
    seen: set[tuple[int, ...]] = set()
    for one in newest_first[1:]:
        age = now - one.at
        if age <= ALL_FOR:
            continue
        day = (one.at.year, one.at.month, one.at.day)
        slot = (*day, one.at.hour) if age <= HOURLY_FOR else day
        if age > longest or slot in seen:
            yield one
        seen.add(slot)


def sweep(folder: Path) -> None:
    """Take away what killed processes left. Only while `alone` is held."""
    for path in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One backup at a time; the system lets go when the process dies.

    Raises AnotherRuns, OSError.
    """
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise AnotherRuns(
                "Another backup is being made into this folder now."
            ) from problem
        yield


def put_in_place(path: Path, final: Path) -> None:
    """Rename, and make the name safe on the disk."""
    path.rename(final)
    make_names_safe(final.parent)


def make_names_safe(folder: Path) -> None:
    """Flush a folder (fsync(2): a file's own flush does not cover its name)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
