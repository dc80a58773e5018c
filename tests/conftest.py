"""What every test has: the time stands still, and nothing leaves this machine."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.clock import ManualClock

# Ten minutes before Anna's group, a Tuesday in winter time.
BEFORE_THE_SESSION = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEFORE_THE_SESSION)


class _GuardedSocket(socket.socket):
    """Connects to this machine only: by loopback, or by a file."""

    def connect(self, address: Any, /) -> None:
        _refuse_elsewhere(self.family, address)
        super().connect(address)

    def connect_ex(self, address: Any, /) -> int:
        _refuse_elsewhere(self.family, address)
        return super().connect_ex(address)


def _refuse_elsewhere(family: int, address: Any) -> None:
    if family == socket.AF_UNIX or address[0] in _HERE:
        return
    raise RuntimeError(f"A test tried to reach {address!r}; tests stay on 127.0.0.1.")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections off this machine."""
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", _GuardedSocket)
        yield
