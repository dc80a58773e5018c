"""Who is there now, and who was: the live list, the report, the webhook log.

The live list needs a Business plan and a switch by Zoom support; it keeps rows of
people who left, shows no registrant id and knows no co-host (dashboards reference).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from app.core.events import MAIN_ROOM, MeetingRef, Seat
from integrations.base import (
    PermanentFailure,
    ReportLine,
    RosterEntry,
    RosterRead,
    TemporaryFailure,
)
from integrations.platform_time import read_time
from integrations.zoom.calls import (
    Calls,
    Rows,
    listing,
    meeting_path,
    segment,
    uuid_path,
)
from integrations.zoom.refusals import Refused
from integrations.zoom.scopes import LIVE_LIST, PAST_LIST, REPORT, WEBHOOK_LOG
from integrations.zoom.story import as_text, mask, shown_name

Row = Mapping[str, Any]
NO_LIVE_LIST = (
    "The list of people in a running meeting needs a Business plan and Zoom's Dashboard"
    " API: ask Zoom support to switch it on. Until then Chaperone sees by webhooks only."
)
BAD_ID = 300
_SOON = timedelta(minutes=2)
_VALIDATION = "endpoint.url_validation"


class NotListed(TemporaryFailure):
    """Zoom's live list does not show a meeting of that name."""


async def read_roster(calls: Calls, meeting: MeetingRef) -> RosterRead:
    """The live list. PermanentFailure: this account has none; TemporaryFailure: else.

    An occurrence whose name is known is asked for by it: by the meeting's id Zoom
    answers about whichever runs now (dashboards reference, `meetingId`), and the people
    of the next one would be taken for those of one that is over (I5).
    """
    started_at = calls.clock.now()
    number = meeting_path(meeting.meeting_id)
    name = uuid_path(meeting.instance) if meeting.is_named else number
    path = f"/metrics/meetings/{name}/participants"
    call = listing(path, LIVE_LIST, "HEAVY", {"type": "live"}, reserved=True)
    try:
        rows, complete, answer = await calls.collect(call, "participants")
    except Refused as refused:
        if refused.unknown_meeting or (meeting.is_named and refused.code == BAD_ID):
            # It may have ended, or the list may lag: the status has to tell (P04).
            raise NotListed("Zoom's live list does not show this meeting.") from refused
        raise PermanentFailure(
            str(refused), refused.fix if refused.lacks_scope else NO_LIVE_LIST
        ) from refused
    present = [row for row in rows if not row.get("leave_time")]
    entries = [_entry(row) for row in present]
    named = [entry for entry in entries if entry.seat.uuid or entry.seat.user_id]
    return RosterRead(
        started_at=started_at,
        entries=_latest_of_each(named),
        # Somebody without any id may be the very one that seems to be missing (P09).
        complete=complete and len(named) == len(entries),
        offset=answer.offset,
    )


def _entry(row: Row) -> RosterEntry:
    role = as_text(row.get("role")).lower()
    return RosterEntry(
        seat=_seat(row),
        room=as_text(row.get("bo_mtg_id")) or MAIN_ROOM,
        waiting=row.get("status") == "in_waiting_room",
        # "attendee" may be a co-host; that it is no host, it does say.
        role=role if role in ("host", "co-host", "attendee") else "",
        joined_at=read_time(row.get("join_time")),
    )


def _seat(row: Row) -> Seat:
    """Rows of the live list and of the report name some fields differently."""
    return Seat(
        uuid=as_text(row.get("participant_uuid")),
        user_id=as_text(row.get("user_id")),
        registrant_id=as_text(row.get("registrant_id")),
        platform_user_id=as_text(row.get("participant_user_id"))
        or as_text(row.get("id")),
        name=shown_name(as_text(row.get("user_name")) or as_text(row.get("name"))),
        email=as_text(row.get("email")) or as_text(row.get("user_email")),
        phone=mask(as_text(row.get("phone_number"))),
    )


