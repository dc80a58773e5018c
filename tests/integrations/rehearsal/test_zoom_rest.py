"""The REST side answers, refuses, pages and limits like Zoom's."""

import base64
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.clock import FastClock, ManualClock
from integrations.http import ASGITransport, AsyncClient, Response
from integrations.rehearsal.faults import Faults, RosterTrouble, Trouble, Window
from integrations.rehearsal.people import ALL_SCOPES, Account
from integrations.rehearsal.rooms import Role
from integrations.rehearsal.zoom_server import ZoomServer
from tests.integrations.rehearsal.stage import ANNA, Stage

PAYLOADS = Path(__file__).parents[2] / "payloads" / "zoom"
pytestmark = pytest.mark.anyio


class Caller:
    """A client with a token, in the test's own process."""

    def __init__(self, stage: Stage, **more: Any) -> None:
        self.stage = stage
        self.server = ZoomServer(stage.world, stage.clock, **more)
        self.http = AsyncClient(
            transport=ASGITransport(self.server.app), base_url="https://api.zoom.us"
        )
        self.token = ""

    async def sign_in(self) -> "Caller":
        answer = await ask_token(self.http, self.stage.account)
        self.token = answer.json()["access_token"]
        return self

    async def __call__(self, method: str, path: str, body: Any = None) -> Response:
        return await self.http.request(
            method,
            "/v2" + path,
            json=body,
            headers={"authorization": f"Bearer {self.token}"},
        )


async def ask_token(http: AsyncClient, account: Account, **changed: str) -> Response:
    fields = {
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "grant_type": "account_credentials",
        "account_id": account.account_id,
        **changed,
    }
    basic = f"{fields.pop('client_id')}:{fields.pop('client_secret')}"
    coded = base64.b64encode(basic.encode()).decode()
    return await http.post(
        "/oauth/token", data=fields, headers={"authorization": f"Basic {coded}"}
    )


@pytest.fixture
async def caller(stage: Stage) -> Caller:
    return await Caller(stage).sign_in()


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / f"rest.{name}.json").read_bytes())


