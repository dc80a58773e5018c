"""The meeting's chat: Graph's chats, and the bot connector. It outlives the meeting."""

from __future__ import annotations

from integrations.rehearsal.rooms import Json
from integrations.rehearsal.teams_bodies import chat_user, role_of
from integrations.rehearsal.teams_desk import Answer, Ask, Desk, GraphError, Operation
from integrations.rehearsal.teams_tenant import TeamsMeeting, stamp


def _thread(desk: Desk, ask: Ask) -> TeamsMeeting:
    for each in desk.all_meetings():
        if each.thread_id == ask.parts[0]:
            return each
    raise GraphError(404, "NotFound", "The chat was not found.")


def _mine(desk: Desk, ask: Ask) -> TeamsMeeting:
    """The chat, in which the bot must be installed."""
    meeting = _thread(desk, ask)
    if not meeting.installed:
        message = "The bot is not part of the conversation roster."
        raise GraphError(403, "BotNotInConversationRoster", message)
    return meeting


async def get_chat(desk: Desk, ask: Ask) -> Answer:
    meeting = _thread(desk, ask)
    info = {
        "calendarEventId": None,
        "joinWebUrl": meeting.join_url,
        "organizer": {"id": meeting.organiser_id, "displayName": None},
    }
    body = {"id": meeting.thread_id, "chatType": "meeting", "onlineMeetingInfo": info}
    return Answer(200, body)


async def install(desk: Desk, ask: Ask) -> Answer:
    """201 without a body; 409 when the app is there already."""
    meeting = _thread(desk, ask)
    if meeting.installed:
        raise GraphError(409, "Conflict", "The app is already installed.")
    meeting.installed = True
    return Answer(201)


async def post(desk: Desk, ask: Ask) -> Answer:
    """201 with the message's id; 403 when chat is switched off (an assumption)."""
    meeting = _mine(desk, ask)
    if meeting.settings["allowMeetingChat"] == "disabled":
        raise GraphError(403, "MessageWritesBlocked", "Chat is disabled.")
    id = str(1_943_971_000_000 + desk.number())
    text = str(ask.body.get("text") or "")
    meeting.chat.append((id, text))
    desk.world.chat.append((meeting.thread_id, text))
    desk.world.tell(f"Chaperone writes: {text}", meeting.meeting)
    return Answer(201, {"id": id})


async def get_meeting(desk: Desk, ask: Ask) -> Answer:
    meeting = _by_chat_id(desk, ask)
    inner = meeting.meeting
    details: Json = {
        "id": meeting.chat_meeting_id,
        "msGraphResourceId": meeting.id,
        "scheduledStartTime": stamp(inner.start_at),
        "scheduledEndTime": stamp(inner.start_at + inner.duration),
        "joinUrl": meeting.join_url,
        "title": inner.topic,
        "type": "Scheduled",
    }
    return Answer(200, {"details": details, "conversation": _conversation(meeting)})


async def get_participant(desk: Desk, ask: Ask) -> Answer:
    """The live role, under a key with a trailing blank."""
    meeting = _by_chat_id(desk, ask)
    if ask.query.get("tenantId") != desk.tenant.tenant_id:
        raise GraphError(404, "NotFound", "The meeting was not found.")
    live = meeting.meeting.live
    for each in reversed(live.connections if live else []):
        user = chat_user(each, desk.tenant)
        if ask.parts[1] in (user["id"], user.get("aadObjectId")):
            role = {"role ": role_of(meeting, each), "inMeeting": each.is_in_room}
            return Answer(
                200,
                {"user": user, "meeting": role, "conversation": _conversation(meeting)},
            )
    raise GraphError(403, "Forbidden", "The user is not part of the meeting.")


def _by_chat_id(desk: Desk, ask: Ask) -> TeamsMeeting:
    for each in desk.all_meetings():
        if each.chat_meeting_id == ask.parts[0] and each.installed:
            return each
    raise GraphError(404, "NotFound", "The meeting was not found.")


def _conversation(meeting: TeamsMeeting) -> Json:
    kind = {"isGroup": True, "conversationType": "groupChat"}
    return {**kind, "id": meeting.thread_id}


_INSTALL = "TeamsAppInstallation.ReadWriteAndConsentSelfForChat.All"
OPERATIONS = (
    Operation("GET", "/chats/([^/]+)", "Chat.ReadBasic.All", get_chat),
    Operation("POST", "/chats/([^/]+)/installedApps", _INSTALL, install),
)
CONNECTOR = (
    Operation("POST", "/v3/conversations/([^/]+)/activities", "", post),
    Operation("GET", "/v1/meetings/([^/]+)", "", get_meeting),
    Operation("GET", "/v1/meetings/([^/]+)/participants/([^/]+)", "", get_participant),
)
