"""Which faults an evening has: each of F1-F17 in a third of all seeds, at some strength."""

import random
from collections.abc import Callable

from app.simulate.chance import stream
from app.simulate.scenario import Fault

BEGINS, HEALS = 200.0, 780.0
SHARE = 0.3


def faults_of(seed: int, alone_at: float, *, live_roster: bool) -> tuple[Fault, ...]:
    """`alone_at`: when the room loses its workers; outages like to begin there."""
    which = stream(seed, "which faults")
    found: list[Fault] = []
    for code, drawn in FAULTS.items():
        if which.random() < SHARE:
            found += drawn(stream(seed, f"fault {code}"), alone_at)
    if not live_roster:
        found = [fault for fault in found if fault.code not in ("F1", "F6")]
    return tuple(found)


def _window(
    chance: random.Random, alone_at: float, lasts: float, spread: float = 60.0
) -> tuple[float, float]:
    """(at, lasts): about when it matters in two evenings of three."""
    if chance.random() < 0.66:
        at = alone_at + chance.uniform(-spread, spread)
    else:
        at = chance.uniform(BEGINS, HEALS - 60)
    at = round(max(BEGINS, min(at, HEALS - 30)), 1)
    return at, round(min(lasts, HEALS - at), 1)


def _lost(chance: random.Random, alone_at: float) -> list[Fault]:
    rate = chance.choice((0.05, 0.3, 1.0))
    if rate == 1.0 and chance.random() < 0.5:
        return [Fault(code="F1", kind="lost", at=0.0, lasts=HEALS)]
    at, lasts = _window(chance, alone_at, chance.choice((120.0, 600.0)), 200)
    return [Fault(code="F1", kind="lost", at=at, lasts=lasts, rate=rate)]


def _late(chance: random.Random, alone_at: float) -> list[Fault]:
    mean = chance.choice((0.2, 3.0, 20.0))
    found = [Fault(code="F2", kind="slow", at=0.0, lasts=HEALS, amount=mean)]
    late = chance.choice((300.0, 1500.0))
    rate = chance.uniform(0.02, 0.1)
    found.append(
        Fault(code="F2", kind="late", at=0.0, lasts=HEALS, rate=rate, amount=late)
    )
    return found[: chance.randint(1, 2)]


def _doubled(chance: random.Random, alone_at: float) -> list[Fault]:
    rate = chance.choice((0.1, 0.5))
    return [Fault(code="F3", kind="doubled", at=0.0, lasts=HEALS, rate=rate)]


def _reordered(chance: random.Random, alone_at: float) -> list[Fault]:
    within = chance.choice((2.0, 4.0, 30.0))
    rate = chance.choice((0.2, 0.5))
    return [
        Fault(code="F4", kind="order", at=0.0, lasts=HEALS, rate=rate, amount=within)
    ]


def _blackout(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at, chance.choice((60.0, 600.0)), 30)
    return [Fault(code="F6", kind="blackout", at=at, lasts=lasts)]


def _api(chance: random.Random, alone_at: float) -> list[Fault]:
    if chance.random() < 0.5:
        lasts = chance.choice((10.0, 60.0, 180.0))
        at, lasts = _window(chance, alone_at + 50, lasts, 15)
        kind = chance.choice(("503", "503", "500", "429", "401", "403", "404"))
        return [Fault(code="F7", kind=kind, at=at, lasts=lasts)]
    at, lasts = _window(chance, alone_at, chance.uniform(30, 240), 100)
    rate = chance.choice((0.1, 0.5))
    return [Fault(code="F7", kind="any", at=at, lasts=lasts, rate=rate)]


def _slow(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at, chance.uniform(30, 240), 100)
    kind = chance.choice(("slow", "slow", "refused", "reset"))
    amount = round(chance.uniform(0.5, 30), 1) if kind == "slow" else 0.0
    rate = chance.choice((0.1, 0.5))
    return [Fault(code="F8", kind=kind, at=at, lasts=lasts, rate=rate, amount=amount)]


def _ghost(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at + 55, chance.choice((6.0, 20.0, 60.0)), 5)
    kind = chance.choice(("ghost", "unanswered"))
    rate = chance.choice((0.2, 1.0))
    return [Fault(code="F9", kind=kind, at=at, lasts=lasts, rate=rate)]


def _roster(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at, chance.uniform(60, 400), 100)
    kind = chance.choice(
        ("any", "as it was up to a minute ago", "the last page is missing")
    )
    rate = chance.choice((0.1, 0.1, 0.5))
    return [Fault(code="F10", kind=kind, at=at, lasts=lasts, rate=rate)]


def _kills(chance: random.Random, alone_at: float) -> list[Fault]:
    found = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        down = chance.choice((1.0, 5.0, 20.0, 120.0))
        at, _ = _window(chance, alone_at + 58, 1.0, 62)
        kind = chance.choice(DEATHS)
        if chance.random() < 0.4:
            # In the very second in which a call is to be ended.
            at = round(alone_at + 59.8 + chance.uniform(0, 0.4), 2)
            kind = chance.choice(("after commit", "before call", "after call"))
        found.append(Fault(code="F11", kind=kind, at=min(at, 640.0), lasts=down))
    found.sort(key=lambda fault: fault.at)
    return found


def _store(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at + 30, 60.0, 40)
    kind = chance.choice(("full", "full", "I/O error", "busy"))
    rate = 1.0 if kind == "full" else 0.02 if kind == "I/O error" else 0.1
    amount = chance.choice((0.5, 2.0, 4.0)) if kind == "busy" else 0.0
    return [Fault(code="F12", kind=kind, at=at, lasts=lasts, rate=rate, amount=amount)]


def _clock(chance: random.Random, alone_at: float) -> list[Fault]:
    at, _ = _window(chance, alone_at + 30, 1.0, 40)
    if chance.random() < 0.2:
        return [Fault(code="F13", kind="drift", at=at, amount=0.0002)]
    step = chance.choice((1.0, 60.0, 3600.0)) * chance.choice((-1, 1))
    return [Fault(code="F13", kind="step", at=at, amount=step)]


def _token(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at + 55, chance.choice((20.0, 120.0)), 60)
    return [Fault(code="F15", kind="no token", at=at, lasts=lasts)]


def _letters(chance: random.Random, alone_at: float) -> list[Fault]:
    at, lasts = _window(chance, alone_at, chance.choice((60.0, 300.0)), 60)
    channel = chance.choice(("mail", "webhook"))
    return [Fault(code="F16", kind=channel, at=at, lasts=lasts)]


DEATHS = (
    "at once",
    "before commit",
    "after commit",
    "before call",
    "after call",
    "before letter",
    "letter",
    "read",
)
FAULTS: dict[str, Callable[[random.Random, float], list[Fault]]] = {
    "F1": _lost,
    "F2": _late,
    "F3": _doubled,
    "F4": _reordered,
    "F6": _blackout,
    "F7": _api,
    "F8": _slow,
    "F9": _ghost,
    "F10": _roster,
    "F11": _kills,
    "F12": _store,
    "F13": _clock,
    "F15": _token,
    "F16": _letters,
}
