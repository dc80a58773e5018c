"""Webhooks nobody must believe: without the secret, altered, out of time, or another's."""

from datetime import timedelta
from typing import Any

from integrations.rehearsal.courier import signature
from integrations.rehearsal.rooms import Connection, Happening, Instance, Kind, Refused
from integrations.rehearsal.zoom_bodies import webhook_of

KINDS = {
    "joined": Kind.JOINED,
    "left": Kind.LEFT,
    "ended": Kind.ENDED,
    "moved": Kind.LEFT,
}
STALE, FUTURE = timedelta(hours=3), timedelta(minutes=10)


def told(stage: Any, who: str, what: str, how: str) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of one lie about the live room. Raises Refused when none runs."""
    world, account = stage.world, stage.account
    meeting = world.meeting(stage.meeting_id)
    instance = meeting.live
    if instance is None:
        raise Refused("nothing runs to lie about")
    if how == "other account":
        account = account.__class__(account_id="somebodyElses0account")
    connection = _seat(world, instance, who)
    if what == "left" and connection.stays:
        connection = world.connection(meeting.id, who) or connection
    happening = Happening(KINDS[what], world.now, meeting, instance, connection)
    _, body = webhook_of(happening, account)
    at = world.now
    if how == "stale":
        at -= STALE
    if how == "future":
        at += FUTURE
    stamp = str(int(at.timestamp()))
    secret = stage.account.webhook_secret
    if how == "other secret":
        secret = "guessed"  # noqa: S105 - what a forger guesses
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": signature(secret, stamp, body),
    }
    if how == "unsigned":
        del headers["x-zm-signature"]
    if how == "respaced":
        # What it says is true, and the bytes are not those that were signed (W03).
        body = body.replace(b'":', b'": ')
    if how == "altered":
        body = body.replace(b'"event_ts":1', b'"event_ts":2')
    return body, headers


def _seat(world: Any, instance: Instance, who: str) -> Connection:
    """A connection of theirs, or one that never was."""
    for each in reversed(instance.connections):
        if each.person.key == who:
            return each
    person = world.people[who]
    return Connection(
        person=person,
        user_id="16778240",
        participant_uuid="FFFFFFFF-0000-4000-8000-000000000000",
        name=person.name,
        email=person.email,
        signed_in=person.in_account,
    )
