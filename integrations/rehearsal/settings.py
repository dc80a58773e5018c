"""Settings as the platform keeps them: defaults, and the merge a PATCH makes."""

from __future__ import annotations

import copy

from integrations.rehearsal.rooms import Json


def api_meeting_settings() -> Json:
    """A meeting made by API with no settings of its own: open to everybody.

    Zoom: meetings made by API do not inherit the host's scheduler defaults.
    """
    return {
        "host_video": True,
        "participant_video": False,
        "join_before_host": False,
        "jbh_time": 0,
        "mute_upon_entry": False,
        "use_pmi": False,
        "approval_type": 2,
        "registration_type": 1,
        "allow_multiple_devices": True,
        "auto_recording": "none",
        "waiting_room": False,
        "meeting_authentication": False,
        "alternative_hosts": "",
        "show_share_button": True,
        "show_join_info": True,
        "private_meeting": False,
        "internal_meeting": False,
        "encryption_type": "enhanced_encryption",
        "email_in_attendee_report": True,
        "registrants_email_notification": True,
        "registrants_confirmation_email": True,
        "breakout_room": {"enable": False},
        "meeting_invitees": [],
        "continuous_meeting_chat": {
            "enable": False,
            "auto_add_invited_external_users": False,
            "auto_add_meeting_participants": False,
        },
        "waiting_room_options": {
            "mode": "follow_setting",
            "who_goes_to_waiting_room": "everyone",
        },
    }


def safe_meeting_settings() -> Json:
    """A meeting a charity would want: door shut, invite-only, one device a link."""
    return merged(
        api_meeting_settings(),
        {
            "mute_upon_entry": True,
            "approval_type": 1,
            "allow_multiple_devices": False,
            "waiting_room": True,
            "show_share_button": False,
            "show_join_info": False,
            "private_meeting": True,
            "registrants_email_notification": False,
            "registrants_confirmation_email": False,
            "waiting_room_options": {
                "mode": "custom",
                "who_goes_to_waiting_room": "everyone",
            },
        },
    )


def safe_user_settings() -> Json:
    """A host user whose own settings need no mending."""
    return {
        "schedule_meeting": {
            "host_video": True,
            "participants_video": False,
            "join_before_host": False,
            "use_pmi_for_scheduled_meetings": False,
            "use_pmi_for_instant_meetings": False,
            "require_password_for_scheduling_new_meetings": True,
            "embed_password_in_join_link": True,
            "continuous_meeting_chat": {
                "enable": True,
                "can_add_external_users": False,
                "auto_add_invited_external_users": False,
            },
        },
        "in_meeting": {
            "chat": True,
            "private_chat": False,
            "allow_participants_chat_with": 2,
            "allow_users_save_chats": 1,
            "file_transfer": False,
            "screen_sharing": True,
            "who_can_share_screen": "host",
            "annotation": False,
            "remote_control": False,
            "co_host": True,
            "allow_live_streaming": False,
            "waiting_room": True,
            "breakout_room": True,
        },
        "recording": {
            "local_recording": False,
            "cloud_recording": False,
            "auto_recording": "none",
        },
        "meeting_security": {
            "waiting_room": True,
            "waiting_room_settings": {
                "participants_to_place_in_waiting_room": 0,
                "users_who_can_admit_participants_from_waiting_room": 0,
                "whitelisted_domains_for_waiting_room": "",
            },
            "meeting_password": True,
            "embed_password_in_join_link": True,
            "only_authenticated_can_join_from_webclient": False,
            "phone_password": True,
            "encryption_type": "enhanced_encryption",
        },
    }


def merged(old: Json, patch: Json) -> Json:
    """A new dict: `patch` over `old`, objects merged key by key."""
    new = copy.deepcopy(old)
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(new.get(key), dict):
            new[key] = merged(new[key], value)
        else:
            new[key] = copy.deepcopy(value)
    return new


def without(patch: Json, locked: frozenset[str], prefix: str = "") -> Json:
    """`patch` without what the account locked; the platform says nothing of it."""
    kept: Json = {}
    for key, value in patch.items():
        name = f"{prefix}{key}"
        if name in locked:
            continue
        if isinstance(value, dict):
            kept[key] = without(value, locked, f"{name}.")
        else:
            kept[key] = value
    return kept


def changed(old: Json, new: Json) -> tuple[Json, Json]:
    """The keys in which the two differ: (new values, old values)."""
    keys = [key for key in new if old.get(key) != new[key]]
    return {key: new[key] for key in keys}, {key: old.get(key) for key in keys}
