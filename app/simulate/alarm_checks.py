"""Alarms go on until somebody takes them, are quiet then, and stay few: I9 and I10."""

from collections import defaultdict
from datetime import datetime, timedelta

from app.core.presses import AlarmAcknowledged
from app.simulate.allowance import NEWS
from app.simulate.ground import CONTACTS
from app.simulate.play import Outcome
from app.simulate.presence_checks import clock_was_set
from app.simulate.stage import Stage
from app.simulate.verdict import Figures

AGAIN_WITHIN = timedelta(seconds=75)
"""A minute, and what a commit and a letter take."""
LATE_NEWS = (*NEWS, "F11", "F12")
QUIET_AFTER = timedelta(seconds=10)
MOST_OF_A_KIND = 5
MINUTE = timedelta(seconds=60)


def alarms_go_on(outcome: Outcome, _figures: Figures) -> list[str]:
    """I9: a red alarm that nobody took rings every minute. Judged where letters, store
    and process work, for as long as the evening lasts."""
    stage, found = outcome.stage, []
    if _rings_badly(stage):
        return []
    taken = _taken(stage)
    for (address, key), times in _rings(stage, "red").items():
        until = min(outcome.now, taken.get(key, outcome.now))
        ends = [*times[1:], until]
        for before, after in zip(times, ends, strict=True):
            if after - before > AGAIN_WITHIN:
                passed = (before - stage.began).total_seconds()
                found.append(f"{key} rang at {passed:.0f} s at {address}, and stopped.")
                break
    return found


def taken_is_quiet(outcome: Outcome, _figures: Figures) -> list[str]:
    """I9: once a named person took an alarm it does not ring any more."""
    stage = outcome.stage
    if _rings_badly(stage):
        return []
    taken = _taken(stage)
    return [
        f"{key} rang at {address} although somebody had taken it."
        for (address, key), times in _rings(stage).items()
        if key in taken and times[-1] > taken[key] + QUIET_AFTER
    ]


def few_at_once(outcome: Outcome, _figures: Figures) -> list[str]:
    """I10: however many people come at once, five alarms of a kind within a minute.

    Judged where news come: whom only a look shows is a stranger with a known name until
    it is heard whose link they used, and that is asked about for each of them.
    """
    session = outcome.session
    if any(f.code in LATE_NEWS for f in outcome.scenario.faults):
        return []
    kinds: dict[str, list[datetime]] = defaultdict(list)
    for fact in session.actions.values() if session is not None else ():
        if fact.kind == "alert_staff":
            kinds[fact.key.split(":")[0]].append(fact.wanted_at)
    found = []
    for kind, times in kinds.items():
        times.sort()
        for first, last in zip(times, times[MOST_OF_A_KIND:], strict=False):
            if last - first < MINUTE:
                found.append(f"{kind}: more than {MOST_OF_A_KIND} within a minute.")
                break
    return found


def _rings_badly(stage: Stage) -> bool:
    broken = any(f.code in ("F11", "F12", "F16") for f in stage.scenario.faults)
    return broken or clock_was_set(stage)


def _rings(stage: Stage, level: str = "") -> dict[tuple[str, str], list[datetime]]:
    """(address, key) -> when it rang at a contact's. Alarms of sessions only: those of
    the store and the clocks end with their cause."""
    contacts = {address for _, address in CONTACTS}
    found: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for at, letter in sorted(stage.letters, key=lambda each: each[0]):
        known = letter.session_id and letter.address in contacts
        if known and level in ("", letter.level):
            key = letter.key.removeprefix(f"{letter.session_id}:")
            found[letter.address, key].append(at)
    return found


def _taken(stage: Stage) -> dict[str, datetime]:
    return {
        fact.key: fact.at
        for fact in stage.pressed
        if isinstance(fact, AlarmAcknowledged)
    }
