"""What an evening is judged by: one violation, and the figures of all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.simulate.play import Outcome


@dataclass(frozen=True, slots=True)
class Violation:
    """`clause` is the invariant's number, `said` a sentence with the World's fact."""

    clause: str
    said: str


@dataclass(slots=True)
class Figures:
    """Measured over many evenings. `worst`: condition -> (seconds beyond grace, seed)."""

    worst: dict[str, tuple[float, int]] = field(default_factory=dict)
    gaps: int = 0

    def measure(self, why: str, beyond: float, seed: int) -> None:
        self.gaps += 1
        if beyond > self.worst.get(why, (float("-inf"), 0))[0]:
            self.worst[why] = (beyond, seed)

    def add(self, other: "Figures") -> None:
        self.gaps += other.gaps
        for why, (beyond, seed) in other.worst.items():
            if beyond > self.worst.get(why, (float("-inf"), 0))[0]:
                self.worst[why] = (beyond, seed)


Check = Callable[[Outcome, Figures], list[str]]
