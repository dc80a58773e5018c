"""What is safe: read as it works, mended, compared with what was wished."""

import copy
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.facts import MeetingFacts
from app.core.plan import Plan, Role, WorkerSlot
from integrations.zoom import settings
from tests.integrations.zoom.recorded import load

SAFE_MEETING = load("rest.get_meeting.safe.json")["body"]
SAFE_USER = load("rest.user_settings.safe.json")["body"]
SAFE_SECURITY = load("rest.user_settings_security.safe.json")["body"]
LICENSED = {"id": "VVebVXiW0M4XZMR_7WRPmw", "type": 2}

SAFE = MeetingFacts(
    exists=True,
    started=False,
    waiting_room_for_everyone=True,
    only_workers_admit=True,
    join_before_host=False,
    invite_only=True,
    sign_in_required=False,
    one_device_per_link=True,
    link_hidden=True,
    personal_room=False,
    recurring=True,
    auto_recording=False,
    recording_possible=False,
    live_stream_possible=False,
    share_by_workers_only=True,
    annotation=False,
    remote_control=False,
    private_chat=False,
    chat_saved_by_anyone=False,
    file_transfer=False,
    rename_possible=None,
    second_host=True,
    host_licensed=True,
    lasting_chat=True,
    passcode=True,
    host_user_id="VVebVXiW0M4XZMR_7WRPmw",
)
UNSAFE = MeetingFacts(
    exists=True,
    started=True,
    waiting_room_for_everyone=False,
    only_workers_admit=False,
    join_before_host=True,
    invite_only=False,
    sign_in_required=False,
    one_device_per_link=True,
    link_hidden=True,
    personal_room=False,
    recurring=True,
    auto_recording=True,
    recording_possible=True,
    live_stream_possible=True,
    share_by_workers_only=False,
    annotation=True,
    remote_control=True,
    private_chat=True,
    chat_saved_by_anyone=True,
    file_transfer=True,
    rename_possible=None,
    second_host=False,
    host_licensed=False,
    lasting_chat=False,
    passcode=True,
    host_user_id="VVebVXiW0M4XZMR_7WRPmw",
)


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    made = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = merged(made[key], value) if both else value
    return made


def read(
    meeting: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    security: dict[str, Any] | None = None,
    **of_meeting: Any,
) -> MeetingFacts:
    """The safe answers with something laid over them."""
    return settings.facts(
        merged(merged(SAFE_MEETING, meeting or {}), {"settings": of_meeting}),
        merged(SAFE_USER, user or {}),
        merged(SAFE_SECURITY, {"meeting_security": security or {}}),
        LICENSED,
    )


def test_a_safe_meeting() -> None:
    assert read() == SAFE


def test_an_unsafe_meeting() -> None:
    assert (
        settings.facts(
            load("rest.get_meeting.unsafe.json")["body"],
            load("rest.user_settings.unsafe.json")["body"],
            load("rest.user_settings_security.unsafe.json")["body"],
            {"type": 1},
        )
        == UNSAFE
    )


def test_nothing_said_is_nothing_known() -> None:
    assert settings.facts({}, {}, {}) == MeetingFacts(exists=False)


WAITS = "participants_to_place_in_waiting_room"


@pytest.mark.parametrize(
    ("options", "placed", "expected"),
    [
        ({"mode": "custom", "who_goes_to_waiting_room": "everyone"}, 1, True),
        (
            {"mode": "custom", "who_goes_to_waiting_room": "users_not_on_invite"},
            0,
            False,
        ),
        ({"mode": "custom", "who_goes_to_waiting_room": None}, 0, None),
        ({"mode": "follow_setting", "who_goes_to_waiting_room": "everyone"}, 0, True),
        ({"mode": "follow_setting", "who_goes_to_waiting_room": "everyone"}, 1, False),
        ({"mode": "follow_setting"}, None, None),
        ({"mode": "follow_setting"}, True, None),
        ({"mode": "a_mode_of_next_year"}, 0, None),
    ],
)
def test_who_waits_at_the_door(
    options: dict[str, Any], placed: Any, expected: bool | None
) -> None:
    security = {"waiting_room_settings": {WAITS: placed}}
    found = read(security=security, waiting_room_options=options)
    assert found.waiting_room_for_everyone is expected


