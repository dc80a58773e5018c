"""Closed with one half of a key, opened with the other, and never half of it."""

import io
import tempfile
from collections.abc import Callable
from functools import partial

import pytest

from app.backup.envelope import (
    MAGIC,
    PIECE,
    Closing,
    Head,
    NotABackup,
    WrongKey,
    head_of,
    opened,
)
from app.backup_key import BadBackupKey, new_pair, private_key, public_key

HEAD = Head("2026-11-17T18:50:00+00:00", "0001", "0.1.0", "abcd", ["1234"])
PAIR = new_pair()
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7]


def closed(content: bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        closing = Closing(file, HEAD, public_key(PAIR.public))
        for start in range(0, len(content), 1000):
            closing.write(content[start : start + 1000])
        closing.close()
        file.seek(0)
        return file.read()


def read(file: bytes, key: str = PAIR.private) -> bytes:
    return b"".join(opened(io.BytesIO(file), key=private_key(key)))


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert read(closed(content)) == content


def test_the_head_can_be_read_without_a_key() -> None:
    assert head_of(io.BytesIO(closed(b"names")))[0] == HEAD


def test_another_restore_key_does_not_open_it() -> None:
    with pytest.raises(WrongKey, match="does not open this backup"):
        read(closed(b"names"), new_pair().private)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_torn_file_does_not_open(size: int) -> None:
    """At every border of a piece, and a byte on either side of it."""
    file = closed(b"x" * size)
    start = file.index(b"\n", len(MAGIC)) + 1 + 80
    borders = {start, *range(start, len(file), PIECE + 16), len(file)}
    cuts = {cut for at in borders for cut in (at - 1, at, at + 1)}
    for cut in sorted(cuts):
        if 0 <= cut < len(file):
            with pytest.raises((NotABackup, WrongKey)):
                read(file[:cut])


def swapped(file: bytes) -> bytes:
    start = file.index(b"\n", len(MAGIC)) + 1 + 80
    one, two = start + PIECE + 16, start + 2 * (PIECE + 16)
    return file[:start] + file[one:two] + file[start:one] + file[two:]


def flipped(at: int, file: bytes) -> bytes:
    changed = bytearray(file)
    changed[at] ^= 1
    return bytes(changed)


CHANGES: list[Callable[[bytes], bytes]] = [
    swapped,
    lambda file: file + b"x",
    lambda file: file.replace(b"0001", b"0002"),
    lambda file: file.replace(b"2026-11-17", b"2026-11-18"),
    *(partial(flipped, at) for at in (0, 25, 200, 260, 300, 5000, -1)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_does_not_open(change: Callable[[bytes], bytes]) -> None:
    file = closed(b"x" * (2 * PIECE + 7))
    changed = change(file)
    assert changed != file
    with pytest.raises((NotABackup, WrongKey)):
        read(changed)


def test_any_other_file_is_told_apart() -> None:
    with pytest.raises(NotABackup, match="is not a backup of Chaperone"):
        read(b"SQLite format 3\0")


def test_a_key_may_be_typed_in_any_way() -> None:
    for text in (
        PAIR.private.upper(),
        PAIR.private.replace("-", " "),
        f"  {PAIR.private}\n",
    ):
        assert read(closed(b"names"), text) == b"names"


def test_a_typing_error_is_found() -> None:
    """In every place: the last group betrays it."""
    kind, letters = "restore-key-", PAIR.private.removeprefix("restore-key-")
    for at, letter in enumerate(letters):
        if letter == "-":
            continue
        wrong = "b" if letter == "a" else "a"
        with pytest.raises(BadBackupKey, match="typing error"):
            private_key(kind + letters[:at] + wrong + letters[at + 1 :])
    for text in (
        PAIR.private[:-1],
        PAIR.private + "a",
        "restore-key-",
        "restore-key-1",
    ):
        with pytest.raises(BadBackupKey, match="typing error"):
            private_key(text)


def test_the_two_halves_cannot_be_taken_for_one_another() -> None:
    with pytest.raises(BadBackupKey, match="begin with backup-key"):
        public_key(PAIR.private)
    with pytest.raises(BadBackupKey, match="begin with restore-key"):
        private_key(PAIR.public)
