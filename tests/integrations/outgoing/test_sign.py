"""Standard Webhooks signatures, made and verified; the first vector is the standard's."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.outgoing.sign import (
    BadSecret,
    BadSignature,
    key_of,
    secret_of,
    sign,
    verify,
)

# The vector printed in the standard's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SENT_AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = secret_of(b"another key of thirty two bytes!")


def refused(
    headers: dict[str, str],
    *,
    body: bytes = BODY,
    now: datetime = SENT_AT,
    secrets: tuple[str, ...] = (SECRET,),
) -> str:
    with pytest.raises(BadSignature) as bad:
        verify(secrets, headers, body, now)
    return str(bad.value)


def test_the_standards_own_vector_both_ways() -> None:
    assert sign([SECRET], ID, SENT_AT, BODY) == HEADERS
    assert verify([SECRET], HEADERS, BODY, SENT_AT) == ID


def test_the_prefix_is_optional() -> None:
    bare = SECRET.removeprefix("whsec_")
    assert sign([bare], ID, SENT_AT, BODY) == HEADERS
    assert verify([bare], HEADERS, BODY, SENT_AT) == ID
    assert key_of(f" {SECRET}\n") == key_of(bare)


def test_the_signature_is_plain_hmac_over_id_time_and_body() -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{ID}.1614265330.".encode() + BODY
    digest = hmac.digest(key, signed, hashlib.sha256)
    assert HEADERS["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_header_names_are_read_in_any_case() -> None:
    shouted = {name.upper(): value for name, value in HEADERS.items()}
    assert verify([SECRET], shouted, BODY, SENT_AT) == ID


def test_during_a_rotation_either_secret_will_do() -> None:
    headers = sign([OTHER, SECRET], ID, SENT_AT, BODY)
    assert headers["webhook-signature"].split(" ")[1] == HEADERS["webhook-signature"]
    assert verify([OTHER], headers, BODY, SENT_AT) == ID
    assert verify([SECRET], headers, BODY, SENT_AT) == ID
    assert verify([OTHER, SECRET], HEADERS, BODY, SENT_AT) == ID


def test_one_good_signature_among_strange_ones_is_enough() -> None:
    good = HEADERS["webhook-signature"]
    mixed = f"v1,bm90IGl0 v1a,{good[3:]} v2,x , v1 {good} v1,ünïcode"
    assert verify([SECRET], HEADERS | {"webhook-signature": mixed}, BODY, SENT_AT) == ID


@pytest.mark.parametrize("part", sorted(HEADERS))
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_or_empty_part_is_named(part: str, empty: bool) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != part}
    if empty:
        headers[part] = ""
    assert refused(headers) == f"The header {part} is missing."


@pytest.mark.parametrize(
    "timestamp", ["hello", "1614265330.0", "-1", " 1614265330", "1e9", "१६१४", "9" * 12]
)
def test_a_timestamp_must_be_whole_seconds(timestamp: str) -> None:
    said = refused(HEADERS | {"webhook-timestamp": timestamp})
    assert said == "The timestamp is not a whole number of seconds."


@pytest.mark.parametrize(
    "signature",
    [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,",
        "v1",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        "v1,\ud800",
    ],
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert refused(HEADERS | {"webhook-signature": signature}) == "No signature fits."


def test_any_change_of_body_id_time_or_secret_is_refused() -> None:
    assert refused(HEADERS, body=BODY + b" ") == "No signature fits."
    assert refused(HEADERS, secrets=(OTHER,)) == "No signature fits."
    assert refused(HEADERS | {"webhook-id": "msg_other"}) == "No signature fits."
    later = HEADERS | {"webhook-timestamp": "1614265331"}
    assert refused(later) == "No signature fits."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (299, None),
        (300, None),
        (301, "The timestamp is too old."),
        (-299, None),
        (-300, None),
        (-301, "The timestamp is too far ahead."),
    ],
)
def test_five_minutes_either_way(seconds: int, said: str | None) -> None:
    now = SENT_AT + timedelta(seconds=seconds)
    if said is None:
        assert verify([SECRET], HEADERS, BODY, now) == ID
    else:
        assert refused(HEADERS, now=now) == said


@pytest.mark.parametrize("secret", ["", "whsec_", "  "])
def test_an_empty_secret_neither_signs_nor_verifies(secret: str) -> None:
    with pytest.raises(BadSecret, match="is empty"):
        sign([secret], ID, SENT_AT, BODY)
    with pytest.raises(BadSecret, match="is empty"):
        verify([SECRET, secret], HEADERS, BODY, SENT_AT)


def test_no_secret_at_all_neither_signs_nor_verifies() -> None:
    with pytest.raises(BadSecret, match="no secret"):
        sign([], ID, SENT_AT, BODY)
    with pytest.raises(BadSecret, match="no secret"):
        verify([], HEADERS, BODY, SENT_AT)


def test_a_secret_that_is_not_base64_is_refused_without_being_shown() -> None:
    with pytest.raises(BadSecret) as bad:
        key_of("whsec_hunter2!hunter2!hunter2!hunter2!")
    assert str(bad.value) == "The secret of the outgoing webhook is not base64."
    with pytest.raises(BadSecret):
        key_of("whsec_geheimnüs")


@pytest.mark.parametrize(
    ("size", "good"), [(23, False), (24, True), (25, True), (64, True), (65, False)]
)
def test_a_secret_holds_24_to_64_bytes(size: int, good: bool) -> None:
    if good:
        assert key_of(secret_of(b"k" * size)) == b"k" * size
    else:
        with pytest.raises(BadSecret, match=f"holds {size} bytes"):
            secret_of(b"k" * size)


@pytest.mark.parametrize("bad_id", ["", "a.b", "a b", "a\r\nX: y", "ä", "x" * 256])
def test_an_id_must_be_safe_in_a_header_and_hold_no_dot(bad_id: str) -> None:
    with pytest.raises(ValueError, match="without a dot"):
        sign([SECRET], bad_id, SENT_AT, BODY)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        sign([SECRET], ID, SENT_AT.replace(tzinfo=None), BODY)


@given(st.binary(max_size=200), st.binary(min_size=24, max_size=64))
def test_what_is_signed_verifies(body: bytes, key: bytes) -> None:
    secret = secret_of(key)
    headers = sign([secret], ID, SENT_AT, body)
    assert verify([secret], headers, body, SENT_AT) == ID
