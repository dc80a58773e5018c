"""The small print of Zoom's events: words, callers, roles, changes, times."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core import events as e
from integrations.base import Delivery
from integrations.platform_time import read_time
from integrations.zoom import webhook
from integrations.zoom.story import leave_cause, looks_like_a_caller
from integrations.zoom.translate import TRANSLATE
from tests.integrations.zoom.cast import at
from tests.integrations.zoom.recorded import ACCOUNT, HEARD, SECRET, compact, load

CAUSE = e.LeaveCause


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Ben left the meeting.", CAUSE.LEFT),
        ("left the meeting. Reason : Host ended the meeting.", CAUSE.ENDED),
        ("Ben left the meeting.<br>Reason: Host ended the meeting.", CAUSE.ENDED),
        ("Ben left the meeting.<br>Reason: Host closed the meeting.", CAUSE.ENDED),
        ("Ben left.<br>Reason: Host started a new meeting.", CAUSE.ENDED),
        ("Ben left.<br>Reason: Host did not join.", CAUSE.ENDED),
        ("Ben left.<br>Reason: Exceeded free meeting minutes limit.", CAUSE.ENDED),
        ("Ben got disconnected from the meeting.", CAUSE.DROPPED),
        (
            "Ben got disconnected from the meeting.<br>Reason: Network connection error.",
            CAUSE.DROPPED,
        ),
        ("Ben left the meeting.<br>Reason: Removed by host.", CAUSE.REMOVED),
        ("Ben left.<br>Reason: Removed by host from waiting room.", CAUSE.REMOVED),
        ("Ben left.<br>Reason: Leave waiting room.", CAUSE.LEFT),
        ("Ben left.<br>Reason: Unknown reason.", CAUSE.UNKNOWN),
        ("BEN LEFT THE MEETING", CAUSE.LEFT),
        ("Ben a quitté la réunion.", CAUSE.UNKNOWN),
        ("", CAUSE.UNKNOWN),
    ],
)
def test_why_somebody_left(reason: str, cause: e.LeaveCause) -> None:
    assert leave_cause(reason, "Ben") is cause


def test_a_name_is_no_reason() -> None:
    name = "Removed by host"
    assert leave_cause(f"{name} left the meeting.", name) is CAUSE.LEFT


@pytest.mark.parametrize(
    ("name", "caller"),
    [
        ("447700900123", True),
        ("+44 7700 900123", True),
        ("+44******123", True),
        ("1 (415) 555-0100", True),
        ("1415***1234", True),
        ("Call-in User 1", True),
        ("Call-In User_3", True),
        ("call in user", True),
        ("Ben", False),
        ("Ben 2009", False),
        ("12345", False),
        ("xxxxxxxxxx", False),
        ("**********", False),
        ("", False),
        ("9" * 300, True),
    ],
)
def test_who_looks_like_a_caller(name: str, caller: bool) -> None:
    assert looks_like_a_caller(name) is caller


def story(name: str, person: dict[str, Any] | None = None, **about: Any) -> Delivery:
    """A recorded body with some fields changed."""
    whole = load(f"{name}.json")
    whole["payload"]["object"].update(about)
    if person:
        whole["payload"]["object"]["participant"].update(person)
    return webhook.parse(compact(whole), HEARD, secret=SECRET, account_id=ACCOUNT)


def seat(delivery: Delivery) -> e.SeatEvent:
    (event,) = delivery.events
    assert isinstance(event, e.SeatEvent)
    return event


@pytest.mark.parametrize(
    ("person", "by_phone"),
    [
        ({"phone_number": "447700900123"}, True),
        ({"user_name": "+44******123", "id": "", "participant_user_id": ""}, True),
        ({"user_name": "+44******123"}, False),  # signed in: no caller
        ({"phone_number": "", "user_name": "Anna Price"}, False),
    ],
)
def test_callers_are_marked(person: dict[str, Any], by_phone: bool) -> None:
    assert seat(story("meeting.participant_joined", person)).by_phone is by_phone


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("447700900123", "••••••••0123"),
        ("+44 7700 900123", "+•• •••• ••0123"),
        ("+44•••••1234", "+•••••••1234"),
        ("Call-in User_1", "Call-in User_1"),
        ("Anna Price", "Anna Price"),
        ("Agent 47", "Agent 47"),
    ],
)
def test_a_telephone_number_is_masked(typed: str, shown: str) -> None:
    person = {"user_name": typed, "phone_number": "+447700900123"}
    caller = seat(story("meeting.participant_joined", person))
    assert (caller.name, caller.phone) == (shown, "+••••••••0123")


def test_the_older_name_of_the_account_id_still_counts() -> None:
    joined = story("meeting.participant_joined", {"participant_user_id": None})
    assert seat(joined).platform_user_id == "VVebVXiW0M4XZMR_7WRPmw"


def test_numbers_are_as_good_as_text() -> None:
    person = {"user_id": 33555456, "registrant_id": 12}
    joined = seat(story("meeting.participant_joined", person))
    assert (joined.user_id, joined.registrant_id) == ("33555456", "12")


@pytest.mark.parametrize(
    ("said", "role"),
    [("host", "host"), ("co-host", "co-host"), ("CoHost", "co-host"),
     ("co_host", "co-host"), ("participant", "attendee"), ("panelist", "panelist")],
)  # fmt: skip
def test_roles(said: str, role: str) -> None:
    changed = seat(story("meeting.participant_role_changed", {"new_role": said}))
    assert isinstance(changed, e.RoleChanged)
    assert changed.role == role


def test_the_longest_name_is_cut() -> None:
    joined = seat(story("meeting.participant_joined", {"user_name": "A" * 9000}))
    assert joined.name == "A" * 1000


def updated(new: dict[str, Any], old: dict[str, Any]) -> tuple[str, ...]:
    whole = load("meeting.updated.json")
    whole["payload"]["object"] = {"id": 81000000019, "uuid": "u", **new}
    whole["payload"]["old_object"] = {"id": 81000000019, **old}
    (event,) = webhook.parse(
        compact(whole), HEARD, secret=SECRET, account_id=ACCOUNT
    ).events
    assert isinstance(event, e.MeetingChanged)
    return event.changed


def test_what_was_changed_is_named() -> None:
    assert updated(
        {"topic": "New", "agenda": "", "settings": {"use_pmi": True}},
        {"topic": "Old", "settings": {"use_pmi": False, "auto_recording": "none"}},
    ) == ("agenda", "auto_recording", "topic", "use_pmi")
    assert updated({"topic": "Same"}, {"topic": "Same"}) == ()


def test_an_update_need_not_name_an_instance() -> None:
    assert not story("meeting.updated", uuid=None).unreadable


@pytest.mark.parametrize(
    ("name", "like", "kind", "field", "value"),
    [
        (
            "meeting.permanently_deleted",
            "meeting.deleted",
            e.MeetingDeleted,
            None,
            None,
        ),
        (
            "meeting.recovered",
            "meeting.deleted",
            e.MeetingChanged,
            "changed",
            ("recovered",),
        ),
        (
            "recording.paused",
            "recording.started",
            e.RecordingChanged,
            "state",
            "paused",
        ),
        (
            "recording.resumed",
            "recording.started",
            e.RecordingChanged,
            "state",
            "resumed",
        ),
        (
            "meeting.live_streaming_stopped",
            "meeting.live_streaming_started",
            e.LiveStreamChanged,
            "started",
            False,
        ),
        (
            "meeting.breakout_room_sharing_started",
            "meeting.sharing_started",
            e.SharingChanged,
            "started",
            True,
        ),
        (
            "meeting.breakout_room_sharing_ended",
            "meeting.sharing_ended",
            e.SharingChanged,
            "started",
            False,
        ),
    ],
)
def test_events_with_a_twin(
    name: str, like: str, kind: type[e.MeetingEvent], field: str | None, value: object
) -> None:
    whole = {**load(f"{like}.json"), "event": name}
    (event,) = webhook.parse(
        compact(whole), HEARD, secret=SECRET, account_id=ACCOUNT
    ).events
    assert type(event) is kind
    if field:
        assert getattr(event, field) == value


def test_a_pause_happens_when_it_is_sent_not_when_the_recording_began() -> None:
    whole = {**load("recording.started.json"), "event": "recording.paused"}
    delivery = webhook.parse(compact(whole), HEARD, secret=SECRET, account_id=ACCOUNT)
    assert delivery.events[0].at == delivery.sent_at == at("19:05:10.690")


def test_every_event_we_know_is_recorded_or_the_twin_of_one() -> None:
    from tests.integrations.zoom.test_recorded import EXPECTED

    twins = {
        "meeting.permanently_deleted",
        "meeting.recovered",
        "recording.paused",
        "recording.resumed",
        "meeting.live_streaming_stopped",
        "meeting.breakout_room_sharing_started",
        "meeting.breakout_room_sharing_ended",
    }
    recorded = {name.removesuffix(".json") for name in EXPECTED}
    assert set(TRANSLATE) - twins <= recorded


SEVEN = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-17T19:00:00Z",
        "2026-11-17T19:00:00z",
        "2026-11-17t19:00:00z",
        "2026-11-17T19:00:00",
        "2026-11-17 19:00:00",
        "2026-11-17T20:00:00+0100",
        "2026-11-17T20:00:00+01:00",
        "2026-11-17T19:00:00.0000000Z",
        "2026-11-17T19:00Z",
        "GMT20261117-190000",
        "1794942000",
        "1794942000000",
        1794942000,
        1794942000000,
        1794942000.0,
    ],
)
def test_d06_one_moment_in_many_forms(written: Any) -> None:
    assert read_time(written) == SEVEN


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        None,
        True,
        [],
        {},
        "2026-11-17",
        "19:00",
        "2026-02-30T19:00:00Z",
        "2026-11-17T25:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "GMT20261317-190000",
        "\uff12\uff10\uff12\uff16-11-17T19:00:00Z",
        0,
        -1794942000,
        1e300,
        float("inf"),
        float("nan"),
        10**40,
    ],
)
def test_d06_what_is_not_clearly_a_moment(written: Any) -> None:
    assert read_time(written) is None


def test_d06_seven_decimals_are_cut() -> None:
    assert read_time("2026-11-17T19:00:00.1234567Z") == SEVEN.replace(
        microsecond=123456
    )
