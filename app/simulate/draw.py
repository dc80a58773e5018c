"""An evening from a seed: who comes, what they do. `draw_faults` adds what breaks.

Every part draws from a stream of its own label, so that a change in one leaves the rest.
"""

import random
from datetime import UTC, datetime
from typing import Any

from app.simulate.cast import CLIENTS, LOOKS_LIKE_ANNA
from app.simulate.chance import some, stream
from app.simulate.draw_faults import faults_of
from app.simulate.scenario import WHOLE_DAY, Scenario, Step

NIGHTS = (
    datetime(2027, 3, 28, 0, 57, 30, tzinfo=UTC),  # an hour goes missing in London
    datetime(2027, 10, 31, 0, 57, 30, tzinfo=UTC),  # an hour comes twice
    datetime(2028, 2, 29, 23, 57, 30, tzinfo=UTC),
)
HEALS_AT = 780.0
DRAMA = (210.0, 690.0)


def draw(seed: int) -> Scenario:
    """The whole evening of a seed."""
    chance = stream(seed, "frame")
    support = ["sam", *some(chance, ("kim", "lee"), 0, 2)]
    clients = tuple(some(chance, tuple(CLIENTS), 6, 8))
    planned = chance.random() < 0.88
    grace = chance.choice((60, 60, 60, 60, 60, 60, 60, 0, 30, 90))
    scenario: dict[str, Any] = {
        "seed": seed,
        "begins": chance.choice(NIGHTS) if chance.random() < 0.1 else WHOLE_DAY,
        "grace": grace,
        "grace_first_worker": chance.choice((120, 120, 120, 30, 60)),
        "live_roster": chance.random() < 0.85,
        "remove_enabled": chance.random() < 0.8,
        "planned": planned,
        "account": _account(stream(seed, "account")),
        "support": tuple(support),
        "clients": clients,
    }
    steps, alone_at = _steps(seed, ("anna", *support), clients, planned=planned)
    # Faults like to begin about the moment at which a call is to be ended.
    about = alone_at + grace - 60
    faults = faults_of(seed, about, live_roster=scenario["live_roster"])
    ends_at = HEALS_AT + max(120.0, grace + 75.0)
    return Scenario(
        **scenario, steps=steps, faults=faults, heals_at=HEALS_AT, ends_at=ends_at
    )


def _account(chance: random.Random) -> dict[str, Any]:
    odd: dict[str, tuple[Any, ...]] = {
        "anyone_may_be_crowned": (True, True, False),
        "people_leave_one_by_one": (True, True, False),
        "end_when_over": ("204", "404"),
        "awkward_uuids": (False, False, True),
        "removed_may_rejoin": (True, True, True, False),
    }
    return {name: chance.choice(values) for name, values in odd.items()}


def _steps(
    seed: int, workers: tuple[str, ...], clients: tuple[str, ...], *, planned: bool
) -> tuple[tuple[Step, ...], float]:
    steps = _coming(stream(seed, "coming"), workers, clients, planned=planned)
    happenings = stream(seed, "happenings")
    for number in range(happenings.randint(3, 7)):
        scene = happenings.choice(SCENES)
        at = happenings.uniform(*DRAMA)
        steps += scene(stream(seed, f"scene {number}"), at, workers, clients)
    alone, alone_at = _left_alone(stream(seed, "alone"), workers)
    steps += alone
    steps += _ending(stream(seed, "ending"), workers, clients)
    steps.sort(key=lambda step: step.at)
    return tuple(steps), alone_at


