"""What is safe on Zoom, where each setting lives, how to read and mend it. No I/O.

A setting can live in the meeting (`GET/PATCH /meetings/{id}`), with the host user
(`/users/{id}/settings`, and the same with `option=meeting_security`), or only with the
account, which no call shows. Sources: developers.zoom.us/docs/api/meetings/, .../users/.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from app.core.facts import MeetingFacts
from app.core.plan import Plan
from integrations.base import Mended
from integrations.zoom.reading import (
    APPROVED_BY_HAND,
    NOBODY_SAVES_CHAT,
    ONLY_HOSTS_ADMIT,
    PUBLIC_CHAT_ONLY,
    Json,
    facts,
)

__all__ = [
    "CREATED_SAFE",
    "SAFE_SETTINGS",
    "WISHES",
    "Wish",
    "carries",
    "compare",
    "facts",
    "lives_with",
    "new_meeting",
    "wishes",
]


# --- mending ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """One safe value and where to write it. The patches are JSON as Zoom takes it.

    `ask`: what a person has to do when no call can.
    """

    safe: bool
    meeting: Json | None = None
    user: Json | None = None
    security: Json | None = None
    ask: str = ""


def _in_meeting(**fields: Any) -> Json:
    return {"in_meeting": fields}


_DOOR = {"mode": "custom", "who_goes_to_waiting_room": "everyone"}
_ADMIT = {"users_who_can_admit_participants_from_waiting_room": ONLY_HOSTS_ADMIT}
_RENAME = (
    "In Zoom's web portal an administrator opens Account Management > Account Settings"
    " > In Meeting (Basic), switches off “Allow participants to rename themselves” and"
    " locks it."
)

WISHES: dict[str, Wish] = {
    "waiting_room_for_everyone": Wish(
        True, meeting={"waiting_room": True, "waiting_room_options": _DOOR}
    ),
    "only_workers_admit": Wish(
        True, security={"meeting_security": {"waiting_room_settings": _ADMIT}}
    ),
    "join_before_host": Wish(False, meeting={"join_before_host": False, "jbh_time": 0}),
    "invite_only": Wish(
        True,
        meeting={
            "approval_type": APPROVED_BY_HAND,
            "registrants_email_notification": False,
            "registrants_confirmation_email": False,
        },
    ),
    "sign_in_required": Wish(True, meeting={"meeting_authentication": True}),
    "one_device_per_link": Wish(True, meeting={"allow_multiple_devices": False}),
    "link_hidden": Wish(
        True, meeting={"show_share_button": False, "show_join_info": False}
    ),
    "personal_room": Wish(False, meeting={"use_pmi": False}),
    "recurring": Wish(
        False, ask="Plan a single meeting for each session: Chaperone makes it."
    ),
    "auto_recording": Wish(False, meeting={"auto_recording": "none"}),
    "recording_possible": Wish(
        False,
        user={"recording": {"local_recording": False, "cloud_recording": False}},
    ),
    "live_stream_possible": Wish(False, user=_in_meeting(allow_live_streaming=False)),
    "share_by_workers_only": Wish(True, user=_in_meeting(who_can_share_screen="host")),
    "annotation": Wish(False, user=_in_meeting(annotation=False)),
    "remote_control": Wish(False, user=_in_meeting(remote_control=False)),
    "private_chat": Wish(
        False,
        user=_in_meeting(
            private_chat=False, allow_participants_chat_with=PUBLIC_CHAT_ONLY
        ),
    ),
    "chat_saved_by_anyone": Wish(
        False, user=_in_meeting(allow_users_save_chats=NOBODY_SAVES_CHAT)
    ),
    "file_transfer": Wish(False, user=_in_meeting(file_transfer=False)),
    "rename_possible": Wish(False, ask=_RENAME),
    "second_host": Wish(
        True,
        ask="In Zoom's web portal open the meeting, choose Edit > Options >"
        " Alternative hosts and enter the second worker's address.",
    ),
    "host_licensed": Wish(
        True,
        ask="In Zoom's web portal an administrator opens User Management > Users and"
        " gives the host user a licence: registration needs one.",
    ),
    "lasting_chat": Wish(False, meeting={"continuous_meeting_chat": {"enable": False}}),
    "passcode": Wish(
        True,
        ask="In Zoom's web portal open the meeting, choose Edit and tick Passcode.",
    ),
}


def lives_with(name: str) -> str:
    """`meeting`, `host` (changes all meetings of that user) or `person` (no call can)."""
    wish = WISHES.get(name)
    if wish is None or wish.ask:
        return "person"
    return "meeting" if wish.meeting is not None else "host"


def wishes(names: Iterable[str]) -> tuple[Json, Json, Json]:
    """The bodies that make these MeetingFacts fields safe; {} where nothing is to be sent.

    For PATCH /meetings/{id}, PATCH /users/{id}/settings, and the same with
    option=meeting_security. Names that no call can mend are left out.
    """
    meeting: dict[str, Any] = {}
    user: dict[str, Any] = {}
    security: dict[str, Any] = {}
    for name in names:
        wish = WISHES.get(name)
        if wish is None:
            continue
        _lay_over(meeting, wish.meeting or {})
        _lay_over(user, wish.user or {})
        _lay_over(security, wish.security or {})
    return ({"settings": meeting} if meeting else {}), user, security


def _lay_over(under: dict[str, Any], over: Json) -> None:
    for key, value in over.items():
        if isinstance(value, dict):
            _lay_over(under.setdefault(key, {}), value)
        else:
            under[key] = value


def compare(
    read_back: MeetingFacts,
    names: Iterable[str],
    failures: Mapping[str, str] | None = None,
) -> Mended:
    """Which wishes hold after reading back, and for the others why not.

    A 2xx may have dropped a setting in silence, because the account has it off or
    locked; only what is read counts. `failures`: what Zoom said about a wish's call.
    """
    done, refused = [], {}
    for name in dict.fromkeys(names):
        wish = WISHES.get(name)
        if wish is None:
            refused[name] = "Zoom has no such setting."
        elif getattr(read_back, name) is wish.safe:
            done.append(name)
        else:
            refused[name] = (failures or {}).get(name) or wish.ask or _SILENTLY_KEPT
    return Mended(done=tuple(done), refused=refused, facts=read_back)


_SILENTLY_KEPT = (
    "Zoom took the change but kept its own value: the account has this setting locked."
    " In Zoom's web portal an administrator opens Account Management > Account Settings"
    " and unlocks it, or sets the safe value there."
)


# --- a new meeting ----------------------------------------------------------------

# Meetings made by the API do not inherit the host's defaults, so all of it is said.
SAFE_SETTINGS: Json = {
    "host_video": True,
    "participant_video": False,
    "mute_upon_entry": True,
    "join_before_host": False,
    "jbh_time": 0,
    "use_pmi": False,
    "approval_type": APPROVED_BY_HAND,
    "registration_type": 1,
    "allow_multiple_devices": False,
    "registrants_email_notification": False,
    "registrants_confirmation_email": False,
    "alternative_hosts_email_notification": False,
    "auto_recording": "none",
    "waiting_room": True,
    "waiting_room_options": _DOOR,
    "meeting_authentication": False,
    "show_share_button": False,
    "show_join_info": False,
    "private_meeting": True,
    "breakout_room": {"enable": False},
    "continuous_meeting_chat": {"enable": False},
}

# What creation asks for and reading back must show.
CREATED_SAFE = (
    "waiting_room_for_everyone",
    "join_before_host",
    "invite_only",
    "one_device_per_link",
    "link_hidden",
    "personal_room",
    "auto_recording",
    "lasting_chat",
)


def new_meeting(
    plan: Plan, marker: str, *, host_names: Collection[str] = ()
) -> dict[str, Any]:
    """The body of POST /users/{userId}/meetings for one single, safe session.

    `marker` stands alone between spaces in the agenda, where a list of meetings shows
    it. Workers who have accounts of their own become alternative hosts, but for the
    host, whose id and address are `host_names`.
    """
    length = plan.ends_at - plan.starts_at
    others = dict.fromkeys(
        worker.platform_user_id
        for worker in plan.workers
        if worker.platform_user_id
        and not worker.shared_login
        and worker.platform_user_id not in host_names
    )
    return {
        "topic": plan.title or "Group session",
        "type": 2,
        "start_time": plan.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timezone": plan.zone,
        "duration": max(1, -(-length // timedelta(minutes=1))),
        "agenda": f"Chaperone {marker}",
        "default_password": True,
        "settings": {**SAFE_SETTINGS, "alternative_hosts": ";".join(others)},
    }


def carries(agenda: Any, marker: str) -> bool:
    """The agenda holds exactly our marker, not one that merely begins like it."""
    return isinstance(agenda, str) and marker in agenda.split()