def error(answer: Response) -> tuple[int, int, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["message"]


# Tokens --------------------------------------------------------------------------


async def test_a_token_answer_has_the_recorded_shape(stage: Stage) -> None:
    caller = Caller(stage)
    answer = await ask_token(caller.http, stage.account)
    assert answer.status_code == 200
    assert answer.json().keys() == recorded("token")["body"].keys()
    assert answer.json()["scope"].split() == sorted(ALL_SCOPES)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "guess"}, 4702),
        ({"client_id": "guess"}, 4702),
        ({"account_id": "another"}, 4702),
        ({"grant_type": "client_credentials"}, 4705),
        ({"client_secret": ""}, 4706),
    ],
)
async def test_a_wrong_token_request_is_named(
    stage: Stage, changed: dict[str, str], code: int
) -> None:
    answer = await ask_token(Caller(stage).http, stage.account, **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(("age", "status"), [(3_599, 200), (3_600, 401)])
async def test_a_token_lives_an_hour(caller: Caller, age: int, status: int) -> None:
    caller.stage.wait(age)
    answer = await caller("GET", f"/meetings/{caller.stage.id}")
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == recorded("error.401_expired")["body"]


async def test_no_token_and_a_dead_one_are_refused(caller: Caller) -> None:
    caller.server.gate.revoke_tokens()
    answer = await caller("GET", f"/meetings/{caller.stage.id}")
    assert error(answer) == (401, 124, "Invalid access token.")


async def test_a_missing_scope_is_named(clock: ManualClock) -> None:
    stage = Stage(clock, Account(scopes=ALL_SCOPES - {"meeting:update:status:admin"}))
    caller = await Caller(stage).sign_in()
    stage.open("ben")
    answer = await caller("PUT", f"/meetings/{stage.id}/status", {"action": "end"})
    assert error(answer) == (
        401,
        4700,
        "Invalid access token, does not contain scopes:[meeting:update:status:admin].",
    )
    assert stage.inside() == ["anna", "ben"]


# Meetings ------------------------------------------------------------------------


async def test_a_read_meeting_has_the_recorded_shape(caller: Caller) -> None:
    stage = caller.stage
    answer = await caller("GET", f"/meetings/{stage.id}")
    wanted = recorded("get_meeting.safe")["body"]
    series_only = {"occurrences", "recurrence"}
    assert answer.json().keys() - {"start_time", "duration"} == (
        wanted.keys() - series_only
    )
    assert answer.json()["settings"].keys() >= wanted["settings"].keys()
    assert answer.json()["status"] == "waiting"
    stage.open()
    assert (await caller("GET", f"/meetings/{stage.id}")).json()["status"] == "started"


async def test_an_unknown_meeting_is_404_3001(caller: Caller) -> None:
    answer = await caller("GET", "/meetings/81000000020")
    assert error(answer) == (404, 3001, "Meeting does not exist: 81000000020.")


async def test_a_meeting_made_by_api_is_open_until_told_otherwise(
    caller: Caller,
) -> None:
    answer = await caller(
        "POST",
        f"/users/{ANNA.zoom_user_id}/meetings",
        {
            "topic": "New group",
            "type": 2,
            "start_time": "2026-11-24T19:00:00",
            "timezone": "Europe/London",
            "duration": 45,
            "agenda": "marker-1",
            "settings": {"approval_type": 1},
        },
    )
    assert answer.status_code == 201
    made = answer.json()
    assert (made["start_time"], made["duration"], made["agenda"]) == (
        "2026-11-24T19:00:00Z",
        45,
        "marker-1",
    )
    assert (made["settings"]["waiting_room"], made["settings"]["approval_type"]) == (
        False,
        1,
    )
    listed = await caller("GET", f"/users/{ANNA.email}/meetings?type=upcoming")
    assert [each["topic"] for each in listed.json()["meetings"]] == [
        "Tuesday group",
        "New group",
    ]


async def test_me_is_nobody(caller: Caller) -> None:
    answer = await caller("GET", "/users/me/meetings")
    assert error(answer) == (404, 1001, "User does not exist: me.")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"waiting_room": "yes"}, "settings.waiting_room"),
        ({"approval_type": 3}, "settings.approval_type"),
        ({"alternative_hosts": "eve@elsewhere.example"}, "settings.alternative_hosts"),
    ],
)
async def test_a_wrong_setting_is_refused_by_name(
    caller: Caller, settings: dict[str, Any], field: str
) -> None:
    path = f"/meetings/{caller.stage.id}"
    answer = await caller("PATCH", path, {"settings": settings})
    assert error(answer)[:2] == (400, 300)
    assert answer.json()["errors"][0]["field"] == field


async def test_a_locked_setting_is_dropped_without_a_word(clock: ManualClock) -> None:
    stage = Stage(clock, Account(locked=frozenset({"settings.waiting_room"})))
    caller = await Caller(stage).sign_in()
    stage.meeting.settings["waiting_room"] = False
    wish = {"settings": {"waiting_room": True, "mute_upon_entry": False}}
    answer = await caller("PATCH", f"/meetings/{stage.id}", wish)
    kept = stage.meeting.settings
    assert (answer.status_code, kept["waiting_room"], kept["mute_upon_entry"]) == (
        204,
        False,
        False,
    )


async def test_a_host_has_100_changes_a_utc_day(caller: Caller) -> None:
    path = f"/meetings/{caller.stage.id}"
    statuses = [
        (await caller("PATCH", path, {"agenda": str(number)})).status_code
        for number in range(101)
    ]
    assert (statuses.count(204), statuses[-1]) == (100, 429)
    caller.stage.clock.step_wall_clock(timedelta(hours=6))
    await caller.sign_in()
    assert (await caller("PATCH", path, {"agenda": "new day"})).status_code == 204


async def test_end_for_all_empties_the_room(caller: Caller) -> None:
    stage = caller.stage
    stage.open("ben", "chloe")
    path = f"/meetings/{stage.id}/status"
    answer = await caller("PUT", path, {"action": "end"})
    assert (answer.status_code, answer.content, stage.inside()) == (204, b"", [])
    assert (await caller("PUT", path, {"action": "end"})).status_code == 204


