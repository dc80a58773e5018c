"""A scenario: plain data that says who comes, what happens when, and what breaks.

It is drawn from a seed, written as JSON, made smaller by the shrinker and played by
`app.simulate.play`. Times are seconds from its beginning, in true time.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

WHOLE_DAY = datetime(2026, 11, 17, 18, 57, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`who` does or presses `do`; the verbs are those of `app.simulate.verbs`."""

    at: float
    do: str
    who: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> str:
        more = " ".join(f"{key}={value}" for key, value in self.args.items())
        return f"{self.who or 'the room'}: {self.do} {more}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is broken from `at` on, for `lasts` seconds.

    `code` is the fault's number in docs/simulation.md, `kind` its form, `rate` the chance
    with which it strikes each call, webhook or commit, `amount` its size (seconds).
    """

    code: str
    kind: str
    at: float = 0.0
    lasts: float = 0.0
    rate: float = 1.0
    amount: float = 0.0

    @property
    def until(self) -> float:
        return self.at + self.lasts

    def covers(self, passed: float) -> bool:
        return self.at <= passed < self.until

    def told(self) -> str:
        size = f" {self.amount:g} s" if self.amount else ""
        often = f" {self.rate:.0%}" if self.rate < 1 else ""
        return f"{self.code} {self.kind}{size}{often} from {self.at:g} s for {self.lasts:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One evening. `heals_at`: from then on nothing is broken; `ends_at`: judged.

    `layer` takes a layer of the guard away on purpose (docs/simulation.md, mutants):
    "webhooks only" is an account without a live roster, "polls only" one whose every
    webhook is lost.
    """

    seed: int
    begins: datetime = WHOLE_DAY
    grace: int = 60
    grace_first_worker: int = 120
    live_roster: bool = True
    remove_enabled: bool = True
    planned: bool = True
    account: Mapping[str, Any] = field(default_factory=dict)
    lead: str = "anna"
    support: tuple[str, ...] = ("sam",)
    clients: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    faults: tuple[Fault, ...] = ()
    heals_at: float = 780.0
    ends_at: float = 900.0

    @property
    def workers(self) -> tuple[str, ...]:
        return (self.lead, *self.support)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "begins": self.begins.isoformat()}

    def text(self) -> str:
        """As a file in tests/regressions holds it: one step, one fault a line."""
        plain = self.plain()
        steps, faults = plain.pop("steps"), plain.pop("faults")
        lines = [f'  "{k}": {json.dumps(v)},' for k, v in plain.items()]
        for name, rows in (("steps", steps), ("faults", faults)):
            lines.append(f'  "{name}": [')
            lines += [f"    {json.dumps(row)}," for row in rows]
            if rows:
                lines[-1] = lines[-1][:-1]
            lines.append("  ]," if name == "steps" else "  ]")
        return "{\n" + "\n".join(lines) + "\n}\n"


def read(plain: Mapping[str, Any]) -> Scenario:
    """From JSON. Raises TypeError and KeyError for what is no scenario."""
    fields = dict(plain)
    return Scenario(
        **{
            **fields,
            "begins": datetime.fromisoformat(fields["begins"]),
            "support": tuple(fields["support"]),
            "clients": tuple(fields["clients"]),
            "steps": tuple(Step(**each) for each in fields["steps"]),
            "faults": tuple(Fault(**each) for each in fields["faults"]),
        }
    )


def without(scenario: Scenario, *codes: str) -> Scenario:
    """The same evening without some faults."""
    kept = tuple(each for each in scenario.faults if each.code not in codes)
    return replace(scenario, faults=kept)
