"""How calls go out: access, limits, deadlines, and what answers mean (L, P rows)."""

import asyncio
import base64
import gzip
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import ManualClock
from app.core.actions import EndCause, EndMeeting
from app.core.events import MeetingRef
from integrations.base import PermanentFailure, StatusRead, TemporaryFailure
from integrations.http import ConnectError, Request, Response
from integrations.zoom.account import RefusedHost, check_host
from integrations.zoom.calls import segment, uuid_path
from integrations.zoom.client import Zoom
from integrations.zoom.limits import DailyCap, Pace, read_retry_after
from integrations.zoom.wire import MAX_ANSWER, new_client
from tests.conftest import BEFORE_THE_SESSION
from tests.integrations.zoom.recorded import load
from tests.integrations.zoom.scripted import (
    ALL_SCOPES,
    Scripted,
    said,
    token,
    zoom_settings,
)

pytestmark = pytest.mark.anyio

ROOM = MeetingRef(platform="zoom", meeting_id="81000000019", instance="u")
GET = "GET /meetings/81000000019"
PUT = "PUT /meetings/81000000019/status"
WAITING = said(200, {"id": 81000000019, "uuid": "plan", "status": "waiting"})
END = EndMeeting(
    key="end",
    reason="nobody left who may lead",
    clause="I1",
    meeting=ROOM,
    cause=EndCause.NEVER_ALONE,
)


async def temporary(call: Awaitable[Any]) -> TemporaryFailure:
    with pytest.raises(TemporaryFailure) as failed:
        await call
    return failed.value


async def permanent(call: Awaitable[Any]) -> PermanentFailure:
    with pytest.raises(PermanentFailure) as failed:
        await call
    return failed.value


def hours(clock: ManualClock, number: float) -> None:
    clock.advance(timedelta(hours=number))


# --- access -----------------------------------------------------------------------


async def test_the_token_is_asked_for_as_documented(scripted: Scripted) -> None:
    zoom = scripted.on(GET, WAITING).zoom(client_id="a:b", client_secret="c d")
    await zoom.read_status(ROOM)
    (asked,) = scripted.tokens
    assert str(asked.url) == "https://zoom.us/oauth/token"
    assert asked.headers["authorization"] == (
        "Basic " + base64.b64encode(b"a:b:c d").decode()
    )
    assert asked.content == (
        b"grant_type=account_credentials&account_id=_vuy_0-0m8_uxi34JvfxBw"
    )
    assert scripted.asked[0].token == "TOKEN-1"


async def test_one_token_serves_many_until_half_of_its_life(
    scripted: Scripted, clock: ManualClock
) -> None:
    zoom = scripted.on(GET, WAITING).zoom()
    await asyncio.gather(*(zoom.read_status(ROOM) for _ in range(20)))
    assert len(scripted.tokens) == 1
    clock.advance(timedelta(seconds=1799))
    await zoom.read_status(ROOM)
    assert len(scripted.tokens) == 1
    clock.advance(timedelta(seconds=1))
    await asyncio.gather(*(zoom.read_status(ROOM) for _ in range(20)))
    assert len(scripted.tokens) == 2
    assert {each.token for each in scripted.asked[-20:]} == {"TOKEN-2"}


async def test_whoever_asks_meanwhile_waits_for_the_one_token(
    scripted: Scripted,
) -> None:
    arrives = asyncio.Event()

    async def slowly(request: Request) -> Response:
        await arrives.wait()
        return token()

    zoom = scripted.on("TOKEN", slowly).on(GET, WAITING).zoom()
    asking = [asyncio.create_task(zoom.read_status(ROOM)) for _ in range(5)]
    await scripted.clock.elapse(timedelta())
    arrives.set()
    await asyncio.gather(*asking)
    assert len(scripted.tokens) == 1


async def test_p06_a_token_still_good_is_used_while_none_can_be_had(
    scripted: Scripted, clock: ManualClock
) -> None:
    zoom = scripted.on(GET, WAITING).zoom()
    await zoom.read_status(ROOM)
    scripted.on("TOKEN", said(503))
    hours(clock, 0.6)
    await zoom.read_status(ROOM)
    await zoom.read_status(ROOM)
    assert len(scripted.tokens) == 2  # one try in thirty seconds
    clock.advance(timedelta(seconds=30))
    await zoom.read_status(ROOM)
    assert len(scripted.tokens) == 3
    assert {each.token for each in scripted.asked} == {"TOKEN-1"}