def _coming(
    chance: random.Random,
    workers: tuple[str, ...],
    clients: tuple[str, ...],
    *,
    planned: bool,
) -> list[Step]:
    opens = round(chance.uniform(20, 60), 1)
    if not planned:
        steps = [
            Step(at=opens, do="start", who="anna"),
            Step(at=opens + 25, do="press bind", who="anna"),
        ]
    else:
        steps = [Step(at=opens, do="arrive", who="anna")]
    if planned and chance.random() < 0.1:
        # Somebody took the locks off in the portal: clients open the call themselves.
        steps = [
            Step(at=12.0, do="unlock", who="anna"),
            Step(at=_at(chance, 150, 420), do="arrive", who="anna"),
        ]
    for who in workers[1:]:
        at = _at(chance, 25, 150) if steps[0].do != "unlock" else _at(chance, 200, 450)
        steps.append(Step(at=at, do="arrive", who=who))
    for who in clients:
        late = chance.random() < 0.15
        at = _at(chance, 200, 500) if late else _at(chance, 30, 160)
        steps.append(Step(at=at, do="arrive", who=who))
    for at in (70.0, 130.0, 170.0, 230.0, 330.0, 430.0, 530.0):
        steps.append(Step(at=at + round(chance.uniform(0, 10), 1), do="admit"))
    return steps


def _at(chance: random.Random, low: float, high: float) -> float:
    return round(chance.uniform(low, high), 1)


def _left_alone(
    chance: random.Random, workers: tuple[str, ...]
) -> tuple[list[Step], float]:
    """Every worker goes; perhaps one comes back, just in time, too late, or not at all."""
    at = _at(chance, 260, 560)
    if chance.random() < 0.15:
        return [], at
    steps, last = list[Step](), at
    for who in workers:
        gone = at + round(chance.choice((0.0, 0.0, chance.uniform(0, 40))), 1)
        last = max(last, gone)
        if chance.random() < 0.15:
            after = _at(chance, 60, 90)
            last = max(last, gone + after)
            args = {"noticed_after": after}
            steps.append(Step(at=gone, do="drop", who=who, args=args))
        else:
            reason = chance.choice(("left", "disconnected"))
            steps.append(Step(at=gone, do="leave", who=who, args={"reason": reason}))
    if chance.random() < 0.55:
        after = chance.choice((2.0, 20.0, 55.0, 59.0, 60.5, 62.0, 75.0, 130.0))
        back = at + after + round(chance.uniform(0, 4), 1)
        who = chance.choice(workers[:2])
        steps.append(Step(at=back, do="arrive", who=who))
        steps.append(Step(at=back + 8, do="press resume", who=who))
        for more in (15.0, 45.0):
            steps.append(Step(at=back + more, do="admit"))
    return steps, last


