"""What the simulated Teams sends and shows: rosters, callbacks, events, activities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from integrations.rehearsal.rooms import MAIN, WAITING_ROOM, Connection, Instance, Json
from integrations.rehearsal.teams_tenant import (
    TeamsMeeting,
    Tenant,
    identity_of,
    new_id,
    object_id,
    participant_id,
    stamp,
)

GRAPH = "#microsoft.graph."
_KEYS = ("application", "user", "device", "phone", "guest")


def roster(instance: Instance | None) -> list[Connection]:
    """Whom the call's roster holds: the room and its lobby, no breakout room."""
    connections = instance.connections if instance else []
    return [each for each in connections if each.where in (MAIN, WAITING_ROOM)]


def participant(key: str, identity: Json, id: str, *, in_lobby: bool) -> Json:
    """One row of the roster with all identity keys, most of them null."""
    keys: Json = dict.fromkeys(_KEYS)
    keys[key] = {"@odata.type": GRAPH + "identity", **identity}
    return {
        "@odata.type": GRAPH + "participant",
        "info": {
            "@odata.type": GRAPH + "participantInfo",
            "identity": {"@odata.type": GRAPH + "identitySet", **keys},
            "id": None,
        },
        "mediaStreams": [
            {
                "@odata.type": GRAPH + "mediaStream",
                "mediaType": "audio",
                "sourceId": "10",
                "direction": "sendReceive",
                "serverMuted": False,
                "label": None,
            }
        ],
        "isMuted": False,
        "isInLobby": in_lobby,
        "id": id,
        "metadata": None,
    }


def row_of(connection: Connection, tenant: Tenant) -> Json:
    key, identity = identity_of(connection, tenant)
    waits = connection.where == WAITING_ROOM
    return participant(key, identity, participant_id(connection), in_lobby=waits)


def bot_row(tenant: Tenant, id: str, *, in_lobby: bool) -> Json:
    identity = {"displayName": tenant.bot_name, "id": tenant.app_id}
    return participant("application", identity, id, in_lobby=in_lobby)


def callback(
    url: str, path: str, data: object, change: str = "updated", **more: object
) -> Json:
    """`commsNotifications` with one item about `path`."""
    return {
        "@odata.type": GRAPH + "commsNotifications",
        "value": [
            {
                "@odata.type": GRAPH + "commsNotification",
                "changeType": change,
                "resourceUrl": path,
                "callbackUri": url,
                "resourceData": data,
                **more,
            }
        ],
    }


def delta(rows: list[Json], number: int) -> list[Json]:
    """The one `deltaParticipants` of a delta callback."""
    return [
        {
            "@odata.type": GRAPH + "deltaParticipants",
            "participants": [{**row, "rosterSequenceNumber": number} for row in rows],
            "sequenceNumber": number,
        }
    ]


def result(code: int, subcode: int, message: str) -> Json:
    return {
        "@odata.type": GRAPH + "resultInfo",
        "code": code,
        "subcode": subcode,
        "message": message,
    }


def call_event(
    resource: str, id: str, kind: str, at: datetime, people: Sequence[Json] = ()
) -> Json:
    """The plaintext of one meetingCallEvents notification, camelCase dialect."""
    event: Json = {
        "@odata.type": GRAPH + "callevent",
        "@odata.id": resource,
        "id": id,
        "eventType": kind,
        "eventDateTime": stamp(at),
    }
    if people:
        event["participants@delta"] = list(people)
    return event


def event_person(connection: Connection, tenant: Tenant, gone: str = "") -> Json:
    key, identity = identity_of(connection, tenant)
    person: Json = {
        "info": {"identity": {key: identity}},
        "isInLobby": connection.where == WAITING_ROOM,
        "id": participant_id(connection),
    }
    if gone:
        person["removedState"] = {"reason": gone}
    return person


def pascal(value: object) -> object:
    """The dialect seen on the wire: every key begins with a capital."""
    if isinstance(value, list):
        return [pascal(each) for each in value]
    if isinstance(value, dict):
        return {
            name if "@" in name[:1] else name[:1].upper() + name[1:]: pascal(each)
            for name, each in value.items()
        }
    return value


def activity(meeting: TeamsMeeting, number: int, name: str, at: datetime) -> Json:
    """The frame of every event activity; the caller adds `value`."""
    tenant = meeting.tenant
    return {
        "type": "event",
        "name": f"application/vnd.microsoft.{name}",
        "id": str(1_000_000_000_000 + number),
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "channelId": "msteams",
        "serviceUrl": tenant.service_url,
        "from": {
            "id": "29:" + new_id("chat", meeting.meeting.host.key),
            "aadObjectId": meeting.organiser_id,
        },
        "conversation": {
            "isGroup": True,
            "conversationType": "groupChat",
            "tenantId": tenant.tenant_id,
            "id": meeting.thread_id,
        },
        "recipient": {"id": f"28:{tenant.app_id}", "name": tenant.bot_name},
        "channelData": {
            "tenant": {"id": tenant.tenant_id},
            "meeting": {"id": meeting.chat_meeting_id},
        },
        "locale": "en-GB",
    }


def meeting_activity(
    meeting: TeamsMeeting, number: int, end: bool, at: datetime, *, documented: bool
) -> Json:
    """meetingStart or meetingEnd, with the documentation's keys (and its leading
    blank in `name`, and no meeting in channelData) or with those of the SDK."""
    body = activity(meeting, number, "meetingEnd" if end else "meetingStart", at)
    time = "EndTime" if end else "StartTime"
    value: Json = {
        "MeetingType": "Scheduled",
        "Title": meeting.meeting.topic,
        "Id": meeting.chat_meeting_id,
        "JoinUrl": meeting.join_url,
        time: stamp(at),
    }
    if documented:
        body["name"] = " " + body["name"]
        del body["channelData"]["meeting"]
        value = {
            key if key == "EndTime" else key[:1].lower() + key[1:]: each
            for key, each in value.items()
        }
    return {**body, "value": value}


def people_activity(
    meeting: TeamsMeeting,
    number: int,
    connection: Connection,
    at: datetime,
    *,
    in_: bool,
) -> Json:
    """meetingParticipantJoin or ...Leave for one person."""
    name = "meetingParticipantJoin" if in_ else "meetingParticipantLeave"
    return {
        **activity(meeting, number, name, at),
        "value": {
            "members": [
                {
                    "user": chat_user(connection, meeting.tenant),
                    "meeting": {"inMeeting": in_, "role": role_of(meeting, connection)},
                }
            ]
        },
    }


def chat_user(connection: Connection, tenant: Tenant) -> Json:
    """How the connector names somebody; a guest carries the organiser's tenant."""
    if not connection.signed_in:
        return {
            "id": new_id("member", connection.participant_uuid),
            "name": f"{connection.name} (Guest)",
            "tenantId": tenant.tenant_id,
            "userRole": "anonymous",
        }
    oid = object_id(connection.person)
    return {
        "id": "29:" + new_id("chat", connection.person.key),
        "objectId": oid,
        "aadObjectId": oid,
        "name": connection.name,
        "tenantId": tenant.tenant_id,
        "userRole": "user",
    }


def role_of(meeting: TeamsMeeting, connection: Connection) -> str:
    """Organizer, Presenter or Attendee."""
    if not connection.signed_in:
        return "Attendee"
    if connection.person.key == meeting.meeting.host.key:
        return "Organizer"
    may = meeting.meeting.may_host(connection.person)
    return "Presenter" if may else "Attendee"
