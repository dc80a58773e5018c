"""The one place that imports httpx, so that moving to its successor is one line.

See docs/decisions/0003-httpx-in-one-module.md.
"""

import importlib.util
import sys

# httpcore asks for this module on every call, several times; where it is not installed,
# each asking searches the whole path again (half a millisecond). None says no at once:
# https://docs.python.org/3/reference/import.html#the-module-cache
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

from httpx import (
    ASGITransport,
    AsyncBaseTransport,
    AsyncByteStream,
    AsyncClient,
    AsyncHTTPTransport,
    BasicAuth,
    ConnectError,
    HTTPError,
    InvalidURL,
    Limits,
    MockTransport,
    Request,
    Response,
    Timeout,
    TimeoutException,
    TransportError,
)

__all__ = [
    "ASGITransport",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncHTTPTransport",
    "BasicAuth",
    "ConnectError",
    "HTTPError",
    "InvalidURL",
    "Limits",
    "MockTransport",
    "Request",
    "Response",
    "Timeout",
    "TimeoutException",
    "TransportError",
]
