"""Sign and verify by the Standard Webhooks specification, version 1. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
What is signed is `{id}.{timestamp}.{body}`, with HMAC-SHA256 and a shared secret of
24 to 64 bytes, written in base64 after `whsec_`. During a rotation the sender signs
with the new and the old secret, and the receiver is content with either.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64
TOLERANCE = timedelta(minutes=5)

# A dot would let one id and timestamp be read as another; the rest is header-safe.
_ID = re.compile(r"[A-Za-z0-9_:~+/=@-]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


class BadSecret(ValueError):
    """The shared secret cannot be used; the text says why and never shows it."""


class BadSignature(Exception):
    """The request does not prove that it comes from a holder of the secret."""


def key_of(secret: str) -> bytes:
    """The key inside a secret, with or without its prefix. Raises BadSecret."""
    written = secret.strip().removeprefix(PREFIX)
    if not written:
        raise BadSecret("The secret of the outgoing webhook is empty.")
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("The secret of the outgoing webhook is not base64.") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise BadSecret(
            f"The secret of the outgoing webhook holds {len(key)} bytes;"
            f" it must hold {SHORTEST_KEY} to {LONGEST_KEY}."
        )
    return key


def secret_of(key: bytes) -> str:
    """A key of 24 to 64 random bytes, written as both sides keep it.

    Raises BadSecret.
    """
    secret = PREFIX + base64.b64encode(key).decode("ascii")
    key_of(secret)
    return secret


def sign(
    secrets: Sequence[str], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers for one attempt.

    `secrets` holds the current secret first, then those still accepted during a
    rotation; `message_id` stays the same over all attempts, `at` is this attempt's.
    Raises BadSecret, and ValueError for an id that cannot stand in a header or
    holds a dot, or for a time without a zone.
    """
    if not secrets:
        raise BadSecret("The outgoing webhook has no secret.")
    if not _ID.fullmatch(message_id):
        raise ValueError("An id is 1 to 255 letters, digits or signs, without a dot.")
    if at.tzinfo is None:
        raise ValueError("The time of an attempt needs a zone.")
    timestamp = str(int(at.timestamp()))
    signatures = [
        "v1," + _digest(key_of(secret), message_id, timestamp, body)
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """What a receiver does before it believes a body; gives the id back.

    `body` is the bytes as received; `tolerance` counts both ways and includes its
    own edge. Raises BadSecret and BadSignature.
    """
    if not secrets:
        raise BadSecret("The receiver has no secret.")
    keys = [key_of(secret) for secret in secrets]
    found = {name.lower(): value for name, value in headers.items()}
    message_id = _part(found, "webhook-id")
    timestamp = _part(found, "webhook-timestamp")
    signatures = _part(found, "webhook-signature")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise BadSignature("The timestamp is not a whole number of seconds.")
    age = now - datetime.fromtimestamp(int(timestamp), UTC)
    if age > tolerance:
        raise BadSignature("The timestamp is too old.")
    if -age > tolerance:
        raise BadSignature("The timestamp is too far ahead.")
    expected = [_digest(key, message_id, timestamp, body) for key in keys]
    if not _any_equal(expected, signatures.split(" ")):
        raise BadSignature("No signature fits.")
    return message_id


def _part(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise BadSignature(f"The header {name} is missing.")
    return value


def _digest(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def _any_equal(expected: Sequence[str], offered: Sequence[str]) -> bool:
    # Every pair is compared, so the time taken tells nothing about which one fits.
    fits = False
    for one in offered:
        version, _, signature = one.partition(",")
        given = signature.encode("utf-8", "surrogatepass")
        for digest in expected:
            same = hmac.compare_digest(digest.encode("ascii"), given)
            fits |= version == "v1" and same
    return fits
