"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer.

No sockets, no threads, no signals: only callbacks, timers and tasks. Two runs with the
same work do the same in the same order, and fifteen minutes pass in a fraction of a second.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Args = TypeVarTuple("Args")

MOST_TURNS = 2_000_000
"""A run that turns more often than this does not come to rest: somebody spins."""

Tasks = dict["asyncio.Task[Any]", None]
OWNER: ContextVar[Tasks | None] = ContextVar("OWNER", default=None)
"""Where tasks started from here are kept, so that they can all be killed at once."""


class Stuck(RuntimeError):
    """Nothing is ready and no timer runs, or the work never comes to rest."""


class _Jump:
    """Stands where a real loop has its selector: lets time pass instead of waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = 0

    def select(self, timeout: float | None) -> list[Any]:
        self.turns += 1
        if self.turns > MOST_TURNS:
            raise Stuck("The simulated service does not come to rest.")
        if timeout is None:
            raise Stuck("Everybody waits, and no timer runs.")
        if timeout > 0:
            self.now += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """`time()` is seconds since the loop was made. Raises Stuck instead of hanging."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jump()
        self._clock_resolution = 1e-9
        self.set_task_factory(_owned)

    def time(self) -> float:
        return self._selector.now

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector; called by call_soon_threadsafe."""

    def run_in_executor(
        self, executor: Any, func: Callable[[*Args], T], *args: *Args
    ) -> "asyncio.Future[T]":
        """There is one thread: it is done at once."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as problem:  # noqa: BLE001 - handed to whoever waits
            done.set_exception(problem)
        return done

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """There is one thread."""
        return self.call_soon(callback, *args, context=context)


def _owned(
    loop: asyncio.AbstractEventLoop, work: Any, **more: Any
) -> "asyncio.Task[Any]":
    """Make a task, and note whose it is."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
    owner = OWNER.get()
    if owner is not None:
        owner[task] = None
        task.add_done_callback(owner.pop)
    return task


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time, and leave nothing behind."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        _cancel_all(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
