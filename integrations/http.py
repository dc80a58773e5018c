"""The one place that imports httpx, so that moving to its successor is one line.

See docs/decisions/0003-httpx-in-one-module.md.
"""

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
