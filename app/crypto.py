"""Secrets: fields encrypted at rest, keyed digests, tokens.

An encrypted value says which key made it and is bound to the place where it lies:

    version (1 byte, 0x01) | key id (4) | nonce (12) | AES-256-GCM text and tag (16)

The authenticated data is version, key id and the caller's `aad`, by custom
`b"table:column:row"`, so that a value moved to another row does not open (OWASP ASVS
5.0 V11.3). Nonces are random: NIST SP 800-38D allows 2**32 values under one key, which
at a thousand webhooks a minute is eight years.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from ssl import RAND_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_HEAD = 5  # version and key id
_NONCE = 12
_TAG = 16
_KEY_BYTES = 32


class BadKey(ValueError):
    """The secret key cannot be used; the message says what it must be."""


class CannotDecrypt(Exception):
    """A stored value did not open. `UnknownKey` or `Damaged` says why."""


class UnknownKey(CannotDecrypt):
    """Encrypted with a key that is not on the ring."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"No key {key_id} on the ring.")
        self.key_id = key_id


class Damaged(CannotDecrypt):
    """Altered, cut short, or lying in another place than it was written for."""


class Keyring:
    """The keys of `CHAPERONE_SECRET_KEY`: the first encrypts, all of them decrypt.

    To rotate, put a new key in front, store every value again, check that none is
    left on the old `key_id_of`, then take the old key off.
    """

    __slots__ = ("_ciphers", "_derived", "_first", "_keys")

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Take raw keys of 32 bytes each.

        Raises:
            BadKey: no key, a key of another length, or the same key twice.
        """
        self._keys = tuple(keys)
        if not self._keys or any(len(key) != _KEY_BYTES for key in self._keys):
            raise BadKey(f"A key is {_KEY_BYTES} bytes.")
        self._ciphers = {
            _head(key): AESGCM(_hkdf(key, "field encryption")) for key in self._keys
        }
        if len(self._ciphers) != len(self._keys):
            raise BadKey("The same key stands there twice.")
        self._first = _head(self._keys[0])
        self._derived: dict[str, tuple[bytes, ...]] = {}

    @classmethod
    def from_text(cls, text: str) -> "Keyring":
        """Read keys as a person writes them: base64url, several with commas.

        Raises:
            BadKey: as above, or not base64url.
        """
        return cls(_decode(part.strip()) for part in text.split(","))

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.key_ids)})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of the keys, the encrypting one first."""
        return tuple(head[1:].hex() for head in self._ciphers)

    def encrypt(self, plain: bytes, aad: bytes) -> bytes:
        """Encrypt for one place; `aad` names it."""
        # Random as os.urandom's, without giving the interpreter lock away at each value.
        nonce = RAND_bytes(_NONCE)
        head = self._first
        return head + nonce + self._ciphers[head].encrypt(nonce, plain, head + aad)

    def decrypt(self, token: bytes, aad: bytes) -> bytes:
        """Open a value of `encrypt` that lies in the place named by `aad`.

        Raises:
            UnknownKey: its key is not on the ring.
            Damaged: it is not what was written for this place.
        """
        if len(token) < _HEAD + _NONCE + _TAG or token[:1] != _VERSION:
            raise Damaged("Not an encrypted value.")
        head = token[:_HEAD]
        cipher = self._ciphers.get(head)
        if cipher is None:
            raise UnknownKey(head[1:].hex())
        nonce, text = token[_HEAD : _HEAD + _NONCE], token[_HEAD + _NONCE :]
        try:
            return cipher.decrypt(nonce, text, head + aad)
        except InvalidTag as error:
            raise Damaged("Altered, or written for another place.") from error

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the first key (HKDF-SHA256)."""
        return self._all_derived(purpose)[0]

    def digest(self, purpose: str, text: str) -> str:
        """Keyed SHA-256 in hex: a blind index, or a lookup secret as it is stored."""
        return _hmac(self.derive(purpose), text)

    def digests(self, purpose: str, text: str) -> tuple[str, ...]:
        """`digest` under every key of the ring, for look-ups during a rotation."""
        return tuple(_hmac(key, text) for key in self._all_derived(purpose))

    def _all_derived(self, purpose: str) -> tuple[bytes, ...]:
        derived = self._derived.get(purpose)
        if derived is None:
            derived = tuple(_hkdf(key, f"purpose {purpose}") for key in self._keys)
            self._derived[purpose] = derived
        return derived


def key_id_of(token: bytes) -> str:
    """The id of the key that made an encrypted value."""
    return token[1:_HEAD].hex()


def new_key() -> str:
    """A fresh key, as `CHAPERONE_SECRET_KEY` wants it."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode().rstrip("=")


def new_token() -> str:
    """A lookup secret of 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def _head(key: bytes) -> bytes:
    return _VERSION + _hkdf(key, "key id")[: _HEAD - 1]


def _hkdf(key: bytes, info: str) -> bytes:
    kdf = HKDF(
        algorithm=SHA256(),
        length=_KEY_BYTES,
        salt=b"chaperone",
        info=info.encode(),
    )
    return kdf.derive(key)


def _hmac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _decode(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        key = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey("A key is base64url text.") from error
    if len(key) != _KEY_BYTES:
        raise BadKey(
            f"A key is {_KEY_BYTES} bytes in base64url; this one is {len(key)}."
        )
    return key
