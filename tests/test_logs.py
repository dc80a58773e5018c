"""A log that cannot be written must not stop the guard."""

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from app import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_is_json_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.set_up("info")
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)

    structlog.get_logger("chaperone").info("room not readable", meeting="81")

    assert '"event": "room not readable"' in heard.getvalue()
    assert '"meeting": "81"' in heard.getvalue()


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.set_up("info")
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stderr", gone)

    structlog.get_logger("chaperone").error("nobody hears this")


def test_what_is_below_the_level_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs.set_up("error")
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)

    structlog.get_logger("chaperone").warning("too quiet")

    assert heard.getvalue() == ""
