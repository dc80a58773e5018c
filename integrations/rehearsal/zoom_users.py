"""Users, their settings, and the chat detour, by REST."""

from __future__ import annotations

from integrations.rehearsal.people import Person
from integrations.rehearsal.rooms import Json
from integrations.rehearsal.settings import without
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    paged,
    refused_body,
    user_of,
)

LONGEST_MESSAGE = 1_024
_PARTS = ("schedule_meeting", "in_meeting", "recording")


def _row(desk: Desk, person: Person) -> Json:
    first, _, last = person.name.partition(" ")
    return {
        "id": person.zoom_user_id,
        "first_name": first,
        "last_name": last,
        "display_name": person.name,
        "email": person.email,
        "type": 2 if desk.account.is_paid else 1,
        "status": "active",
        "timezone": "Europe/London",
        "account_id": desk.account.account_id,
    }


def read_user(desk: Desk, ask: Ask) -> Answer:
    return Answer(200, _row(desk, user_of(desk, ask)))


def list_users(desk: Desk, ask: Ask) -> Answer:
    rows = [
        _row(desk, person) for person in desk.world.people.values() if person.in_account
    ]
    return Answer(200, paged(desk, ask, "users", rows))


def read_settings(desk: Desk, ask: Ask) -> Answer:
    kept = desk.world.user_settings[user_of(desk, ask).zoom_user_id]
    if ask.query.get("option") == "meeting_security":
        return Answer(200, {"meeting_security": kept["meeting_security"]})
    return Answer(200, {part: kept[part] for part in _PARTS})


def update_settings(desk: Desk, ask: Ask) -> Answer:
    """204 also when a locked setting stays as it is."""
    user = user_of(desk, ask)
    security = ask.query.get("option") == "meeting_security"
    parts = ("meeting_security",) if security else _PARTS
    patch = {part: ask.body[part] for part in parts if part in ask.body}
    if not patch:
        raise refused_body(parts[0], "Invalid field.")
    desk.world.change_user_settings(user.key, without(patch, desk.account.locked))
    return Answer(204)


def post_chat_message(desk: Desk, ask: Ask) -> Answer:
    """To the channel of a meeting with continuous chat; guests' sight is not promised."""
    user_of(desk, ask)
    text, channel = (
        str(ask.body.get("message") or ""),
        str(ask.body.get("to_channel") or ""),
    )
    if not 1 <= len(text) <= LONGEST_MESSAGE:
        raise refused_body("message", "Invalid field.")
    known = {
        meeting.settings["continuous_meeting_chat"].get("channel_id")
        for meeting in desk.world.meetings.values()
    }
    if not channel or channel not in known:
        raise ApiError(
            400, 300, "The channel does not exist, or you are no member of it."
        )
    desk.world.chat.append((channel, text))
    desk.world.tell(f"Chat: “{text}”")
    return Answer(201, {"id": desk.world.new_participant_uuid()})


OPERATIONS = (
    Operation("GET", "/users/{user_id}", "user:read:user:admin", "LIGHT", read_user),
    Operation("GET", "/users", "user:read:list_users:admin", "MEDIUM", list_users),
    Operation(
        "GET",
        "/users/{user_id}/settings",
        "user:read:settings:admin",
        "MEDIUM",
        read_settings,
    ),
    Operation(
        "PATCH",
        "/users/{user_id}/settings",
        "user:update:settings:admin",
        "MEDIUM",
        update_settings,
        204,
    ),
    Operation(
        "POST",
        "/chat/users/{user_id}/messages",
        "team_chat:write:user_message:admin",
        "MEDIUM",
        post_chat_message,
        201,
    ),
)
