"""Logging: one JSON line per fact worth keeping, ids only, nothing a person typed."""

import logging
import sys
from typing import TextIO, cast

import structlog

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Stderr:
    """Standard error as it is now. A terminal that is gone must not stop the guard."""

    def write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
        except (OSError, ValueError):
            return  # There is nowhere left to say it.

    def flush(self) -> None:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            return


def set_up(level: str) -> None:
    """Send everything to standard error; libraries only when something is wrong."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # They log every address they call, and an address can hold a key.
    for noisy in ("httpx", "httpcore", "aiosmtplib", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )
