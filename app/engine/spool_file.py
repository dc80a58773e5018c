"""The second durable place: a file that takes what the store does not (I20).

One line for each record, only ever appended, on disk before :meth:`SpoolFile.append`
returns:

    ref (the record's own name) | space | base64 of the record, encrypted | newline

Each record is encrypted for its own name, so that none can be moved or made up. A line
cut short by a power cut or a full disk is the last one; it was promised to nobody.
"""

import base64
import binascii
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from app.crypto import CannotDecrypt, Keyring

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds: (ref, record) in order; lines that were of no use."""

    records: tuple[tuple[str, bytes], ...] = ()
    torn: int = 0
    damaged: int = 0


class SpoolFile:
    """For one process at a time; each method may be called in any thread."""

    def __init__(self, path: Path, keys: Keyring) -> None:
        self.path = path
        self._keys = keys
        self._one_at_a_time = threading.Lock()

    def read(self) -> Found:
        """Every record of the file. Cuts a torn last line off. Raises OSError."""
        with self._one_at_a_time:
            if not self.path.exists():
                return Found()
            data = self.path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                os.truncate(self.path, whole)
        records, damaged = [], 0
        for line in data[:whole].splitlines():
            try:
                records.append(self._open(line))
            except (CannotDecrypt, ValueError):
                damaged += 1
        return Found(tuple(records), int(whole < len(data)), damaged)

    def append(self, ref: str, record: bytes) -> None:
        """Add a record; on disk when this returns. Raises OSError, and adds nothing then."""
        sealed = self._keys.encrypt(record, _place(ref))
        line = ref.encode() + b" " + base64.b64encode(sealed) + b"\n"
        with self._one_at_a_time:
            new = not self.path.exists()
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _append(file, line)
            finally:
                os.close(file)
            if new:
                self._sync_folder()

    def trouble(self) -> str:
        """Why it could not take anything now, "" for no reason. Leaves no trace."""
        try:
            if self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND))
            else:
                with TemporaryFile(dir=self.path.parent):
                    pass
        except OSError as problem:
            return f"{self.path} cannot be written ({problem.strerror or problem})."
        return ""

    def clear(self, *, aside: bool = False) -> None:
        """Every record is in the store: empty the file, or put it aside. Raises OSError."""
        with self._one_at_a_time:
            if not self.path.exists():
                return
            if aside:
                self.path.replace(self.path.with_name(f"{self.path.name}.unread"))
            else:
                os.truncate(self.path, 0)
            self._sync_folder()

    def _open(self, line: bytes) -> tuple[str, bytes]:
        ref, _, text = line.decode().partition(" ")
        try:
            sealed = base64.b64decode(text, validate=True)
        except binascii.Error as problem:
            raise ValueError("not a record") from problem
        return ref, self._keys.decrypt(sealed, _place(ref))

    def _sync_folder(self) -> None:
        # A new name is only durable once its folder is (man 2 fsync).
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _place(ref: str) -> bytes:
    return f"spool:record:{ref}".encode()


def _append(file: int, line: bytes) -> None:
    before = os.fstat(file).st_size
    try:
        left = line
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, before)  # No half line in front of the next one.
        raise
