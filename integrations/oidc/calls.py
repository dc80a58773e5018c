"""The calls msal makes, through our one HTTP client: one deadline, no redirects, no proxy.

msal speaks to its HTTP client in a thread of its own; each call is handed to the event
loop. Left to itself msal would take `requests`, which lets environment variables change
which certificates are believed (https://github.com/psf/requests/issues/3829).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import anyio.from_thread

from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import AsyncClient, HTTPError, InvalidURL, Response
from integrations.oidc.settings import OidcSettings

DISCOVERY = "/.well-known/openid-configuration"
# msal refuses an authority without a path (msal.authority.canonicalize); the issuers of
# Google, Auth0 and others have none. It is given this one, and asks without it.
NO_PATH = "/-"
MOST_BYTES = 512 * 1024


class Calls:
    """One sign-in's calls to the provider; each document is read once.

    Opened on the event loop (``async with``); :meth:`get` and :meth:`post` are for msal's
    thread and raise what :meth:`call` raises.
    """

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._client = AsyncClient(
            verify=settings.tls or True,
            trust_env=False,
            follow_redirects=False,
            timeout=settings.deadline.total_seconds(),
        )
        self._read: dict[str, Response] = {}

    async def __aenter__(self) -> "Calls":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    # --- for msal (its documented http_client protocol) -----------------------------

    def get(self, url: str, **more: Any) -> Response:
        """GET from msal's thread."""
        return anyio.from_thread.run(
            self.read, url.replace(f"{NO_PATH}{DISCOVERY}", DISCOVERY)
        )

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """POST from msal's thread."""
        return anyio.from_thread.run(self._send, url, params, data, headers)

    def close(self) -> None:
        """msal closes its client; ours is closed by whoever opened it."""

    # --- on the event loop ----------------------------------------------------------

    async def read(self, url: str) -> Response:
        """GET a document, once. Raises TemporaryFailure, PermanentFailure."""
        if url not in self._read:
            self._read[url] = await self.call("GET", url)
        return self._read[url]

    async def _send(
        self,
        url: str,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Response:
        return await self.call(
            "POST", url, params=params or None, data=data, headers=headers
        )

    async def call(self, method: str, url: str, **more: Any) -> Response:
        """One call within its deadline. Raises TemporaryFailure, PermanentFailure."""
        if not url.startswith("https://"):
            raise PermanentFailure(
                "The sign-in provider names an address without https.",
                "Check CHAPERONE_OIDC_ISSUER with whoever runs the provider.",
            )
        try:
            async with asyncio.timeout(self._settings.deadline.total_seconds()):
                answer = await self._client.request(method, url, **more)
        except (HTTPError, InvalidURL, OSError, TimeoutError) as failure:
            raise _failure(failure) from failure
        if answer.status_code >= 500 or answer.status_code == 429:
            raise TemporaryFailure(
                f"The sign-in provider answered {answer.status_code}.", None
            )
        if len(answer.content) > MOST_BYTES:
            raise PermanentFailure("The sign-in provider's answer is too long.")
        return answer


def _failure(failure: Exception) -> TemporaryFailure | PermanentFailure:
    cause: BaseException | None = failure
    while cause is not None:
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return PermanentFailure(
                "The sign-in provider's certificate is not good.",
                "Ask whoever runs the provider for a valid certificate for its name.",
            )
        cause = cause.__cause__ or cause.__context__
    return TemporaryFailure("The sign-in provider did not answer.", None)
