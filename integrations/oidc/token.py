"""Check an ID token. msal only decodes it and leaves every check to the application.

Sources: OpenID Connect Core 1.0 §3.1.3.7, RFC 8725 (allow-listed algorithms).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt

from integrations.oidc.settings import OidcSettings

# Signed by the provider's key alone: never `none`, never by the shared secret.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA",
)  # fmt: skip
SKEW = timedelta(minutes=2)


class BadToken(Exception):
    """The token proves nobody; the message names the check that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider signed in: (``issuer``, ``subject``) and nothing else (S17).

    ``verified_email``: an address the provider says is theirs, "" when it does not.
    """

    issuer: str
    subject: str
    verified_email: str = ""


def read_token(
    text: str,
    keys: Mapping[str, Any],
    settings: OidcSettings,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims, after signature, issuer, audience, times and nonce. Raises BadToken.

    ``keys``: the provider's key set (RFC 7517). ``nonce``: what the request carried.
    """
    claims = _signed(text, keys, settings)
    _in_time(claims, now)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise BadToken("nonce")
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise BadToken("azp")
    if claims.get("azp", settings.client_id) != settings.client_id:
        raise BadToken("azp")
    return claims


def _signed(
    text: str, keys: Mapping[str, Any], settings: OidcSettings
) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            _key(text, keys),
            algorithms=list(ALGORITHMS),
            audience=settings.client_id,
            issuer=settings.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                # Times are compared with our own clock, below.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidIssuerError as wrong:
        raise BadToken("issuer") from wrong
    except jwt.InvalidAudienceError as wrong:
        raise BadToken("audience") from wrong
    except (jwt.PyJWTError, TypeError, ValueError) as wrong:
        raise BadToken("signature") from wrong
    return claims


def _key(text: str, keys: Mapping[str, Any]) -> Any:
    head = jwt.get_unverified_header(text)
    if head.get("alg") not in ALGORITHMS:
        raise BadToken("algorithm")
    known = jwt.PyJWKSet.from_dict(dict(keys)).keys
    named = [one for one in known if one.key_id == head.get("kid")]
    if "kid" not in head and len(known) == 1:
        named = known
    if len(named) != 1:
        raise BadToken("key")
    return named[0].key


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    at, skew = now.timestamp(), SKEW / timedelta(seconds=1)
    for name in ("exp", "iat", "nbf"):
        if name in claims and not isinstance(claims[name], (int, float)):
            raise BadToken(name)
    if at >= claims["exp"] + skew:
        raise BadToken("exp")
    if at < claims["iat"] - skew or at < claims.get("nbf", at) - skew:
        raise BadToken("iat")


def identity_of(claims: Mapping[str, Any], settings: OidcSettings) -> Identity:
    """Whom checked claims name. Raises BadToken for another tenant's."""
    email, subject = str(claims.get("email", "")), str(claims["sub"])
    verified = claims.get("email_verified") in (True, "true")
    if settings.entra:
        tenant = urlsplit(settings.issuer).path.split("/")[1]
        if claims.get("tid") != tenant or not claims.get("oid"):
            raise BadToken("tenant")
        subject = str(claims["oid"])
        # Entra's `email` may be set by anybody in their own tenant; this claim says
        # that its domain was proved (https://learn.microsoft.com/entra/identity-platform/
        # optional-claims-reference).
        verified = claims.get("xms_edov") in (True, 1, "1", "true")
    return Identity(
        issuer=settings.issuer,
        subject=subject,
        verified_email=email if verified else "",
    )
