"""Graph: subscriptions to meetingCallEvents (one per app and meeting, beta only)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import unquote

from integrations.rehearsal.rooms import Json
from integrations.rehearsal.teams_desk import (
    Answer,
    Ask,
    Desk,
    GraphError,
    Operation,
    Subscription,
)
from integrations.rehearsal.teams_keys import seal
from integrations.rehearsal.teams_tenant import TeamsMeeting, new_id, stamp

LONGEST, SHORTEST = timedelta(minutes=4_320), timedelta(minutes=45)
NEEDS_LIFECYCLE = timedelta(hours=1)
_RESOURCE = re.compile(
    r"/?communications/onlineMeetings\(joinWebUrl='(.+)'\)/meetingCallEvents"
)
EXISTS = (
    "Operation: Create; Exception: [Status Code: Conflict; Reason: A subscription"
    " already exists. It must be deleted before another is made.]"
)


async def create(desk: Desk, ask: Ask) -> Answer:
    """201 after both addresses passed the handshake; 409 for a second one."""
    if ask.version != "beta":
        raise GraphError(400, "InvalidRequest", "Resource is not supported.")
    asked = ask.body
    meeting, ends = _wanted(desk, asked), _expiry(asked, ask.now)
    held = desk.subscriptions.values()
    if any(each.meeting is meeting and each.expires_at > ask.now for each in held):
        raise GraphError(409, "ExtensionError", EXISTS)
    lifecycle = asked.get("lifecycleNotificationUrl")
    if ends - ask.now > NEEDS_LIFECYCLE and not lifecycle:
        message = "lifecycleNotificationUrl is required."
        raise GraphError(400, "InvalidRequest", message)
    _check_certificate(asked)
    for url in filter(None, (asked["notificationUrl"], lifecycle)):
        token = f"Validation: Testing reachability, Request-Id: {new_id(desk.number())}"
        if not await desk.courier.handshake(url, token):
            message = "Subscription validation request failed."
            raise GraphError(400, "ValidationError", message)
    id = new_id("subscription", desk.world.seed, desk.number())
    made = Subscription(id, dict(asked), meeting, ends)
    desk.subscriptions[id] = made
    desk.remind(made)
    return Answer(201, _body(desk, made))


def _wanted(desk: Desk, asked: Json) -> TeamsMeeting:
    match = _RESOURCE.fullmatch(str(asked.get("resource") or ""))
    link = unquote(unquote(match[1])) if match else ""
    for each in desk.all_meetings():
        if unquote(each.join_url) == link:
            return each
    raise GraphError(400, "InvalidRequest", "The resource is not valid.")


def _expiry(asked: Json, now: datetime) -> datetime:
    try:
        ends = datetime.fromisoformat(str(asked["expirationDateTime"]))
    except (KeyError, ValueError) as error:
        message = "expirationDateTime is not valid."
        raise GraphError(400, "InvalidRequest", message) from error
    if ends > now + LONGEST:
        message = "Subscription expiration can only be 4320 minutes in the future."
        raise GraphError(400, "InvalidRequest", message)
    return max(ends, now + SHORTEST)


def _check_certificate(asked: Json) -> None:
    """Certificate and its id go together, and both with resource data."""
    try:
        seal({}, asked["encryptionCertificate"], asked["encryptionCertificateId"])
    except (KeyError, ValueError, TypeError) as error:
        message = "A valid encryptionCertificate and its id are required."
        raise GraphError(400, "InvalidRequest", message) from error


def _body(desk: Desk, held: Subscription) -> Json:
    """The certificate is not echoed."""
    asked = held.asked
    return {
        "id": held.id,
        "resource": asked["resource"],
        "applicationId": desk.tenant.app_id,
        "changeType": asked.get("changeType"),
        "clientState": asked.get("clientState"),
        "notificationUrl": asked["notificationUrl"],
        "lifecycleNotificationUrl": asked.get("lifecycleNotificationUrl"),
        "expirationDateTime": stamp(held.expires_at),
        "creatorId": new_id("creator"),
        "includeResourceData": asked.get("includeResourceData"),
        "latestSupportedTlsVersion": "v1_2",
        "encryptionCertificateId": asked["encryptionCertificateId"],
    }


def _held(desk: Desk, ask: Ask) -> Subscription:
    held = desk.subscriptions.get(ask.parts[0])
    if held is None or held.expires_at <= ask.now:
        raise GraphError(404, "ResourceNotFound", "The subscription was not found.")
    return held


async def list_all(desk: Desk, ask: Ask) -> Answer:
    held = [s for s in desk.subscriptions.values() if s.expires_at > ask.now]
    return Answer(200, {"value": [_body(desk, each) for each in held]})


async def renew(desk: Desk, ask: Ask) -> Answer:
    """A new expiry, and with it a new certificate if one is given."""
    held = _held(desk, ask)
    names = ("encryptionCertificate", "encryptionCertificateId")
    asked = held.asked | {name: ask.body[name] for name in names if name in ask.body}
    _check_certificate(asked)
    held.expires_at, held.asked = _expiry(ask.body, ask.now), asked
    desk.remind(held)
    return Answer(200, _body(desk, held))


async def reauthorize(desk: Desk, ask: Ask) -> Answer:
    _held(desk, ask)
    return Answer(204)


async def delete(desk: Desk, ask: Ask) -> Answer:
    del desk.subscriptions[_held(desk, ask).id]
    return Answer(204)


_ONE, _READ = "/subscriptions/([^/]+)", "OnlineMeetings.Read.All"
OPERATIONS = (
    Operation("POST", "/subscriptions", _READ, create),
    Operation("GET", "/subscriptions", _READ, list_all),
    Operation("PATCH", _ONE, _READ, renew),
    Operation("POST", _ONE + "/reauthorize", _READ, reauthorize),
    Operation("DELETE", _ONE, _READ, delete),
)
