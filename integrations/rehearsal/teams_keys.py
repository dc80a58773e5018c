"""Keys of the simulated Microsoft: signed tokens, key documents, sealed content.

Three issuers with three key documents, as at Microsoft: one for change notifications,
one for call callbacks, one for chat activities. Tokens are RS256 JWTs (RFC 7519);
content is sealed as Microsoft Graph publishes it ("change notifications with resource
data"): RSA-OAEP (SHA-1) over a fresh 32-byte key, AES-256-CBC with the first 16 bytes
of that key as IV, HMAC-SHA256 over the ciphertext.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from integrations.rehearsal.rooms import Json

NOTIFICATIONS, CALLBACKS, ACTIVITIES = "notifications", "callbacks", "activities"


@cache
def _key(issuer: str, number: int) -> rsa.RSAPrivateKey:
    """Made once a process: a key costs a tenth of a second and guards nothing."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Signer:
    """One issuer. `rotate` makes a new key; the old one leaves the key document."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.number = 0

    @property
    def kid(self) -> str:
        return f"rehearsal-{self.issuer}-{self.number}"

    def rotate(self) -> None:
        self.number += 1

    def sign(self, claims: Json) -> str:
        """A compact JWT signed with today's key."""
        header = {"typ": "JWT", "alg": "RS256", "kid": self.kid}
        text = f"{_part(header)}.{_part(claims)}"
        signature = _key(self.issuer, self.number).sign(
            text.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        return f"{text}.{_url64(signature)}"

    def jwks(self) -> Json:
        """The key document (RFC 7517); the endorsement is the connector's own."""
        numbers = _key(self.issuer, self.number).public_key().public_numbers()
        key: Json = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _url64(numbers.n.to_bytes(256)),
            "e": _url64(numbers.e.to_bytes(3)),
        }
        if self.issuer == ACTIVITIES:
            key["endorsements"] = ["msteams"]
        return {"keys": [key]}


def seal(content: Json, certificate: str, certificate_id: str) -> Json:
    """`encryptedContent` for the holder of `certificate` (base64 of DER).

    Raises `ValueError` for what is no certificate of an RSA key.
    """
    der = base64.b64decode(certificate, validate=True)
    public = x509.load_der_x509_certificate(der).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise ValueError("not a certificate of an RSA key")
    key = os.urandom(32)
    padder = PKCS7(128).padder()
    plain = padder.update(json.dumps(content).encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = cipher.update(plain) + cipher.finalize()
    oaep = padding.OAEP(
        padding.MGF1(hashes.SHA1()),  # noqa: S303 - the published format
        hashes.SHA1(),  # noqa: S303
        None,
    )
    return {
        "data": _64(data),
        "dataSignature": _64(hmac.new(key, data, hashlib.sha256).digest()),
        "dataKey": _64(public.encrypt(key, oaep)),
        "encryptionCertificateId": certificate_id,
        "encryptionCertificateThumbprint": hashlib.sha1(  # noqa: S324 - as published
            der
        )
        .hexdigest()
        .upper(),
    }


def _64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _part(value: Json) -> str:
    return _url64(json.dumps(value, separators=(",", ":")).encode())
