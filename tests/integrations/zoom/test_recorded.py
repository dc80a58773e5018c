"""Every recorded body, and all that we understand by it."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.core import events as e
from integrations.base import Delivery
from integrations.zoom import webhook
from tests.integrations.zoom.cast import (
    ANNA,
    BEN,
    BEN_AGAIN,
    CALLER,
    CHLOE,
    CHLOE_UNREGISTERED,
    DEV,
    DEVS_PHONE,
    EVE,
    EVE_AGAIN,
    PLANNED,
    SAM,
    SIDE_ROOM,
    Fields,
    at,
    room,
    side,
)
from tests.integrations.zoom.recorded import (
    ACCOUNT,
    HEARD,
    SECRET,
    SEQUENCES,
    SINGLE,
    body,
    compact,
    load,
)

Made = e.MeetingEvent


def live(kind: type[Made], clock: str, who: Fields | None = None, **more: Any) -> Made:
    """A fact of the evening's instance."""
    return kind(meeting=room(), at=at(clock), heard_at=HEARD, **(who or {}), **more)


def planned(kind: type[Made], clock: str, day: str, **more: Any) -> Made:
    """A fact of the meeting as planned."""
    return kind(meeting=room(PLANNED), at=at(clock, day), heard_at=HEARD, **more)


waiting = partial(live, e.ParticipantWaiting)
joined = partial(live, e.ParticipantJoined)
left = partial(live, e.ParticipantLeft, cause=e.LeaveCause.LEFT)
dropped = partial(live, e.ParticipantLeft, cause=e.LeaveCause.DROPPED)
registration = partial(planned, e.RegistrationChanged)

EVE_ASKS = {
    "registrant_id": "vGwUw0J7126ngaK1zX1hTw",
    "name": "Eve",
    "email": "eve@elsewhere.example",
}
DEV_ASKS = {k: DEV[k] for k in ("registrant_id", "name", "email")}
BEN_ASKS = {k: BEN[k] for k in ("registrant_id", "name", "email")}
BOUND = {
    "bound_uuid": CHLOE["uuid"],
    "bound_user_id": CHLOE["user_id"],
    "registrant_id": CHLOE["registrant_id"],
}
DEV_SHARES = {"user_id": DEV["user_id"], "name": "Dev"}
BEN_AT_THE_DOOR = {"registrant_id": BEN["registrant_id"], "name": "Ben"}
HOSTILE = {
    "uuid": "1300E8A9-151E-37E1-C329-28BA8FE29CFE",
    "user_id": "33564672",
    "name": "=1+1 <script>alert(1)</script> \u202eecirP annA\u200b",
}
COPY = {
    "uuid": "06AB0814-5E95-A50C-68EC-7BA52ACC6923",
    "user_id": "33563648",
    "name": "Anna Price",
}
SAMS_TABLET = {
    "uuid": "3AA0F298-D3C7-E9E6-A406-9C72F9CB9804",
    "user_id": "33565696",
    "registrant_id": "j9oAHHQLtzZO_NM1_CiETw",
    "name": "Sam's tablet",
    "email": "sam.okoro@charity.example",
}
EVE_WRITES = "MS17ODNDQ0EwNkQtODEzMy01NTAxLTc5OUUtQjNCNkFGOTMwMjBBfQ=="
EVE_WRITES_AGAIN = "MS17OEI4QUIyN0ItNzI0NS1GM0FCLTNFNUEtODZDMTAxMENBRTk4fQ=="

CHANGED = ("jbh_time", "join_before_host", "waiting_room")

