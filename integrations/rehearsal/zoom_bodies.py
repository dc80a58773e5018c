"""A happening of the World as Zoom's webhook body.

Shapes follow Zoom's events reference (developers.zoom.us/docs/api/meetings/events/):
the meeting id is text in some events and a number in others, guests have empty ids,
a role change carries no registrant id.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from integrations.rehearsal.people import Account
from integrations.rehearsal.rooms import Connection, Happening, Json, Kind
from integrations.rehearsal.zoom_plan_bodies import (
    created,
    deleted,
    instant,
    minutes,
    operator_of,
    registration,
    updated,
)


def compact(body: Json) -> bytes:
    """The exact bytes that are signed: UTF-8, no spaces, no `\\u` escapes."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def webhook_of(happening: Happening, account: Account) -> tuple[str, bytes]:
    """(event name, body)."""
    event, build = _EVENTS[happening.kind]
    body = {
        "event": event,
        "event_ts": int(happening.at.timestamp() * 1000),
        "payload": {"account_id": account.account_id, **build(happening)},
    }
    return event, compact(body)


def _object(happening: Happening, **more: object) -> Json:
    """The running meeting; the id as text."""
    meeting, instance = happening.meeting, happening.instance
    shown: Json = {
        "id": str(meeting.id),
        "uuid": instance.uuid if instance else meeting.uuid,
        "host_id": meeting.host.zoom_user_id,
        "topic": meeting.topic,
        "type": meeting.type,
        "start_time": instant(instance.started_at if instance else meeting.start_at),
        "timezone": meeting.timezone,
        "duration": minutes(meeting),
    }
    return {**shown, **more}


def _started(happening: Happening) -> Json:
    # An instant meeting's `started` comes without the host's address in practice.
    meeting = happening.meeting
    more = {} if meeting.type == 1 else {"host_email": meeting.host.email}
    return {"object": _object(happening, **more)}


def _ended(happening: Happening) -> Json:
    shown = _started(happening)["object"]
    return {"object": {**shown, "end_time": instant(happening.at)}}


def _seat(happening: Happening) -> Connection:
    if happening.connection is None:
        raise ValueError(f"“{happening.kind}” happens to a connection")
    return happening.connection


def _person(connection: Connection, **more: object) -> Json:
    shown: Json = {
        "user_id": connection.user_id,
        "user_name": connection.name,
        "id": connection.zoom_user_id,
        "participant_user_id": connection.zoom_user_id,
        "participant_uuid": connection.participant_uuid,
        "email": connection.email,
    }
    if connection.registrant_id:
        shown["registrant_id"] = connection.registrant_id
    if connection.phone:
        shown["phone_number"] = connection.phone
    return {**shown, **more}


def _participant(happening: Happening, **more: object) -> Json:
    person = _person(_seat(happening), **more)
    return {"object": _object(happening, participant=person)}


def _moment(happening: Happening) -> Json:
    return _participant(happening, date_time=instant(happening.at))


def _joined(happening: Happening) -> Json:
    return _participant(happening, join_time=instant(happening.at))


def _left(happening: Happening) -> Json:
    reason = _seat(happening).leave_reason
    return _participant(
        happening, leave_reason=reason, leave_time=instant(happening.at)
    )


def _at_the_door(happening: Happening) -> Json:
    """No seat yet: no user_id, no participant_uuid; waiting hides the link too."""
    waiting = happening.kind is Kind.CAME_BEFORE_HOST
    number: object = str(happening.meeting.id)
    if happening.kind is Kind.GAVE_UP_WAITING_FOR_HOST:
        number = happening.meeting.id
    connection, registrant = happening.connection, happening.detail.get("registrant")
    person: Json = {
        "id": connection.zoom_user_id if connection else "",
        "user_name": connection.name if connection else happening.detail["name"],
    }
    link = connection.registrant_id if connection else (registrant and registrant.id)
    if link and not waiting:
        person["registrant_id"] = link
    planned = instant(happening.meeting.start_at)
    return {
        "object": _object(happening, id=number, start_time=planned, participant=person)
    }


def _role_changed(happening: Happening) -> Json:
    connection = _seat(happening)
    person = {
        "user_id": connection.user_id,
        "user_name": connection.name,
        "participant_user_id": connection.zoom_user_id,
        "participant_uuid": connection.participant_uuid,
        "email": connection.email,
        "old_role": happening.detail["old"],
        "new_role": happening.detail["new"],
        "date_time": instant(happening.at),
    }
    return {"object": _object(happening, participant=person)}


