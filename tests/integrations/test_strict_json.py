"""Read fast or read slowly: the same value, and the same refusals."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.strict_json import (
    MAX_DEPTH,
    RefusedJson,
    read_carefully,
    read_object,
    read_plain,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
ODD = (
    b'{"a":1,"a":2}',
    b'{"a":{"b":1,"b":1}}',
    b'{"a":NaN}',
    b'{"a":-Infinity}',
    b'{"a":1e999}',
    b'{"a":1E2}',
    b'{"a":1.10}',
    b'{"a":-0}',
    b'{"a":-0.0}',
    b'{"a":18446744073709551616}',
    b'{"a":0.1000000000000000055511151231257827}',
    b'{"a":"\\u0041"}',
    b'{"a":"\\u0000"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\/"}',
    b'{"a":"\xff"}',
    b'{"a":"\x01"}',
    b'{ "a": 1 }',
    b'{"a":1}\n',
    b'{"a":1}x',
    b'{"a":1,}',
    b"[1]",
    b"1",
    b"null",
    b"",
    b"\xef\xbb\xbf{}",
    b"{}",
    '{"naïve":"\U0001f600"}'.encode(),
)


Read = Callable[[bytes], tuple[dict[str, Any], bool]]


def outcome(body: bytes, read: Read = read_object) -> Any:
    try:
        return read(body)
    except RefusedJson as refused:
        return refused.reason


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down; -0.0 is not 0."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("body", ODD)
def test_odd_bodies_mean_the_same_however_they_are_read(body: bytes) -> None:
    assert same(outcome(body), outcome(body, read_carefully))


@given(VALUES, st.booleans(), st.booleans())
def test_any_body_means_the_same_however_it_is_read(
    value: Any, plain: bool, ascii_only: bool
) -> None:
    separators = (",", ":") if plain else None
    text = json.dumps({"a": value}, separators=separators, ensure_ascii=ascii_only)
    body = text.encode(errors="surrogatepass")
    assert same(outcome(body), outcome(body, read_carefully))


@given(VALUES, st.integers(0, 200), st.integers(0, 255))
def test_a_broken_body_is_refused_either_way(
    value: Any, place: int, letter: int
) -> None:
    body = bytearray(json.dumps({"a": value}, separators=(",", ":")).encode())
    body[place % len(body)] = letter
    assert same(outcome(bytes(body)), outcome(bytes(body), read_carefully))


def test_what_platforms_send_is_read_fast() -> None:
    body = b'{"event":"meeting.started","event_ts":1795287000000,"payload":{"a":[1.5]}}'
    assert read_plain(body) == json.loads(body)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_has_an_end_either_way(depth: int) -> None:
    body = b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    assert same(outcome(body), outcome(body, read_carefully))
    assert (outcome(body) == "too_deep") is (depth > MAX_DEPTH)