def _ending(
    chance: random.Random, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    kind = chance.choice(("open", "goodbye", "goodbye", "alone", "ended"))
    at = _at(chance, 640, 720)
    if kind == "open":
        return []
    if kind == "ended":
        return [Step(at=at, do="end", who="anna")]
    if kind == "alone":
        return [Step(at=at + 0.1 * n, do="leave", who=w) for n, w in enumerate(workers)]
    steps = [Step(at=at, do="press closing", who=chance.choice(workers[:2]))]
    for who in clients:
        steps.append(Step(at=at + _at(chance, 5, 40), do="leave", who=who))
    for who in workers:
        steps.append(Step(at=at + _at(chance, 45, 60), do="leave", who=who))
    steps.append(Step(at=at + 62, do="press close", who="anna"))
    return steps


# --- scenes ---------------------------------------------------------------------------------


def _flap(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """A worker's line is bad."""
    who, steps = chance.choice(workers), []
    for _ in range(chance.randint(1, 4)):
        away = round(chance.choice((1.0, 3.0, chance.uniform(1, 90))), 1)
        steps.append(Step(at=at, do="leave", who=who, args={"reason": "disconnected"}))
        steps.append(Step(at=at + away, do="arrive", who=who))
        steps.append(Step(at=at + away + 5, do="admit", who=who))
        at += away + chance.uniform(5, 60)
    return steps


def _reconnect(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """A client loses the line and comes again on their own link."""
    who = chance.choice(clients)
    do = chance.choice(("leave", "drop"))
    away = round(chance.choice((1.0, 2.0, chance.uniform(1, 120))), 1)
    return [
        Step(at=at, do=do, who=who),
        Step(at=at + away, do="arrive", who=who),
        Step(at=at + away + 10, do="admit"),
    ]


def _caller(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    who = chance.choice(("eve", "ben"))
    return [
        Step(at=at, do="arrive", who=who, args={"via": "phone"}),
        Step(at=at + 12, do="admit", who=who),
        Step(at=at + chance.uniform(60, 160), do="leave", who=who),
    ]


def _impostor(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """Somebody else on a client's link, under a worker's name, let in by mistake."""
    owner = chance.choice(clients)
    name = chance.choice(LOOKS_LIKE_ANNA)
    steps = [
        Step(at=at, do="arrive", who="mallory", args={"link_of": owner, "name": name}),
        Step(at=at + 9, do="admit", who="mallory"),
    ]
    if chance.random() < 0.5:
        steps.insert(0, Step(at=at - 3, do="leave", who=owner))
        steps.append(Step(at=at + 70, do="arrive", who=owner))
    steps.append(Step(at=at + chance.uniform(100, 200), do="leave", who="mallory"))
    return steps


def _recorder(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    owner = chance.choice(clients)
    return [
        Step(at=at - 2, do="leave", who=owner),
        Step(at=at, do="arrive", who="notetaker", args={"link_of": owner}),
        Step(at=at + 8, do="admit", who="notetaker"),
        Step(at=at + 120, do="leave", who="notetaker"),
    ]


def _rename(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    name = chance.choice(LOOKS_LIKE_ANNA)
    return [Step(at=at, do="rename", who=chance.choice(clients), args={"name": name})]


def _breakout(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """A small room, with a worker or, by a slip, without."""
    people = some(chance, clients, 2, 3)
    if chance.random() < 0.4:
        people.append(workers[1])
    return [
        Step(at=at, do="breakout", who="anna", args={"people": people}),
        Step(at=at + chance.uniform(20, 150), do="close breakouts", who="anna"),
    ]


def _crowned(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    return [
        Step(at=at, do="make host", who=chance.choice(clients)),
        Step(at=at + 40, do="make host", who="anna"),
    ]


def _removed(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """A worker removes a client and takes it back."""
    about, by = chance.choice(clients), chance.choice(workers[:2])
    return [
        Step(at=at, do="press remove", who=by, args={"about": about}),
        Step(at=at + 60, do="press readmit", who=by, args={"about": about}),
        Step(at=at + 61, do="press readmit", who=by, args={"about": about}),
        Step(at=at + 80, do="arrive", who=about),
        Step(at=at + 90, do="admit"),
    ]


def _staff(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """Presses at a bad time."""
    by = chance.choice(workers[:2])
    do = chance.choice(
        ("press lead", "press rules", "press take alarm", "press resume")
    )
    steps = [Step(at=at, do=do, who=by)]
    if chance.random() < 0.3:
        steps.append(
            Step(at=at + 5, do="press hold", who=by, args={"about": clients[0]})
        )
        steps.append(Step(at=at + 30, do="admit"))
    return steps


def _reopened(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """The call is ended for all and opened again: another occurrence of the same id."""
    again = at + round(chance.choice((1.0, 5.0, 30.0)), 1)
    steps = [
        Step(at=at, do="end", who="anna"),
        Step(at=again, do="arrive", who="anna"),
    ]
    for number, who in enumerate((*workers[1:], *clients)):
        steps.append(Step(at=again + 2 + number, do="arrive", who=who))
    steps.append(Step(at=again + 15, do="admit"))
    return steps


def _lie(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    """News nobody signed: a worker who is not there, or an end that was not."""
    steps = []
    for number in range(chance.randint(1, 3)):
        what = chance.choice(("joined", "left", "ended", "moved"))
        args = {"what": what, "how": chance.choice(LIES)}
        who = chance.choice(workers)
        steps.append(Step(at=at + 7 * number, do="lie", who=who, args=args))
    return steps


def _storm(
    chance: random.Random, at: float, workers: tuple[str, ...], clients: tuple[str, ...]
) -> list[Step]:
    if chance.random() < 0.85:
        return []
    return [Step(at=at, do="storm", who="eve", args={"number": 100})]


LIES = ("other secret", "altered", "unsigned", "stale", "future", "other account")
SCENES = (
    _flap,
    _flap,
    _reconnect,
    _reconnect,
    _caller,
    _impostor,
    _recorder,
    _rename,
    _breakout,
    _crowned,
    _removed,
    _staff,
    _reopened,
    _lie,
    _lie,
    _storm,
)
