"""Graph: the calling bot's own leg, the roster it sees, and whom it removes.

There is no call that ends the meeting for everyone: DELETE ends the bot's leg alone.
"""

from __future__ import annotations

from datetime import timedelta

from integrations.rehearsal import teams_bodies as bodies
from integrations.rehearsal.rooms import Json
from integrations.rehearsal.teams_desk import (
    Answer,
    Ask,
    BotCall,
    Desk,
    GraphError,
    Operation,
)
from integrations.rehearsal.teams_tenant import TeamsMeeting, new_id, participant_id

PROMPT_LASTS = timedelta(seconds=8)


async def join(desk: Desk, ask: Ask) -> Answer:
    """201 `establishing`; established, or the lobby, comes by callback."""
    if not desk.tenant.calling_enabled:
        raise GraphError(403, "7503", "Application is not registered in our store.")
    if ask.body.get("tenantId") != desk.tenant.tenant_id:
        raise GraphError(403, "7504", "Insufficient enterprise tenant permissions.")
    if not ask.body.get("callbackUri"):
        raise GraphError(400, "7500", "Call back uri is missing.")
    meeting, number = _called(desk, ask.body), desk.number()
    call = BotCall(
        id=new_id("call", desk.world.seed, number),
        my_id=new_id("leg", desk.world.seed, number),
        meeting=meeting,
        asked=ask.body,
        kept_at=ask.now,
        in_lobby=desk.tenant.bot_waits,
    )
    desk.calls[call.id] = call
    desk.tell_call(call, "establishing")
    desk.tell_call(call, "established")
    desk.tell_roster(call)
    _watch_keep_alive(desk, call)
    if call.in_lobby:
        _watch_lobby(desk, call)
    desk.world.tell("Chaperone's eye joins the call.", meeting.meeting)
    return Answer(201, _body(desk, call, "establishing"))


def admit_bot(desk: Desk, call: BotCall) -> None:
    """A worker lets the bot in from the lobby; now it sees who is there."""
    call.in_lobby = False
    desk.world.tell("Chaperone's eye is let in.", call.meeting.meeting)
    desk.tell_roster(call)


def remove_bot(desk: Desk, call: BotCall) -> None:
    """Somebody in the meeting puts the bot out."""
    desk.end_call(call, bodies.result(200, 5300, "Removed from the call."))


def _called(desk: Desk, body: Json) -> TeamsMeeting:
    """The meeting named by thread, or by number and passcode."""
    info = body.get("meetingInfo") or {}
    thread = (body.get("chatInfo") or {}).get("threadId")
    for each in desk.all_meetings():
        by_number = info.get("joinMeetingId") == each.digits
        if by_number and info.get("passcode") == each.meeting.password:
            return each
        if thread == each.thread_id:
            user = (info.get("organizer") or {}).get("user") or {}
            if user.get("id") != each.organiser_id:
                message = "Insufficient enterprise tenant permissions."
                raise GraphError(403, "7504", message)
            return each
    raise GraphError(404, "NotFound", "The requested meeting was not found.")


def _watch_keep_alive(desk: Desk, call: BotCall) -> None:
    due = call.kept_at + desk.tenant.keep_alive_within

    def look() -> None:
        if call.over:
            return
        if desk.world.now - call.kept_at >= desk.tenant.keep_alive_within:
            message = "Call ended: no keep-alive was received."
            desk.end_call(call, bodies.result(408, 8537, message))
        else:
            _watch_keep_alive(desk, call)

    desk.world.later(due - desk.world.now, look)


def _watch_lobby(desk: Desk, call: BotCall) -> None:
    def look() -> None:
        if call.in_lobby and not call.over:
            message = "Call ended: not admitted from the lobby."
            desk.end_call(call, bodies.result(200, 5855, message))

    desk.world.later(desk.tenant.lobby_patience, look)


def _call(desk: Desk, ask: Ask) -> BotCall:
    """Ids may come without dashes and in capitals."""
    plain = ask.parts[0].replace("-", "").casefold()
    for call in desk.calls.values():
        if call.id.replace("-", "") == plain and not call.over:
            return call
    raise GraphError(404, "8522", "Call not found.")


