"""Who may tell us things: headers, signature, age and kind of a delivery (W01-W14)."""

import hashlib
from datetime import datetime, timedelta

import pytest

from integrations.base import BadWebhook
from integrations.zoom import webhook
from tests.integrations.zoom.recorded import (
    ACCOUNT,
    HEARD,
    SECRET,
    Headers,
    body,
    load,
    signature,
    signed,
)

LEFT = body("meeting.participant_left.json")
STAMP = str(int(HEARD.timestamp()))


def verify(
    headers: Headers,
    raw: bytes = LEFT,
    now: datetime = HEARD,
    secrets: tuple[str, ...] = (SECRET,),
) -> bool:
    return webhook.verify(headers, raw, secrets=secrets, now=now)


def refusal(
    headers: Headers,
    raw: bytes = LEFT,
    now: datetime = HEARD,
    secrets: tuple[str, ...] = (SECRET,),
) -> tuple[int, str]:
    with pytest.raises(BadWebhook) as refused:
        verify(headers, raw, now, secrets)
    return refused.value.status, refused.value.counter


def with_signature(*values: str) -> Headers:
    others = [pair for pair in signed(LEFT) if pair[0] != b"x-zm-signature"]
    return others + [(b"x-zm-signature", value.encode()) for value in values]


@pytest.mark.parametrize("vector", load("signed_vectors.json")["vectors"])
def test_zooms_own_examples_are_believed(vector: dict[str, object]) -> None:
    raw = body(str(vector["body_file"]))
    assert hashlib.sha256(raw).hexdigest() == vector["body_sha256"]
    given = vector["headers"]
    assert isinstance(given, dict)
    headers = [(name.encode(), value.encode()) for name, value in given.items()]
    sent = int(given["x-zm-request-timestamp"])
    now = HEARD + timedelta(seconds=sent - HEARD.timestamp() + 1)

    assert verify(headers, raw, now) is False
    answer = webhook.parse(raw, now, secret=SECRET, account_id=ACCOUNT).answer
    expected = vector.get("expected_response")
    assert answer == (expected["json"] if isinstance(expected, dict) else None)


def test_header_names_in_any_case_are_the_same() -> None:
    headers = [(name.title(), value) for name, value in signed(LEFT)]
    assert verify(headers) is False


def test_w01_no_signature() -> None:
    assert refusal(with_signature()) == (401, "sig_missing")


def test_w02_another_key() -> None:
    assert refusal(signed(LEFT, secret="another")) == (401, "sig_wrong")


def test_w03_the_same_json_with_a_space() -> None:
    spaced = LEFT.replace(b",", b", ", 1)
    assert refusal(signed(LEFT), spaced) == (401, "sig_wrong")


GOOD = signature(LEFT, STAMP)


@pytest.mark.parametrize(
    "value",
    [
        GOOD.upper(),
        "v0=" + GOOD[3:].upper(),
        f" {GOOD}",
        f"{GOOD} ",
        GOOD.replace("v0=", "v1="),
        GOOD.removeprefix("v0="),
        GOOD[:-1],
        "v0=",
        "",
        GOOD + GOOD,
    ],
)
def test_w04_only_the_documented_form(value: str) -> None:
    assert refusal(with_signature(value)) == (401, "sig_wrong")


def test_w04_two_signatures_are_none() -> None:
    assert refusal(with_signature(GOOD, GOOD)) == (401, "sig_wrong")


def test_two_timestamps_are_none() -> None:
    headers = [*signed(LEFT), (b"x-zm-request-timestamp", STAMP.encode())]
    assert refusal(headers) == (401, "sig_wrong")


def test_a_signature_belongs_to_its_timestamp() -> None:
    others = [pair for pair in signed(LEFT) if pair[0] != b"x-zm-request-timestamp"]
    later = str(int(STAMP) + 1).encode()
    assert refusal([*others, (b"x-zm-request-timestamp", later)]) == (401, "sig_wrong")


