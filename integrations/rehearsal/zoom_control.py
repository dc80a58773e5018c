"""Acting on a live meeting by REST: end it, control it, stop its stream."""

from __future__ import annotations

from collections.abc import Callable

from integrations.rehearsal.rooms import Connection, Meeting, Refused
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    meeting_of,
    no_meeting,
    refused_body,
)

NOT_AVAILABLE = (
    "This API is not available for this account. Please contact Zoom support."
)


def set_status(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    action = ask.body.get("action")
    if action not in ("end", "recover"):
        raise refused_body("action", "Invalid field.")
    if action == "recover":
        return Answer(204)
    if meeting.live is None:
        if desk.account.end_when_over == "404":
            raise no_meeting(str(meeting.id))
        return Answer(204)
    desk.world.end(meeting.id)
    return Answer(204)


def control_live_meeting(desk: Desk, ask: Ask) -> Answer:
    """202 at once; the room changes a moment later."""
    meeting = meeting_of(desk, ask)
    if meeting.live is None:
        raise ApiError(400, 300, f"The meeting is not live: {meeting.id}.")
    params = ask.body.get("params") or {}
    method = str(ask.body.get("method") or "")
    change: Callable[[], None]
    if method == "participant.remove":
        if not desk.account.remove_enabled:
            raise ApiError(400, 300, NOT_AVAILABLE)
        connection = _by_uuid(meeting, str(params.get("participant_uuid") or ""))
        change = _quietly(lambda: desk.world.remove(meeting.id, connection))
    elif method == "waiting_room.update":
        title = str(params.get("waiting_room_title") or "")
        text = str(params.get("waiting_room_description") or "")
        change = _quietly(lambda: desk.world.show_waiting_text(meeting.id, title, text))
    elif method == "recording.stop":
        change = _quietly(lambda: desk.world.stop_recording(meeting.id))
    elif method == "recording.start":
        change = _quietly(lambda: desk.world.start_recording(meeting.id))
    else:
        raise refused_body("method", "Invalid field.")
    desk.world.later(desk.account.control_delay, change)
    return Answer(202)


def stop_livestream(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    if ask.body.get("action") != "stop":
        raise refused_body("action", "Invalid field.")
    try:
        desk.world.stop_streaming(meeting.id)
    except Refused as refusal:
        raise ApiError(400, 4400, str(refusal)) from refusal
    return Answer(204)


def _quietly(change: Callable[[], None]) -> Callable[[], None]:
    """What was accepted may have become impossible; the platform says nothing."""

    def attempt() -> None:
        try:
            change()
        except Refused:
            return

    return attempt


def _by_uuid(meeting: Meeting, participant_uuid: str) -> Connection:
    for connection in meeting.live.connections if meeting.live else []:
        if connection.participant_uuid == participant_uuid and connection.where:
            return connection
    raise ApiError(400, 300, "The participant is not in this meeting.")


OPERATIONS = (
    Operation(
        "PUT",
        "/meetings/{meeting_id}/status",
        "meeting:update:status:admin",
        "LIGHT",
        set_status,
        204,
    ),
    Operation(
        "PATCH",
        "/live_meetings/{meeting_id}/events",
        "meeting:update:in_meeting_controls:admin",
        "MEDIUM",
        control_live_meeting,
        202,
    ),
    Operation(
        "PATCH",
        "/meetings/{meeting_id}/livestream/status",
        "meeting:update:livestream_status:admin",
        "LIGHT",
        stop_livestream,
        204,
    ),
)