@pytest.mark.parametrize(("minutes", "alarmed"), [(55, False), (55.1, True)])
async def test_p06_the_alarm_comes_below_five_minutes(
    scripted: Scripted, clock: ManualClock, minutes: float, alarmed: bool
) -> None:
    zoom = scripted.on(GET, WAITING).zoom()
    live = "GET /metrics/meetings/81000000019/participants?type=live"
    scripted.on(live, said(404, {"code": 3001}))
    await zoom.read_status(ROOM)
    scripted.on("TOKEN", said(503))
    clock.advance(timedelta(minutes=minutes))
    problems = (await zoom.probe(ROOM.meeting_id)).problems
    assert any("runs out" in each for each in problems) is alarmed


async def test_a_dead_token_is_not_used(scripted: Scripted, clock: ManualClock) -> None:
    zoom = scripted.on(GET, WAITING).zoom()
    await zoom.read_status(ROOM)
    scripted.on("TOKEN", said(503))
    hours(clock, 1)
    assert "fault of its own" in str(await temporary(zoom.read_status(ROOM)))


async def test_the_end_does_not_wait_for_a_renewal(
    scripted: Scripted, clock: ManualClock
) -> None:
    zoom = scripted.on(GET, WAITING).on(PUT, said(204)).zoom()
    await zoom.read_status(ROOM)
    hours(clock, 0.9)
    await zoom.perform(END)
    assert len(scripted.tokens) == 1
    await zoom.read_status(ROOM)
    assert len(scripted.tokens) == 2


EXPIRED = load("rest.error.401_expired.json")


async def test_p05_expired_in_the_middle_of_a_clear(scripted: Scripted) -> None:
    zoom = scripted.on(PUT, said(401, EXPIRED["body"]), said(204)).zoom()
    assert "204" in await zoom.perform(END)
    assert [each.token for each in scripted.asked] == ["TOKEN-1", "TOKEN-2"]


async def test_p05_one_new_token_for_all_and_one_retry(scripted: Scripted) -> None:
    zoom = scripted.on(GET, WAITING).zoom()
    await zoom.read_status(ROOM)

    async def only_the_second(request: Request) -> Response:
        old = request.headers["authorization"] == "Bearer TOKEN-1"
        return said(401, EXPIRED["body"]) if old else WAITING

    scripted.on(GET, only_the_second)
    await asyncio.gather(*(zoom.read_status(ROOM) for _ in range(10)))
    assert len(scripted.tokens) == 2

    scripted.on(GET, said(401, EXPIRED["body"]))
    before = len(scripted.asked)
    failed = await permanent(zoom.read_status(ROOM))
    assert "client secret" in failed.fix
    assert len(scripted.asked) == before + 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": 4700, "message": "Invalid access token."}),
        (400, {"code": 4711, "message": "does not contain scopes:[meeting:read:meeting:admin]"}),
        (401, {"code": 124, "message": "Invalid access token, does not contain scopes:"
               "[meeting:read:meeting:admin, meeting:read:meeting]."}),
    ],
)  # fmt: skip
async def test_a_missing_permission_is_named(
    scripted: Scripted, status: int, body: dict[str, Any]
) -> None:
    failed = await permanent(
        scripted.on(GET, said(status, body)).zoom().read_status(ROOM)
    )
    assert "meeting:read:meeting:admin" in str(failed)
    assert "marketplace.zoom.us" in failed.fix
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        said(400, {"reason": "Invalid client_id or client_secret", "code": 4702}),
        said(401, {"code": 4700}),
        said(404),
    ],
)
async def test_no_token_for_wrong_credentials(
    scripted: Scripted, reply: Response
) -> None:
    failed = await permanent(scripted.on("TOKEN", reply).zoom().read_status(ROOM))
    assert "no access token" in str(failed)
    assert "activated" in failed.fix


@pytest.mark.parametrize(
    "reply",
    [
        said(200, {}),
        said(200, {"access_token": ""}),
        said(200, {"access_token": 7}),
        said(200, {"access_token": "a\r\nx: y"}),
        Response(200, headers={"content-type": "text/html"}, content=b"<html>"),
        said(302, headers={"location": "https://evil.example"}),
        said(429),
        said(500),
        ConnectError("no route"),
    ],
)
async def test_a_token_answer_nobody_can_use(
    scripted: Scripted, reply: Response | Exception
) -> None:
    await temporary(scripted.on("TOKEN", reply).zoom().read_status(ROOM))
    assert not scripted.asked