def _bound(happening: Happening) -> Json:
    owner = _seat(happening).bound_to
    if owner is None:
        raise ValueError("a bound telephone has an owner")
    return _participant(
        happening,
        bind_user_id=owner.user_id,
        bind_participant_uuid=owner.participant_uuid,
        join_time=instant(happening.at),
        date_time=instant(happening.at),
    )


def _breakout(happening: Happening) -> Json:
    connection = _seat(happening)
    leaving = happening.kind is Kind.LEFT_BREAKOUT
    times: Json = {"join_time": instant(happening.at)}
    if leaving:
        reason = f"{connection.name} left the meeting."
        times = {"leave_reason": reason, "leave_time": instant(happening.at)}
    person = {
        **_person(connection),
        "user_id": connection.breakout_user_id,
        "parent_user_id": connection.user_id,
        **times,
    }
    room = happening.detail["room"]
    shown = _object(happening, breakout_room_uuid=room, participant=person)
    return {"object": shown}


def _recording(happening: Happening) -> Json:
    ended = happening.kind is Kind.RECORDING_STOPPED
    times = {
        "recording_start": instant(happening.detail["started"]),
        "recording_end": instant(happening.at) if ended else "",
    }
    number = happening.meeting.id
    return {"object": _object(happening, id=number, recording_file=times)}


def _streaming(happening: Happening) -> Json:
    stream = {"service": "YouTube", "date_time": instant(happening.at)}
    number = happening.meeting.id
    shown = _object(happening, id=number, live_streaming=stream)
    return {**operator_of(happening), "object": shown}


def _sharing(happening: Happening) -> Json:
    connection = _seat(happening)
    details = {
        "content": "desktop",
        "link_source": "",
        "file_link": "",
        "date_time": instant(happening.at),
        "source": "",
    }
    person = {
        "user_id": connection.user_id,
        "user_name": connection.name,
        "id": connection.zoom_user_id,
        "sharing_details": details,
    }
    return {"object": _object(happening, participant=person)}


_EVENTS: dict[Kind, tuple[str, Callable[[Happening], Json]]] = {
    Kind.MEETING_CREATED: ("meeting.created", created),
    Kind.MEETING_UPDATED: ("meeting.updated", updated),
    Kind.MEETING_DELETED: ("meeting.deleted", deleted),
    Kind.STARTED: ("meeting.started", _started),
    Kind.ENDED: ("meeting.ended", _ended),
    Kind.CAME_BEFORE_HOST: ("meeting.participant_jbh_waiting", _at_the_door),
    Kind.GAVE_UP_WAITING_FOR_HOST: (
        "meeting.participant_jbh_waiting_left",
        _at_the_door,
    ),
    Kind.JOINED_BEFORE_HOST: ("meeting.participant_jbh_joined", _at_the_door),
    Kind.ENTERED_WAITING_ROOM: ("meeting.participant_joined_waiting_room", _moment),
    Kind.LEFT_WAITING_ROOM: ("meeting.participant_left_waiting_room", _moment),
    Kind.ADMITTED: ("meeting.participant_admitted", _moment),
    Kind.PUT_IN_WAITING_ROOM: ("meeting.participant_put_in_waiting_room", _moment),
    Kind.JOINED: ("meeting.participant_joined", _joined),
    Kind.LEFT: ("meeting.participant_left", _left),
    Kind.ROLE_CHANGED: ("meeting.participant_role_changed", _role_changed),
    Kind.PHONE_BOUND: ("meeting.participant_bind", _bound),
    Kind.ENTERED_BREAKOUT: ("meeting.participant_joined_breakout_room", _breakout),
    Kind.LEFT_BREAKOUT: ("meeting.participant_left_breakout_room", _breakout),
    Kind.REGISTERED: ("meeting.registration_created", registration),
    Kind.REGISTRATION_APPROVED: ("meeting.registration_approved", registration),
    Kind.REGISTRATION_CANCELLED: ("meeting.registration_cancelled", registration),
    Kind.REGISTRATION_DENIED: ("meeting.registration_denied", registration),
    Kind.RECORDING_STARTED: ("recording.started", _recording),
    Kind.RECORDING_STOPPED: ("recording.stopped", _recording),
    Kind.STREAMING_STARTED: ("meeting.live_streaming_started", _streaming),
    Kind.STREAMING_STOPPED: ("meeting.live_streaming_stopped", _streaming),
    Kind.SHARING_STARTED: ("meeting.sharing_started", _sharing),
    Kind.SHARING_ENDED: ("meeting.sharing_ended", _sharing),
}
