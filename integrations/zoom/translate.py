"""Zoom's events by name, and what each becomes in our words.

developers.zoom.us/docs/api/meetings/events/, and what production really sends: times
stand under either of two names, fields the reference requires are missing.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from app.core import events as e
from integrations.zoom.story import Story, as_object, as_text, leave_cause, seat_fields

_MOST_CHANGES = 100
Events = tuple[e.MeetingEvent, ...]


def _meeting(story: Story, make: Callable[..., e.MeetingEvent], *times: Any) -> Events:
    if not story.meeting.meeting_id:
        story.doubts = True
    return (make(at=story.at(*times), **story.base),)


def _started(story: Story) -> Events:
    story.needs_instance()
    at = story.at(story.about.get("start_time"), needed=True)
    return (e.MeetingStarted(at=at, **story.base),)


def _ended(story: Story) -> Events:
    story.needs_instance()
    at = story.at(story.about.get("end_time"), needed=True)
    return (e.MeetingEnded(at=at, **story.base),)


_ALWAYS_THERE = frozenset({"id", "uuid", "host_id", "topic", "type", "settings"})


def _updated(story: Story) -> Events:
    new, old = story.about, as_object(story.payload.get("old_object"))
    changed = set(new) - _ALWAYS_THERE
    changed |= {k for k in set(old) - {"settings"} if old[k] != new.get(k)} - {"id"}
    changed |= set(as_object(new.get("settings")))
    changed |= set(as_object(old.get("settings")))
    names = tuple(sorted(as_text(name) for name in changed)[:_MOST_CHANGES])
    make = partial(e.MeetingChanged, changed=names)
    return _meeting(story, make, story.payload.get("time_stamp"))


def _recovered(story: Story) -> Events:
    return _meeting(story, partial(e.MeetingChanged, changed=("recovered",)))


def _seat(
    story: Story, make: Callable[..., e.SeatEvent], *times: str, **more: Any
) -> Events:
    """A fact about one connection in one instance; what is missing is doubted (W21)."""
    story.needs_instance()
    if not story.person:
        story.doubts = True
        return ()
    fields = seat_fields(story.person)
    if not (fields["uuid"] or fields["user_id"]):
        story.doubts = True
    at = story.at(*(story.person.get(name) for name in times), needed=True)
    return (make(at=at, **story.base, **fields, **more),)


def _moment(make: Callable[..., e.SeatEvent]) -> Callable[[Story], Events]:
    return lambda story: _seat(story, make, "date_time", "join_time", "leave_time")


def _joined(story: Story) -> Events:
    return _seat(story, e.ParticipantJoined, "join_time", "date_time")


def _left(story: Story) -> Events:
    reason = as_text(story.person.get("leave_reason"))
    cause = leave_cause(reason, as_text(story.person.get("user_name")))
    return _seat(story, e.ParticipantLeft, "leave_time", "date_time", cause=cause)


def _before_host(
    make: Callable[..., e.SeatEvent], **more: Any
) -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        # These carry neither a seat number nor a time of their own.
        story.needs_instance()
        if not story.person:
            story.doubts = True
        fields = seat_fields(story.person)
        story.look = make is e.JoinedBeforeHost
        return (make(at=story.at(), **story.base, **fields, **more),)

    return translate


_ROLES = {"cohost": "co-host", "co_host": "co-host", "participant": "attendee"}


def _role_changed(story: Story) -> Events:
    role = as_text(story.person.get("new_role")).strip().lower()
    if not role:
        story.doubts = True
        return ()
    return _seat(story, e.RoleChanged, "date_time", role=_ROLES.get(role, role))


def _bind(story: Story) -> Events:
    bound_uuid = as_text(story.person.get("bind_participant_uuid"))
    bound_user_id = as_text(story.person.get("bind_user_id"))
    if not (bound_uuid or bound_user_id):
        story.doubts = True
        return ()
    return _seat(
        story,
        e.PhoneBound,
        "join_time",
        "date_time",
        bound_uuid=bound_uuid,
        bound_user_id=bound_user_id,
    )


def _breakout(make: Callable[..., e.SeatEvent], time: str) -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        room = as_text(story.about.get("breakout_room_uuid"))
        if not room:
            story.doubts = True
            return ()
        return _seat(story, make, time, "date_time", room=room)

    return translate


def _registration(status: str) -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        registrant = as_object(story.about.get("registrant"))
        registrant_id = as_text(registrant.get("id"))
        if not registrant_id:
            story.doubts = True
        first = as_text(registrant.get("first_name"))
        last = as_text(registrant.get("last_name"))
        make = partial(
            e.RegistrationChanged,
            registrant_id=registrant_id,
            status=status or as_text(registrant.get("status")) or "pending",
            name=f"{first} {last}".strip(),
            email=as_text(registrant.get("email")),
        )
        return _meeting(story, make)

    return translate


def _chat(story: Story) -> Events:
    message = as_object(story.about.get("chat_message"))
    make = partial(
        e.ChatMessageSent,
        message_id=as_text(message.get("message_id")),
        recipient=as_text(message.get("recipient_type")),
        sender_seat=as_text(message.get("sender_session_id")),
    )
    return _meeting(story, make, message.get("date_time"))


def _sharing(*, started: bool) -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        story.needs_instance()
        details = as_object(story.person.get("sharing_details"))
        fields = seat_fields(story.person)
        at = story.at(details.get("date_time"))
        return (e.SharingChanged(at=at, started=started, **story.base, **fields),)

    return translate


def _recording(state: str, time: str = "") -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        # A pause keeps the time the recording began, so only its own moment counts.
        story.needs_instance()
        file = as_object(story.about.get("recording_file"))
        times = (file.get(time),) if time else ()
        return _meeting(story, partial(e.RecordingChanged, state=state), *times)

    return translate


def _streaming(*, started: bool) -> Callable[[Story], Events]:
    def translate(story: Story) -> Events:
        story.needs_instance()
        details = as_object(story.about.get("live_streaming"))
        make = partial(e.LiveStreamChanged, started=started)
        return _meeting(story, make, details.get("date_time"))

    return translate


def _app_removed(story: Story) -> Events:
    at = story.at(story.payload.get("deauthorization_time"))
    return (e.AppRemoved(at=at, **story.base),)


def _about(make: Callable[..., e.MeetingEvent]) -> Callable[[Story], Events]:
    return lambda story: _meeting(story, make)


TRANSLATE: dict[str, Callable[[Story], Events]] = {
    "meeting.created": _about(e.MeetingCreated),
    "meeting.updated": _updated,
    "meeting.deleted": _about(e.MeetingDeleted),
    "meeting.permanently_deleted": _about(e.MeetingDeleted),
    "meeting.recovered": _recovered,
    "meeting.started": _started,
    "meeting.ended": _ended,
    "meeting.participant_jbh_waiting": _before_host(e.WaitedForHost),
    "meeting.participant_jbh_waiting_left": _before_host(e.WaitedForHost, gone=True),
    "meeting.participant_jbh_joined": _before_host(e.JoinedBeforeHost),
    "meeting.participant_joined_waiting_room": _moment(e.ParticipantWaiting),
    "meeting.participant_left_waiting_room": _moment(e.ParticipantStoppedWaiting),
    "meeting.participant_admitted": _moment(e.ParticipantAdmitted),
    "meeting.participant_put_in_waiting_room": _moment(e.ParticipantHeld),
    "meeting.participant_joined": _joined,
    "meeting.participant_left": _left,
    "meeting.participant_role_changed": _role_changed,
    "meeting.participant_bind": _bind,
    "meeting.participant_joined_breakout_room": _breakout(
        e.BreakoutJoined, "join_time"
    ),
    "meeting.participant_left_breakout_room": _breakout(e.BreakoutLeft, "leave_time"),
    "meeting.registration_created": _registration(""),
    "meeting.registration_approved": _registration("approved"),
    "meeting.registration_cancelled": _registration("cancelled"),
    "meeting.registration_denied": _registration("denied"),
    "meeting.chat_message_sent": _chat,
    "meeting.sharing_started": _sharing(started=True),
    "meeting.sharing_ended": _sharing(started=False),
    "meeting.breakout_room_sharing_started": _sharing(started=True),
    "meeting.breakout_room_sharing_ended": _sharing(started=False),
    "recording.started": _recording("started", "recording_start"),
    "recording.stopped": _recording("stopped", "recording_end"),
    "recording.paused": _recording("paused"),
    "recording.resumed": _recording("resumed"),
    "meeting.live_streaming_started": _streaming(started=True),
    "meeting.live_streaming_stopped": _streaming(started=False),
    "meeting.risk_alert": _about(e.LinkLeaked),
    "meeting.alert": _about(e.ConnectionQualityWarned),
    "app_deauthorized": _app_removed,
}