@pytest.mark.parametrize("life", [None, "3600", 0, -5, True])
async def test_a_strange_life_is_taken_for_an_hour(
    scripted: Scripted, clock: ManualClock, life: Any
) -> None:
    zoom = scripted.on("TOKEN", token(expires_in=life)).on(GET, WAITING).zoom()
    await zoom.read_status(ROOM)
    clock.advance(timedelta(minutes=29))
    await zoom.read_status(ROOM)
    assert len(scripted.tokens) == 1


async def test_the_scopes_of_a_new_token_are_compared(scripted: Scripted) -> None:
    few = "meeting:read:meeting:admin user:read:user:admin surprise:scope"
    scopes = await scripted.on("TOKEN", token(scope=few)).zoom().check_scopes()
    assert scopes.granted == tuple(sorted(few.split()))
    assert "meeting:update:status:admin" in scopes.missing
    assert "meeting:read:meeting:admin" not in scopes.missing
    assert "report:read:list_meeting_participants:admin" in scopes.optional_missing
    assert "team_chat:write:user_message:admin" not in scopes.optional_missing


async def test_all_scopes_are_enough(scripted: Scripted) -> None:
    scopes = await scripted.zoom().check_scopes()
    assert (scopes.missing, scopes.optional_missing) == ((), ())
    assert scopes.granted == tuple(sorted(ALL_SCOPES.split()))
    chat = await scripted.zoom(room_chat=True).check_scopes()
    assert chat.optional_missing == ("team_chat:write:user_message:admin",)


# --- hosts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://api.zoom.us/v2",
        "https://zoom.us/oauth/token",
        "https://api-us.zoom.us",
        "https://api.zoom.us:443/v2/",
    ],
)
def test_l07_hosts_of_zooms(url: str) -> None:
    assert check_host(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.zoom.us/v2",
        "https://api.zoom.us.evil.example",
        "https://evilzoom.us",
        "https://evil.zoom.us.",
        "https://x.api.zoom.us",
        "https://zoom.us@evil.example",
        "https://user:pass@api.zoom.us",
        "https://evil.example#api.zoom.us",
        "https://api.zoom.us?x=1",
        "https://api.zoom.us:8443",
        "https://127.0.0.1",
        "ftp://zoom.us",
        "",
        "zoom.us",
    ],
)
def test_l07_anything_else(url: str) -> None:
    with pytest.raises(RefusedHost):
        check_host(url)
    with pytest.raises(ValueError, match="not a host of Zoom's"):
        zoom_settings(api_url=url)


def test_l07_test_hosts_need_the_switch() -> None:
    with pytest.raises(RefusedHost):
        check_host("http://127.0.0.1:9000/v2")
    assert (
        check_host("http://127.0.0.1:9000/v2", allow_test_hosts=True)
        == "http://127.0.0.1:9000/v2"
    )
    with pytest.raises(RefusedHost):
        check_host("file:///etc/passwd", allow_test_hosts=True)


@pytest.mark.parametrize(
    ("api_url", "host"),
    [
        ("https://api-eu.zoom.us", "api-eu.zoom.us"),
        ("https://evil.example", "api.zoom.us"),
        ("http://api.zoom.us", "api.zoom.us"),
        ("https://[", "api.zoom.us"),
        (None, "api.zoom.us"),
        (7, "api.zoom.us"),
    ],
)
async def test_zoom_may_name_a_nearer_host_of_its_own(
    clock: ManualClock, api_url: Any, host: str
) -> None:
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.append(request.url.host)
        return WAITING

    scripted = Scripted(clock).on("TOKEN", token(api_url=api_url)).on(GET, answer)
    await scripted.zoom().read_status(ROOM)
    assert seen == [host]


async def test_an_address_the_administrator_chose_stays(clock: ManualClock) -> None:
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.append(str(request.url))
        return WAITING

    scripted = Scripted(clock).on(GET, answer)
    zoom = scripted.zoom(api_url="http://127.0.0.1:9/v2", allow_test_hosts=True)
    await zoom.read_status(ROOM)
    assert seen == ["http://127.0.0.1:9/v2/meetings/81000000019"]


