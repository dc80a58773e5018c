"""Passwords: what may be one, and how it is kept.

Rules after NCSC and NIST SP 800-63B-4 §3.1.1: long, not one that is tried first, nothing
about capitals or signs, no change by the calendar. Kept as Argon2id (RFC 9106) with the
parameters of the OWASP cheat sheet or more, and sealed by the store besides, so that a
stolen database without its key cannot even be guessed at.
"""

import os
import unicodedata
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SHORTEST = 12
LONGEST = 128
# zxcvbn: beyond 10**8 guesses a password is safe where tries are counted, as here.
_GUESSES = 10**8
# Its time grows with the square of the length; what follows can only make it better.
_WEIGHED = 48

_MEMORY_KIB = 47_104
_PASSES = 2
_LANES = 1


def password_fault(password: str, known: Sequence[str] = ()) -> str:
    """One sentence on why this cannot be a password; "" when it can.

    ``known``: what anybody knows of them, such as their name and address.
    """
    text = _normal(password)
    if len(text) < SHORTEST:
        return (
            f"Use at least {SHORTEST} characters; this is {len(text)}. Three words "
            "that have nothing to do with one another are good and easy to remember."
        )
    if len(text) > LONGEST:
        return f"Use at most {LONGEST} characters; this is {len(text)}."
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        return "Take out the control characters: they cannot be typed again."
    if _guesses(text, known) < _GUESSES:
        return (
            "This is among the passwords that are tried first. Three words that have "
            "nothing to do with one another are better."
        )
    return ""


def _guesses(text: str, known: Sequence[str]) -> int:
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    parts = [part for one in known for part in (one, *one.replace("@", " ").split())]
    found = zxcvbn(text[:_WEIGHED], user_inputs=[*parts, "chaperone"])
    return int(found["guesses"])


def hash_password(password: str) -> str:
    """The password as it is kept, in PHC form. Takes about 60 ms and 46 MiB."""
    kdf = Argon2id(
        salt=os.urandom(16),
        length=32,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_normal(password).encode())


def password_matches(kept: str | None, password: str) -> bool:
    """Whether this is the password that was kept.

    Without one (``kept`` None) the answer is no after the same work, so that the time
    does not tell who has an account.
    """
    text = _normal(password[: LONGEST * 4])[: LONGEST + 1].encode("utf-8", "replace")
    try:
        Argon2id.verify_phc_encoded(text, kept if kept is not None else _nobodys())
    except InvalidKey:
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    return hash_password(os.urandom(16).hex())


def _normal(password: str) -> str:
    """One way to write it, whatever the keyboard sent (SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
