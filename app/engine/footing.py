"""What the engine stands on: store, clock, platforms, chance. Handed in, never imported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.clock import Clock
from app.core.rules import RULES, Rule
from app.engine.leases import EVERYTHING, Leases
from app.engine.spool_file import SpoolFile
from app.store.database import Store
from integrations.base import Platform

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Footing:
    """The four seams of the shipped service, and its log.

    ``alias_domain``: where the pseudonymous addresses of clients' links live.
    ``rules``: all of them, except where a test takes one away. ``spool_file``: the second
    durable place, for what the store does not take. ``leases``: what this process is in
    charge of.
    """

    store: Store
    clock: Clock
    platforms: Mapping[str, Platform]
    new_id: NewId
    alias_domain: str = "chaperone.invalid"
    rules: Sequence[tuple[str, Rule]] = RULES
    spool_file: SpoolFile | None = None
    leases: Leases = EVERYTHING
    log: Any = field(default_factory=lambda: structlog.get_logger("chaperone"))
