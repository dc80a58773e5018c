"""What a platform says about a meeting's safety settings and about our own hands.

Every field is None while it is not known; unknown counts as unsafe in readiness.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingFacts:
    """The *effective* settings of one meeting, in words that fit every platform.

    Filled by ``integrations/<platform>/settings.py`` from all the places a setting can
    live (meeting, host, account). True means what the name says.
    """

    exists: bool | None = None
    started: bool | None = None
    waiting_room_for_everyone: bool | None = None
    only_workers_admit: bool | None = None
    join_before_host: bool | None = None
    invite_only: bool | None = None
    sign_in_required: bool | None = None
    one_device_per_link: bool | None = None
    link_hidden: bool | None = None
    personal_room: bool | None = None
    recurring: bool | None = None
    auto_recording: bool | None = None
    recording_possible: bool | None = None
    live_stream_possible: bool | None = None
    share_by_workers_only: bool | None = None
    annotation: bool | None = None
    remote_control: bool | None = None
    private_chat: bool | None = None
    chat_saved_by_anyone: bool | None = None
    file_transfer: bool | None = None
    rename_possible: bool | None = None
    second_host: bool | None = None
    host_licensed: bool | None = None
    lasting_chat: bool | None = None
    passcode: bool | None = None
    host_user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What can be done, and seen, in this session right now; probed, never assumed.

    ``live_roster``: the platform lists who is in the room. Without it the promise is the
    weaker "webhooks only" one (DESIGN §5, line 8). None = not probed yet.
    """

    live_roster: bool | None = None
    end_for_all: bool | None = None
    remove_one: bool | None = None
    hold_one: bool | None = None
    admit_one: bool | None = None
    waiting_text: bool | None = None
    room_chat: bool | None = None
    links: bool | None = None
    problems: tuple[str, ...] = ()
