"""Meetings by REST: plan, read, mend, end, and act on a live one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.rehearsal.rooms import Json, Meeting
from integrations.rehearsal.settings import without
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    meeting_of,
    paged,
    refused_body,
    user_of,
)
from integrations.rehearsal.zoom_plan_bodies import instant, minutes

DAILY_CHANGES = 100
_TRUTHS = (
    "waiting_room",
    "join_before_host",
    "use_pmi",
    "allow_multiple_devices",
    "mute_upon_entry",
    "show_share_button",
    "show_join_info",
    "registrants_email_notification",
    "registrants_confirmation_email",
)


def shown(meeting: Meeting) -> Json:
    """The body of GET /meetings/{id}."""
    body: Json = {
        "uuid": meeting.live.uuid if meeting.live else meeting.uuid,
        "id": meeting.id,
        "host_id": meeting.host.zoom_user_id,
        "host_email": meeting.host.email,
        "topic": meeting.topic,
        "type": meeting.type,
        "status": meeting.status,
        "start_time": instant(meeting.start_at),
        "duration": minutes(meeting),
        "timezone": meeting.timezone,
        "created_at": instant(meeting.created_at),
        "creation_source": meeting.creation_source,
        "agenda": meeting.agenda,
        "join_url": meeting.join_url,
        "password": meeting.password,
        "settings": meeting.settings,
    }
    if meeting.needs_registration:
        page = f"{meeting.join_host}/meeting/register/{meeting.id}"
        body["registration_url"] = page
    return body


def read_meeting(desk: Desk, ask: Ask) -> Answer:
    return Answer(200, shown(meeting_of(desk, ask)))


def create_meeting(desk: Desk, ask: Ask) -> Answer:
    host = user_of(desk, ask)
    _check_fields(desk, ask.body)
    _count_change(desk, host.zoom_user_id, ask.now)
    settings = _allowed(desk, ask.body.get("settings") or {})
    kind = ask.body.get("type", 2)
    timezone = str(ask.body.get("timezone") or "UTC")
    meeting = desk.world.create_meeting(
        host.key,
        str(ask.body.get("topic") or "Zoom Meeting"),
        start_at=_start_of(ask.body, timezone) or ask.now,
        duration=timedelta(minutes=int(ask.body.get("duration") or 60)),
        timezone=timezone,
        settings=settings,
        type=kind,
        agenda=str(ask.body.get("agenda") or ""),
        source="open_api",
    )
    return Answer(201, {**shown(meeting), "start_url": f"{meeting.join_host}/s/{kind}"})


def update_meeting(desk: Desk, ask: Ask) -> Answer:
    """204 also when the account silently keeps a locked setting as it is."""
    meeting = meeting_of(desk, ask)
    _check_fields(desk, ask.body)
    _count_change(desk, meeting.host.zoom_user_id, ask.now)
    fields: Json = {
        name: str(ask.body[name])
        for name in ("topic", "agenda", "timezone")
        if name in ask.body
    }
    timezone = fields.get("timezone", meeting.timezone)
    start_at = _start_of(ask.body, timezone)
    if start_at is not None:
        fields["start_at"] = start_at
    if "duration" in ask.body:
        fields["duration"] = timedelta(minutes=int(ask.body["duration"]))
    desk.world.change_meeting(meeting.id, **fields)
    desk.world.change_settings(
        meeting.id, _allowed(desk, ask.body.get("settings") or {})
    )
    return Answer(204)


def delete_meeting(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    if meeting.live:
        raise ApiError(400, 3002, "Sorry, you cannot delete a meeting in progress.")
    desk.world.delete_meeting(meeting.id)
    return Answer(204)


def list_meetings(desk: Desk, ask: Ask) -> Answer:
    host = user_of(desk, ask)
    kind = ask.query.get("type", "scheduled")
    wanted: dict[str, Callable[[Meeting], bool]] = {
        "live": lambda meeting: meeting.live is not None,
        "upcoming": lambda meeting: meeting.start_at + meeting.duration > ask.now,
        "scheduled": lambda meeting: meeting.type != 1,
    }
    if kind not in wanted:
        raise refused_body("type", "Invalid field.")
    rows = [
        {
            "uuid": meeting.live.uuid if meeting.live else meeting.uuid,
            "id": meeting.id,
            "host_id": host.zoom_user_id,
            "topic": meeting.topic,
            "type": meeting.type,
            "start_time": instant(
                meeting.live.started_at if meeting.live else meeting.start_at
            ),
            "duration": minutes(meeting),
            "timezone": meeting.timezone,
            "created_at": instant(meeting.created_at),
            "join_url": meeting.join_url,
            "agenda": meeting.agenda,
        }
        for meeting in desk.world.meetings.values()
        if not meeting.deleted
        and meeting.host.key == host.key
        and wanted[kind](meeting)
    ]
    return Answer(200, paged(desk, ask, "meetings", rows))


def _count_change(desk: Desk, host_id: str, now: datetime) -> None:
    key = (host_id, now.astimezone(UTC).date().isoformat())
    if desk.daily_changes.get(key, 0) >= DAILY_CHANGES:
        message = (
            f"You have exceeded the daily rate limit ({DAILY_CHANGES}) of Meeting"
            " Create/Update API requests permitted for this particular user."
        )
        raise ApiError(429, 429, message)
    desk.daily_changes[key] = desk.daily_changes.get(key, 0) + 1


def _allowed(desk: Desk, settings: Json) -> Json:
    """What of a wish the account lets through; free hosts have no registration."""
    kept = without(settings, desk.account.locked, "settings.")
    if not desk.account.is_paid:
        kept.pop("approval_type", None)
    return kept


def _check_fields(desk: Desk, body: Json) -> None:
    settings = body.get("settings") or {}
    for name in _TRUTHS:
        if name in settings and not isinstance(settings[name], bool):
            raise refused_body(f"settings.{name}", "Invalid field.")
    if settings.get("approval_type", 2) not in (0, 1, 2):
        raise refused_body("settings.approval_type", "Invalid field.")
    if body.get("type", 2) not in (1, 2, 3, 8, 10):
        raise refused_body("type", "Invalid field.")
    named = str(settings.get("alternative_hosts") or "").split(";")
    for name in (part.strip() for part in named):
        if name and desk.world.user(unquote(name)) is None:
            raise refused_body("settings.alternative_hosts", "Invalid user.")


def _start_of(body: Json, timezone: str) -> datetime | None:
    written = body.get("start_time")
    if not written:
        return None
    try:
        at = datetime.fromisoformat(str(written))
        zone = ZoneInfo(timezone or "UTC")
    except (ValueError, ZoneInfoNotFoundError) as fault:
        raise refused_body("start_time", "Invalid field.") from fault
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


OPERATIONS = (
    Operation(
        "GET",
        "/meetings/{meeting_id}",
        "meeting:read:meeting:admin",
        "LIGHT",
        read_meeting,
    ),
    Operation(
        "PATCH",
        "/meetings/{meeting_id}",
        "meeting:update:meeting:admin",
        "LIGHT",
        update_meeting,
        204,
    ),
    Operation(
        "DELETE",
        "/meetings/{meeting_id}",
        "meeting:delete:meeting:admin",
        "LIGHT",
        delete_meeting,
        204,
    ),
    Operation(
        "POST",
        "/users/{user_id}/meetings",
        "meeting:write:meeting:admin",
        "MEDIUM",
        create_meeting,
        201,
    ),
    Operation(
        "GET",
        "/users/{user_id}/meetings",
        "meeting:read:list_meetings:admin",
        "MEDIUM",
        list_meetings,
    ),
)
