"""Ids of our own rows: random, readable, and no secret."""

import secrets
from collections.abc import Callable
from contextvars import ContextVar

DRAWN: ContextVar[Callable[[int], str]] = ContextVar("DRAWN", default=secrets.token_hex)
"""So many random bytes as hex. The simulation draws them from its seed."""


def new_id(kind: str) -> str:
    """``person-5f0c…``: the kind for whoever reads a log, 64 random bits for the rest."""
    return f"{kind}-{DRAWN.get()(8)}"
