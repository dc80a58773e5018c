"""The two halves of a backup key, as a person writes them.

The *backup key* (public) stands in the settings and can only close backups; the *restore
key* (private) opens them and lies away from the machine, on paper. Both are 32 bytes of
X25519 (RFC 7748) in base32, in groups of four, with a last group that betrays a typing
error: 20 bits of SHA-256.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

PUBLIC = "backup-key"
PRIVATE = "restore-key"
_BYTES = 32
_CHECK = 4  # characters


class BadBackupKey(ValueError):
    """Not such a key; the message is a sentence that repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``public`` for the settings, ``private`` for the safe."""

    public: str
    private: str


def new_pair() -> Pair:
    """A fresh pair."""
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return Pair(_written(PUBLIC, public), _written(PRIVATE, key.private_bytes_raw()))


def public_key(text: str) -> X25519PublicKey:
    """Read a backup key. Raises BadBackupKey."""
    return X25519PublicKey.from_public_bytes(_read(PUBLIC, text))


def private_key(text: str) -> X25519PrivateKey:
    """Read a restore key. Raises BadBackupKey."""
    return X25519PrivateKey.from_private_bytes(_read(PRIVATE, text))


def key_id(key: X25519PublicKey) -> str:
    """Eight characters that tell keys apart; no secret."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:8]


def _written(kind: str, raw: bytes) -> str:
    letters = _letters(kind, raw)
    return "-".join([kind, *(letters[i : i + 4] for i in range(0, len(letters), 4))])


def _letters(kind: str, raw: bytes) -> str:
    check = base64.b32encode(hashlib.sha256(kind.encode() + raw).digest())
    return (base64.b32encode(raw).rstrip(b"=") + check[:_CHECK]).decode().lower()


def _read(kind: str, text: str) -> bytes:
    letters = re.sub(r"[\s-]", "", text).lower()
    mark = kind.replace("-", "")
    if not letters.startswith(mark):
        raise BadBackupKey(f"It does not begin with {kind}.")
    body = letters.removeprefix(mark)
    try:
        raw = base64.b32decode(body[:-_CHECK].upper() + "====")
    except binascii.Error:
        raw = b""
    # As a whole: base32 has bits at its end that mean nothing.
    if len(raw) != _BYTES or body != _letters(kind, raw):
        raise BadBackupKey(
            "There is a typing error in it: each group has four characters, "
            "from a to z and 2 to 7."
        )
    return raw
