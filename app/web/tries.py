"""How many wrong tries an address has had in the last minute (K03)."""

from collections import OrderedDict, deque

from app.clock import Clock

PER_MINUTE = 20
_MINUTE = 60.0
_MOST_ADDRESSES = 10_000


class Tries:
    """Counts wrong tries per address; forgets the oldest addresses beyond 10 000."""

    def __init__(self, clock: Clock, per_minute: int = PER_MINUTE) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wrong(self, address: str) -> float:
        """Note a wrong try; returns the seconds to wait, 0 while tries are left."""
        now = self._clock.monotonic()
        times = self._wrong.setdefault(address, deque(maxlen=self._per_minute + 1))
        self._wrong.move_to_end(address)
        self._forget(times, now)
        times.append(now)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)
        if len(times) <= self._per_minute:
            return 0.0
        return _MINUTE - (now - times[0])

    def wait(self, address: str) -> float:
        """The seconds until this address may try again, 0 while tries are left."""
        times, now = self._wrong.get(address, deque()), self._clock.monotonic()
        self._forget(times, now)
        return 0.0 if len(times) < self._per_minute else _MINUTE - (now - times[0])

    @staticmethod
    def _forget(times: deque[float], now: float) -> None:
        while times and now - times[0] >= _MINUTE:
            times.popleft()