def test_an_older_answer_follows_the_hosts_setting() -> None:
    meeting = {
        **SAFE_MEETING,
        "settings": {
            key: value
            for key, value in SAFE_MEETING["settings"].items()
            if key != "waiting_room_options"
        },
    }
    open_door = {"meeting_security": {"waiting_room_settings": {WAITS: 1}}}
    for security, expected in ((SAFE_SECURITY, True), (open_door, False), ({}, None)):
        found = settings.facts(meeting, SAFE_USER, security)
        assert found.waiting_room_for_everyone is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), (None, None), ("yes", None)]
)
def test_without_a_waiting_room_nobody_waits(value: Any, expected: bool | None) -> None:
    assert read(waiting_room=value).waiting_room_for_everyone is expected


ADMIT = "users_who_can_admit_participants_from_waiting_room"


@pytest.mark.parametrize(
    ("admit", "expected"),
    [(0, True), (1, False), (7, False), (None, None), ("0", None)],
)
def test_who_opens_the_door(admit: Any, expected: bool | None) -> None:
    found = read(security={"waiting_room_settings": {ADMIT: admit}})
    assert found.only_workers_admit is expected


@pytest.mark.parametrize(
    ("said", "field", "expected"),
    [
        ({"approval_type": 0}, "invite_only", False),
        ({"approval_type": 1}, "invite_only", True),
        ({"approval_type": 2}, "invite_only", False),
        ({"approval_type": None}, "invite_only", None),
        ({"join_before_host": True}, "join_before_host", True),
        ({"join_before_host": None}, "join_before_host", None),
        ({"meeting_authentication": True}, "sign_in_required", True),
        ({"allow_multiple_devices": True}, "one_device_per_link", False),
        ({"allow_multiple_devices": None}, "one_device_per_link", None),
        ({"show_share_button": True}, "link_hidden", False),
        ({"show_join_info": True}, "link_hidden", False),
        ({"show_join_info": None}, "link_hidden", None),
        ({"show_join_info": None, "show_share_button": True}, "link_hidden", False),
        ({"use_pmi": True}, "personal_room", True),
        ({"use_pmi": None}, "personal_room", None),
        ({"auto_recording": "local"}, "auto_recording", True),
        ({"auto_recording": "cloud"}, "auto_recording", True),
        ({"auto_recording": ""}, "auto_recording", None),
        ({"alternative_hosts": ""}, "second_host", False),
        ({"alternative_hosts": ";"}, "second_host", False),
        ({"alternative_hosts": "sam@charity.example"}, "second_host", True),
        ({"alternative_hosts": None}, "second_host", None),
        ({"continuous_meeting_chat": {"enable": False}}, "lasting_chat", False),
        ({"continuous_meeting_chat": None}, "lasting_chat", None),
    ],
)
def test_the_meetings_own_settings(
    said: dict[str, Any], field: str, expected: bool | None
) -> None:
    assert getattr(read(**said), field) is expected


@pytest.mark.parametrize(
    ("kind", "personal", "recurring"),
    [(1, False, False), (2, False, False), (3, False, True), (4, True, False),
     (8, False, True), (10, False, False), (99, None, None), ("2", None, None)],
)  # fmt: skip
def test_kinds_of_meeting(
    kind: Any, personal: bool | None, recurring: bool | None
) -> None:
    found = read({"type": kind})
    assert (found.personal_room, found.recurring) == (personal, recurring)


