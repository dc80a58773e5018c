"""Zoom's webhooks, without I/O: headers and bytes in, a `Delivery` out.

Signature, challenge and delivery: developers.zoom.us/docs/api/webhooks/. Verify the
raw bytes first and parse only then; re-serialised JSON has another signature.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from app.core.events import UnknownReceived, UnreadableReceived
from integrations.base import BadWebhook, Delivery
from integrations.strict_json import RefusedJson, canonical, read_object
from integrations.zoom.story import Story, as_text
from integrations.zoom.translate import TRANSLATE

MAX_BODY = 256 * 1024
MAX_PLAIN_TOKEN = 256
VALIDATION = "endpoint.url_validation"

# A repeat comes up to 85 minutes later, and nobody says whether it is signed anew; a
# wrong 401 loses the event for good (the sender repeats no 4xx).
OLDEST = timedelta(hours=2)
LATE = timedelta(minutes=5)
AHEAD = timedelta(minutes=5)

_READ = (
    b"x-zm-signature",
    b"x-zm-request-timestamp",
    b"content-type",
    b"content-encoding",
)
_TIMESTAMP = re.compile(rb"[0-9]{1,11}")
_CHARSET = re.compile(r'charset="?([^";\s]*)"?')


def verify(
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: datetime,
) -> bool:
    """Check a delivery; returns True when it is late (5 minutes to 2 hours old).

    `secrets` are all the secret tokens believed now: two while one replaces the other.
    Raises BadWebhook: 413, then 401 for the signature, then 415 and 400 for the rest.
    """
    return verify_by(headers, body, secrets=secrets, now=now)[0]


def verify_by(
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: datetime,
) -> tuple[bool, str]:
    """As `verify`; also says which of the secrets signed."""
    if not secrets or not all(secrets):
        raise ValueError("an empty secret would let anybody sign")
    if len(body) > MAX_BODY:
        raise BadWebhook(413, "too_large")
    found = _collect(headers)
    signature, stamp = found[b"x-zm-signature"], found[b"x-zm-request-timestamp"]
    text = stamp[0] if len(stamp) == 1 else b""
    # Every secret is tried, and even when a header is missing, so that the time taken
    # tells nothing (W02).
    given = signature[0] if len(signature) == 1 else b""
    signer = ""
    for secret in secrets:
        if hmac.compare_digest(given, _signature(secret, text, body)):
            signer = secret
    if not signature:
        raise BadWebhook(401, "sig_missing")
    if not signer:
        raise BadWebhook(401, "sig_wrong")
    late = _check_age(text, now)
    _check_kind(found, body)
    return late, signer


def _collect(
    headers: Sequence[tuple[bytes, bytes]],
) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {name: [] for name in _READ}
    for name, value in headers:
        if (low := name.lower()) in found:
            found[low].append(value)
    return found


def _signature(secret: str, stamp: bytes, body: bytes) -> bytes:
    signed = _signing(secret).copy()
    signed.update(stamp + b":" + body)
    return b"v0=" + signed.hexdigest().encode()


@lru_cache(16)
def _signing(secret: str) -> hmac.HMAC:
    """Signing as far as it is the same for every body.

    Unlike ``hmac.digest`` a copy keeps the interpreter lock for a body of less than 2 kB;
    who gives it away at each webhook waits for the store's thread each time
    (`chaperone bench --only intake`).
    """
    return hmac.new(secret.encode(), b"v0:", "sha256")


def _check_age(text: bytes, now: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(text):
        raise BadWebhook(401, "time_form")
    age = now.timestamp() - int(text)
    if age > OLDEST.total_seconds():
        raise BadWebhook(401, "too_old")
    if -age > AHEAD.total_seconds():
        raise BadWebhook(401, "too_new")
    return age > LATE.total_seconds()


def _check_kind(found: Mapping[bytes, list[bytes]], body: bytes) -> None:
    for coding in found[b"content-encoding"]:
        if coding.strip().lower() != b"identity":
            raise BadWebhook(415, "encoded")
    kinds = found[b"content-type"]
    if len(kinds) != 1 or not _is_json(kinds[0]):
        raise BadWebhook(415, "content_type")
    if not body:
        raise BadWebhook(400, "empty")


@lru_cache(16)
def _is_json(kind: bytes) -> bool:
    media, _, rest = kind.decode("latin-1").lower().partition(";")
    charset = _CHARSET.search(rest)
    plain = charset is None or charset[1] == "utf-8"
    return plain and media.strip() == "application/json"


def parse(
    body: bytes, now: datetime, *, secret: str, account_id: str, late: bool = False
) -> Delivery:
    """Understand a verified body. `secret` answers the URL validation.

    Only what Zoom cannot have sent is refused (BadWebhook 400). What it may have sent
    and we cannot read is kept, told and answered with a look at the room: Zoom never
    repeats a 4xx, so a wrong 400 would lose a safety fact.
    """
    try:
        whole, proper = read_object(body)
    except RefusedJson as refused:
        raise BadWebhook(400, refused.reason) from refused
    name = whole.get("event")
    name = name[:200] if isinstance(name, str) else ""
    payload = whole.get("payload")
    fields: dict[str, Any] = payload if isinstance(payload, dict) else {}
    key = _dedupe_key(whole)
    if name == VALIDATION:
        return _validation(fields, secret, key)
    account = as_text(fields.get("account_id"))
    if account and account_id and account != account_id:
        return Delivery(
            dedupe_key=key, event_type=name, quarantine="other_account", late=late
        )
    return _understand(Story(name, whole, fields, now), key, proper=proper, late=late)


def _dedupe_key(whole: Mapping[str, Any]) -> str:
    said = {
        "event": whole.get("event"),
        "event_ts": whole.get("event_ts"),
        "payload": whole.get("payload"),
    }
    return hashlib.sha256(canonical(said)).hexdigest()


def _validation(fields: Mapping[str, Any], secret: str, key: str) -> Delivery:
    plain = fields.get("plainToken")
    if not isinstance(plain, str) or not 0 < len(plain) <= MAX_PLAIN_TOKEN:
        raise BadWebhook(400, "plain_token")
    proof = hmac.digest(secret.encode(), plain.encode(), "sha256").hex()
    return Delivery(
        dedupe_key=key,
        event_type=VALIDATION,
        answer={"plainToken": plain, "encryptedToken": proof},
    )


def _understand(story: Story, key: str, *, proper: bool, late: bool) -> Delivery:
    translate = TRANSLATE.get(story.name)
    unknown = translate is None and bool(story.name)
    events = translate(story) if translate is not None else ()
    if unknown:
        events = (
            UnknownReceived(
                meeting=story.meeting,
                at=story.sent_at or story.now,
                heard_at=story.now,
                event_type=story.name,
            ),
        )
    unreadable = not unknown and (story.doubts or not events or not proper)
    if unreadable:
        events = (
            *events,
            UnreadableReceived(
                meeting=story.meeting,
                at=story.sent_at or story.now,
                heard_at=story.now,
                event_type=story.name,
            ),
        )
    return Delivery(
        dedupe_key=key,
        event_type=story.name,
        meeting=story.meeting if story.meeting.meeting_id else None,
        events=events,
        late=late,
        look=unreadable or story.look,
        unknown=unknown,
        unreadable=unreadable,
        sent_at=story.sent_at,
    )