@pytest.mark.parametrize(
    ("age", "late"),
    [
        (timedelta(seconds=-300), False),
        (timedelta(), False),
        (timedelta(seconds=300), False),
        (timedelta(seconds=301), True),
        (timedelta(minutes=85), True),
        (timedelta(seconds=7200), True),
    ],
)
def test_w05_a_repeat_of_zooms_is_late_but_heard(age: timedelta, late: bool) -> None:
    assert verify(signed(LEFT, HEARD - age)) is late


def test_w05_older_than_two_hours() -> None:
    old = HEARD - timedelta(seconds=7201)
    assert refusal(signed(LEFT, old)) == (401, "too_old")


def test_w06_from_the_future() -> None:
    assert refusal(signed(LEFT, HEARD + timedelta(seconds=301))) == (401, "too_new")


@pytest.mark.parametrize(
    "stamp",
    [
        f"{STAMP}000",  # milliseconds
        f"-{STAMP}",
        "1e9",
        f" {STAMP}",
        f"{STAMP} ",
        f"{STAMP}\n",
        f"+{STAMP}",
        f"{STAMP}.0",
        "17949449191794944919",
        "",
        "\uff11\uff17\uff19\uff14\uff19\uff14\uff14\uff19\uff11\uff19",
        "0x6b",
        "1_794_944_919",
    ],
)
def test_w07_a_timestamp_is_a_few_ascii_digits(stamp: str) -> None:
    assert refusal(signed(LEFT, stamp=stamp)) == (401, "time_form")


@pytest.mark.parametrize("stamp", ["0", "1", "99999999999"])
def test_w07_digits_that_are_not_now(stamp: str) -> None:
    assert refusal(signed(LEFT, stamp=stamp))[0] == 401


def test_either_secret_counts_while_one_replaces_the_other() -> None:
    both = ("new-token", SECRET)
    assert verify(signed(LEFT), secrets=both) is False
    assert verify(signed(LEFT, secret="new-token"), secrets=both) is False
    assert refusal(signed(LEFT, secret="older"), secrets=both) == (401, "sig_wrong")


def test_it_says_which_secret_signed() -> None:
    both = ("new-token", SECRET)
    assert webhook.verify_by(signed(LEFT), LEFT, secrets=both, now=HEARD) == (
        False,
        SECRET,
    )


@pytest.mark.parametrize("secrets", [(), ("",), (SECRET, "")])
def test_an_empty_secret_is_a_fault_of_ours(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="empty secret"):
        verify(signed(LEFT, secret=""), secrets=secrets)


def test_w10_nothing_at_all() -> None:
    assert refusal(signed(b""), b"") == (400, "empty")


def test_w11_one_byte_too_many() -> None:
    largest = b'"' + b"a" * (webhook.MAX_BODY - 2) + b'"'
    assert verify(signed(largest), largest) is False
    larger = largest + b" "
    assert refusal(signed(larger), larger) == (413, "too_large")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", ""])
def test_w13_packed_bodies_are_never_unpacked(encoding: str) -> None:
    assert refusal(signed(LEFT, encoding=encoding)) == (415, "encoded")


def test_identity_is_no_packing() -> None:
    assert verify(signed(LEFT, encoding="identity")) is False


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/json;charset=latin-1",
        "application/jsonx",
        "multipart/form-data; x=application/json",
    ],
)
def test_w14_only_json_in_utf8(kind: str | None) -> None:
    assert refusal(signed(LEFT, content_type=kind)) == (415, "content_type")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
def test_w14_json_in_any_spelling(kind: str) -> None:
    assert verify(signed(LEFT, content_type=kind)) is False


def test_w14_two_kinds_are_none() -> None:
    headers = [*signed(LEFT), (b"content-type", b"application/json")]
    assert refusal(headers) == (415, "content_type")


@pytest.mark.parametrize(
    ("kind", "encoding", "raw"),
    [("text/plain", None, LEFT), (None, "gzip", LEFT), (None, None, b"")],
)
def test_the_signature_comes_first(
    kind: str | None, encoding: str | None, raw: bytes
) -> None:
    headers = signed(raw, secret="another", content_type=kind, encoding=encoding)
    assert refusal(headers, raw) == (401, "sig_wrong")
