"""Graph: onlineMeetings, their attendance reports, and the meeting's chat."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import unquote

from integrations.rehearsal.rooms import Connection, Instance, Json, Stay
from integrations.rehearsal.settings import merged
from integrations.rehearsal.teams_bodies import role_of
from integrations.rehearsal.teams_desk import Answer, Ask, Desk, GraphError, Operation
from integrations.rehearsal.teams_tenant import (
    TeamsMeeting,
    fresh_settings,
    new_id,
    object_id,
    stamp,
)

SCOPES = frozenset(
    {
        "organizer",
        "invited",
        "organizationExcludingGuests",
        "organization",
        "organizationAndFederated",
        "everyone",
    }
)
# Settings a running meeting no longer takes (onlinemeeting-update). What Graph answers
# then is not published; 400 here.
NOT_LIVE = frozenset(
    {
        "participants",
        "recordAutomatically",
        "allowBreakoutRooms",
        "allowLiveShare",
        "allowPowerPointSharing",
        "allowWhiteboard",
        "watermarkProtection",
    }
)
_FILTER = re.compile(
    r"(JoinWebUrl|joinMeetingIdSettings/joinMeetingId) eq '(.*)'", re.I
)


async def find_meeting(desk: Desk, ask: Ask) -> Answer:
    """By join link (encoded once more) or by number; an empty list finds nobody."""
    _check_policy(desk)
    match = _FILTER.fullmatch(ask.query.get("$filter", ""))
    if match is None:
        raise GraphError(400, "BadRequest", "Filter is not supported.")
    by_link, wanted = match[1].casefold() == "joinweburl", match[2]
    found = [
        _shown(each, ask)
        for each in desk.all_meetings()
        if ask.parts[0] in _may_read(each)
        and (
            unquote(unquote(wanted)) == unquote(each.join_url)
            if by_link
            else wanted == each.digits
        )
    ]
    return Answer(200, {"value": found})


async def get_meeting(desk: Desk, ask: Ask) -> Answer:
    """For the organiser and whoever is invited."""
    _check_policy(desk)
    return Answer(200, _shown(_meeting(desk, ask), ask))


async def create_meeting(desk: Desk, ask: Ask) -> Answer:
    """A meeting made without settings of its own is an open one."""
    _check_policy(desk)
    people = desk.world.people.values()
    host = next((p for p in people if object_id(p) == ask.parts[0]), None)
    if host is None or not host.in_account:
        raise GraphError(404, "NotFound", "The user was not found.")
    start, end = _times(ask.body) or (ask.now, ask.now + timedelta(hours=1))
    meeting = desk.world.create_meeting(
        host.key,
        str(ask.body.get("subject") or ""),
        start_at=start,
        duration=end - start,
    )
    found = desk.of(meeting)
    found.settings = fresh_settings()
    _apply(desk, found, ask.body)
    return Answer(201, _shown(found, ask))


async def change_meeting(desk: Desk, ask: Ask) -> Answer:
    """The organiser's id only; some settings not while the meeting runs."""
    _check_policy(desk)
    meeting = _meeting(desk, ask)
    if ask.parts[0] != meeting.organiser_id:
        raise GraphError(403, "Forbidden", "Only the organizer may change it.")
    late = NOT_LIVE.intersection(ask.body)
    if meeting.meeting.live and late:
        names = ", ".join(sorted(late))
        raise GraphError(400, "BadRequest", f"Not while the meeting runs: {names}.")
    times = _times(ask.body)
    if times:
        start, end = times
        desk.world.change_meeting(
            meeting.meeting.id, start_at=start, duration=end - start
        )
    if "subject" in ask.body:
        desk.world.change_meeting(meeting.meeting.id, topic=str(ask.body["subject"]))
    _apply(desk, meeting, ask.body)
    return Answer(200, _shown(meeting, ask))


def _apply(desk: Desk, meeting: TeamsMeeting, body: Json) -> None:
    patch = {key: body[key] for key in meeting.settings if key in body}
    lobby = (patch.get("lobbyBypassSettings") or {}).get("scope", "organizer")
    if lobby not in SCOPES:
        raise GraphError(400, "BadRequest", f"Invalid value: {lobby}.")
    if "participants" in body:
        meeting.attendees = list(body["participants"].get("attendees") or [])
    meeting.settings = merged(meeting.settings, patch)
    inner = meeting.meeting
    inner.settings = merged(inner.settings, meeting.world_settings())
    if patch:
        desk.world.tell(f"Settings change: {', '.join(sorted(patch))}.", inner)


def _times(body: Json) -> tuple[datetime, datetime] | None:
    names = ("startDateTime", "endDateTime")
    if not any(name in body for name in names):
        return None
    try:
        start, end = (datetime.fromisoformat(str(body[name])) for name in names)
    except (KeyError, ValueError) as error:
        raise GraphError(400, "BadRequest", "Start and end are both needed.") from error
    return start, end