async def test_live_meetings_are_listed_while_they_run(caller: Caller) -> None:
    path = f"/users/{ANNA.zoom_user_id}/meetings?type=live"
    assert (await caller("GET", path)).json()["meetings"] == []
    caller.stage.open()
    rows = (await caller("GET", path)).json()["meetings"]
    assert [(row["id"], row["uuid"]) for row in rows] == [
        (caller.stage.id, caller.stage.meeting.instances[0].uuid)
    ]


# Acting on a live meeting ----------------------------------------------------------


async def remove(caller: Caller, who: str) -> Response:
    connection = caller.stage.world.connection(caller.stage.id, who)
    assert connection is not None
    return await caller(
        "PATCH",
        f"/live_meetings/{caller.stage.id}/events",
        {
            "method": "participant.remove",
            "params": {"participant_uuid": connection.participant_uuid},
        },
    )


async def test_a_removal_is_accepted_first_and_done_a_moment_later(
    caller: Caller,
) -> None:
    stage = caller.stage
    stage.open("dev")
    answer = await remove(caller, "dev")
    assert (answer.status_code, stage.inside()) == (202, ["anna", "dev"])
    stage.wait(0.79)
    assert stage.inside() == ["anna", "dev"]
    stage.wait(0.01)
    assert stage.inside() == ["anna"]


async def test_an_account_without_removal_says_so(clock: ManualClock) -> None:
    stage = Stage(clock, Account(remove_enabled=False))
    caller = await Caller(stage).sign_in()
    stage.open("dev")
    answer = await remove(caller, "dev")
    assert answer.status_code == 400
    assert answer.json() == recorded("error.400_in_meeting_control_not_enabled")["body"]


async def test_the_waiting_room_text_is_shown(caller: Caller) -> None:
    stage = caller.stage
    stage.open()
    wish = recorded("waiting_room_update.accepted")["request"]["json"]
    answer = await caller("PATCH", f"/live_meetings/{stage.id}/events", wish)
    stage.wait(1)
    assert stage.meeting.live is not None
    assert answer.status_code == 202
    assert stage.meeting.live.waiting_text == (
        wish["params"]["waiting_room_title"],
        wish["params"]["waiting_room_description"],
    )


async def test_a_recording_and_a_stream_are_stopped(caller: Caller) -> None:
    stage = caller.stage
    stage.open()
    stage.world.start_recording(stage.id)
    stage.world.start_streaming(stage.id)
    events = f"/live_meetings/{stage.id}/events"
    stream = f"/meetings/{stage.id}/livestream/status"
    await caller("PATCH", events, {"method": "recording.stop"})
    stage.wait(1)
    live = stage.meeting.live
    assert live is not None
    assert live.recording_since is None
    assert (await caller("PATCH", stream, {"action": "stop"})).status_code == 204
    assert error(await caller("PATCH", stream, {"action": "stop"}))[:2] == (400, 4400)


async def test_nothing_is_controlled_when_nothing_runs(caller: Caller) -> None:
    path = f"/live_meetings/{caller.stage.id}/events"
    answer = await caller("PATCH", path, {"method": "recording.stop"})
    assert error(answer)[:2] == (400, 300)


# Registrants ---------------------------------------------------------------------


async def test_a_registrant_gets_a_link_or_waits_for_approval(caller: Caller) -> None:
    path = f"/meetings/{caller.stage.id}/registrants"
    wish = {"first_name": "Fay", "email": "fay@family.example", "auto_approve": True}
    created = (await caller("POST", path, wish)).json()
    assert created.keys() == recorded("add_registrant.created")["body"].keys()
    wish = {"first_name": "Eve", "email": "eve@elsewhere.example"}
    pending = (await caller("POST", path, wish)).json()
    assert pending.keys() == recorded("add_registrant.pending")["body"].keys()
    listed = (await caller("GET", path + "?status=pending")).json()["registrants"]
    assert [each["first_name"] for each in listed] == ["Eve"]


