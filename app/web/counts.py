"""How often what was answered, for /metrics. Never a name, an address or an id."""

from collections import Counter


class Counts:
    """Counters in memory; they begin anew with the process, as Prometheus expects."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()

    def answered(self, route: str, status: int) -> None:
        """One answer on a route template such as ``/api/v1/people/{person_id}``."""
        self.answers[route, status] += 1

    def refuse(self, where: str, why: str) -> None:
        """Something was turned away: ``zoom`` / ``sig_wrong``, ``api`` / ``token``."""
        self.refused[where, why] += 1
