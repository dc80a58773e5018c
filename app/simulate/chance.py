"""Chance from a seed: each label has a stream of its own, so nothing shifts the others."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, label: str) -> random.Random:
    """The generator of one label; the same for the same seed on every machine."""
    return random.Random(f"{seed}/{label}")  # noqa: S311 - reproducible, guards nothing


def some(chance: random.Random, among: Sequence[T], least: int, most: int) -> list[T]:
    """So many of these, in their order."""
    number = min(len(among), chance.randint(least, most))
    places = sorted(chance.sample(range(len(among)), number))
    return [among[place] for place in places]


def ids(seed: int, label: str) -> Callable[[], str]:
    """Names that look like the shipped ones (256 bits of text) and repeat with the seed."""
    drawn = stream(seed, label)
    return lambda: f"{drawn.getrandbits(128):032x}"
