"""Which hands take an action, and how long to wait between two tries."""

from datetime import timedelta

from app.core.actions import Action, ChangeLink, EndMeeting
from app.core.policy import Mode, Policy
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.sessions import OpenAction
from integrations.base import Platform

BACK_OFF = (1.0, 2.0, 4.0, 5.0)
SLOW_BACK_OFF = (1.0, 5.0, 15.0, 60.0, 300.0)
LONGEST_WAIT = timedelta(minutes=5)
TRIES_BEFORE_NEXT_HAND = 3
TRIES_FOR_A_LINK = 5
"""With the pauses between them 80 s: a link hurts nobody meanwhile, and a worker who is
asked at once would do by hand what works again in a minute."""


def tries_before_next_hand(action: Action) -> int:
    """How often one pair of hands is tried before the next one."""
    return (
        TRIES_FOR_A_LINK if isinstance(action, ChangeLink) else TRIES_BEFORE_NEXT_HAND
    )


class Routes:
    """A route is a pair of hands: the platform's interface, or a person."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing

    def platform(self, session: GroupSession) -> Platform | None:
        """The platform of this session, if it is switched on."""
        name = session.plan.platform if session.plan is not None else ""
        return self._footing.platforms.get(name)

    def all(
        self, session: GroupSession, one: OpenAction, platform: Platform | None
    ) -> tuple[str, ...]:
        """Every route for this action, the best first."""
        if one.mode == Mode.ASK or platform is None:
            return ("person",)
        try:
            return tuple(platform.routes(one.action, session.hands)) or ("person",)
        except Exception as problem:  # noqa: BLE001 - told; both hands are tried then
            self._footing.log.error("no routes", why=repr(problem)[:200])
            return ("api", "person")

    def choose(
        self, session: GroupSession, one: OpenAction, platform: Platform | None
    ) -> str:
        """The route to take now: the next one when the last has been tried enough."""
        routes = self.all(session, one, platform)
        if isinstance(one.action, EndMeeting):
            # Ending is never handed over and forgotten: the platform is asked again
            # and again, while the alarm asks people as well (P10).
            return routes[0]
        tired = one.tries >= tries_before_next_hand(one.action)
        if one.route not in routes:
            return routes[0]
        at = routes.index(one.route)
        return routes[min(at + 1, len(routes) - 1)] if tired else one.route


def back_off(one: OpenAction, asked: timedelta | None, policy: Policy) -> timedelta:
    """How long to wait before the next try (R of the safety-time budget; P01, P02).

    A wish of the platform is honoured up to the cap, then we try anyway.
    """
    urgent = one.action.harmful
    steps = BACK_OFF if urgent else SLOW_BACK_OFF
    wait = timedelta(seconds=steps[min(max(one.tries, 1), len(steps)) - 1])
    cap = policy.retry_cap if urgent else LONGEST_WAIT
    if asked is not None and asked > wait:
        wait = asked
    return min(wait, cap)
