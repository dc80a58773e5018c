"""What every test has: the time stands still, and nothing leaves this machine."""

import socket
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import settings

from app.clock import ManualClock

# Ten minutes before Anna's group, a Tuesday in winter time.
BEFORE_THE_SESSION = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)

# Times belong to the bench, not to properties: two busy cores must not fail a test.
settings.register_profile("here", deadline=None)
settings.load_profile("here")

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEFORE_THE_SESSION)


def _refuse_elsewhere(family: int, address: Any) -> None:
    if family == socket.AF_UNIX or address[0] in _HERE:
        return
    raise RuntimeError(f"A test tried to reach {address!r}; tests stay on 127.0.0.1.")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections off this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_elsewhere(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_elsewhere(self.family, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> None:
    """A service that an earlier test set up leaves its log level behind."""
    structlog.reset_defaults()
