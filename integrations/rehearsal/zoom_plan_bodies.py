"""Webhook bodies about meetings as planned and about registrants; the id is a number."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.rehearsal.rooms import Happening, Json, Kind, Meeting


def instant(at: datetime) -> str:
    """`2026-11-17T19:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minutes(meeting: Meeting) -> int:
    return int(meeting.duration.total_seconds() // 60)


def planned(meeting: Meeting, **more: object) -> Json:
    """The meeting as planned; the id as a number."""
    shown: Json = {
        "uuid": meeting.uuid,
        "id": meeting.id,
        "host_id": meeting.host.zoom_user_id,
        "topic": meeting.topic,
        "type": meeting.type,
        "start_time": instant(meeting.start_at),
        "duration": minutes(meeting),
        "timezone": meeting.timezone,
    }
    return {**shown, **more}


def operator_of(happening: Happening) -> Json:
    operator = happening.detail["operator"]
    return {"operator": operator.email, "operator_id": operator.zoom_user_id}


def created(happening: Happening) -> Json:
    meeting = happening.meeting
    settings = {
        key: meeting.settings[key]
        for key in (
            "use_pmi",
            "alternative_hosts",
            "meeting_invitees",
            "join_before_host",
            "jbh_time",
        )
    }
    shown = planned(
        meeting,
        join_url=meeting.join_url,
        password=meeting.password,
        creation_source=meeting.creation_source,
        settings=settings,
    )
    return {**operator_of(happening), "operation": "all", "object": shown}


def updated(happening: Happening) -> Json:
    meeting = happening.meeting
    shown = {
        "id": meeting.id,
        "uuid": meeting.uuid,
        "host_id": meeting.host.zoom_user_id,
        "topic": meeting.topic,
        "type": meeting.type,
        **_changed_fields(happening.detail["new"]),
    }
    return {
        **operator_of(happening),
        "scope": "all",
        "object": shown,
        "time_stamp": int(happening.at.timestamp() * 1000),
        "old_object": {"id": meeting.id, **_changed_fields(happening.detail["old"])},
    }


def _changed_fields(fields: Json) -> Json:
    shown = dict(fields)
    if "start_at" in shown:
        shown["start_time"] = instant(shown.pop("start_at"))
    if "duration" in shown:
        shown["duration"] = int(shown["duration"].total_seconds() // 60)
    return shown


def deleted(happening: Happening) -> Json:
    shown = planned(happening.meeting)
    return {**operator_of(happening), "operation": "all", "object": shown}


def registration(happening: Happening) -> Json:
    registrant = happening.detail["registrant"]
    person: Json = {
        "id": registrant.id,
        "first_name": registrant.first_name,
        "last_name": registrant.last_name,
        "email": registrant.email,
    }
    link = {
        "join_url": happening.meeting.link_of(registrant),
        "participant_pin_code": registrant.pin,
    }
    if happening.kind is Kind.REGISTERED:
        person["status"] = registrant.status
        if registrant.status != "approved":
            link = {"join_url": ""}
    if happening.kind in (Kind.REGISTERED, Kind.REGISTRATION_APPROVED):
        person |= link
    operator = operator_of(happening) if "operator" in happening.detail else {}
    return {**operator, "object": planned(happening.meeting, registrant=person)}