@pytest.mark.parametrize(
    ("status", "started"),
    [("started", True), ("waiting", False), ("ended", None), (None, None)],
)
def test_the_status(status: Any, started: bool | None) -> None:
    assert read({"status": status}).started is started


@pytest.mark.parametrize(("password", "passcode"), [("h7Kq2w", True), ("", False)])
def test_the_passcode(password: str, passcode: bool) -> None:
    assert read({"password": password}).passcode is passcode


@pytest.mark.parametrize(
    ("part", "said", "field", "expected"),
    [
        ("recording", {"local_recording": True}, "recording_possible", True),
        (
            "recording",
            {"cloud_recording": True, "local_recording": None},
            "recording_possible",
            True,
        ),
        ("recording", {"cloud_recording": None}, "recording_possible", None),
        ("in_meeting", {"allow_live_streaming": True}, "live_stream_possible", True),
        ("in_meeting", {"who_can_share_screen": "all"}, "share_by_workers_only", False),
        ("in_meeting", {"who_can_share_screen": None}, "share_by_workers_only", None),
        (
            "in_meeting",
            {"who_can_share_screen": "all", "screen_sharing": False},
            "share_by_workers_only",
            True,
        ),
        ("in_meeting", {"annotation": True}, "annotation", True),
        ("in_meeting", {"remote_control": True}, "remote_control", True),
        ("in_meeting", {"file_transfer": True}, "file_transfer", True),
        ("in_meeting", {"private_chat": True}, "private_chat", True),
        ("in_meeting", {"allow_participants_chat_with": 4}, "private_chat", True),
        ("in_meeting", {"allow_participants_chat_with": 3}, "private_chat", False),
        (
            "in_meeting",
            {"allow_participants_chat_with": 1, "private_chat": None},
            "private_chat",
            False,
        ),
        ("in_meeting", {"allow_participants_chat_with": None}, "private_chat", False),
        ("in_meeting", {"allow_participants_chat_with": 9}, "private_chat", None),
        (
            "in_meeting",
            {"allow_participants_chat_with": None, "private_chat": None},
            "private_chat",
            None,
        ),
        ("in_meeting", {"chat": False, "private_chat": True}, "private_chat", False),
        ("in_meeting", {"allow_users_save_chats": 2}, "chat_saved_by_anyone", False),
        ("in_meeting", {"allow_users_save_chats": 3}, "chat_saved_by_anyone", True),
        ("in_meeting", {"allow_users_save_chats": 8}, "chat_saved_by_anyone", None),
    ],
)
def test_the_hosts_settings(
    part: str, said: dict[str, Any], field: str, expected: bool | None
) -> None:
    assert getattr(read(user={part: said}), field) is expected


def test_without_a_word_in_the_meeting_the_host_records() -> None:
    meeting = copy.deepcopy(SAFE_MEETING)
    del meeting["settings"]["auto_recording"]
    cloud = {"recording": {"auto_recording": "cloud"}}
    assert settings.facts(meeting, cloud, {}).auto_recording is True


@pytest.mark.parametrize(
    "broken", [None, [], "text", 7, {"settings": None}, {"settings": []}]
)
def test_answers_of_any_shape_are_read(broken: Any) -> None:
    shape = broken if isinstance(broken, dict) else {"settings": broken}
    user = {"in_meeting": broken, "recording": broken}
    security = {"meeting_security": {"waiting_room_settings": broken}}
    found = settings.facts(shape, user, security)
    assert found == MeetingFacts(exists=True)


# --- wishes -----------------------------------------------------------------------

NAMES = {field.name for field in fields(MeetingFacts)} - {
    "exists",
    "started",
    "host_user_id",
}