async def test_l04_nobody_sends_us_elsewhere(scripted: Scripted) -> None:
    away = said(302, headers={"location": "https://evil.example/"})
    await temporary(scripted.on(GET, away).zoom().read_status(ROOM))
    assert scripted.targets == [GET]


def test_l09_our_own_client_ignores_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    client = new_client()
    assert client.trust_env is False
    assert client.follow_redirects is False


def test_an_empty_secret_refuses_to_build() -> None:
    for name in ("account_id", "client_id", "client_secret"):
        with pytest.raises(ValueError, match=name):
            zoom_settings(**{name: ""})
    for secrets in ((), ("",), ("good", "")):
        with pytest.raises(ValueError, match="empty webhook secret"):
            zoom_settings(webhook_secrets=secrets)
    with pytest.raises(ValueError, match="rates"):
        zoom_settings(rates={"LIGHT": 1})


def test_secrets_do_not_show() -> None:
    assert "secret" not in repr(zoom_settings()).replace("old_secret_until", "")


# --- answers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        said(200, {}),
        said(200, []),
        said(200),
        said(204),
        said(201, {"status": "waiting"}),
        Response(200, headers={"content-type": "text/html"}, content=b"<html>Sign in"),
        Response(200, content=b'{"status":"waiting"}'),
        Response(200, headers={"content-type": "application/json"}, content=b'{"stat'),
        said(200, {"status": "a state of next year"}),
        said(200, {"status": "waiting", "x": "a" * MAX_ANSWER}),
        said(408),
        said(500, {"code": 500}),
        said(503),
        ConnectError("refused"),
    ],
)
async def test_p03_an_answer_that_is_none(
    scripted: Scripted, reply: Response | Exception
) -> None:
    await temporary(scripted.on(GET, reply).zoom().read_status(ROOM))


async def test_a_packed_answer_is_never_unpacked(scripted: Scripted) -> None:
    async def packed(request: Request) -> Response:
        assert request.headers["accept-encoding"] == "identity"
        raw = gzip.compress(b'{"status":"waiting"}')
        kind = {"content-type": "application/json", "content-encoding": "gzip"}
        return Response(200, headers=kind, content=raw)

    await temporary(scripted.on(GET, packed).zoom().read_status(ROOM))


async def test_p03_a_204_with_a_body_is_a_failure(scripted: Scripted) -> None:
    odd = Response(204, headers={"content-type": "text/html"}, content=b"<html>")
    await temporary(scripted.on(PUT, odd).zoom().perform(END))
    await temporary(scripted.on(PUT, said(200, {"ok": True})).zoom().perform(END))


