"""Signing in at the organisation's provider: the way there, and who came back.

Authorization code flow with PKCE, state and nonce (RFC 9700 §2.1), through msal with its
``oidc_authority``. One code path serves Entra ID and every provider with discovery. What
msal leaves open - issuer, signature, audience, times - is checked here and in
:mod:`integrations.oidc.token`.
"""

import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread

from integrations.base import PermanentFailure
from integrations.oidc.calls import DISCOVERY, NO_PATH, Calls
from integrations.oidc.settings import OidcSettings
from integrations.oidc.token import BadToken, Identity, identity_of, read_token

SCOPES = ["email"]  # msal adds `openid` and `profile`


class SignInRefused(Exception):
    """Nobody is signed in by this. ``why`` is a word for the log, never for the page.

    ``by_person``: they pressed "cancel", or the provider does not let them in.
    """

    def __init__(self, why: str, *, by_person: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.by_person = by_person


class Provider:
    """One provider. Nothing is asked of it before somebody signs in."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self.title = settings.title

    async def begin(self, back_to: str) -> dict[str, Any]:
        """The flow to keep for this browser; ``auth_uri`` is where to send it.

        ``back_to``: our own address, as it is registered there. Raises PlatformFailure.
        """
        async with Calls(self.settings) as calls:
            await self._described(calls)

            def start() -> dict[str, Any]:
                # The answer comes by the address, not by a form: a form from another
                # site would want cookies without SameSite. The code in it is useless
                # without this browser's flow, counts once, and no page or log of ours
                # passes it on (Referrer-Policy; routes are logged by their template).
                warnings.filterwarnings("ignore", message="response_mode=")
                client = self._client(calls)
                flow: dict[str, Any] = client.initiate_auth_code_flow(
                    SCOPES, redirect_uri=back_to
                )
                return flow

            return await anyio.to_thread.run_sync(start)

    async def finish(
        self, flow: Mapping[str, Any], answer: Mapping[str, str], now: datetime
    ) -> Identity:
        """Who came back. Raises SignInRefused, PlatformFailure.

        ``flow``: of this very browser. ``answer``: the query the provider sent it with.
        """
        state = str(flow.get("state", ""))
        if not state or not hmac.compare_digest(
            state.encode(), answer.get("state", "").encode()
        ):
            raise SignInRefused("state")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise SignInRefused("issuer mix-up")  # RFC 9207
        if "error" in answer:
            raise SignInRefused(answer["error"][:60], by_person=True)
        async with Calls(self.settings) as calls:
            known = await self._described(calls)
            got = await self._redeem(calls, flow, answer)
            keys = _object((await calls.read(known["jwks_uri"])).text)
            nonce = hashlib.sha256(str(flow["nonce"]).encode()).hexdigest()
            try:
                claims = read_token(
                    str(got["id_token"]), keys, self.settings, nonce, now
                )
                if not self.settings.entra and "email" not in claims:
                    claims |= await self._more(calls, known, got, claims)
                return identity_of(claims, self.settings)
            except BadToken as bad:
                raise SignInRefused(f"token: {bad}") from bad

    async def _more(
        self,
        calls: Calls,
        known: Mapping[str, str],
        got: Mapping[str, Any],
        claims: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The address, from where a provider may keep it instead (Core 1.0 §5.4)."""
        place, access = known.get("userinfo_endpoint", ""), got.get("access_token", "")
        if not place or not access:
            return {}
        bearer = {"Authorization": f"Bearer {access}"}
        answer = await calls.call("GET", place, headers=bearer)
        told = _object(answer.text) if answer.status_code == 200 else {}
        if told.get("sub") != claims["sub"]:  # Core 1.0 §5.3.2
            return {}
        return {k: told[k] for k in ("email", "email_verified") if k in told}

    async def check(self) -> None:
        """Ask the provider who it is. Raises PlatformFailure with the way to mend it."""
        async with Calls(self.settings) as calls:
            await self._described(calls)

    async def _described(self, calls: Calls) -> dict[str, str]:
        """The discovery document, when it is the issuer's own (Discovery 1.0 §4.3)."""
        issuer = self.settings.issuer
        answer = await calls.read(f"{issuer.rstrip('/')}{DISCOVERY}")
        known = _object(answer.text) if answer.status_code == 200 else {}
        if not known:
            raise PermanentFailure(
                "The sign-in provider has no description at its address.",
                "Check CHAPERONE_OIDC_ISSUER: its path and spelling, letter by letter.",
            )
        if known.get("issuer") != issuer:
            raise PermanentFailure(
                "The sign-in provider calls itself something else.",
                f"Set CHAPERONE_OIDC_ISSUER to {str(known.get('issuer', ''))[:200]} "
                "if that is your provider.",
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not str(known.get(name, "")).startswith("https://"):
                raise PermanentFailure(
                    f"The sign-in provider names no {name} with https.",
                    "Ask whoever runs the provider.",
                )
        return known

    def _client(self, calls: Calls) -> Any:
        import msal  # type: ignore[import-untyped]  # half a second, for who needs it

        issuer = self.settings.issuer.rstrip("/")
        bare = not urlsplit(issuer).path
        return msal.ConfidentialClientApplication(
            self.settings.client_id,
            client_credential=self.settings.client_secret,
            oidc_authority=f"{issuer}{NO_PATH}" if bare else issuer,
            http_client=calls,
            exclude_scopes=["offline_access"],
            instance_discovery=False,
        )

    async def _redeem(
        self, calls: Calls, flow: Mapping[str, Any], answer: Mapping[str, str]
    ) -> dict[str, Any]:
        """The tokens for the code; none outlives this sign-in."""

        def redeem() -> dict[str, Any]:
            client = self._client(calls)
            got: dict[str, Any] = client.acquire_token_by_auth_code_flow(
                dict(flow), dict(answer)
            )
            return got

        try:
            got = await anyio.to_thread.run_sync(redeem)
        except (ValueError, RuntimeError, KeyError, IndexError) as wrong:
            # msal's own words for a wrong state, a wrong nonce or a token it cannot read.
            raise SignInRefused("flow") from wrong
        error = str(got.get("error", ""))
        if error in ("invalid_client", "unauthorized_client"):
            raise PermanentFailure(
                "The sign-in provider does not know this service by its secret.",
                "Make a new client secret there, put it into "
                "CHAPERONE_OIDC_CLIENT_SECRET and restart.",
            )
        if error or "id_token" not in got:
            raise SignInRefused(error[:60] or "no token")
        return got


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