EXPECTED: dict[str, Made] = {
    "app_deauthorized.json": e.AppRemoved(
        meeting=e.MeetingRef(platform="zoom", meeting_id=""),
        at=at("11:02:45.190", "2026-12-01"),
        heard_at=HEARD,
    ),
    "hard.chat_private_to_young_person.json": live(
        e.ChatMessageSent,
        "19:13:37",
        message_id=EVE_WRITES_AGAIN,
        recipient="guest",
        sender_seat=EVE["user_id"],
    ),
    "hard.joined_copies_worker_name.json": joined("19:11:05", COPY),
    "hard.joined_date_time_field.json": joined("18:58:11", BEN),
    "hard.joined_extra_fields.json": joined("18:59:02", DEV),
    "hard.joined_hostile_name.json": joined("19:11:59", HOSTILE),
    "hard.joined_not_signed_in.json": joined("19:09:31", EVE),
    "hard.joined_registrant_null.json": joined("18:52:05", ANNA),
    "hard.joined_worker_private_account.json": joined("18:54:48", SAMS_TABLET),
    "hard.left_extra_fields.json": dropped("19:59:40", DEV),
    "hard.registration_created_pending_stranger.json": registration(
        "07:58:20.240", "2026-11-06", status="pending", **EVE_ASKS
    ),
    "hard.role_changed_young_person_becomes_host.json": live(
        e.RoleChanged, "19:31:42", CHLOE_UNREGISTERED, role="host"
    ),
    "hard.started_instant_no_host_email.json": e.MeetingStarted(
        meeting=room("6Mn3g8BquQHGcaqtcL1eVg==", "82000000027"),
        at=at("18:30:00"),
        heard_at=HEARD,
    ),
    "hard.started_uuid_with_slashes.json": e.MeetingStarted(
        meeting=room("/AREEcJJVLI+D3//FXQSWQ=="), at=at("18:52:04"), heard_at=HEARD
    ),
    "hard.unknown_event.json": live(
        e.UnknownReceived,
        "18:52:06.040",
        event_type="meeting.participant_data_connection_established",
    ),
    "meeting.alert.json": live(e.ConnectionQualityWarned, "19:41:07.035"),
    "meeting.chat_message_sent.json": live(
        e.ChatMessageSent,
        "19:10:26",
        message_id=EVE_WRITES,
        recipient="everyone",
        sender_seat=EVE["user_id"],
    ),
    "meeting.created.json": planned(e.MeetingCreated, "10:12:31.402", "2026-11-03"),
    "meeting.deleted.json": planned(e.MeetingDeleted, "08:00:00.054", "2026-11-18"),
    "meeting.ended.json": live(e.MeetingEnded, "20:01:30"),
    "meeting.live_streaming_started.json": live(
        e.LiveStreamChanged, "19:20:15", started=True
    ),
    "meeting.participant_admitted.json": live(e.ParticipantAdmitted, "18:57:02", CHLOE),
    "meeting.participant_bind.json": live(
        e.PhoneBound, "19:04:15", {**CALLER, **BOUND}
    ),
    "meeting.participant_jbh_joined.json": live(
        e.JoinedBeforeHost, "18:47:30.930", BEN_AT_THE_DOOR
    ),
    "meeting.participant_jbh_waiting.json": live(
        e.WaitedForHost, "18:44:10.930", name="Ben"
    ),
    "meeting.participant_jbh_waiting_left.json": live(
        e.WaitedForHost, "18:46:58.930", BEN_AT_THE_DOOR, gone=True
    ),
    "meeting.participant_joined.json": joined("18:52:05", ANNA),
    "meeting.participant_joined_breakout_room.json": live(
        e.BreakoutJoined, "19:15:03", side(CHLOE, "33561600"), room=SIDE_ROOM
    ),
    "meeting.participant_joined_waiting_room.json": waiting("18:55:20", CHLOE),
    "meeting.participant_left.json": left("19:48:37", BEN),
    "meeting.participant_left_breakout_room.json": live(
        e.BreakoutLeft, "19:24:51", side(CHLOE, "33561600"), room=SIDE_ROOM
    ),
    "meeting.participant_left_waiting_room.json": live(
        e.ParticipantStoppedWaiting, "18:57:02", CHLOE
    ),
    "meeting.participant_put_in_waiting_room.json": live(
        e.ParticipantHeld, "19:12:44", EVE
    ),
    "meeting.participant_role_changed.json": live(
        e.RoleChanged, "18:58:40", SAM, role="co-host"
    ),
    "meeting.registration_approved.json": registration(
        "16:31:02.087", "2026-11-05", status="approved", **BEN_ASKS
    ),
    "meeting.registration_cancelled.json": registration(
        "19:33:09.415", "2026-11-17", status="cancelled", **DEV_ASKS
    ),
    "meeting.registration_created.json": registration(
        "16:20:11.300", "2026-11-05", status="approved", **DEV_ASKS
    ),
    "meeting.registration_denied.json": registration(
        "08:05:40.019", "2026-11-06", status="denied", **EVE_ASKS
    ),
    "meeting.risk_alert.json": e.LinkLeaked(
        meeting=room(), at=at("22:15:33.004", "2026-11-16"), heard_at=HEARD
    ),
    "meeting.sharing_ended.json": live(
        e.SharingChanged, "19:18:42", DEV_SHARES, started=False
    ),
    "meeting.sharing_started.json": live(
        e.SharingChanged, "19:18:00", DEV_SHARES, started=True
    ),
    "meeting.started.json": live(e.MeetingStarted, "18:52:04"),
    "meeting.updated.json": planned(
        e.MeetingChanged, "09:40:04.977", "2026-11-10", changed=CHANGED
    ),
    "recording.started.json": live(e.RecordingChanged, "19:05:10", state="started"),
    "recording.stopped.json": live(e.RecordingChanged, "19:06:02", state="stopped"),
}

# What the platform stamps on the whole, where it is not 873 ms and a bit after the fact.
LOOKS = {"meeting.participant_jbh_joined.json"}


def parse(raw: bytes) -> Delivery:
    return webhook.parse(raw, HEARD, secret=SECRET, account_id=ACCOUNT)