def test_there_is_a_wish_for_every_fact() -> None:
    assert set(settings.WISHES) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_wish_that_came_true_reads_as_safe(name: str) -> None:
    """What is sent, laid over the unsafe answers, gives the safe fact."""
    wish = settings.WISHES[name]
    if wish.ask:
        assert settings.wishes([name]) == ({}, {}, {})
        assert settings.lives_with(name) == "person"
        return
    meeting, user, security = settings.wishes([name])
    found = settings.facts(
        merged(load("rest.get_meeting.unsafe.json")["body"], dict(meeting)),
        merged(load("rest.user_settings.unsafe.json")["body"], dict(user)),
        merged(load("rest.user_settings_security.unsafe.json")["body"], dict(security)),
    )
    assert getattr(found, name) is wish.safe
    assert settings.lives_with(name) == ("meeting" if meeting else "host")


def test_several_wishes_make_one_call_each_place() -> None:
    names = ("auto_recording", "lasting_chat", "annotation", "private_chat", "nonsense")
    assert settings.wishes(names) == (
        {
            "settings": {
                "auto_recording": "none",
                "continuous_meeting_chat": {"enable": False},
            }
        },
        {
            "in_meeting": {
                "annotation": False,
                "private_chat": False,
                "allow_participants_chat_with": 3,
            }
        },
        {},
    )
    assert settings.wishes(names) == settings.wishes(names)


def test_only_what_is_read_back_counts() -> None:
    read_back = replace(UNSAFE, invite_only=True, annotation=None)
    mended = settings.compare(
        read_back,
        ("invite_only", "annotation", "file_transfer", "rename_possible", "colour"),
        {"file_transfer": "Zoom refused."},
    )
    assert mended.done == ("invite_only",)
    assert list(mended.refused) == [
        "annotation",
        "file_transfer",
        "rename_possible",
        "colour",
    ]
    assert "locked" in mended.refused["annotation"]
    assert mended.refused["file_transfer"] == "Zoom refused."
    assert "rename themselves" in mended.refused["rename_possible"]
    assert mended.facts is read_back


# --- creation ---------------------------------------------------------------------

SEVEN = datetime(2026, 11, 17, 19, tzinfo=UTC)
PLAN = Plan(
    session_id="s1",
    group_id="g1",
    platform="zoom",
    starts_at=SEVEN,
    ends_at=SEVEN + timedelta(minutes=59, seconds=1),
    title="Tuesday group",
    workers=(
        WorkerSlot(person_id="anna", role=Role.LEAD, platform_user_id="host"),
        WorkerSlot(person_id="sam", role=Role.SUPPORT, platform_user_id="sam-id"),
        WorkerSlot(
            person_id="tom",
            role=Role.STANDBY,
            platform_user_id="shared",
            shared_login=True,
        ),
        WorkerSlot(person_id="vol", role=Role.STANDBY),
    ),
)


def test_a_new_meeting_says_every_setting_itself() -> None:
    body = settings.new_meeting(PLAN, "mark-1", host_names={"host"})
    said = body.pop("settings")
    assert body == {
        "topic": "Tuesday group",
        "type": 2,
        "start_time": "2026-11-17T19:00:00Z",
        "timezone": "Europe/London",
        "duration": 60,
        "agenda": "Chaperone mark-1",
        "default_password": True,
    }
    assert said.pop("alternative_hosts") == "sam-id"
    assert said == settings.SAFE_SETTINGS


def test_a_meeting_made_that_way_is_safe() -> None:
    body = settings.new_meeting(PLAN, "mark-1")
    found = settings.facts(body, {}, {})
    assert {name: getattr(found, name) for name in settings.CREATED_SAFE} == {
        name: settings.WISHES[name].safe for name in settings.CREATED_SAFE
    }


@pytest.mark.parametrize(
    ("agenda", "ours"),
    [
        ("Chaperone mark-1", True),
        ("Chaperone mark-1 and a note of Anna's", True),
        ("Chaperone mark-12", False),
        ("mark", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_only_our_own_marker_adopts(agenda: Any, ours: bool) -> None:
    assert settings.carries(agenda, "mark-1") is ours