async def test_a_link_is_cancelled_and_approved_again(caller: Caller) -> None:
    stage = caller.stage
    path = f"/meetings/{stage.id}/registrants"
    registrant = stage.meeting.registrant_of(stage.links["dev"])
    assert registrant is not None
    named = [{"id": registrant.id, "email": registrant.email}]
    for action, status in (("cancel", "cancelled"), ("approve", "approved")):
        answer = await caller(
            "PUT", path + "/status", {"action": action, "registrants": named}
        )
        assert (answer.status_code, registrant.status) == (204, status)
    assert (await caller("DELETE", f"{path}/{registrant.id}")).status_code == 204
    assert (await caller("DELETE", f"{path}/{registrant.id}")).status_code == 404


@pytest.mark.parametrize(("number", "status"), [(1, 204), (30, 204), (31, 400)])
async def test_thirty_registrants_at_once(
    caller: Caller, number: int, status: int
) -> None:
    stage = caller.stage
    named = [
        {"id": stage.world.register(stage.id, "N", f"n{n}@family.example").id}
        for n in range(number)
    ]
    answer = await caller(
        "PUT",
        f"/meetings/{stage.id}/registrants/status",
        {"action": "approve", "registrants": named},
    )
    assert answer.status_code == status


async def test_ten_status_changes_a_day(caller: Caller) -> None:
    stage = caller.stage
    registrant = stage.meeting.registrant_of(stage.links["dev"])
    assert registrant is not None
    path = f"/meetings/{stage.id}/registrants/status"
    statuses = []
    for number in range(11):
        action = "approve" if number % 2 else "cancel"
        named = [{"id": registrant.id}]
        answer = await caller("PUT", path, {"action": action, "registrants": named})
        statuses.append(answer.status_code)
    assert statuses == [204] * 10 + [429]


async def test_registration_limits(caller: Caller) -> None:
    stage = caller.stage
    path = f"/meetings/{stage.id}/registrants"
    wish = {"first_name": "Fay", "email": "fay@family.example"}
    answers = [await caller("POST", path, wish) for _ in range(4)]
    assert [each.status_code for each in answers] == [201, 201, 201, 429]
    assert len({each.json()["registrant_id"] for each in answers[:3]}) == 1
    stage.meeting.settings["approval_type"] = 2
    other = {"first_name": "Gil", "email": "gil@family.example"}
    assert error(await caller("POST", path, other))[:2] == (400, 300)
    stage.meeting.settings["approval_type"] = 0
    answer = await caller("POST", path, {**other, "auto_approve": True})
    assert answer.json()["errors"][0]["field"] == "auto_approve"


# Users ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("", "user_settings.safe"),
        ("?option=meeting_security", "user_settings_security.safe"),
    ],
)
async def test_user_settings_have_the_recorded_shape_and_are_patched(
    caller: Caller, option: str, name: str
) -> None:
    path = f"/users/{ANNA.zoom_user_id}/settings{option}"
    before = (await caller("GET", path)).json()
    assert before == recorded(name)["body"]
    part = "meeting_security" if option else "in_meeting"
    await caller("PATCH", path, {part: {"waiting_room": False}})
    after = (await caller("GET", path)).json()
    assert after == {**before, part: {**before[part], "waiting_room": False}}


async def test_users_belong_to_the_account_or_are_unknown(caller: Caller) -> None:
    users = (await caller("GET", "/users")).json()["users"]
    assert [each["email"] for each in users] == [
        "anna.price@charity.example",
        "sam.okoro@charity.example",
    ]
    answer = await caller("GET", "/users/eve@elsewhere.example")
    assert error(answer)[:2] == (404, 1001)


@pytest.mark.parametrize(("length", "status"), [(0, 400), (1_024, 201), (1_025, 400)])
async def test_a_chat_message_goes_to_the_meetings_channel(
    clock: ManualClock, length: int, status: int
) -> None:
    stage = Stage(clock, settings={"continuous_meeting_chat": {"enable": True}})
    caller = await Caller(stage).sign_in()
    channel = stage.meeting.settings["continuous_meeting_chat"]["channel_id"]
    body = {"message": "x" * length, "to_channel": channel}
    path = f"/chat/users/{ANNA.zoom_user_id}/messages"
    assert (await caller("POST", path, body)).status_code == status
    assert len(stage.world.chat) == (status == 201)


