"""What every REST operation is made of: a question, an answer, an error, pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from integrations.rehearsal.courier import Courier
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import Instance, Json, Meeting
from integrations.rehearsal.world import World

PAGE_TOKEN_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ask:
    """One authorised call. `parts` are the path's variables, still percent-encoded
    as the client wrote them; `query` and `body` are decoded."""

    parts: dict[str, str]
    query: dict[str, str]
    body: Json
    now: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """Zoom's error body `{"code", "message"}` with its HTTP status."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"code": code, "message": message}, headers or {})


@dataclass(slots=True)
class Desk:
    """What the operations may look at and change."""

    world: World
    courier: Courier
    daily_changes: dict[tuple[str, str], int] = field(default_factory=dict)
    """(host id, UTC day) to creates and updates; Zoom allows 100."""
    pages: dict[str, tuple[str, int, datetime]] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.world.account


Run = Callable[[Desk, Ask], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST call: `path` below /v2 with `{names}`; `label` decides its rate."""

    method: str
    path: str
    scope: str
    label: str
    run: Run
    ok: int = 200


def meeting_of(desk: Desk, ask: Ask) -> Meeting:
    """The meeting of the path; 404/3001 when there is none."""
    written = unquote(ask.parts["meeting_id"])
    meeting = desk.world.meetings.get(int(written)) if written.isdecimal() else None
    if meeting is None or meeting.deleted:
        raise no_meeting(written)
    return meeting


def no_meeting(written: str) -> ApiError:
    return ApiError(404, 3001, f"Meeting does not exist: {written}.")


def user_of(desk: Desk, ask: Ask) -> Person:
    """The account's user by id or e-mail; `me` is nobody here: name the user."""
    written = unquote(ask.parts["user_id"])
    user = desk.world.user(written)
    if user is None:
        raise ApiError(404, 1001, f"User does not exist: {written}.")
    return user


def instance_of(desk: Desk, ask: Ask) -> tuple[Meeting, Instance]:
    """The instance of an id or uuid in the path.

    A uuid that begins with a slash or holds two in a row must be percent-encoded
    twice; a bare `+` in a path is a blank (Zoom's rule for uuids in paths).
    """
    written = uuid_from(ask.parts["meeting_id"])
    for meeting in desk.world.meetings.values():
        if written == str(meeting.id) and meeting.instances:
            return meeting, meeting.instances[-1]
        for instance in meeting.instances:
            if instance.uuid == written:
                return meeting, instance
    raise no_meeting(written)


def uuid_from(segment: str) -> str:
    once = unquote(segment.replace("+", " "))
    if "%" in once:
        return unquote(once)
    awkward = once.startswith("/") or "//" in once
    return "" if awkward else once


def paged(
    desk: Desk, ask: Ask, key: str, rows: list[Json], *, largest: int = 300
) -> Json:
    """One page of `rows`; a token lives 15 minutes and belongs to one list."""
    size = max(1, min(largest, int_of(ask.query.get("page_size"), 30)))
    start = 0
    token = ask.query.get("next_page_token", "")
    name = "/".join([key, *ask.parts.values()])
    if token:
        listed, start, until = desk.pages.get(token, ("", 0, ask.now))
        if listed != name or until <= ask.now:
            raise ApiError(400, 300, "The next page token is invalid or expired.")
    following = ""
    if start + size < len(rows):
        following = desk.world.new_token()
        desk.pages[following] = (name, start + size, ask.now + PAGE_TOKEN_LIFE)
    return {
        "page_count": -(-len(rows) // size),
        "page_size": size,
        "total_records": len(rows),
        "next_page_token": following,
        key: rows[start : start + size],
    }


def int_of(text: object, otherwise: int) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else otherwise


def refused_body(field_name: str, message: str) -> ApiError:
    error = ApiError(400, 300, "Validation Failed.")
    body = error.answer.body or {}
    body["errors"] = [{"field": field_name, "message": message}]
    return error


def needs_paid_plan(desk: Desk) -> None:
    if not desk.account.is_paid:
        raise ApiError(400, 200, "Only available for paid accounts.")
