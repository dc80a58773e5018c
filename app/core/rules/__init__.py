"""The rules, registered by hand: one family per file, each rule asked at every event.

A rule reads the state and the time, and yields wishes. It has no memory of its own: the
key of a wish names the episode, so asking twice wants once.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from app.core.actions import Wish
from app.core.rules import (
    admission,
    arrival,
    closing,
    entry,
    escalation,
    follow_ups,
    ground_rules,
    ladder,
    never_alone,
    registration,
    settings,
    sight,
    two_workers,
    welcome,
)
from app.core.session import GroupSession

Rule = Callable[[GroupSession, datetime], Iterator[Wish]]

RULES: tuple[tuple[str, Rule], ...] = (
    *never_alone.RULES,
    *two_workers.RULES,
    *arrival.RULES,
    *entry.RULES,
    *ladder.RULES,
    *admission.RULES,
    *ground_rules.RULES,
    *welcome.RULES,
    *registration.RULES,
    *settings.RULES,
    *closing.RULES,
    *follow_ups.RULES,
    *sight.RULES,
    *escalation.RULES,
)
