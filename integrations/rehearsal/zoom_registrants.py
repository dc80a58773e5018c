"""Registrants by REST: one personal link per person, opened and closed."""

from __future__ import annotations

from datetime import UTC
from urllib.parse import unquote

from integrations.rehearsal.rooms import Json, Meeting, Refused, Registrant
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    meeting_of,
    paged,
    refused_body,
)
from integrations.rehearsal.zoom_plan_bodies import instant

MOST_AT_ONCE = 30
DAILY_ADDITIONS = 3
DAILY_STATUS_CHANGES = 10
_STATUS = {"approve": "approved", "cancel": "cancelled", "deny": "denied"}


def add_registrant(desk: Desk, ask: Ask) -> Answer:
    """A link at once when approved; none in the answer while it is pending."""
    meeting = meeting_of(desk, ask)
    for name in ("first_name", "email"):
        if not ask.body.get(name):
            raise refused_body(name, "Invalid field.")
    approve = bool(ask.body.get("auto_approve"))
    if approve and meeting.settings["approval_type"] == 0:
        raise refused_body("auto_approve", "Registration is approved automatically.")
    email = str(ask.body["email"])
    _count_addition(desk, meeting, email, ask)
    try:
        registrant = desk.world.register(
            meeting.id,
            str(ask.body["first_name"]),
            email,
            last_name=str(ask.body.get("last_name") or ""),
            approve=approve,
        )
    except Refused as refusal:
        full = "maximum" in str(refusal)
        raise ApiError(400, 3043 if full else 300, str(refusal)) from refusal
    body: Json = {
        "id": meeting.id,
        "registrant_id": registrant.id,
        "topic": meeting.topic,
        "start_time": instant(meeting.start_at),
    }
    if registrant.status == "approved":
        body["join_url"] = meeting.link_of(registrant)
        body["participant_pin_code"] = registrant.pin
    return Answer(201, body)


def list_registrants(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    status = ask.query.get("status", "approved")
    if status not in ("pending", "approved", "denied"):
        raise refused_body("status", "Invalid field.")
    rows = [
        _row(meeting, registrant)
        for registrant in meeting.registrants.values()
        if registrant.status == status
    ]
    return Answer(200, paged(desk, ask, "registrants", rows))


def set_registrants(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    status = _STATUS.get(str(ask.body.get("action")))
    named = ask.body.get("registrants")
    if status is None:
        raise refused_body("action", "Invalid field.")
    if not isinstance(named, list) or not 1 <= len(named) <= MOST_AT_ONCE:
        raise refused_body("registrants", "Between 1 and 30 registrants.")
    found = [_named(meeting, each) for each in named]
    for registrant in found:
        today = ask.now.astimezone(UTC).date()
        changes = [
            at for at in registrant.status_changes if at.astimezone(UTC).date() == today
        ]
        if len(changes) >= DAILY_STATUS_CHANGES:
            raise ApiError(429, 429, "Too many status changes of this registrant.")
    for registrant in found:
        desk.world.set_registration(meeting.id, registrant.id, status)
    return Answer(204)


def delete_registrant(desk: Desk, ask: Ask) -> Answer:
    meeting = meeting_of(desk, ask)
    registrant = _named(meeting, {"id": unquote(ask.parts["registrant_id"])})
    desk.world.delete_registrant(meeting.id, registrant.id)
    return Answer(204)


def _named(meeting: Meeting, wanted: Json) -> Registrant:
    for registrant in meeting.registrants.values():
        by_id = wanted.get("id") == registrant.id
        if by_id or (not wanted.get("id") and wanted.get("email") == registrant.email):
            return registrant
    raise ApiError(404, 3001, "Registrant does not exist.")


def _row(meeting: Meeting, registrant: Registrant) -> Json:
    row: Json = {
        "id": registrant.id,
        "first_name": registrant.first_name,
        "last_name": registrant.last_name,
        "email": registrant.email,
        "status": registrant.status,
        "create_time": instant(registrant.created_at),
    }
    if registrant.status == "approved":
        row["join_url"] = meeting.link_of(registrant)
        row["participant_pin_code"] = registrant.pin
    return row


def _count_addition(desk: Desk, meeting: Meeting, email: str, ask: Ask) -> None:
    day = ask.now.astimezone(UTC).date().isoformat()
    key = (f"{meeting.id}/{email.casefold()}", day)
    if desk.daily_changes.get(key, 0) >= DAILY_ADDITIONS:
        raise ApiError(429, 429, "Too many registrations of this address today.")
    desk.daily_changes[key] = desk.daily_changes.get(key, 0) + 1


OPERATIONS = (
    Operation(
        "POST",
        "/meetings/{meeting_id}/registrants",
        "meeting:write:registrant:admin",
        "LIGHT",
        add_registrant,
        201,
    ),
    Operation(
        "GET",
        "/meetings/{meeting_id}/registrants",
        "meeting:read:list_registrants:admin",
        "MEDIUM",
        list_registrants,
    ),
    Operation(
        "PUT",
        "/meetings/{meeting_id}/registrants/status",
        "meeting:update:registrant_status:admin",
        "MEDIUM",
        set_registrants,
        204,
    ),
    Operation(
        "DELETE",
        "/meetings/{meeting_id}/registrants/{registrant_id}",
        "meeting:delete:registrant:admin",
        "LIGHT",
        delete_registrant,
        204,
    ),
)
