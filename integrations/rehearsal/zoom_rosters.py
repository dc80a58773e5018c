"""Who is, or was, there by REST: the live list, past participants, the report.

The live list keeps rows of people who left, never shows a registrant id, knows no
co-host, and blanks the ids of everybody outside the account.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations.rehearsal.faults import RosterTrouble
from integrations.rehearsal.rooms import (
    MAIN,
    WAITING_ROOM,
    Connection,
    Instance,
    Json,
    Meeting,
    Role,
    Stay,
)
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    instance_of,
    needs_paid_plan,
    no_meeting,
    paged,
)
from integrations.rehearsal.zoom_plan_bodies import instant

NO_DASHBOARD = (
    "Only available for Business or higher accounts that have enabled the Dashboard"
    " feature."
)


def live_list(desk: Desk, ask: Ask) -> Answer:
    if not desk.account.shows_live_list:
        raise ApiError(400, 200, NO_DASHBOARD)
    meeting, instance = instance_of(desk, ask)
    if ask.query.get("type", "live") == "live" and meeting.live is not instance:
        raise no_meeting(str(meeting.id))
    trouble, at = desk.courier.dice.roster_trouble(), ask.now
    if trouble is RosterTrouble.STALE:
        at -= timedelta(seconds=60 * desk.courier.dice.stream("stale").random())
    rows = _live_rows(instance, at)
    if trouble is RosterTrouble.TWICE:
        rows = [row for row in rows for _ in range(2)]
    if trouble is RosterTrouble.BLANK:
        rows = [{**row, "user_id": "", "participant_uuid": ""} for row in rows]
    page = paged(desk, ask, "participants", rows)
    if trouble is RosterTrouble.SHORT:
        page["participants"] = page["participants"][: len(page["participants"]) // 2]
        page["next_page_token"] = ""
    if trouble is RosterTrouble.LOOP:
        page["next_page_token"] = _loop(desk, ask)
    return Answer(200, page)


def _loop(desk: Desk, ask: Ask) -> str:
    """A token that leads back to the first page, again and again."""
    token = ask.query.get("next_page_token") or desk.world.new_token()
    name = "/".join(["participants", *ask.parts.values()])
    desk.pages[token] = (name, 0, ask.now + timedelta(minutes=15))
    return token


def _live_rows(instance: Instance, at: datetime) -> list[Json]:
    rows = []
    for connection in instance.connections:
        stays = [stay for stay in connection.stays if stay.start <= at]
        if not stays:
            continue
        last = stays[-1]
        waits = last.room == WAITING_ROOM
        phase = [stay for stay in stays if (stay.room == WAITING_ROOM) == waits]
        row: Json = {
            "id": connection.zoom_user_id,
            "participant_user_id": connection.zoom_user_id,
            "user_id": connection.user_id,
            "participant_uuid": connection.participant_uuid,
            "user_name": connection.name,
            "email": connection.email if connection.signed_in else "",
            "device": "Windows" if connection.signed_in else "",
            "join_time": instant(phase[0].start),
            "status": "in_waiting_room" if waits else "in_meeting",
            "role": "host" if connection.role is Role.HOST else "attendee",
        }
        if last.room not in (MAIN, WAITING_ROOM):
            row["bo_mtg_id"] = last.room
        if last.end is not None and last.end <= at:
            row["leave_time"] = instant(last.end)
            row["leave_reason"] = connection.leave_reason
        rows.append(row)
    return rows


def past_meeting(desk: Desk, ask: Ask) -> Answer:
    needs_paid_plan(desk)
    meeting, instance = _ended(desk, ask)
    ended_at = instance.ended_at or ask.now
    length = int((ended_at - instance.started_at).total_seconds() // 60)
    return Answer(
        200,
        {
            "uuid": instance.uuid,
            "id": meeting.id,
            "host_id": meeting.host.zoom_user_id,
            "type": meeting.type,
            "topic": meeting.topic,
            "user_name": meeting.host.name,
            "user_email": meeting.host.email,
            "start_time": instant(instance.started_at),
            "end_time": instant(ended_at),
            "duration": length,
            "total_minutes": length * len(instance.connections),
            "participants_count": len(instance.connections),
        },
    )


def past_instances(desk: Desk, ask: Ask) -> Answer:
    meeting, _ = instance_of(desk, ask)
    rows = [
        {"uuid": each.uuid, "start_time": instant(each.started_at)}
        for each in meeting.instances
        if each.ended_at
    ]
    return Answer(200, {"meetings": rows})


def past_participants(desk: Desk, ask: Ask) -> Answer:
    """Durations are 0 while the platform still computes them."""
    needs_paid_plan(desk)
    _, instance = _ended(desk, ask)
    rows = _past_rows(instance, _is_ready(desk, instance, ask.now))
    for row, connection in rows:
        row["internal_user"] = connection.signed_in
    return Answer(200, paged(desk, ask, "participants", [row for row, _ in rows]))


def report_participants(desk: Desk, ask: Ask) -> Answer:
    """Not there before some minutes have passed, nor for one person alone."""
    needs_paid_plan(desk)
    meeting, instance = _ended(desk, ask)
    people = {each.person.key for each in instance.connections}
    if not _is_ready(desk, instance, ask.now) or len(people) < 2:
        raise no_meeting(str(meeting.id))
    with_links = "registrant_id" in ask.query.get("include_fields", "")
    rows = []
    for row, connection in _past_rows(instance, ready=True):
        row["participant_user_id"] = connection.zoom_user_id
        row["bo_mtg_id"] = ""
        if with_links and connection.registrant_id:
            row["registrant_id"] = connection.registrant_id
        rows.append(row)
        rows += _breakout_rows(row, connection)
    return Answer(200, paged(desk, ask, "participants", rows))


def _ended(desk: Desk, ask: Ask) -> tuple[Meeting, Instance]:
    meeting, instance = instance_of(desk, ask)
    if instance.ended_at is None:
        raise no_meeting(str(meeting.id))
    return meeting, instance


def _is_ready(desk: Desk, instance: Instance, now: datetime) -> bool:
    ended_at = instance.ended_at
    return ended_at is not None and now >= ended_at + desk.account.report_delay


def _past_rows(instance: Instance, ready: bool) -> list[tuple[Json, Connection]]:
    """One row per unbroken time in the meeting or in the waiting room."""
    rows = []
    for connection in instance.connections:
        for waits, stay in _phases(connection):
            end = stay.end or stay.start
            seconds = int((end - stay.start).total_seconds())
            row: Json = {
                "id": connection.zoom_user_id,
                "user_id": connection.user_id,
                "name": connection.name,
                "user_email": connection.email,
                "join_time": instant(stay.start),
                "leave_time": instant(end),
                "duration": seconds if ready else 0,
                "failover": False,
                "status": "in_waiting_room" if waits else "in_meeting",
            }
            rows.append((row, connection))
    return rows


def _phases(connection: Connection) -> list[tuple[bool, Stay]]:
    """(waiting?, time) with main and breakout rooms joined up."""
    phases: list[tuple[bool, Stay]] = []
    for stay in connection.stays:
        waits = stay.room == WAITING_ROOM
        if phases and phases[-1][0] == waits and phases[-1][1].end == stay.start:
            phases[-1] = (waits, phases[-1][1]._replace(end=stay.end))
        else:
            phases.append((waits, stay))
    return phases


def _breakout_rows(row: Json, connection: Connection) -> list[Json]:
    if row["status"] == "in_waiting_room":
        return []
    return [
        {
            **row,
            "bo_mtg_id": stay.room,
            "join_time": instant(stay.start),
            "leave_time": instant(stay.end or stay.start),
            "duration": int(((stay.end or stay.start) - stay.start).total_seconds()),
        }
        for stay in connection.stays
        if stay.room not in (MAIN, WAITING_ROOM)
        and row["join_time"] <= instant(stay.start) <= row["leave_time"]
    ]


_PAST = "meeting:read:past_meeting:admin"
OPERATIONS = (
    Operation(
        "GET",
        "/metrics/meetings/{meeting_id}/participants",
        "dashboard:read:list_meeting_participants:admin",
        "HEAVY",
        live_list,
    ),
    Operation("GET", "/past_meetings/{meeting_id}", _PAST, "LIGHT", past_meeting),
    Operation(
        "GET",
        "/past_meetings/{meeting_id}/instances",
        "meeting:read:list_past_instances:admin",
        "MEDIUM",
        past_instances,
    ),
    Operation(
        "GET",
        "/past_meetings/{meeting_id}/participants",
        "meeting:read:list_past_participants:admin",
        "MEDIUM",
        past_participants,
    ),
    Operation(
        "GET",
        "/report/meetings/{meeting_id}/participants",
        "report:read:list_meeting_participants:admin",
        "HEAVY",
        report_participants,
    ),
)
