"""Many evenings in several processes: each plays its shares on a ground of its own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from types import TracebackType

from app import logs
from app.clock import SystemClock
from app.simulate.many import Run, Simulator

SHARE = 10
"""Seeds handed over at once: few enough that all processes end together."""


def play_together(
    seeds: Sequence[int],
    jobs: int,
    on_each: Callable[[Run], None] = lambda _run: None,
    *,
    stop_at: int = 3,
) -> Run:
    """Play every seed with so many processes; stops soon after so many broken evenings.

    The same evenings break whatever `jobs` is; but where it stops early, others may have
    been played as well.
    """
    if jobs < 2:
        return Simulator().run(seeds, on_each, stop_at=stop_at)
    with Crew(jobs) as crew:
        return crew.begin(seeds, stop_at=stop_at).wait(on_each)


class Crew:
    """Processes that play."""

    def __init__(self, jobs: int) -> None:
        # A new interpreter for each: a fork would take locks and threads of this one along.
        self._pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _problem: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        # Nothing more is begun; what is being played ends.
        self._pool.shutdown(cancel_futures=True)

    def begin(
        self, seeds: Sequence[int], *, stop_at: int = 3, share: int = SHARE
    ) -> "Playing":
        """Have these played, so many at a time; comes back at once."""
        shares = [seeds[at : at + share] for at in range(0, len(seeds), share)]
        asked = {self._pool.submit(_play, share, stop_at) for share in shares}
        return Playing(asked, stop_at)


class Playing:
    """Evenings that are being played somewhere else."""

    def __init__(self, asked: set[Future[Run]], stop_at: int) -> None:
        self._asked = asked
        self._stop_at = stop_at
        self._clock = SystemClock()
        self._began = self._clock.monotonic()

    def wait(self, on_each: Callable[[Run], None] = lambda _run: None) -> Run:
        """All of them together, the broken ones in the order of their seeds."""
        run = Run()
        for done in self._as_they_end():
            run.add(done)
            run.seconds = self._clock.monotonic() - self._began
            on_each(run)
            if len(run.broken) >= self._stop_at:
                break
        for one in self._asked:
            one.cancel()
        run.broken.sort(key=lambda told: told.scenario.seed)
        return run

    def _as_they_end(self) -> Iterator[Run]:
        left = self._asked
        while left:
            ended, left = wait(left, return_when=FIRST_COMPLETED)
            for one in ended:
                yield one.result()


def _begin() -> None:
    """Make the ground once for all shares of this process."""
    logs.set_up("error")
    Simulator()


def _play(share: Sequence[int], stop_at: int) -> Run:
    return Simulator().run(share, stop_at=stop_at)
