"""Ids of our own rows: random, readable, and no secret."""

import secrets


def new_id(kind: str) -> str:
    """``person-5f0c…``: the kind for whoever reads a log, 64 random bits for the rest."""
    return f"{kind}-{secrets.token_hex(8)}"
