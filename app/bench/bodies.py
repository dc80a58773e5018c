"""Validly signed Zoom webhooks, each one distinct, as bytes ready for the wire."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

ACCOUNT = "bench-account"
SECRET = "bench-webhook-secret"  # noqa: S105 - guards nothing
FIRST_MEETING = 82_000_000_000
CLIENTS = 10
# The evening so far: rooms opened a while ago, and something happens every few seconds.
BEGAN_BEFORE = timedelta(minutes=50)
BETWEEN = timedelta(seconds=3)


def meeting_id(room: int) -> str:
    """The id of the bench's n-th meeting."""
    return str(FIRST_MEETING + room)


def instance(room: int) -> str:
    """Its occurrence."""
    return f"bench-uuid-{room}=="


def registrant(room: int, client: int) -> str:
    """The registrant id of a client's own link."""
    return f"reg-{room}-{client}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(event: str, room: int, number: int, at: datetime, **more: object) -> bytes:
    # `number` makes the milliseconds, and with them the body, unlike every other.
    ts = int(at.timestamp()) * 1000 + number % 1000
    about = {
        "id": meeting_id(room),
        "uuid": instance(room),
        "host_id": "bench-host",
        "topic": "Tuesday group",
        "type": 2,
        "start_time": _stamp(at),
        "timezone": "Europe/London",
        "duration": 60,
        **more,
    }
    whole = {
        "event": event,
        "event_ts": ts,
        "payload": {"account_id": ACCOUNT, "object": about},
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def _person(name: str, uuid: str, user: str = "", link: str = "") -> dict[str, object]:
    return {
        "user_id": uuid[-12:],
        "user_name": name,
        "id": user,
        "participant_user_id": user,
        "participant_uuid": uuid,
        "email": "",
        "registrant_id": link,
    }


def opening(room: int, at: datetime) -> Iterator[bytes]:
    """The meeting starts; both workers come."""
    at -= BEGAN_BEFORE
    yield _body("meeting.started", room, 0, at)
    for number, worker in enumerate(("anna", "sam"), 1):
        person = _person(worker.title(), f"{worker}-{room}", f"zoom-{worker}")
        joined = {**person, "join_time": _stamp(at)}
        yield _body("meeting.participant_joined", room, number, at, participant=joined)


def coming_and_going(room: int, number: int, at: datetime) -> bytes:
    """The n-th event of a room: clients come and go in turn, each time anew."""
    visit, leaves = divmod(number, 2)
    client = visit % CLIENTS
    at += BETWEEN * number - BEGAN_BEFORE
    person = _person(
        f"Client {client}", f"visit-{room}-{visit}", link=registrant(room, client)
    )
    if leaves:
        person |= {"leave_time": _stamp(at), "leave_reason": "left the meeting"}
        event = "meeting.participant_left"
    else:
        person["join_time"] = _stamp(at)
        event = "meeting.participant_joined"
    return _body(event, room, number, at, participant=person)


def coming(room: int, client: int, at: datetime) -> bytes:
    """A client comes by their own link, and stays."""
    person = _person(
        f"Client {client}", f"stay-{room}-{client}", link=registrant(room, client)
    )
    joined = {**person, "join_time": _stamp(at)}
    return _body("meeting.participant_joined", room, client, at, participant=joined)


def stranger(room: int, number: int, name: str, at: datetime) -> bytes:
    """Somebody without a link or an account comes in, under this name."""
    person = _person(name, f"stranger-{room}-{number}")
    joined = {**person, "join_time": _stamp(at)}
    return _body("meeting.participant_joined", room, number, at, participant=joined)


def headers(body: bytes, at: datetime) -> list[tuple[bytes, bytes]]:
    """What Zoom sends with it, the signature included."""
    stamp = str(int(at.timestamp())).encode()
    signed = hmac.new(SECRET.encode(), b"v0:" + stamp + b":" + body, hashlib.sha256)
    return [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"user-agent", b"Zoom Marketplace/1.0a"),
        (b"clientid", b"bench-client"),
        (b"x-zm-request-timestamp", stamp),
        (b"x-zm-signature", b"v0=" + signed.hexdigest().encode()),
    ]


def request(path: str, port: int, body: bytes, at: datetime) -> bytes:
    """The whole request, for a connection that stays open."""
    lines = [
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n".encode(),
        *(name + b": " + value + b"\r\n" for name, value in headers(body, at)),
        b"content-length: " + str(len(body)).encode() + b"\r\n\r\n",
    ]
    return b"".join(lines) + body