# Rosters --------------------------------------------------------------------------


async def live_rows(caller: Caller, size: int = 300) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    token = ""
    while True:
        path = f"/metrics/meetings/{caller.stage.id}/participants?type=live"
        answer = await caller("GET", f"{path}&page_size={size}&next_page_token={token}")
        assert answer.status_code == 200
        rows += answer.json()["participants"]
        token = answer.json()["next_page_token"]
        if not token:
            return rows


async def test_the_live_list_keeps_leavers_and_hides_guests(caller: Caller) -> None:
    stage = caller.stage
    stage.open("ben", "chloe")
    stage.world.arrive(stage.id, "sam")
    stage.world.arrive(stage.id, "dev", link=stage.links["dev"])
    stage.wait(60)
    stage.world.leave(stage.id, "ben")
    stage.wait(5)
    stage.come("ben")
    rows = await live_rows(caller, size=2)
    assert [
        (row["user_name"], row["status"], row["role"], "leave_time" in row)
        for row in rows
    ] == [
        ("Anna Price", "in_meeting", "host", False),
        ("Ben", "in_meeting", "attendee", True),
        ("Chloe", "in_meeting", "attendee", False),
        ("Sam Okoro", "in_meeting", "attendee", False),
        ("Dev", "in_waiting_room", "attendee", False),
        ("Ben", "in_meeting", "attendee", False),
    ]
    sam = stage.world.connection(stage.id, "sam")
    assert sam is not None
    assert sam.role is Role.CO_HOST  # which the live list does not know
    wanted = recorded("metrics_live.page1")["body"]["participants"]
    assert rows[0].keys() == wanted[0].keys()
    assert rows[1].keys() == wanted[2].keys()
    guest = rows[2]
    assert (guest["id"], guest["participant_user_id"], guest["email"]) == ("", "", "")
    assert "registrant_id" not in guest


async def test_each_name_has_its_own_live_list(caller: Caller) -> None:
    """By the meeting's number it is of whichever occurrence runs."""
    stage = caller.stage
    stage.open("ben")
    stage.world.end(stage.id)
    stage.wait(60)
    stage.open("chloe")
    over, running = (each.uuid for each in stage.meeting.instances)
    shown: list[list[str] | int] = []
    for name in (str(stage.id), encoded(over, 2), encoded(running, 2)):
        answer = await caller("GET", f"/metrics/meetings/{name}/participants?type=live")
        rows = answer.json().get("participants", [])
        shown.append(sorted(row["user_name"] for row in rows) or answer.json()["code"])
    assert shown == [["Anna Price", "Chloe"], 3001, ["Anna Price", "Chloe"]]
    ended = [
        (await caller("GET", f"/past_meetings/{encoded(uuid, 2)}")).json()
        for uuid in (over, running)
    ]
    assert (ended[0]["uuid"], bool(ended[0]["end_time"])) == (over, True)
    assert ended[1]["code"] == 3001


@pytest.mark.parametrize(
    "account", [Account(plan="pro"), Account(dashboard=False), Account(plan="free")]
)
async def test_without_the_dashboard_there_is_no_live_list(
    clock: ManualClock, account: Account
) -> None:
    stage = Stage(clock, account)
    caller = await Caller(stage).sign_in()
    stage.open()
    path = f"/metrics/meetings/{stage.id}/participants?type=live"
    answer = await caller("GET", path)
    assert answer.status_code == 400
    assert answer.json() == recorded("error.400_dashboard_not_enabled")["body"]


@pytest.mark.parametrize(("age", "status"), [(899, 200), (900, 400)])
async def test_a_page_token_lives_15_minutes(
    caller: Caller, age: int, status: int
) -> None:
    caller.stage.open("ben", "chloe")
    path = f"/metrics/meetings/{caller.stage.id}/participants?type=live&page_size=2"
    token = (await caller("GET", path)).json()["next_page_token"]
    caller.stage.wait(age)
    answer = await caller("GET", f"{path}&next_page_token={token}")
    assert answer.status_code == status


