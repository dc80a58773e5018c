"""The file a backup lies in: closed with the public half of a key, opened with the other.

    chaperone-backup 1\\n | one line of JSON | wrapped key (80 bytes) | pieces

A fresh key for each file is wrapped by HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM);
the line of JSON is bound to it. The content is AES-256-GCM in pieces of 64 kB whose nonces
count, the last one marked, so that no piece can be changed, moved, or cut off unseen (the
STREAM construction, https://eprint.iacr.org/2015/189, as age uses it).
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

MAGIC = b"chaperone-backup 1\n"
PIECE = 64 * 1024
_TAG = 16
_WRAPPED = 80
_LONGEST_HEAD = 64 * 1024
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class NotABackup(Exception):
    """The file is no backup of ours, or is torn, or was changed. A sentence."""


class WrongKey(Exception):
    """The restore key does not open this file. A sentence."""


@dataclass(frozen=True, slots=True)
class Head:
    """What may be read without a key: nothing about people.

    ``made_at``: ISO 8601 in UTC. ``schema``: revision of the tables. ``backup_key``,
    ``secret_keys``: ids of the keys that close the file and the fields in it.
    """

    made_at: str
    schema: str
    program: str
    backup_key: str
    secret_keys: list[str]


class Closing:
    """A file that is being written; ``close`` ends it, and without it it never opens."""

    def __init__(self, file: IO[bytes], head: Head, key: X25519PublicKey) -> None:
        self._file = file
        self.key = os.urandom(32)
        line = orjson.dumps(asdict(head)) + b"\n"
        file.write(MAGIC + line)
        wrapped = _SUITE.encrypt(self.key, key, info=MAGIC + line)
        file.write(wrapped)
        self._cipher = AESGCM(self.key)
        self._bound = _bound(MAGIC + line + wrapped)
        self._waiting = bytearray()
        self._count = 0

    def write(self, content: bytes) -> None:
        """Add content."""
        self._waiting += content
        while len(self._waiting) > PIECE:
            self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]

    def close(self) -> None:
        """The end of the content, safe on the disk."""
        self._put(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._count, last=last)
        self._file.write(self._cipher.encrypt(nonce, piece, self._bound))
        self._count += 1


def head_of(file: IO[bytes]) -> tuple[Head, bytes]:
    """What stands before the content, and its bytes. Raises NotABackup."""
    if file.readline(len(MAGIC)) != MAGIC:
        raise NotABackup("This file is not a backup of Chaperone.")
    line = file.readline(_LONGEST_HEAD)
    try:
        head = Head(**orjson.loads(line))
    except (orjson.JSONDecodeError, TypeError) as problem:
        raise NotABackup("The beginning of this backup is damaged.") from problem
    return head, MAGIC + line


def opened(
    file: IO[bytes], *, key: X25519PrivateKey | None = None, content_key: bytes = b""
) -> Iterator[bytes]:
    """The content, piece by piece; nothing of it counts before the last has come.

    Raises:
        WrongKey: `key` does not open it.
        NotABackup: torn or changed.
    """
    head, begun = head_of(file)
    wrapped = file.read(_WRAPPED)
    if key is not None:
        content_key = _unwrapped(wrapped, key, begun, head)
    cipher, bound = AESGCM(content_key), _bound(begun + wrapped)
    piece, count = file.read(PIECE + _TAG), 0
    while True:
        following = file.read(PIECE + _TAG)
        nonce = _nonce(count, last=not following)
        try:
            yield cipher.decrypt(nonce, piece, bound)
        except InvalidTag as problem:
            raise NotABackup(
                "This backup is damaged: a part is missing or was changed. Take another."
            ) from problem
        if not following:
            return
        piece, count = following, count + 1


def _unwrapped(wrapped: bytes, key: X25519PrivateKey, begun: bytes, head: Head) -> Any:
    try:
        return _SUITE.decrypt(wrapped, key, info=begun)
    except (InvalidTag, ValueError) as problem:
        raise WrongKey(
            "This restore key does not open this backup: it was closed with the backup "
            f"key {head.backup_key}. If that is the right one, the file is damaged."
        ) from problem


def _bound(begun: bytes) -> bytes:
    return hashlib.sha256(begun).digest()


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