@pytest.mark.parametrize("name", sorted(set(SINGLE) - {"endpoint.url_validation.json"}))
def test_each_body_says(name: str) -> None:
    raw = body(name)
    expected = EXPECTED[name]
    sent = json.loads(raw).get("event_ts")
    unbound = expected.meeting.meeting_id == ""
    assert parse(raw) == Delivery(
        dedupe_key=parse(raw).dedupe_key,
        event_type=json.loads(raw)["event"],
        meeting=None if unbound else expected.meeting,
        events=(expected,),
        look=name in LOOKS,
        unknown=name == "hard.unknown_event.json",
        sent_at=at("00:00:00", "1970-01-01") + timedelta(milliseconds=sent)
        if sent
        else None,
    )


def test_the_challenge_is_answered_and_says_nothing_else() -> None:
    raw = body("endpoint.url_validation.json")
    assert parse(raw) == Delivery(
        dedupe_key=parse(raw).dedupe_key,
        event_type="endpoint.url_validation",
        answer=load("signed_vectors.json")["vectors"][2]["expected_response"]["json"],
    )


def test_a_late_delivery_says_so() -> None:
    raw = body("meeting.participant_left.json")
    late = webhook.parse(raw, HEARD, secret=SECRET, account_id=ACCOUNT, late=True)
    assert late.late


breakout = partial(live, e.BreakoutJoined, room=SIDE_ROOM)
STORIES: dict[str, list[Made]] = {
    "seq.breakout_without_worker.json": [
        breakout("19:15:03", side(CHLOE, "33561600")),
        breakout("19:15:05", side(BEN, "33569792")),
        breakout("19:15:09", side(SAM, "33570816")),
        live(e.BreakoutLeft, "19:22:30", side(SAM, "33570816"), room=SIDE_ROOM),
    ],
    "seq.ended_before_last_left.json": [
        live(e.MeetingEnded, "20:01:30"),
        live(e.ParticipantLeft, "20:01:30", ANNA, cause=e.LeaveCause.ENDED),
        live(e.ParticipantLeft, "20:01:30", CHLOE, cause=e.LeaveCause.ENDED),
    ],
    "seq.last_worker_leaves.json": [
        left("19:30:02", SAM),
        dropped("19:31:40", ANNA),
        live(e.RoleChanged, "19:31:42", CHLOE_UNREGISTERED, role="host"),
    ],
    "seq.one_link_two_devices.json": [
        joined("18:59:02", DEV),
        joined("19:02:19", DEVS_PHONE),
        left("19:30:00", DEVS_PHONE),
    ],
    "seq.phone_caller_then_bind.json": [
        joined("19:03:40", CALLER),
        live(e.PhoneBound, "19:04:15", {**CALLER, **BOUND}),
    ],
    "seq.rejoin_before_late_left.json": [
        joined("18:58:11", BEN),
        joined("19:20:47", BEN_AGAIN),
        dropped("19:21:44", BEN),
    ],
    "seq.removed_stranger_returns.json": [
        joined("19:09:31", EVE),
        live(e.ParticipantLeft, "19:14:20", EVE, cause=e.LeaveCause.REMOVED),
        joined("19:14:52", EVE_AGAIN),
    ],
    "seq.restart_out_of_order.json": [
        live(e.MeetingStarted, "18:52:04"),
        e.MeetingEnded(
            meeting=room("ThLxHbX4bulAv706VPUppg=="), at=at("18:51:40"), heard_at=HEARD
        ),
    ],
    "seq.retried_left_after_rejoin.json": [
        joined("18:58:11", BEN),
        left("19:20:31", BEN),
        joined("19:20:47", BEN_AGAIN),
        left("19:20:31", BEN),
    ],
    "seq.waiting_room_cycle.json": [
        waiting("18:55:20", CHLOE),
        live(e.ParticipantAdmitted, "18:57:02", CHLOE),
        joined("18:57:03", CHLOE),
        live(e.ParticipantStoppedWaiting, "18:57:02", CHLOE),
        live(e.ParticipantHeld, "19:40:00", CHLOE),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_each_sequence_tells(name: str) -> None:
    deliveries = [parse(compact(each)) for each in load(name)]
    assert [event for each in deliveries for event in each.events] == STORIES[name]
    assert not any(each.look or each.unreadable for each in deliveries)


def test_a_repeated_delivery_has_the_same_key() -> None:
    keys = [
        parse(compact(each)).dedupe_key
        for each in load("seq.retried_left_after_rejoin.json")
    ]
    assert keys[1] == keys[3]
    assert len(set(keys)) == 3


def test_nothing_of_addresses_and_devices_is_kept() -> None:
    for name in ("hard.joined_extra_fields.json", "hard.left_extra_fields.json"):
        said = repr(parse(body(name)))
        assert "203.0.113.24" not in said
        assert "192.168.1.17" not in said
        assert "swap numbers" not in repr(parse(body("meeting.chat_message_sent.json")))
