"""Signed bodies that are wrong: refused only when Zoom cannot have sent them (W15-W29)."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import events as e
from integrations.base import BadWebhook, Delivery
from integrations.zoom import webhook
from tests.integrations.zoom.recorded import (
    ACCOUNT,
    HEARD,
    SECRET,
    SINGLE,
    body,
    compact,
    load,
)

JOINED = load("meeting.participant_joined.json")
ROOM = e.MeetingRef(
    platform="zoom", meeting_id="81000000019", instance="eigRfbCZRTKCSkZxrNIT2g=="
)


def parse(raw: bytes, account_id: str = ACCOUNT) -> Delivery:
    return webhook.parse(raw, HEARD, secret=SECRET, account_id=account_id)


def refusal(raw: bytes) -> tuple[int, str]:
    with pytest.raises(BadWebhook) as refused:
        parse(raw)
    return refused.value.status, refused.value.counter


def changed(name: str, *path: str, to: Any) -> dict[str, Any]:
    """A recorded body with one value changed; `to` may be a function of the old one."""
    whole: dict[str, Any] = load(name)
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return whole


def without(name: str, *path: str) -> dict[str, Any]:
    whole: dict[str, Any] = load(name)
    place = whole
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return whole


PERSON = ("payload", "object", "participant")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),  # a byte order mark
        (b"hello", "not_json"),
        (b'{"a":1}{"b":2}', "not_json"),
        (b'{"a":"\x00"}', "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":01}', "not_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[" * 65 + b"]" * 65, "too_deep"),
        (b'{"event":"a","event":"b"}', "duplicate_key"),
        (b'{"payload":{"object":{"id":1,"id":2}}}', "duplicate_key"),
        (b'{"a":1e400}', "non_finite"),
        (b'{"a":-1e400}', "non_finite"),
        (b'{"a":NaN}', "non_finite"),
        (b'{"a":-Infinity}', "non_finite"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"true", "not_an_object"),
        (b"1", "not_an_object"),
    ],
)
def test_what_zoom_cannot_have_sent(raw: bytes, reason: str) -> None:
    assert refusal(raw) == (400, reason)


def test_w16_deep_nesting_costs_little() -> None:
    started = time.process_time()
    refusal(b'{"a":[' * 40_000)
    assert time.process_time() - started < 0.05


def test_depth_counts_brackets_outside_words_only() -> None:
    named = changed(
        "meeting.participant_joined.json", *PERSON, "user_name", to="[{" * 90
    )
    (joined,) = parse(compact(named)).events
    assert isinstance(joined, e.ParticipantJoined)
    assert joined.name == "[{" * 90


def test_sixty_four_levels_are_read() -> None:
    raw = compact({**JOINED, "extra": json.loads("[" * 63 + "]" * 63)})
    assert not parse(raw).unreadable


def test_w15_a_name_cut_within_a_letter_keeps_the_fact_and_alarms() -> None:
    raw = body("meeting.participant_joined.json").replace(b"Anna Price", b"Zo\xc3")
    delivery = parse(raw)
    joined, unreadable = delivery.events
    assert isinstance(joined, e.ParticipantJoined)
    assert joined.name == "Zo\ufffd"
    assert unreadable == e.UnreadableReceived(
        meeting=ROOM,
        at=joined.at + timedelta(seconds=1, milliseconds=873),
        heard_at=HEARD,
        event_type="meeting.participant_joined",
    )
    assert (delivery.unreadable, delivery.look) == (True, True)


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\u0000", rb"\udfff\ud800"])
def test_w15_what_no_store_takes_is_replaced(escape: bytes) -> None:
    raw = body("meeting.participant_joined.json").replace(b"Anna Price", b"A" + escape)
    delivery = parse(raw)
    (joined,) = delivery.events
    assert isinstance(joined, e.ParticipantJoined)
    assert joined.name.strip("\ufffd") == "A"
    assert not delivery.unreadable


@pytest.mark.parametrize(
    ("raw_id", "text"),
    [
        (b'"81000000019"', "81000000019"),
        (b"81000000019", "81000000019"),
        (b"81000000019.0", "81000000019"),
        (b'" 81000000019 "', "81000000019"),
        (b"-0", "0"),
        (b"1" + b"0" * 30, "1" + "0" * 30),
    ],
)
def test_w18_ids_become_text(raw_id: bytes, text: str) -> None:
    raw = body("meeting.participant_joined.json").replace(b'"81000000019"', raw_id)
    meeting = parse(raw).meeting
    assert meeting is not None
    assert meeting.meeting_id == text


def test_w20_an_event_newer_than_our_list() -> None:
    delivery = parse(body("hard.unknown_event.json"))
    name = "meeting.participant_data_connection_established"
    assert delivery.unknown
    assert not delivery.unreadable
    assert not delivery.look
    assert [type(event) for event in delivery.events] == [e.UnknownReceived]
    assert delivery.event_type == name


def _no_identity() -> dict[str, Any]:
    whole = load("meeting.participant_joined.json")
    person = whole["payload"]["object"]["participant"]
    person["user_id"], person["participant_uuid"] = "", None
    return dict(whole)


J, L = "meeting.participant_joined.json", "meeting.participant_left.json"
B = "meeting.participant_joined_breakout_room.json"


@pytest.mark.parametrize(
    ("whole", "kept"),
    [
        (changed(J, *PERSON, to=None), []),
        (changed(J, *PERSON, to=[]), []),
        (changed(J, *PERSON, to="Ben"), []),
        (without(J, *PERSON), []),
        (changed(J, "payload", to=None), []),
        (changed(J, "payload", "object", to=[1]), []),
        (without(J, "event"), []),
        (changed(J, "event", to=None), []),
        (changed(J, "event", to=["meeting.started"]), []),
        ({}, []),
        (without(B, "payload", "object", "breakout_room_uuid"), []),
        (
            changed(
                "meeting.participant_role_changed.json", *PERSON, "new_role", to=None
            ),
            [],
        ),
        (without(J, *PERSON, "join_time"), [e.ParticipantJoined]),
        (changed(L, *PERSON, "leave_time", to="soon"), [e.ParticipantLeft]),
        (changed(L, *PERSON, "leave_time", to={}), [e.ParticipantLeft]),
        (_no_identity(), [e.ParticipantJoined]),
        (changed(J, "payload", "object", "uuid", to=""), [e.ParticipantJoined]),
        (
            without("meeting.started.json", "payload", "object", "uuid"),
            [e.MeetingStarted],
        ),
        (
            without("meeting.ended.json", "payload", "object", "end_time"),
            [e.MeetingEnded],
        ),
        (
            changed("meeting.participant_jbh_joined.json", *PERSON, to=None),
            [e.JoinedBeforeHost],
        ),
        (
            without("recording.started.json", "payload", "object", "uuid"),
            [e.RecordingChanged],
        ),
        (
            without(
                "meeting.registration_created.json", "payload", "object", "registrant"
            ),
            [e.RegistrationChanged],
        ),
    ],
)
def test_w21_a_known_event_that_cannot_be_read(
    whole: dict[str, Any], kept: list[type[e.MeetingEvent]]
) -> None:
    """Kept and told, and the room is looked at."""
    delivery = parse(compact(whole))
    assert [type(event) for event in delivery.events] == [*kept, e.UnreadableReceived]
    assert (delivery.unreadable, delivery.look, delivery.unknown) == (True, True, False)


@pytest.mark.parametrize("time", [None, "", "2026-02-30T19:00:00Z", "noon", True, [1]])
def test_d06_without_its_own_time_the_moment_it_was_sent_counts(time: Any) -> None:
    delivery = parse(compact(changed(L, *PERSON, "leave_time", to=time)))
    assert delivery.events[0].at == delivery.sent_at
    assert delivery.unreadable


def test_d06_without_any_time_the_moment_we_heard_counts() -> None:
    whole = changed(L, *PERSON, "leave_time", to=None)
    whole["event_ts"] = "?"
    delivery = parse(compact(whole))
    assert delivery.sent_at is None
    assert delivery.events[0].at == HEARD


def test_w28_another_account_is_shut_away() -> None:
    delivery = parse(body("meeting.participant_left.json"), account_id="ours")
    assert delivery == Delivery(
        dedupe_key=parse(body("meeting.participant_left.json")).dedupe_key,
        event_type="meeting.participant_left",
        quarantine="other_account",
    )


def test_an_absent_account_is_not_another_one() -> None:
    whole = without(L, "payload", "account_id")
    assert not parse(compact(whole)).quarantine


@pytest.mark.parametrize(
    "plain", [None, 7, ["a"], "", "a" * 257, "a" * 10_000, {"a": 1}]
)
def test_w29_only_a_short_text_is_signed(plain: Any) -> None:
    raw = compact({"event": webhook.VALIDATION, "payload": {"plainToken": plain}})
    assert refusal(raw) == (400, "plain_token")


def test_w29_two_hundred_and_fifty_six_letters_are_enough() -> None:
    raw = compact({"event": webhook.VALIDATION, "payload": {"plainToken": "a" * 256}})
    answer = parse(raw).answer
    assert answer is not None
    assert answer["plainToken"] == "a" * 256


def test_w29_a_missing_payload() -> None:
    assert refusal(compact({"event": webhook.VALIDATION})) == (400, "plain_token")


def test_w08_the_same_event_has_the_same_key_in_any_order_of_its_fields() -> None:
    whole = load("meeting.participant_left.json")
    turned = dict(reversed(list(whole.items())))
    turned["payload"] = dict(reversed(list(whole["payload"].items())))
    turned["sent_again"] = 2
    assert parse(compact(whole)).dedupe_key == parse(compact(turned)).dedupe_key


@pytest.mark.parametrize(
    "path",
    [("event",), ("event_ts",), (*PERSON, "leave_time"), ("payload", "object", "uuid")],
)
def test_another_event_has_another_key(path: tuple[str, ...]) -> None:
    other = changed("meeting.participant_left.json", *path, to="2026-11-17T19:48:38Z")
    left = body("meeting.participant_left.json")
    assert parse(compact(other)).dedupe_key != parse(left).dedupe_key


def understood(raw: bytes) -> bool:
    """A body is refused with 400 or becomes a delivery that says something."""
    try:
        delivery = parse(raw)
    except BadWebhook as refused:
        return refused.status == 400
    said = bool(delivery.events or delivery.answer or delivery.quarantine)
    return said and len(delivery.dedupe_key) == 64


@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    assert understood(raw)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


@st.composite
def twisted(draw: st.DrawFn) -> bytes:
    """A recorded body with one of its values replaced by anything, or taken away."""
    whole = load(draw(st.sampled_from(SINGLE)))
    places: list[tuple[dict[str, Any], str]] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for key in value:
                places.append((value, key))
                collect(value[key])

    collect(whole)
    place, key = draw(st.sampled_from(places))
    if draw(st.booleans()):
        place[key] = draw(VALUES)
    else:
        del place[key]
    return json.dumps(whole).encode()


@given(twisted())
def test_any_recorded_body_with_one_thing_wrong(raw: bytes) -> None:
    assert understood(raw)


@given(st.sampled_from(SINGLE), st.data())
def test_any_recorded_body_with_bytes_changed(name: str, data: st.DataObject) -> None:
    raw = bytearray(body(name))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    assert understood(bytes(raw))