def _check_policy(desk: Desk) -> None:
    if not desk.tenant.has_access_policy:
        message = "No application access policy found for this app."
        raise GraphError(403, "Forbidden", message)


def _may_read(meeting: TeamsMeeting) -> set[str]:
    invited = {
        str(each["identity"]["user"]["id"])
        for each in meeting.attendees
        if ((each.get("identity") or {}).get("user") or {}).get("id")
    }
    return {meeting.organiser_id, *invited}


def _meeting(desk: Desk, ask: Ask) -> TeamsMeeting:
    user, id = ask.parts[:2]
    for each in desk.all_meetings():
        if each.id == id and user in _may_read(each):
            return each
    raise GraphError(404, "NotFound", "The requested meeting was not found.")


def _shown(meeting: TeamsMeeting, ask: Ask) -> Json:
    prefer = ask.headers.get("prefer", "")
    return meeting.body(shows_unknown="include-unknown-enum-members" in prefer)


# Attendance ----------------------------------------------------------------------


async def list_reports(desk: Desk, ask: Ask) -> Answer:
    """One report a time the meeting ended, records empty, some minutes later."""
    meeting = _meeting(desk, ask)
    rows = [
        {**_report(meeting, each), "attendanceRecords": []}
        for each in _ended(desk, meeting, ask.now)
    ]
    return Answer(200, {"value": rows})


async def get_report(desk: Desk, ask: Ask) -> Answer:
    meeting = _meeting(desk, ask)
    for each in _ended(desk, meeting, ask.now):
        report = _report(meeting, each)
        if report["id"] == ask.parts[2]:
            if "attendanceRecords" not in ask.query.get("$expand", ""):
                report["attendanceRecords"] = []
            return Answer(200, {**report, "externalEventInformation": []})
    raise GraphError(404, "NotFound", "The report was not found.")


def _ended(desk: Desk, meeting: TeamsMeeting, now: datetime) -> list[Instance]:
    _check_policy(desk)
    ready = now - desk.tenant.report_delay
    instances = meeting.meeting.instances if desk.tenant.keeps_reports else []
    return [each for each in instances if each.ended_at and each.ended_at <= ready]


def _report(meeting: TeamsMeeting, instance: Instance) -> Json:
    people: dict[str, list[Connection]] = {}
    for each in instance.connections:
        key = each.person.key if each.signed_in else each.participant_uuid
        if any(stay.room != "waiting room" for stay in each.stays):
            people.setdefault(key, []).append(each)
    return {
        "id": new_id("report", instance.uuid),
        "totalParticipantCount": len(people),
        "meetingStartDateTime": stamp(instance.started_at),
        "meetingEndDateTime": stamp(instance.ended_at or instance.started_at),
        "attendanceRecords": [_record(meeting, each) for each in people.values()],
    }


def _record(meeting: TeamsMeeting, connections: list[Connection]) -> Json:
    first = connections[0]
    stays = [
        stay
        for each in connections
        for stay in each.stays
        if stay.room != "waiting room"
    ]
    intervals = [_interval(each) for each in stays]
    known = first.signed_in
    name = first.name if known or first.phone else f"{first.name} (Unverified)"
    return {
        "id": new_id("record", first.participant_uuid),
        "emailAddress": first.email if known else None,
        "totalAttendanceInSeconds": sum(i["durationInSeconds"] for i in intervals),
        "role": role_of(meeting, first),
        "registrationId": None,
        "identity": {
            "id": object_id(first.person) if known else None,
            "displayName": name,
            "tenantId": meeting.tenant.tenant_id if known else None,
        },
        "attendanceIntervals": intervals,
    }


def _interval(stay: Stay) -> Json:
    end = stay.end or stay.start
    return {
        "joinDateTime": stamp(stay.start),
        "leaveDateTime": stamp(end),
        "durationInSeconds": int((end - stay.start).total_seconds()),
    }


_ONE = "/users/([^/]+)/onlineMeetings/([^/]+)"
_WRITE = "OnlineMeetings.ReadWrite.All"
_READ = "OnlineMeetings.Read.All"
_REPORTS = "OnlineMeetingArtifact.Read.All"
OPERATIONS = (
    Operation("GET", "/users/([^/]+)/onlineMeetings", _READ, find_meeting),
    Operation("POST", "/users/([^/]+)/onlineMeetings", _WRITE, create_meeting),
    Operation("GET", _ONE, _READ, get_meeting),
    Operation("PATCH", _ONE, _WRITE, change_meeting),
    Operation("GET", _ONE + "/attendanceReports", _REPORTS, list_reports),
    Operation("GET", _ONE + "/attendanceReports/([^/]+)", _REPORTS, get_report),
)