def _body(desk: Desk, call: BotCall, state: str) -> Json:
    app = {"displayName": desk.tenant.bot_name, "id": desk.tenant.app_id}
    return {
        "@odata.type": bodies.GRAPH + "call",
        "state": state,
        "direction": "outgoing",
        "callbackUri": call.asked["callbackUri"],
        "callChainId": new_id("chain", call.id),
        "source": {
            "@odata.type": bodies.GRAPH + "participantInfo",
            "identity": {
                "@odata.type": bodies.GRAPH + "identitySet",
                "application": {"@odata.type": bodies.GRAPH + "identity", **app},
            },
            "region": None,
            "languageId": None,
        },
        "targets": [],
        "requestedModalities": call.asked.get("requestedModalities") or ["audio"],
        "mediaConfig": call.asked.get("mediaConfig"),
        "chatInfo": call.asked.get("chatInfo"),
        "meetingInfo": call.asked.get("meetingInfo"),
        "transcription": None,
        "myParticipantId": call.my_id,
        "id": call.id,
        "mediaState": None,
        "subject": None,
        "resultInfo": None,
        "toneInfo": None,
    }


async def get_call(desk: Desk, ask: Ask) -> Answer:
    return Answer(200, _body(desk, _call(desk, ask), "established"))


async def keep_alive(desk: Desk, ask: Ask) -> Answer:
    _call(desk, ask).kept_at = ask.now
    return Answer(200)


async def list_participants(desk: Desk, ask: Ask) -> Answer:
    return Answer(200, {"value": desk.rows(_call(desk, ask))})


async def remove(desk: Desk, ask: Ask) -> Answer:
    """The person is dropped at once; nothing keeps them from coming back."""
    call, id = _call(desk, ask), ask.parts[1]
    if not desk.tenant.may_remove:
        raise GraphError(403, "Forbidden", "The app may not remove participants.")
    if call.in_lobby:
        raise GraphError(403, "Forbidden", "The app is not in the meeting.")
    for each in bodies.roster(call.meeting.meeting.live):
        if participant_id(each) == id:
            desk.world.remove(call.meeting.meeting.id, each)
            return Answer(204)
    raise GraphError(404, "8523", "Participant not found.")


async def play_prompt(desk: Desk, ask: Ask) -> Answer:
    """`running` at once; `completed` comes by callback with ids in capitals."""
    call, id = _call(desk, ask), new_id("prompt", desk.number())
    context = ask.body.get("clientContext")
    kind = {"@odata.type": bodies.GRAPH + "playPromptOperation"}
    plain = f"{call.id}/operations/{id}".replace("-", "").split("/")
    path = f"/communications/calls/{plain[0].upper()}/operations/{plain[2].upper()}"

    def done() -> None:
        if call.over:
            return
        ended = bodies.result(200, 0, "Action completed successfully.")
        data = {
            **kind,
            "@odata.id": path,
            "resultInfo": ended,
            "clientContext": context,
            "status": "completed",
        }
        desk.tell(call, path, data, "operation", "deleted")

    desk.world.tell("Chaperone speaks to everyone.", call.meeting.meeting)
    desk.world.later(PROMPT_LASTS, done)
    return Answer(
        200, {**kind, "id": id, "status": "running", "clientContext": context}
    )


async def hang_up(desk: Desk, ask: Ask) -> Answer:
    """204; the meeting goes on without the bot."""
    call = _call(desk, ask)
    desk.world.tell("Chaperone's eye hangs up.", call.meeting.meeting)
    result = bodies.result(200, 7000, "Call ended by the application.")
    desk.end_call(call, result)
    return Answer(204)


_ONE = "/communications/calls/([^/]+)"
_JOIN, _INITIATE = "Calls.JoinGroupCall.All", "Calls.Initiate.All"
OPERATIONS = (
    Operation("POST", "/communications/calls", _JOIN, join),
    Operation("GET", _ONE, _INITIATE, get_call),
    Operation("DELETE", _ONE, _INITIATE, hang_up),
    Operation("POST", _ONE + "/keepAlive", _INITIATE, keep_alive),
    Operation("POST", _ONE + "/playPrompt", _INITIATE, play_prompt),
    Operation("GET", _ONE + "/participants", _INITIATE, list_participants),
    Operation("DELETE", _ONE + "/participants/([^/]+)", _JOIN, remove, ghost=204),
)
