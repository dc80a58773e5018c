"""What Chaperone does to a running meeting by REST. A 2xx means heard, never done.

developers.zoom.us/docs/api/meetings/: status, in-meeting controls, live stream.
"""

from collections.abc import Mapping
from typing import Any

from app.core import actions as a
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.zoom.calls import Call, Calls, meeting_path, segment
from integrations.zoom.meetings import Meetings
from integrations.zoom.refusals import Refused
from integrations.zoom.registrants import Links
from integrations.zoom.scopes import (
    CONTROL_MEETING,
    END_MEETING,
    POST_CHAT,
    STOP_STREAM,
)
from integrations.zoom.story import as_object, as_text

HEARD = "Zoom has heard it ({status}). The room has to show it."
NOT_RUNNING = "Zoom answers that it has no such meeting running ({status})."
REMOVAL_OFF = "Removing a person by Zoom's API is not switched on for this account."
ASK_FOR_REMOVAL = (
    "Ask Zoom's Developer Support to enable participant.remove for the account. Until"
    " then a worker removes people by hand."
)
_LONGEST_MESSAGE = 1024
# The call was refused for the moment's sake, not for the account's.
_OF_THE_MOMENT = ("participant", "not live", "not exist", "in progress", "not started")


class Acts:
    """`can_remove`: None until it was tried; kept for as long as the service runs."""

    def __init__(self, calls: Calls, meetings: Meetings, links: Links) -> None:
        self._calls = calls
        self._meetings = meetings
        self._links = links
        self.can_remove: bool | None = None

    async def perform(self, action: a.Action) -> str:
        """Carry out one action; returns Zoom's answer in words."""
        match action:
            case a.EndMeeting():
                return await self._end(action)
            case a.RemoveParticipant():
                return await self._remove(action)
            case a.TellWaitingRoom():
                return await self._tell_waiting_room(action)
            case a.ChangeLink():
                meeting_id, who = action.meeting.meeting_id, action.registrant_id
                await self._links.change(meeting_id, who, "", action.state)
                return "Zoom has changed the link (204)."
            case a.StopRecording():
                await self._control(action.meeting.meeting_id, "recording.stop", {})
                return HEARD.format(status=202)
            case a.StopLiveStream():
                return await self._stop_stream(action)
            case a.PostGroundRules():
                return await self._post_rules(action)
            case _:
                pass
        raise PermanentFailure(
            f"Zoom's API cannot do this ({action.kind}).", "Ask a worker in the room."
        )

    async def _end(self, action: a.EndMeeting) -> str:
        call = Call(
            method="PUT",
            path=f"/meetings/{meeting_path(action.meeting.meeting_id)}/status",
            scope=END_MEETING,
            json={"action": "end"},
            ok=204,
            paced=False,
            urgent=True,
        )
        try:
            await self._calls.send(call)
        except Refused as refused:
            if refused.unknown_meeting:
                return NOT_RUNNING.format(status=refused.status)
            raise
        return HEARD.format(status=204)

    async def _control(
        self, meeting_id: str, method: str, params: Mapping[str, Any]
    ) -> None:
        json: dict[str, Any] = {"method": method}
        if params:
            json["params"] = params
        await self._calls.send(
            Call(
                method="PATCH",
                path=f"/live_meetings/{meeting_path(meeting_id)}/events",
                scope=CONTROL_MEETING,
                label="MEDIUM",
                json=json,
                ok=202,
                paced=False,
            )
        )

    async def _remove(self, action: a.RemoveParticipant) -> str:
        if self.can_remove is False:
            raise PermanentFailure(REMOVAL_OFF, ASK_FOR_REMOVAL)
        if not action.uuid:
            raise PermanentFailure(
                "Zoom has not told the name this connection goes by.",
                "A worker removes this person by hand.",
            )
        try:
            await self._control(
                action.meeting.meeting_id,
                "participant.remove",
                {"participant_uuid": action.uuid},
            )
        except Refused as refused:
            if self.can_remove or not _is_off(refused):
                raise
            self.can_remove = False
            raise PermanentFailure(REMOVAL_OFF, ASK_FOR_REMOVAL) from refused
        self.can_remove = True
        return HEARD.format(status=202)

    async def _tell_waiting_room(self, action: a.TellWaitingRoom) -> str:
        await self._control(
            action.meeting.meeting_id,
            "waiting_room.update",
            {
                "waiting_room_title": action.title,
                "waiting_room_description": action.text,
            },
        )
        return HEARD.format(status=202)

    async def _stop_stream(self, action: a.StopLiveStream) -> str:
        await self._calls.send(
            Call(
                method="PATCH",
                path=f"/meetings/{meeting_path(action.meeting.meeting_id)}/livestream/status",
                scope=STOP_STREAM,
                json={"action": "stop"},
                ok=204,
                paced=False,
            )
        )
        return HEARD.format(status=204)

    async def _post_rules(self, action: a.PostGroundRules) -> str:
        """By Team Chat into the meeting's lasting chat, where an organisation chose it."""
        if not self._calls.settings.room_chat:
            raise PermanentFailure(
                "Posting into the room's chat is switched off.",
                "A worker pastes the ground rules or reads them out.",
            )
        meeting = (await self._meetings.read(action.meeting.meeting_id)).said
        chat = as_object(
            as_object(meeting.get("settings")).get("continuous_meeting_chat")
        )
        channel, host = as_text(chat.get("channel_id")), as_text(meeting.get("host_id"))
        if not channel or not host:
            raise PermanentFailure(
                "This meeting has no lasting chat.",
                "A worker pastes the ground rules or reads them out.",
            )
        for start in range(0, len(action.text), _LONGEST_MESSAGE):
            part = action.text[start : start + _LONGEST_MESSAGE]
            answer = await self._calls.send(
                Call(
                    method="POST",
                    path=f"/chat/users/{segment(host)}/messages",
                    scope=POST_CHAT,
                    label="MEDIUM",
                    json={"message": part, "to_channel": channel},
                    ok=201,
                )
            )
            if not as_text(answer.said.get("id")):
                raise TemporaryFailure("Zoom's answer holds no message.")
        return "Zoom has posted it (201). Whether guests see it, a worker has to say."


def _is_off(refused: Refused) -> bool:
    """400 with code 300 means not enabled, unless the words speak of the moment."""
    if refused.status != 400 or refused.code != 300:
        return False
    words = refused.words.lower()
    if "account" in words:
        return True
    return not any(part in words for part in _OF_THE_MOMENT)
