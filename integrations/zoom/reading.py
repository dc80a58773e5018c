"""Zoom's answers about one meeting, read as `MeetingFacts`. No I/O.

The value that *works* counts, not the one that is written nearest: a meeting may
follow its host's setting. What is not said, or said in a way we do not know, is None.
"""

from collections.abc import Mapping
from typing import Any

from app.core.facts import MeetingFacts

Json = Mapping[str, Any]

# Zoom's numbers and words.
EVERYONE_WAITS = 0
ONLY_HOSTS_ADMIT = 0
APPROVED_BY_HAND = 1
PUBLIC_CHAT_ONLY = 3
NOBODY_SAVES_CHAT = 1
_ALSO_PRIVATE_CHAT = 4
_EVERYONE_SAVES_CHAT = 3
_PERSONAL_ROOM = 4
_RECURRING = frozenset({3, 8})
_KNOWN_TYPES = frozenset({1, 2, 3, 4, 8, 10})
_LICENSED = 2


def facts(
    meeting: Json, user: Json, security: Json, profile: Json | None = None
) -> MeetingFacts:
    """The *effective* settings; None for what is not said or not known to us.

    `meeting`, `user`, `security`: answers of GET /meetings/{id}, /users/{id}/settings
    and the same with option=meeting_security; `profile`: GET /users/{id}. Any of the
    last three may be {} when it could not be read.
    """
    said = _object(meeting, "settings")
    in_meeting = _object(user, "in_meeting")
    status, kind = meeting.get("status"), meeting.get("type")
    kind = kind if type(kind) is int and kind in _KNOWN_TYPES else None
    return MeetingFacts(
        exists=bool(meeting),
        started={"started": True, "waiting": False}.get(str(status)),
        waiting_room_for_everyone=_everyone_waits(said, security),
        only_workers_admit=_only_hosts_admit(security),
        join_before_host=_flag(said, "join_before_host"),
        invite_only=_invite_only(said),
        sign_in_required=_flag(said, "meeting_authentication"),
        one_device_per_link=_not(_flag(said, "allow_multiple_devices")),
        link_hidden=_none_of(said, "show_share_button", "show_join_info"),
        personal_room=_personal_room(said, kind),
        recurring=None if kind is None else kind in _RECURRING,
        auto_recording=_auto_recording(said, user),
        recording_possible=_any_of(
            _object(user, "recording"), "local_recording", "cloud_recording"
        ),
        live_stream_possible=_flag(in_meeting, "allow_live_streaming"),
        share_by_workers_only=_share_by_hosts(in_meeting),
        annotation=_flag(in_meeting, "annotation"),
        remote_control=_flag(in_meeting, "remote_control"),
        private_chat=_private_chat(in_meeting),
        chat_saved_by_anyone=_chat_saved(in_meeting),
        file_transfer=_flag(in_meeting, "file_transfer"),
        rename_possible=None,  # account settings only; no call shows it
        second_host=_second_host(said),
        host_licensed=_licensed(profile or {}),
        lasting_chat=_flag(_object(said, "continuous_meeting_chat"), "enable"),
        passcode=bool(meeting["password"]) if "password" in meeting else None,
        host_user_id=str(meeting.get("host_id") or ""),
    )


def _object(place: Json, key: str) -> Json:
    value = place.get(key)
    return value if isinstance(value, dict) else {}


def _flag(place: Json, key: str) -> bool | None:
    value = place.get(key)
    return value if isinstance(value, bool) else None


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any_of(place: Json, *keys: str) -> bool | None:
    """True when one is on, False when all are known to be off."""
    values = [_flag(place, key) for key in keys]
    if True in values:
        return True
    return None if None in values else False


def _none_of(place: Json, *keys: str) -> bool | None:
    return _not(_any_of(place, *keys))


def _everyone_waits(said: Json, security: Json) -> bool | None:
    """Waiting room on, *and* nobody walks past it.

    The meeting may follow the host's setting for who waits (changelog 2025-09-15); an
    answer without the newer options comes from before them and does.
    """
    switched_on = _flag(said, "waiting_room")
    if switched_on is not True:
        return switched_on
    options = _object(said, "waiting_room_options")
    mode = options.get("mode", "follow_setting")
    if mode == "custom":
        who = options.get("who_goes_to_waiting_room")
        return who == "everyone" if isinstance(who, str) else None
    if mode != "follow_setting":
        return None
    return _is(
        _waiting_rules(security),
        "participants_to_place_in_waiting_room",
        EVERYONE_WAITS,
    )


def _waiting_rules(security: Json) -> Json:
    return _object(_object(security, "meeting_security"), "waiting_room_settings")


def _only_hosts_admit(security: Json) -> bool | None:
    return _is(
        _waiting_rules(security),
        "users_who_can_admit_participants_from_waiting_room",
        ONLY_HOSTS_ADMIT,
    )


def _is(place: Json, key: str, wanted: int) -> bool | None:
    value = place.get(key)
    return value == wanted if type(value) is int else None


def _invite_only(said: Json) -> bool | None:
    # 0 gives a link to whoever finds the registration page; 2 is no registration.
    return _is(said, "approval_type", APPROVED_BY_HAND)


def _personal_room(said: Json, kind: int | None) -> bool | None:
    if kind == _PERSONAL_ROOM:
        return True
    return None if kind is None else _flag(said, "use_pmi")


def _auto_recording(said: Json, user: Json) -> bool | None:
    value = said.get("auto_recording", _object(user, "recording").get("auto_recording"))
    return value != "none" if isinstance(value, str) and value else None


def _share_by_hosts(in_meeting: Json) -> bool | None:
    if _flag(in_meeting, "screen_sharing") is False:
        return True
    who = in_meeting.get("who_can_share_screen")
    return who == "host" if isinstance(who, str) else None


def _private_chat(in_meeting: Json) -> bool | None:
    """Two settings say it; either of them makes it possible."""
    if _flag(in_meeting, "chat") is False:
        return False
    flag, level = (
        _flag(in_meeting, "private_chat"),
        in_meeting.get("allow_participants_chat_with"),
    )
    if flag is True or level == _ALSO_PRIVATE_CHAT:
        return True
    known = level in (1, 2, PUBLIC_CHAT_ONLY) or (level is None and flag is False)
    return False if known else None


def _chat_saved(in_meeting: Json) -> bool | None:
    level = in_meeting.get("allow_users_save_chats")
    if type(level) is not int or level not in (1, 2, 3):
        return None
    return level == _EVERYONE_SAVES_CHAT


def _second_host(said: Json) -> bool | None:
    value = said.get("alternative_hosts")
    return (
        any(part.strip() for part in value.split(";"))
        if isinstance(value, str)
        else None
    )


def _licensed(profile: Json) -> bool | None:
    kind = profile.get("type")
    return kind == _LICENSED if type(kind) is int else None
