"""Ask every rule, settle disagreements, and say when to ask again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.actions import (
    Action,
    AlertStaff,
    Audience,
    ConnectionAction,
    EndMeeting,
    Level,
    Rank,
    WakeAt,
)
from app.core.rules import RULES, Rule
from app.core.session import GroupSession


@dataclass(frozen=True, slots=True)
class Decision:
    """What has to be done now, and when ``decide`` has to be asked again at the latest.

    ``broken``: rule name -> what went wrong; such a rule silences nobody else.
    """

    actions: tuple[Action, ...]
    wake_at: datetime | None
    wake_why: str
    broken: Mapping[str, str]

    def wants(self, key: str) -> bool:
        """Whether the episode of this key is still wanted."""
        return any(action.key == key for action in self.actions)


def decide(
    session: GroupSession,
    now: datetime,
    rules: Sequence[tuple[str, Rule]] = RULES,
) -> Decision:
    """Pure: the same state at the same moment gives the same decision (I16).

    ``rules`` are all of them, except where a test proves that one is needed.
    """
    actions: dict[str, Action] = {}
    wakes: list[WakeAt] = []
    broken: dict[str, str] = {}
    for name, rule in rules:
        try:
            for wish in rule(session, now):
                if isinstance(wish, WakeAt):
                    wakes.append(wish)
                else:
                    actions.setdefault(wish.key, wish)
        except Exception as error:  # noqa: BLE001 - reported to staff, silences nobody
            broken[name] = f"{type(error).__name__}: {error}"
    for name in broken:
        alert = _broken_alert(name)
        actions[alert.key] = alert
    next_wake = min(wakes, key=lambda w: w.at, default=None)
    return Decision(
        tuple(_settle(actions.values())),
        next_wake.at if next_wake else None,
        next_wake.why if next_wake else "",
        broken,
    )


def _broken_alert(name: str) -> AlertStaff:
    return AlertStaff(
        key=f"rule.broken:{name}",
        reason=f"The rule {name} cannot be worked out. The other rules still hold.",
        clause="I20",
        rule=name,
        level=Level.RED,
        audience=Audience.OPERATOR,
        what_to_do="Watch this session by hand and send the log to whoever looks after it.",
    )


def _settle(actions: Iterable[Action]) -> list[Action]:
    """end > remove > hold > warn > remind for the same person; alerts always survive."""
    wished = list(actions)
    ending = {a.meeting for a in wished if isinstance(a, EndMeeting)}
    sternest: dict[tuple[str, str], Rank] = {}
    for action in wished:
        if isinstance(action, ConnectionAction):
            who = (action.meeting.instance, action.connection)
            sternest[who] = max(sternest.get(who, Rank.TELL), action.rank)
    kept: list[Action] = []
    for action in wished:
        if isinstance(action, ConnectionAction):
            top = sternest[(action.meeting.instance, action.connection)]
            if action.meeting in ending:
                top = Rank.END
            if action.rank < top:
                continue
        kept.append(action)
    return sorted(kept, key=lambda a: -a.rank)