async def test_no_answer_in_time(scripted: Scripted) -> None:
    async def never(request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    zoom = scripted.on(GET, never).zoom(deadline=timedelta(milliseconds=30))
    assert (
        str(await temporary(zoom.read_status(ROOM))) == "Zoom did not answer in time."
    )


async def test_no_token_in_time(scripted: Scripted) -> None:
    async def never(request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    zoom = scripted.on("TOKEN", never).zoom(deadline=timedelta(milliseconds=30))
    await temporary(zoom.read_status(ROOM))


@pytest.mark.parametrize(
    ("status", "body", "words", "fix"),
    [
        (404, load("rest.error.404_meeting.json")["body"], "does not know this meeting", "id"),
        (404, None, "does not know this meeting", "id"),
        (400, {"code": 3161, "message": "x"}, "may not host", "licence"),
        (400, {"code": 200, "message": "x"}, "plan does not include", "plan"),
        (403, {"code": 2314, "message": "x"}, "may not do this", "account"),
        (400, {"code": 9999, "message": "anna@charity.example"}, "refused the call", ""),
        (409, {"code": "odd"}, "refused the call", ""),
    ],
)  # fmt: skip
async def test_refusals_say_what_to_do(
    scripted: Scripted, status: int, body: Any, words: str, fix: str
) -> None:
    failed = await permanent(
        scripted.on(GET, said(status, body)).zoom().read_status(ROOM)
    )
    assert words in str(failed)
    assert f"status {status}" in str(failed)
    assert fix in failed.fix
    assert "charity.example" not in str(failed) + failed.fix


# --- limits -----------------------------------------------------------------------

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600),
        ("0", 0),
        ("1.5", 1.5),
        (" 7 ", 7),
        ("2026-11-18T00:00:00Z", 12 * 3600),
        ("Tue, 17 Nov 2026 12:00:30 GMT", 30),
        ("Tue, 17 Nov 2026 11:00:00 GMT", None),
        ("2026-11-17T11:59:59Z", None),
        ("-1", None),
        ("NaN", None),
        ("inf", None),
        ("1e400", None),
        ("9999999999999", None),
        ("soon", None),
        ("", None),
    ],
)
def test_p02_when_to_ask_again(text: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert read_retry_after(text, NOON) == expected


@given(st.text(max_size=60))
def test_p02_any_words(text: str) -> None:
    wait = read_retry_after(text, NOON)
    assert wait is None or wait >= timedelta()


@pytest.mark.parametrize(
    ("name", "wait"),
    [
        ("error.429_per_second", None),
        ("error.429_daily", timedelta(hours=5, minutes=10)),
    ],
)
async def test_p01_asked_too_often(
    scripted: Scripted, name: str, wait: timedelta | None
) -> None:
    recorded = load(f"rest.{name}.json")
    reply = said(429, recorded["body"], recorded["headers"])
    failed = await temporary(scripted.on(GET, reply).zoom().read_status(ROOM))
    assert failed.retry_after == wait


async def test_the_pace_holds_one_second_and_then_waits(clock: ManualClock) -> None:
    pace = Pace({"MEDIUM": 2.0}, clock)
    await pace.wait("MEDIUM")
    await pace.wait("MEDIUM")
    third = asyncio.create_task(pace.wait("MEDIUM"))
    await clock.elapse(timedelta(milliseconds=499))
    assert not third.done()
    await clock.elapse(timedelta(milliseconds=1))
    assert third.done()


async def test_quiet_hours_save_nothing_up(clock: ManualClock) -> None:
    pace = Pace({"MEDIUM": 2.0}, clock)
    clock.advance(timedelta(hours=1))
    await pace.wait("MEDIUM")
    await pace.wait("MEDIUM")
    third = asyncio.create_task(pace.wait("MEDIUM"))
    await clock.elapse(timedelta(milliseconds=499))
    assert not third.done()
    await clock.elapse(timedelta(milliseconds=1))


async def test_the_pace_refuses_a_queue_that_is_too_long(clock: ManualClock) -> None:
    pace = Pace({"MEDIUM": 1.0}, clock)
    waiting = [asyncio.create_task(pace.wait("MEDIUM")) for _ in range(3)]
    await clock.elapse(timedelta())
    failed = await temporary(pace.wait("MEDIUM"))
    assert failed.retry_after == timedelta(seconds=3)
    await clock.elapse(timedelta(seconds=2))
    assert all(each.done() for each in waiting)


async def test_the_end_and_the_status_wait_behind_nothing(scripted: Scripted) -> None:
    slow = {"LIGHT": 0.1, "MEDIUM": 0.1, "HEAVY": 0.1}
    zoom = scripted.on(GET, WAITING).on(PUT, said(204)).zoom(rates=slow)
    for _ in range(30):
        await zoom.perform(END)
        await zoom.read_status(ROOM)
    await temporary(zoom.read_facts(ROOM.meeting_id))


def test_a_daily_figure_keeps_some_back_and_begins_anew_at_midnight(
    clock: ManualClock,
) -> None:
    cap = DailyCap(3, 1, clock, "changes")
    cap.take("anna")
    cap.take("anna")
    with pytest.raises(TemporaryFailure) as failed:
        cap.take("anna")
    assert failed.value.retry_after == timedelta(hours=5, minutes=10)
    cap.take("sam")
    cap.take("anna", reserved=True)
    assert cap.left("anna") == 0
    with pytest.raises(TemporaryFailure):
        cap.take("anna", reserved=True)
    clock.advance(timedelta(hours=5, minutes=10))
    assert cap.left("anna") == 3
    cap.take("anna")


async def test_a_hundred_changes_a_day(scripted: Scripted) -> None:
    scripted.on("*", WAITING).on("PATCH /meetings/81000000019", said(204))
    zoom = scripted.zoom(rates={"LIGHT": 1000, "MEDIUM": 1000, "HEAVY": 1000})
    for _ in range(100):
        await zoom.mend(ROOM.meeting_id, ["auto_recording"])
    failed = await temporary(zoom.mend(ROOM.meeting_id, ["auto_recording"]))
    assert failed.retry_after == timedelta(hours=5, minutes=10)
    assert scripted.targets.count("PATCH /meetings/81000000019") == 100


async def test_heavy_calls_have_a_daily_figure(scripted: Scripted) -> None:
    live = "GET /metrics/meetings/81000000019/participants?type=live"
    report = "GET /report/meetings/u/participants?include_fields=registrant_id"
    rows = said(200, {"participants": [], "next_page_token": ""})
    zoom = scripted.on(live, rows).on(report, rows).zoom(heavy_a_day=10)
    any_of_it = replace(ROOM, instance="")
    for _ in range(9):
        await zoom.attendance_report(ROOM)
    await temporary(zoom.attendance_report(ROOM))  # the last one is for looking
    await zoom.read_roster(any_of_it)
    await temporary(zoom.read_roster(any_of_it))


# --- paths and clocks -------------------------------------------------------------


def test_w27_uuids_in_paths() -> None:
    known = load("uuid_encoding.json")
    assert uuid_path(known["uuid"]) == known["encoded_twice"]
    assert segment(known["uuid"]) == known["encoded_once"]
    assert uuid_path(known["plain_uuid"]) == known["plain_encoded_once"]
    assert uuid_path("a//b==") == "a%252F%252Fb%253D%253D"
    assert uuid_path("a/b+=") == "a%2Fb%2B%3D"


@pytest.mark.parametrize("name", ["", ".", "..", " ", ". ."])
def test_nothing_climbs_out_of_its_path(name: str) -> None:
    for into_path in (segment, uuid_path):
        with pytest.raises(PermanentFailure):
            into_path(name)


@pytest.mark.parametrize(
    "meeting_id", ["", "..", "1/../2", "810 0000 0019", "a", "-1", "\uff11", "1" * 21]
)
async def test_only_numbers_are_meetings(scripted: Scripted, meeting_id: str) -> None:
    zoom = scripted.zoom()
    room = MeetingRef(platform="zoom", meeting_id=meeting_id)
    for call in (
        zoom.read_status(room),
        zoom.read_roster(room),
        zoom.read_facts(meeting_id),
    ):
        assert "number" in (await permanent(call)).fix
    assert not scripted.asked


async def test_the_platforms_clock_is_measured(scripted: Scripted) -> None:
    scripted.on("GET /past_meetings/u", said(404, {"code": 3001}))
    slow = said(
        200,
        {"status": "started", "uuid": "u"},
        {"date": "Tue, 17 Nov 2026 18:49:58 GMT"},
    )
    assert await scripted.on(GET, slow).zoom().read_status(ROOM) == StatusRead(
        read_at=BEFORE_THE_SESSION, started=True, offset=timedelta(seconds=-2)
    )
    odd = said(200, {"status": "waiting"}, {"date": "yesterday"})
    read = await scripted.on(GET, odd).zoom().read_status(ROOM)
    assert (read.started, read.offset) == (False, None)


@pytest.mark.parametrize(
    ("while_waiting", "asked", "instance"),
    [
        (None, "u", ""),
        ("running", "u", ""),
        ("plan", "u", "running"),
        (None, "", "running"),
        ("running", "", "running"),
    ],
)
async def test_only_a_uuid_that_is_new_names_another_instance(
    scripted: Scripted, while_waiting: str | None, asked: str, instance: str
) -> None:
    zoom = scripted.on("GET /past_meetings/u", said(404, {"code": 3001})).zoom()
    if while_waiting:
        scripted.on(GET, said(200, {"status": "waiting", "uuid": while_waiting}))
        await zoom.read_status(ROOM)
    scripted.on(GET, said(200, {"status": "started", "uuid": "running"}))
    read = await zoom.read_status(replace(ROOM, instance=asked))
    assert read.instance == instance
    assert read.another is (asked == "u" and while_waiting == "plan")


async def test_only_our_own_client_is_closed(
    scripted: Scripted, clock: ManualClock
) -> None:
    http = scripted.http()
    await Zoom(zoom_settings(), http, clock).close()
    assert not http.is_closed
    await http.aclose()
    ours = Zoom(zoom_settings(), None, clock)
    await ours.close()
