"""Fields at rest: they open only with their key and in their place."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import crypto
from app.crypto import BadKey, CannotDecrypt, Damaged, Keyring, UnknownKey

OLD, NEW, STRANGE = bytes(range(32)), b"n" * 32, b"s" * 32
RING = Keyring([OLD])
NOTE = b"Ben was quiet tonight."
PLACE = b"notes:text:17"


@given(st.binary(max_size=2000), st.binary(max_size=60))
def test_what_was_written_is_read_again(plain: bytes, place: bytes) -> None:
    assert RING.decrypt(RING.encrypt(plain, place), place) == plain


def test_the_text_is_not_in_the_stored_bytes_and_no_two_values_are_alike() -> None:
    first, second = RING.encrypt(NOTE, PLACE), RING.encrypt(NOTE, PLACE)
    assert b"Ben" not in first
    assert first != second
    assert len(first) == len(NOTE) + 33


def test_a_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(Damaged):
        RING.decrypt(RING.encrypt(NOTE, PLACE), b"notes:text:18")


@pytest.mark.parametrize("position", [5, 16, 17, 30, -1])
def test_one_turned_bit_is_noticed(position: int) -> None:
    token = bytearray(RING.encrypt(NOTE, PLACE))
    token[position] ^= 1
    with pytest.raises(Damaged):
        RING.decrypt(bytes(token), PLACE)


@given(st.binary(max_size=80))
def test_garbage_does_not_open(token: bytes) -> None:
    with pytest.raises(CannotDecrypt):
        RING.decrypt(token, PLACE)


def test_a_value_cut_short_is_damaged() -> None:
    token = RING.encrypt(b"", PLACE)
    for length in (0, 4, 5, 17, len(token) - 1):
        with pytest.raises(Damaged):
            RING.decrypt(token[:length], PLACE)


def test_a_value_of_a_strange_key_names_that_key() -> None:
    strange = Keyring([STRANGE])
    with pytest.raises(UnknownKey) as caught:
        RING.decrypt(strange.encrypt(NOTE, PLACE), PLACE)
    assert caught.value.key_id == strange.key_ids[0]


def test_during_a_rotation_the_first_key_writes_and_both_read() -> None:
    both = Keyring([NEW, OLD])
    old_value, new_value = RING.encrypt(NOTE, PLACE), both.encrypt(NOTE, PLACE)
    assert both.decrypt(old_value, PLACE) == both.decrypt(new_value, PLACE) == NOTE
    assert crypto.key_id_of(new_value) == both.key_ids[0] == Keyring([NEW]).key_ids[0]
    assert crypto.key_id_of(old_value) == both.key_ids[1] == RING.key_ids[0]
    with pytest.raises(UnknownKey):
        RING.decrypt(new_value, PLACE)


def test_during_a_rotation_an_old_link_is_still_found() -> None:
    both = Keyring([NEW, OLD])
    stored = RING.digest("link", "a-token")
    assert both.digest("link", "a-token") != stored
    assert both.digests("link", "a-token") == (
        both.digest("link", "a-token"),
        stored,
    )


def test_each_purpose_has_its_own_key() -> None:
    derived = {RING.derive(purpose) for purpose in ("link", "mail", "key id", "")}
    assert len(derived | {OLD}) == 5
    assert {len(key) for key in derived} == {32}


def test_derived_keys_and_digests_do_not_change_between_versions() -> None:
    """Stored values depend on these: a change here loses every blind index."""
    zero = b"\0" * 32
    prk = hmac.new(b"chaperone", zero, hashlib.sha256).digest()
    expected = hmac.new(prk, b"purpose link\x01", hashlib.sha256).digest()
    ring = Keyring([zero])
    assert ring.derive("link") == expected
    assert (
        ring.digest("link", "é")
        == hmac.new(expected, "é".encode(), hashlib.sha256).hexdigest()
    )


def test_keys_are_read_as_people_paste_them() -> None:
    padded = base64.urlsafe_b64encode(NEW).decode()
    text = f" {padded} , {base64.urlsafe_b64encode(OLD).decode().rstrip('=')}"
    assert Keyring.from_text(text).key_ids == Keyring([NEW, OLD]).key_ids


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "32 bytes"),
        ("hunter2", "base64url|32 bytes"),
        ("ÄÖÜ", "base64url"),
        ("A" * 42, "this one is 31"),
        ("A" * 44, "this one is 33"),
        (f"{'A' * 43},{'A' * 43}", "twice"),
        (f"{'A' * 43},", "this one is 0"),
    ],
)
def test_a_bad_key_is_refused_and_not_repeated(text: str, says: str) -> None:
    with pytest.raises(BadKey, match=says) as caught:
        Keyring.from_text(text)
    assert not text or text not in str(caught.value)


def test_new_keys_and_tokens_are_long_and_never_twice() -> None:
    assert Keyring.from_text(crypto.new_key()).key_ids
    tokens = {crypto.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}  # 256 bits


def test_a_ring_does_not_show_its_keys() -> None:
    shown = f"{RING!r} {RING}"
    assert OLD.hex() not in shown
    assert base64.urlsafe_b64encode(OLD).decode() not in shown
