"""The recorded payloads, and Zoom's way to sign."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "payloads" / "zoom"
SECRET = "sample-secret-token-not-real"
ACCOUNT = "_vuy_0-0m8_uxi34JvfxBw"
HEARD = datetime(2026, 11, 17, 19, 48, 40, tzinfo=UTC)

SINGLE = tuple(
    sorted(
        path.name
        for path in FOLDER.glob("*.json")
        if not path.name.startswith(("rest.", "seq."))
        and path.name not in ("signed_vectors.json", "uuid_encoding.json")
    )
)
SEQUENCES = tuple(sorted(path.name for path in FOLDER.glob("seq.*.json")))
CALLS = tuple(sorted(path.name for path in FOLDER.glob("rest.*.json")))

Headers = list[tuple[bytes, bytes]]


def body(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def load(name: str) -> Any:
    return json.loads(body(name))


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def signature(raw: bytes, stamp: str, secret: str = SECRET) -> str:
    signed = b"v0:" + stamp.encode() + b":" + raw
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed(
    raw: bytes,
    at: datetime = HEARD,
    *,
    secret: str = SECRET,
    stamp: str | None = None,
    content_type: str | None = "application/json; charset=utf-8",
    encoding: str | None = None,
) -> Headers:
    """The headers Zoom sends with `raw`."""
    text = stamp if stamp is not None else str(int(at.timestamp()))
    headers = [
        (b"host", b"chaperone.example"),
        (b"x-zm-request-timestamp", text.encode()),
        (b"x-zm-signature", signature(raw, text, secret).encode()),
    ]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    if encoding is not None:
        headers.append((b"content-encoding", encoding.encode()))
    return headers
