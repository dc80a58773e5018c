"""What goes wrong between platform and bot, from the scenario's list of faults.

Fills the place of the rehearsal's `Dice`: each question draws from a stream of its own
label, and a fault strikes only inside its window.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.clock import Clock
from app.simulate.scenario import Fault, Scenario
from integrations.rehearsal.faults import (
    ERRORS,
    Dice,
    Faults,
    RosterTrouble,
    Trouble,
    Window,
)

RETRIED = 5
"""So often in a row a random fault may strike calls of one kind (assurance: bounded)."""


class WindowDice(Dice):
    """`struck` is told the code of every fault that really struck."""

    def __init__(
        self, scenario: Scenario, clock: Clock, struck: Callable[[str, str], None]
    ) -> None:
        super().__init__(
            Faults(hangs_for=timedelta(seconds=8)), scenario.seed, clock.now()
        )
        self._faults = scenario.faults
        self._clock = clock
        self._struck = struck
        self._began = clock.now()

    def _passed(self) -> float:
        return (self._clock.now() - self._began).total_seconds()

    def _draw(self, code: str, kind: str = "") -> Fault | None:
        """The fault of this code that strikes now, if one does."""
        passed = self._passed()
        for fault in self._faults:
            if fault.code != code or (kind and fault.kind != kind):
                continue
            drawn = self.stream(f"{code} {fault.kind}").random()
            if fault.covers(passed) and drawn < fault.rate:
                self._struck(code, fault.kind)
                return fault
        return None

    # --- webhooks -------------------------------------------------------------------

    def is_down(self, windows: tuple[Window, ...], now: datetime) -> bool:
        """The courier asks about blackouts, the token endpoint about its own."""
        return False

    def token_down(self) -> bool:
        return self._draw("F15", "no token") is not None

    def happens(self, label: str, chance: float) -> bool:
        return False

    def arrivals(self) -> list[timedelta]:
        if self._draw("F6") or self._draw("F1"):
            return []
        copies = 1
        if self._draw("F3"):
            copies = self.stream("copies").randint(2, 4)
        return [self._delay_of_one() for _ in range(copies)]

    def _delay_of_one(self) -> timedelta:
        seconds = self.stream("delay").expovariate(5.0)
        slow = self._draw("F2", "slow")
        if slow is not None:
            seconds += slow.amount * self.stream("slow delay").expovariate(1.0)
        late = self._draw("F2", "late")
        if late is not None:
            seconds += late.amount
        order = self._draw("F4")
        if order is not None:
            seconds += order.amount * self.stream("order by").random()
        return timedelta(seconds=seconds)

    # --- calls ----------------------------------------------------------------------

    def trouble(self, call: str, now: datetime) -> Trouble | None:
        if call.endswith("/oauth/token"):
            return Trouble.UNAVAILABLE if self.token_down() else None
        if (found := self._draw("F7")) is not None:
            if found.kind == "any":
                return self.stream("api kind").choice(ERRORS)
            return Trouble(found.kind)
        if self._draw("F9", "ghost"):
            return Trouble.GHOST
        if self._draw("F9", "unanswered"):
            return Trouble.UNANSWERED
        return None

    def slowness(self, call: str) -> float:
        found = self._draw("F8", "slow")
        usual = self.stream("usual").uniform(0.02, 0.2)
        return found.amount if found is not None else usual

    def connection_lost(self) -> str:
        """ "refused" before, "reset" in the middle of a call; "" mostly."""
        for kind in ("refused", "reset"):
            if self._draw("F8", kind):
                return kind
        return ""

    def roster_trouble(self) -> RosterTrouble | None:
        found = self._draw("F10")
        if found is None:
            return None
        if found.kind == "any":
            return self.stream("roster").choice(tuple(RosterTrouble))
        return RosterTrouble(found.kind)