def _latest_of_each(entries: list[RosterEntry]) -> tuple[RosterEntry, ...]:
    """One entry for each connection; the one that began last."""
    never = datetime.min.replace(tzinfo=UTC)
    found: dict[str, RosterEntry] = {}
    for entry in sorted(entries, key=lambda each: each.joined_at or never):
        found[entry.seat.uuid or entry.seat.user_id] = entry
    return tuple(found.values())


async def attendance_report(
    calls: Calls, meeting: MeetingRef
) -> tuple[ReportLine, ...]:
    """The closing record, one line for each stay; TemporaryFailure until it is ready.

    The report knows registrants; where the account has none, the list of past
    participants has to do. Without an instance it is about the latest one.
    """
    latest = not meeting.is_named
    uuid = meeting_path(meeting.meeting_id) if latest else uuid_path(meeting.instance)
    report = listing(
        f"/report/meetings/{uuid}/participants",
        REPORT,
        "HEAVY",
        {"include_fields": "registrant_id"},
    )
    past = listing(f"/past_meetings/{uuid}/participants", PAST_LIST, "MEDIUM")
    try:
        rows, complete, _ = await calls.collect(report, "participants")
    except PermanentFailure:
        try:
            rows, complete, _ = await calls.collect(past, "participants")
        except Refused as refused:
            if refused.unknown_meeting:
                raise TemporaryFailure(
                    "Zoom has no report of this meeting yet.", _SOON
                ) from refused
            raise
    if not complete or any(_is_being_computed(row) for row in rows):
        raise TemporaryFailure("Zoom's report is not ready yet.", _SOON)
    return tuple(line for row in rows if (line := _line(row)) is not None)


def _is_being_computed(row: Row) -> bool:
    joined, left = read_time(row.get("join_time")), read_time(row.get("leave_time"))
    if left is None:
        return joined is not None
    lasted = joined is not None and left - joined >= timedelta(seconds=1)
    return lasted and row.get("duration") == 0


def _line(row: Row) -> ReportLine | None:
    joined, left = read_time(row.get("join_time")), read_time(row.get("leave_time"))
    if joined is None or left is None:
        return None
    return ReportLine(
        seat=_seat(row),
        joined_at=joined,
        left_at=left,
        waiting=row.get("status") == "in_waiting_room",
        room=as_text(row.get("bo_mtg_id")) or MAIN_ROOM,
    )


async def missed_webhooks(
    calls: Calls, app_id: str, since: datetime
) -> tuple[bytes, ...]:
    """Bodies that Zoom tried to deliver since then, oldest first, each once.

    The log is asked for whole days (UTC), as Zoom's lists are.
    """
    if not app_id:
        raise PermanentFailure(
            "Webhooks that were lost cannot be read from Zoom's log.",
            "Set CHAPERONE_ZOOM_APP_ID to the app's id at marketplace.zoom.us.",
        )
    first, last = since.astimezone(UTC).date(), calls.clock.now().astimezone(UTC).date()
    call = listing(
        f"/marketplace/apps/{segment(app_id)}/webhook_logs",
        WEBHOOK_LOG,
        "MEDIUM",
        {"from": first.isoformat(), "to": last.isoformat()},
    )
    rows, _, _ = await calls.collect(call, "webhook_logs")
    return _bodies(rows, since)


def _bodies(rows: Rows, since: datetime) -> tuple[bytes, ...]:
    never = datetime.min.replace(tzinfo=UTC)
    dated = []
    for row in rows:
        sent_at, said = read_time(row.get("date_time")), row.get("request_body")
        if (sent_at and sent_at < since) or row.get("event") == _VALIDATION:
            continue
        if isinstance(said, dict):
            dated.append((sent_at or never, orjson.dumps(said)))
        elif isinstance(said, str) and said:
            dated.append((sent_at or never, said.encode()))
    dated.sort(key=lambda each: each[0])
    return tuple(dict.fromkeys(raw for _, raw in dated))
