"""An ID token proves somebody only when every check holds; msal makes none of them."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from integrations.oidc.settings import OidcSettings
from integrations.oidc.token import (
    SKEW,
    BadToken,
    Identity,
    identity_of,
    read_token,
)

NOW = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SETTINGS = OidcSettings(
    issuer="https://login.riverside.example/",
    client_id="chaperone",
    client_secret="a secret that is long enough for HS256",
)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def described(key: Any, name: str) -> dict[str, Any]:
    kind = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig"}


KEYS = {"keys": [described(RSA, "one"), described(CURVE, "two")]}


def claims(**changed: Any) -> dict[str, Any]:
    usual = {
        "iss": SETTINGS.issuer,
        "sub": "anna-7",
        "aud": "chaperone",
        "iat": NOW.timestamp(),
        "exp": (NOW + timedelta(minutes=5)).timestamp(),
        "nonce": "n",
    }
    return {k: v for k, v in {**usual, **changed}.items() if v is not None}


def token(key: Any = RSA, alg: str = "RS256", kid: str = "one", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, alg, headers={"kid": kid})


def fault(text: str, now: datetime = NOW) -> str:
    try:
        read_token(text, KEYS, SETTINGS, "n", now)
    except BadToken as bad:
        return str(bad)
    return ""


@pytest.mark.parametrize(
    ("key", "alg", "kid"),
    [(RSA, "RS256", "one"), (RSA, "PS512", "one"), (CURVE, "ES256", "two")],
)
def test_a_good_token_is_read(key: Any, alg: str, kid: str) -> None:
    assert read_token(token(key, alg, kid), KEYS, SETTINGS, "n", NOW) == claims()


def written(alg: str, sign: Callable[[bytes], bytes]) -> str:
    """A token by hand: the library does not write these."""
    parts = [json.dumps(p).encode() for p in ({"alg": alg, "kid": "one"}, claims())]
    said = b".".join(base64.urlsafe_b64encode(p).rstrip(b"=") for p in parts)
    return (said + b"." + base64.urlsafe_b64encode(sign(said)).rstrip(b"=")).decode()


def unsigned() -> str:
    return written("none", lambda _: b"")


def by_the_public_key() -> str:
    """The old confusion: the public key as if it were a shared secret (RFC 8725 §2.1)."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written("HS256", lambda said: hmac.digest(pem, said, "sha256"))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (unsigned, "algorithm"),
        (by_the_public_key, "algorithm"),
        (lambda: token(SETTINGS.client_secret, "HS256"), "algorithm"),
        (lambda: token(OTHER), "signature"),
        (lambda: token(RSA, kid="two"), "signature"),
        (lambda: token(RSA, kid="three"), "key"),
        (lambda: jwt.encode(claims(), RSA, "RS256"), "key"),
        (lambda: token()[:-4] + "AAAA", "signature"),
        (lambda: "a.b.c", "signature"),
        (lambda: "", "signature"),
    ],
)
def test_only_the_providers_own_signature_counts(
    make: Callable[[], str], why: str
) -> None:
    assert fault(make()) == why


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://login.riverside.example"}, "issuer"),
        ({"iss": "https://evil.example/"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["chaperone", "another"]}, "azp"),
        ({"aud": ["chaperone", "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"aud": ["chaperone", "another"], "azp": "chaperone"}, ""),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": None}, "signature"),
        ({"exp": None}, "signature"),
        ({"iat": None}, "signature"),
        ({"exp": "never"}, "exp"),
        ({"nbf": (NOW + timedelta(minutes=3)).timestamp()}, "iat"),
    ],
)
def test_each_claim_must_be_ours(changed: dict[str, Any], why: str) -> None:
    assert fault(token(**changed)) == why


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (-SKEW - SECOND, "iat"),
        (-SKEW, ""),
        (timedelta(minutes=5) + SKEW - SECOND, ""),
        (timedelta(minutes=5) + SKEW, "exp"),
    ],
)
def test_it_counts_while_it_lasts(after: timedelta, why: str) -> None:
    assert fault(token(), NOW + after) == why


# --- who it is ----------------------------------------------------------------------

TENANT = "11111111-2222-3333-4444-555555555555"
ENTRA = replace(SETTINGS, issuer=f"https://login.microsoftonline.com/{TENANT}/v2.0")


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ({"email": "a@b.example", "email_verified": True}, "a@b.example"),
        ({"email": "a@b.example", "email_verified": "true"}, "a@b.example"),
        ({"email": "a@b.example", "email_verified": False}, ""),
        ({"email": "a@b.example"}, ""),
        ({"email_verified": True}, ""),
    ],
)
def test_an_address_counts_when_the_provider_vouches_for_it(
    said: dict[str, Any], email: str
) -> None:
    assert identity_of(claims(**said), SETTINGS) == Identity(
        issuer=SETTINGS.issuer, subject="anna-7", verified_email=email
    )


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ({"email": "a@b.example", "email_verified": True}, ""),
        ({"email": "a@b.example", "xms_edov": True}, "a@b.example"),
        ({"email": "a@b.example", "xms_edov": "1"}, "a@b.example"),
        ({"email": "a@b.example", "xms_edov": False}, ""),
    ],
)
def test_at_entra_a_person_is_tenant_and_object(
    said: dict[str, Any], email: str
) -> None:
    """S17: anybody may write any address into a tenant of their own."""
    anna = identity_of(claims(tid=TENANT, oid="o-1", **said), ENTRA)

    assert anna == Identity(issuer=ENTRA.issuer, subject="o-1", verified_email=email)


@pytest.mark.parametrize(
    "said", [{"tid": "another", "oid": "o-1"}, {"oid": "o-1"}, {"tid": TENANT}]
)
def test_another_tenants_person_is_nobody(said: dict[str, Any]) -> None:
    with pytest.raises(BadToken, match="tenant"):
        identity_of(claims(**said), ENTRA)