async def finished(clock: ManualClock) -> Caller:
    """An awkward instance, over for three minutes."""
    stage = Stage(clock, Account(awkward_uuids=True))
    caller = await Caller(stage).sign_in()
    stage.open("ben")
    stage.world.arrive(stage.id, "chloe", link=stage.links["chloe"])
    stage.wait(100)
    stage.world.admit(stage.id, "chloe")
    stage.wait(500)
    stage.world.end(stage.id)
    stage.wait(180)
    return caller


def encoded(uuid: str, times: int) -> str:
    for _ in range(times):
        uuid = quote(uuid, safe="")
    return uuid


@pytest.mark.parametrize(("times", "status"), [(0, 404), (1, 404), (2, 200)])
@pytest.mark.parametrize("call", ["past_meetings", "report/meetings"])
async def test_an_awkward_uuid_is_encoded_twice(
    clock: ManualClock, call: str, times: int, status: int
) -> None:
    caller = await finished(clock)
    uuid = encoded(caller.stage.meeting.instances[0].uuid, times)
    answer = await caller("GET", f"/{call}/{uuid}/participants?page_size=300")
    assert answer.status_code == status


async def test_a_plain_uuid_may_be_encoded_once_or_twice(caller: Caller) -> None:
    stage = caller.stage
    stage.open("ben")
    stage.meeting.instances[0].uuid = "eig+fbC/RTKCSkZxrNIT2g=="
    stage.world.end(stage.id)
    stage.wait(180)
    answers = [
        await caller(
            "GET",
            f"/past_meetings/{encoded('eig+fbC/RTKCSkZxrNIT2g==', times)}/participants",
        )
        for times in (1, 2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    bare = await caller("GET", "/past_meetings/eig+fbC%2FRTKCSkZxrNIT2g==/participants")
    assert bare.status_code == 404


async def test_the_report_names_links_and_leaves_out_nobody(clock: ManualClock) -> None:
    caller = await finished(clock)
    uuid = encoded(caller.stage.meeting.instances[0].uuid, 2)
    path = f"/report/meetings/{uuid}/participants"
    rows = (await caller("GET", f"{path}?include_fields=registrant_id")).json()
    assert [
        (row["name"], row["status"], row["duration"], bool(row.get("registrant_id")))
        for row in rows["participants"]
    ] == [
        ("Anna Price", "in_meeting", 600, False),
        ("Ben", "in_waiting_room", 0, True),
        ("Ben", "in_meeting", 600, True),
        ("Chloe", "in_waiting_room", 100, True),
        ("Chloe", "in_meeting", 500, True),
    ]
    wanted = recorded("report_participants")["body"]["participants"]
    assert rows["participants"][-1].keys() == wanted[-2].keys()
    plain = (await caller("GET", path)).json()["participants"]
    assert all("registrant_id" not in row for row in plain)


async def test_the_past_list_has_durations_only_after_some_minutes(
    caller: Caller,
) -> None:
    stage = caller.stage
    stage.open("ben")
    stage.wait(60)
    stage.world.end(stage.id)
    path = f"/past_meetings/{encoded(stage.meeting.instances[0].uuid, 2)}/participants"
    stage.wait(179)
    early = (await caller("GET", path)).json()["participants"]
    stage.wait(1)
    late = (await caller("GET", path)).json()["participants"]
    assert [row["duration"] for row in early] == [0, 0, 0]
    assert [row["duration"] for row in late] == [60, 0, 60]
    wanted = recorded("past_participants")["body"]["participants"]
    assert late[0].keys() == wanted[0].keys()


async def test_the_report_comes_some_minutes_late(caller: Caller) -> None:
    stage = caller.stage
    stage.open("ben")
    stage.world.end(stage.id)
    path = f"/report/meetings/{stage.id}/participants"
    stage.wait(179)
    assert (await caller("GET", path)).status_code == 404
    stage.wait(1)
    assert (await caller("GET", path)).status_code == 200


async def test_there_is_no_report_of_one_person(caller: Caller) -> None:
    stage = caller.stage
    stage.open()
    stage.world.end(stage.id)
    stage.wait(180)
    path = f"/report/meetings/{stage.id}/participants"
    assert error(await caller("GET", path))[:2] == (404, 3001)


async def test_the_webhook_log_holds_the_lost_bodies(stage: Stage) -> None:
    caller = await Caller(stage, faults=Faults(webhook_lost=1.0)).sign_in()
    stage.open("ben")
    await caller.server.deliver()
    path = f"/marketplace/apps/{stage.account.app_id}/webhook_logs"
    rows = (await caller("GET", path + "?event=meeting.started")).json()["webhook_logs"]
    assert [json.loads(row["request_body"])["event"] for row in rows] == [
        "meeting.started"
    ]
    later = "2026-11-17T18:50:01Z"
    none = (await caller("GET", f"{path}?from={later}")).json()["webhook_logs"]
    assert none == []


# Rates, dates and troubles ----------------------------------------------------------


async def test_the_rate_is_counted_per_label_and_second(clock: ManualClock) -> None:
    stage = Stage(clock, Account(plan="pro"))
    caller = await Caller(stage, keeps_rates=True).sign_in()
    path = f"/meetings/{stage.id}"
    statuses = [(await caller("GET", path)).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert (await caller("GET", "/users")).status_code == 200
    refused = await caller("GET", path)
    wanted = recorded("error.429_per_second")
    assert refused.json() == wanted["body"]
    assert refused.headers.items() >= wanted["headers"].items() - {
        ("content-type", wanted["headers"]["content-type"])
    }
    stage.wait(1)
    assert (await caller("GET", path)).status_code == 200


@pytest.mark.parametrize("offset", [0, 90])
async def test_the_date_header_is_the_platforms_clock(
    stage: Stage, offset: int
) -> None:
    caller = await Caller(stage, clock_offset=timedelta(seconds=offset)).sign_in()
    answer = await caller("GET", "/users")
    minute = "50:00" if not offset else "51:30"
    assert answer.headers["date"] == f"Tue, 17 Nov 2026 18:{minute} GMT"


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (Trouble.RATE_LIMITED, 429),
        (Trouble.RATE_LIMITED_BARE, 429),
        (Trouble.RATE_LIMITED_HUGE, 429),
        (Trouble.RATE_LIMITED_DATE, 429),
        (Trouble.EXPIRED, 401),
        (Trouble.FORBIDDEN, 403),
        (Trouble.NOT_FOUND, 404),
        (Trouble.CONFLICT, 409),
        (Trouble.SERVER_ERROR, 500),
        (Trouble.BAD_GATEWAY, 502),
        (Trouble.UNAVAILABLE, 503),
        (Trouble.HTML, 200),
        (Trouble.GHOST, 204),
    ],
)
async def test_a_troubled_end_has_no_effect(
    caller: Caller, trouble: Trouble, status: int
) -> None:
    stage = caller.stage
    stage.open("ben")
    path = f"/meetings/{stage.id}/status"
    caller.server.go_wrong("PUT", "/status", trouble)
    answer = await caller("PUT", path, {"action": "end"})
    assert (answer.status_code, stage.inside()) == (status, ["anna", "ben"])
    await caller("PUT", path, {"action": "end"})
    assert stage.inside() == []
    assert [(call.status, call.trouble) for call in caller.server.called("PUT")] == [
        (status, trouble),
        (204, None),
    ]


async def test_an_effect_may_come_without_an_answer(stage: Stage) -> None:
    no_wait = Faults(hangs_for=timedelta())
    caller = await Caller(stage, faults=no_wait).sign_in()
    stage.open("ben")
    caller.server.go_wrong("PUT", "/status", Trouble.UNANSWERED)
    path = f"/meetings/{stage.id}/status"
    answer = await caller("PUT", path, {"action": "end"})
    assert (answer.status_code, stage.inside()) == (504, [])


async def test_half_an_answer_is_no_json(caller: Caller) -> None:
    caller.server.go_wrong("GET", "/meetings", Trouble.TRUNCATED)
    answer = await caller("GET", f"/meetings/{caller.stage.id}")
    with pytest.raises(ValueError, match=r"."):
        answer.json()


@pytest.mark.parametrize(
    ("at", "status"), [(59, 200), (60, 503), (119, 503), (120, 200)]
)
async def test_an_outage_has_a_beginning_and_an_end(
    stage: Stage, at: int, status: int
) -> None:
    down = Window(timedelta(seconds=60), timedelta(seconds=60))
    caller = await Caller(stage, faults=Faults(outages=(down,))).sign_in()
    stage.wait(at)
    assert (await caller("GET", "/users")).status_code == status


async def test_the_token_endpoint_can_be_down(stage: Stage) -> None:
    down = Window(timedelta(), timedelta(seconds=60))
    caller = Caller(stage, faults=Faults(token_outages=(down,)))
    answer = await ask_token(caller.http, stage.account)
    assert answer.status_code == 503


async def test_troubles_come_from_the_seed_and_touch_only_what_they_should(
    clock: ManualClock,
) -> None:
    faults = Faults(api_error=0.5, only=("PUT /v2/meetings",))

    async def play(seed: int) -> list[int]:
        stage = Stage(ManualClock(clock.now()))
        caller = Caller(stage, faults=faults, rng=random.Random(seed))
        await caller.sign_in()
        path = f"/meetings/{stage.id}/status"
        return [
            (await caller("PUT", path, {"action": "end"})).status_code
            for _ in range(20)
        ] + [(await caller("GET", "/users")).status_code for _ in range(5)]

    first = await play(3)
    assert first == await play(3)
    assert first != await play(4)
    assert first[20:] == [200] * 5
    assert 3 <= first[:20].count(204) <= 17


async def test_a_stale_list_still_shows_who_left(stage: Stage) -> None:
    faults = Faults(roster_trouble=1.0, roster_troubles=(RosterTrouble.STALE,))
    caller = await Caller(stage, faults=faults).sign_in()
    stage.open("ben")
    stage.wait(120)
    stage.world.leave(stage.id, "ben")
    rows = await live_rows(caller)
    assert "leave_time" not in rows[1]


@pytest.mark.parametrize(
    ("trouble", "shown"),
    [
        (RosterTrouble.SHORT, ["Anna Price"]),
        (RosterTrouble.TWICE, ["Anna Price", "Anna Price", "Ben", "Ben"]),
    ],
)
async def test_a_list_may_miss_or_double_people(
    stage: Stage, trouble: RosterTrouble, shown: list[str]
) -> None:
    faults = Faults(roster_trouble=1.0, roster_troubles=(trouble,))
    caller = await Caller(stage, faults=faults).sign_in()
    stage.open("ben")
    assert [row["user_name"] for row in await live_rows(caller)] == shown


async def test_a_page_token_may_lead_round_and_round(stage: Stage) -> None:
    faults = Faults(roster_trouble=1.0, roster_troubles=(RosterTrouble.LOOP,))
    caller = await Caller(stage, faults=faults).sign_in()
    stage.open("ben")
    path = f"/metrics/meetings/{stage.id}/participants?type=live&page_size=1"
    first = (await caller("GET", path)).json()
    again = (
        await caller("GET", f"{path}&next_page_token={first['next_page_token']}")
    ).json()
    assert first == again


async def test_blank_ids(stage: Stage) -> None:
    faults = Faults(roster_trouble=1.0, roster_troubles=(RosterTrouble.BLANK,))
    caller = await Caller(stage, faults=faults).sign_in()
    stage.open()
    row = (await live_rows(caller))[0]
    assert (row["user_id"], row["participant_uuid"]) == ("", "")


async def test_it_serves_real_http_with_one_date(stage: Stage) -> None:
    fast = FastClock(stage.clock.now(), 60)
    server = ZoomServer(stage.world, fast)
    async with server.listening() as base, AsyncClient(base_url=base) as http:
        answer = await ask_token(http, stage.account)
        dates = [
            value for name, value in answer.headers.multi_items() if name == "date"
        ]
    assert (answer.status_code, len(dates)) == (200, 1)
    assert dates[0].startswith("Tue, 17 Nov 2026 18:5")
    assert [call.path for call in server.calls] == ["/oauth/token"]
