"""Reading and preparing: rosters, settings, meetings, links, reports, lost webhooks."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import ManualClock
from app.core.events import UNSEEN, MeetingRef, Seat
from app.core.facts import Hands, MeetingFacts
from integrations.base import (
    BadWebhook,
    CreatedMeeting,
    IssuedLink,
    PermanentFailure,
    ReportLine,
    RosterEntry,
    RosterRead,
    TemporaryFailure,
)
from integrations.http import ConnectError, Response
from integrations.zoom import settings
from tests.conftest import BEFORE_THE_SESSION
from tests.integrations.zoom.cast import at
from tests.integrations.zoom.recorded import (
    HEARD,
    SECRET,
    body,
    load,
    signed,
)
from tests.integrations.zoom.scripted import Scripted, said, token
from tests.integrations.zoom.test_settings import PLAN, SAFE, UNSAFE

pytestmark = pytest.mark.anyio

ID = "81000000019"
ROOM = MeetingRef(platform="zoom", meeting_id=ID, instance="/AREEcJJVLI+D3//FXQSWQ==")
ANY = replace(ROOM, instance="")
"""Whichever occurrence runs now."""
HOST = "/users/VVebVXiW0M4XZMR_7WRPmw"
LIVE = f"GET /metrics/meetings/{ID}/participants?type=live"
PAGE_2 = f"{LIVE.replace('?', '?next_page_token=sFZZQIWfJTWFJ0tyzM8kmUNLbhn2HtwO&')}"
GET_MEETING = f"GET /meetings/{ID}"
REGISTRANTS = f"/meetings/{ID}/registrants"


def page(rows: list[Any], token: str = "", **more: Any) -> Response:
    return said(200, {"participants": rows, "next_page_token": token, **more})


def row(who: str, **more: Any) -> dict[str, Any]:
    return {
        "user_id": who,
        "participant_uuid": f"U{who}",
        "status": "in_meeting",
        **more,
    }


# --- who is there -----------------------------------------------------------------

ANNA = RosterEntry(
    seat=Seat(
        uuid="55579B55-7896-D0CE-1764-C47FED644F9B",
        user_id="33555456",
        platform_user_id="VVebVXiW0M4XZMR_7WRPmw",
        name="Anna Price",
        email="anna.price@charity.example",
    ),
    role="host",
    joined_at=at("18:52:05"),
)
SAM = RosterEntry(
    seat=Seat(
        uuid="E96E02D8-E47F-2A7C-03BE-5117B3ED175C",
        user_id="33559552",
        platform_user_id="6W4C2OR_KnwDvlEXs-0XXA",
        name="Sam Okoro",
        email="sam.okoro@charity.example",
    ),
    role="attendee",
    joined_at=at("18:54:48"),
)
CHLOE = RosterEntry(
    seat=Seat(
        uuid="EC5C41C1-27A4-84EB-C9CC-0B3CA2942546", user_id="33557504", name="Chloe"
    ),
    role="attendee",
    joined_at=at("18:57:03"),
)
EVE = RosterEntry(
    seat=Seat(
        uuid="D14DE67C-7BC0-6463-3EDA-C920FB3667F0", user_id="33568768", name="Eve"
    ),
    waiting=True,
    role="attendee",
    joined_at=at("19:14:52"),
)
BEN = RosterEntry(
    seat=Seat(
        uuid="C08889AD-1609-C998-4EC3-9433059AA2C8", user_id="33566720", name="Ben"
    ),
    role="attendee",
    joined_at=at("19:20:47"),
)


async def test_the_live_list_without_those_who_left(scripted: Scripted) -> None:
    zoom = scripted.recorded("metrics_live.page1", "metrics_live.page2").zoom()
    assert await zoom.read_roster(ANY) == RosterRead(
        started_at=BEFORE_THE_SESSION, entries=(ANNA, SAM, CHLOE, EVE, BEN)
    )
    assert scripted.targets == [LIVE, PAGE_2]


async def test_p07_a_second_page_that_fails_leaves_it_partial(
    scripted: Scripted,
) -> None:
    zoom = scripted.recorded("metrics_live.page1").on(PAGE_2, said(500)).zoom()
    read = await zoom.read_roster(ANY)
    assert (read.entries, read.complete) == ((ANNA, SAM), False)


@pytest.mark.parametrize(
    "reply",
    [said(500), said(429), ConnectError("no"), said(200, {"participants": None})],
)
async def test_p07_a_first_page_that_fails_is_no_roster(
    scripted: Scripted, reply: Response | Exception
) -> None:
    with pytest.raises(TemporaryFailure):
        await scripted.on(LIVE, reply).zoom().read_roster(ANY)


async def test_an_empty_room(scripted: Scripted) -> None:
    read = await scripted.on(LIVE, page([])).zoom().read_roster(ANY)
    assert (read.entries, read.complete) == ((), True)


@pytest.mark.parametrize("token", ["again", 7])
async def test_p07_a_token_that_repeats(scripted: Scripted, token: Any) -> None:
    zoom = scripted.on("*", page([row("1")], token)).zoom()
    read = await zoom.read_roster(ANY)
    assert read.complete is False
    assert [entry.seat.user_id for entry in read.entries] == ["1"]
    assert len(scripted.asked) <= 2


async def test_p07_fifty_pages_are_enough(
    scripted: Scripted, clock: ManualClock
) -> None:
    numbers = iter(range(1000))

    async def endless(request: Any) -> Response:
        number = next(numbers)
        return page([row(str(number))], f"T{number}")

    fast = {"LIGHT": 1e6, "MEDIUM": 1e6, "HEAVY": 1e6}
    read = await scripted.on("*", endless).zoom(rates=fast).read_roster(ANY)
    assert (len(read.entries), read.complete) == (50, False)
    assert len(scripted.asked) == 50


@pytest.mark.parametrize(
    ("rows", "total", "complete"),
    [
        ([row("1"), row("2")], 2, True),
        ([row("1"), row("2")], 3, False),  # the list is shorter than it says
        ([row("1"), "text"], 2, False),
        ([row("1"), {"user_name": "Ben"}], 2, False),  # somebody without any id (P09)
        ([row("1"), row("1")], 2, True),
    ],
)
async def test_a_list_that_may_prove_absence(
    scripted: Scripted, rows: list[Any], total: int, complete: bool
) -> None:
    reply = page(rows, total_records=total)
    read = await scripted.on(LIVE, reply).zoom().read_roster(ANY)
    assert read.complete is complete


async def test_one_connection_is_listed_once(scripted: Scripted) -> None:
    rows = [
        row("1", status="in_meeting", join_time="2026-11-17T19:05:00Z"),
        row("1", status="in_waiting_room", join_time="2026-11-17T19:00:00Z"),
        row("2", role="co-host", bo_mtg_id="SIDE"),
    ]
    read = await scripted.on(LIVE, page(rows)).zoom().read_roster(ANY)
    second, first = read.entries
    assert (first.seat.user_id, first.waiting, first.room) == ("1", False, "main")
    assert (second.role, second.room) == ("co-host", "SIDE")


async def test_an_account_without_a_live_list(scripted: Scripted) -> None:
    zoom = scripted.recorded("error.400_dashboard_not_enabled").zoom()
    with pytest.raises(PermanentFailure) as failed:
        await zoom.read_roster(ANY)
    assert "webhooks only" in failed.value.fix


async def test_a_live_list_without_the_permission(scripted: Scripted) -> None:
    words = "does not contain scopes:[dashboard:read:list_meeting_participants:admin]"
    zoom = scripted.on(LIVE, said(400, {"code": 4711, "message": words})).zoom()
    with pytest.raises(PermanentFailure) as failed:
        await zoom.read_roster(ANY)
    assert "dashboard:read:list_meeting_participants:admin" in failed.value.fix


async def test_p04_a_meeting_that_is_not_listed_may_still_run(
    scripted: Scripted,
) -> None:
    zoom = scripted.on(LIVE, said(404, {"code": 3001, "message": "x"})).zoom()
    with pytest.raises(TemporaryFailure, match="does not show"):
        await zoom.read_roster(ANY)


TWICE = "%252FAREEcJJVLI%252BD3%252F%252FFXQSWQ%253D%253D"
"""The uuid of `ROOM` in a path (W27)."""
NAMED = f"GET /metrics/meetings/{TWICE}/participants?type=live"
WAS = f"GET /past_meetings/{TWICE}"
NOT_THERE = (404, {"code": 3001, "message": "x"})


async def test_i5_the_list_is_asked_for_by_the_name_of_the_occurrence(
    scripted: Scripted,
) -> None:
    read = await scripted.on(NAMED, page([row("1")])).zoom().read_roster(ROOM)
    assert [entry.seat.uuid for entry in read.entries] == ["U1"]
    assert scripted.targets == [NAMED]


async def test_a_name_we_made_up_is_not_asked_for(scripted: Scripted) -> None:
    made_up = replace(ROOM, instance=f"{UNSEEN}2026-11-17T19:00:00+00:00")
    await scripted.on(LIVE, page([row("1")])).zoom().read_roster(made_up)
    assert scripted.targets == [LIVE]


@pytest.mark.parametrize("refusal", [NOT_THERE, (400, {"code": 300})])
@pytest.mark.parametrize(
    ("status", "uuid", "seen"),
    [
        ("started", ROOM.instance, ["U2"]),
        ("started", "another", None),
        ("started", None, None),
        ("waiting", ROOM.instance, None),
    ],
)
async def test_by_its_number_only_while_zoom_gives_it_the_same_name(
    scripted: Scripted,
    refusal: tuple[int, Any],
    status: str,
    uuid: str | None,
    seen: list[str] | None,
) -> None:
    """It may be the plan's own name, which no list knows."""
    scripted.on(NAMED, said(*refusal)).on(LIVE, page([row("2")]))
    scripted.on(GET_MEETING, said(200, {"status": status, "uuid": uuid}))
    reading = scripted.zoom().read_roster(ROOM)
    if seen is None:
        with pytest.raises(TemporaryFailure, match="does not show"):
            await reading
        assert scripted.targets == [NAMED, GET_MEETING]
    else:
        entries = (await reading).entries
        assert [entry.seat.uuid for entry in entries] == seen


@pytest.mark.parametrize(
    ("past", "another"),
    [
        ((200, {"uuid": ROOM.instance, "end_time": "2026-11-17T19:40:00Z"}), True),
        ((200, {"uuid": ROOM.instance, "end_time": ""}), False),
        ((200, {"uuid": "later", "end_time": "2026-11-17T19:40:00Z"}), False),
        (NOT_THERE, False),
        ((400, {"code": 4711, "message": "does not contain scopes:[x]"}), False),
        ((503, None), False),
    ],
)
async def test_what_runs_is_another_when_zoom_says_that_ours_has_ended(
    scripted: Scripted, past: tuple[int, Any], another: bool
) -> None:
    scripted.on(GET_MEETING, said(200, {"status": "started", "uuid": "later"}))
    scripted.on(WAS, said(*past))
    read = await scripted.zoom().read_status(ROOM)
    assert (read.started, read.another) == (True, another)
    assert read.instance == ("later" if another else "")


async def test_the_same_name_is_no_other_occurrence(scripted: Scripted) -> None:
    running = {"status": "started", "uuid": ROOM.instance}
    read = await scripted.on(GET_MEETING, said(200, running)).zoom().read_status(ROOM)
    assert (read.started, read.another) == (True, False)
    assert scripted.targets == [GET_MEETING]


# --- settings ---------------------------------------------------------------------


def with_settings(scripted: Scripted, kind: str) -> Scripted:
    scripted.recorded(
        f"get_meeting.{kind}", f"user_settings.{kind}", f"user_settings_security.{kind}"
    )
    return scripted.on(f"GET {HOST}", said(200, {"id": "x", "type": 2}))


async def test_a_safe_meeting_is_read_as_it_works(scripted: Scripted) -> None:
    assert await with_settings(scripted, "safe").zoom().read_facts(ID) == SAFE
    assert sorted(scripted.targets) == [
        f"GET /meetings/{ID}",
        f"GET {HOST}",
        f"GET {HOST}/settings",
        f"GET {HOST}/settings?option=meeting_security",
    ]


async def test_a_meeting_that_is_gone(scripted: Scripted) -> None:
    zoom = scripted.on(f"GET /meetings/{ID}", said(404, {"code": 3001})).zoom()
    assert await zoom.read_facts(ID) == MeetingFacts(exists=False)


async def test_what_we_may_not_read_is_unknown(scripted: Scripted) -> None:
    with_settings(scripted, "safe")
    refused = said(400, {"code": 4711, "message": "scopes:[user:read:settings:admin]"})
    scripted.on(f"GET {HOST}/settings", refused)
    scripted.on(f"GET {HOST}/settings?option=meeting_security", refused)
    found = await scripted.zoom().read_facts(ID)
    assert (found.invite_only, found.annotation, found.only_workers_admit) == (
        True,
        None,
        None,
    )


async def test_what_could_not_be_read_now_is_asked_again(scripted: Scripted) -> None:
    with_settings(scripted, "safe").on(f"GET {HOST}/settings", said(503))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().read_facts(ID)


async def test_mending_writes_each_place_once_and_reads_back(
    scripted: Scripted,
) -> None:
    with_settings(scripted, "safe")
    for path in (
        f"/meetings/{ID}",
        f"{HOST}/settings",
        f"{HOST}/settings?option=meeting_security",
    ):
        scripted.on(f"PATCH {path}", said(204))
    names = ("waiting_room_for_everyone", "invite_only", "annotation", "only_workers_admit",
             "rename_possible")  # fmt: skip
    mended = await scripted.zoom().mend(ID, names)
    assert mended.done == names[:4]
    assert "rename themselves" in mended.refused["rename_possible"]
    assert mended.facts == SAFE
    meeting, user, security = settings.wishes(names)
    assert [(each.target, each.body) for each in scripted.asked if each.body] == [
        (f"/meetings/{ID}", meeting),
        (f"{HOST}/settings", user),
        (f"{HOST}/settings?option=meeting_security", security),
    ]


async def test_a_204_that_changed_nothing_is_no_mending(scripted: Scripted) -> None:
    with_settings(scripted, "unsafe").on(f"PATCH /meetings/{ID}", said(204))
    scripted.on(f"GET {HOST}", said(200, {"id": "x", "type": 1}))
    mended = await scripted.zoom().mend(ID, ["invite_only"])
    assert (mended.done, mended.facts) == ((), UNSAFE)
    assert "locked" in mended.refused["invite_only"]


async def test_a_refused_patch_is_told_and_the_others_go_on(scripted: Scripted) -> None:
    with_settings(scripted, "unsafe")
    scripted.on(f"PATCH /meetings/{ID}", said(400, {"code": 3161, "message": "x"}))
    scripted.on(f"PATCH {HOST}/settings", said(204))
    mended = await scripted.zoom().mend(ID, ["invite_only", "annotation"])
    assert "licence" in mended.refused["invite_only"]
    assert "locked" in mended.refused["annotation"]


async def test_p05_mending_renews_an_expired_token(scripted: Scripted) -> None:
    expired = load("rest.error.401_expired.json")["body"]
    with_settings(scripted, "safe")
    scripted.on(f"PATCH /meetings/{ID}", said(401, expired), said(204))
    mended = await scripted.zoom().mend(ID, ["auto_recording"])
    assert mended.done == ("auto_recording",)


async def test_mending_that_cannot_go_on_is_tried_again(scripted: Scripted) -> None:
    with_settings(scripted, "unsafe").on(f"PATCH /meetings/{ID}", said(503))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().mend(ID, ["invite_only"])


# --- hands ------------------------------------------------------------------------


async def test_all_hands(scripted: Scripted) -> None:
    scripted.recorded("get_meeting.safe", "metrics_live.page1", "metrics_live.page2")
    assert await scripted.zoom(room_chat=True).probe(ID) == Hands(
        live_roster=True,
        end_for_all=True,
        remove_one=None,
        hold_one=False,
        admit_one=False,
        waiting_text=True,
        room_chat=False,  # chosen, but not permitted
        links=True,
    )


async def test_few_hands(scripted: Scripted) -> None:
    scripted.on("TOKEN", token(scope="meeting:read:meeting:admin"))
    scripted.recorded("get_meeting.safe", "error.400_dashboard_not_enabled")
    hands = await scripted.zoom().probe(ID)
    problems = hands.problems
    assert hands == Hands(
        live_roster=False,
        end_for_all=False,
        remove_one=False,
        hold_one=False,
        admit_one=False,
        waiting_text=False,
        room_chat=False,
        links=False,
        problems=problems,
    )
    assert "webhooks only" in problems[0]
    assert any("meeting:update:status:admin" in each for each in problems)


async def test_a_meeting_that_does_not_run_tells_nothing_of_the_list(
    scripted: Scripted,
) -> None:
    scripted.recorded("get_meeting.safe").on(LIVE, said(404, {"code": 3001}))
    zoom = scripted.zoom()
    hands = await zoom.probe(ID)
    assert (hands.live_roster, hands.problems) == (None, ())
    scripted.on(LIVE, page([]))
    await zoom.read_roster(ANY)
    scripted.on(LIVE, said(404, {"code": 3001}))
    assert (await zoom.probe(ID)).live_roster is True


async def test_zoom_does_not_always_say_what_it_granted(scripted: Scripted) -> None:
    scripted.on("TOKEN", token(scope="")).recorded("get_meeting.safe")
    scripted.on(LIVE, page([]))
    hands = await scripted.zoom().probe(ID)
    assert (hands.end_for_all, hands.links, hands.waiting_text) == (None, None, None)
    assert hands.problems == ()


async def test_probing_an_unknown_meeting(scripted: Scripted) -> None:
    scripted.on(f"GET /meetings/{ID}", said(404, {"code": 3001}))
    assert "does not know" in (await scripted.zoom().probe(ID)).problems[0]
    scripted.on(f"GET /meetings/{ID}", said(503))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().probe(ID)


# --- making a meeting -------------------------------------------------------------

WHO = "GET /users/anna.price%40charity.example"
ANNAS = "/users/anna.price%40charity.example/meetings"
UPCOMING = f"GET {ANNAS}?type=upcoming"


HOST_USER = said(200, {"id": "host", "email": "anna.price@charity.example"})


def listed(*rows: Any, token: str = "") -> Response:
    return said(200, {"meetings": list(rows), "next_page_token": token})


def made(**changed: Any) -> Response:
    whole = copy.deepcopy(load("rest.get_meeting.safe.json")["body"])
    whole["settings"]["continuous_meeting_chat"] = {"enable": False}
    whole.update(changed)
    return said(201, whole)


async def test_a_meeting_is_made_safe_and_read_back(scripted: Scripted) -> None:
    scripted.on(WHO, HOST_USER).on(UPCOMING, listed()).on(f"POST {ANNAS}", made())
    scripted.on(f"GET /meetings/{ID}", said(200, made().json()))
    created = await scripted.zoom().create_meeting(PLAN, "mark-1")
    assert created == CreatedMeeting(
        meeting_id=ID, join_url=f"https://zoom.example/j/{ID}?pwd=SAMPLEpwd0"
    )
    assert scripted.targets == [UPCOMING, WHO, f"POST {ANNAS}", f"GET /meetings/{ID}"]
    expected = settings.new_meeting(PLAN, "mark-1", host_names={"host"})
    assert scripted.asked[2].body == expected


async def test_what_creation_dropped_is_written_once_more(scripted: Scripted) -> None:
    scripted.on(WHO, HOST_USER).on(UPCOMING, listed()).on(f"POST {ANNAS}", made())
    with_settings(scripted, "unsafe").on(f"PATCH /meetings/{ID}", said(204))
    await scripted.zoom().create_meeting(PLAN, "mark-1")
    (patched,) = [each.body for each in scripted.asked if each.method == "PATCH"]
    assert patched["settings"]["waiting_room"] is True
    assert patched["settings"]["approval_type"] == 1
    assert patched["settings"]["auto_recording"] == "none"


async def test_a_lost_answer_is_adopted_by_its_marker(scripted: Scripted) -> None:
    rows = [
        {"id": 1, "agenda": "Chaperone mark-12"},
        {"id": 2},
        {"id": 81000000019, "agenda": "Chaperone mark-1", "join_url": "https://x"},
    ]
    zoom = scripted.on(UPCOMING, listed(*rows)).zoom()
    assert await zoom.create_meeting(PLAN, "mark-1") == CreatedMeeting(
        meeting_id=ID, join_url="https://x", adopted=True
    )
    assert scripted.targets == [UPCOMING]


async def test_half_a_list_makes_no_second_meeting(scripted: Scripted) -> None:
    scripted.on(UPCOMING, listed(token="more"))
    scripted.on(f"GET {ANNAS}?next_page_token=more&type=upcoming", said(500))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().create_meeting(PLAN, "mark-1")


async def test_a_worker_who_may_not_host_costs_nobody_the_room(
    scripted: Scripted,
) -> None:
    refused = said(400, {"code": 300, "message": "Invalid user."})
    scripted.on(WHO, HOST_USER).on(UPCOMING, listed()).on(
        f"POST {ANNAS}", refused, made()
    )
    scripted.on(f"GET /meetings/{ID}", said(200, made().json()))
    await scripted.zoom().create_meeting(PLAN, "mark-1")
    hosts = [
        each.body["settings"]["alternative_hosts"]
        for each in scripted.asked
        if each.method == "POST"
    ]
    assert hosts == ["sam-id", ""]


async def test_a_host_nobody_can_look_up_is_no_obstacle(scripted: Scripted) -> None:
    scripted.on(WHO, said(404)).on(UPCOMING, listed()).on(f"POST {ANNAS}", made())
    scripted.on(f"GET /meetings/{ID}", said(200, made().json()))
    await scripted.zoom().create_meeting(PLAN, "mark-1")
    assert scripted.asked[2].body["settings"]["alternative_hosts"] == "host;sam-id"


async def test_a_host_who_may_not_host_is_a_failure(scripted: Scripted) -> None:
    refused = said(404, {"code": 1001, "message": "User does not exist"})
    scripted.on(WHO, HOST_USER).on(UPCOMING, listed()).on(f"POST {ANNAS}", refused)
    with pytest.raises(PermanentFailure, match="does not know this user"):
        await scripted.zoom().create_meeting(PLAN, "mark-1")


async def test_without_a_host_user_nothing_is_made(scripted: Scripted) -> None:
    with pytest.raises(PermanentFailure) as failed:
        await scripted.zoom(host_user="").create_meeting(PLAN, "mark-1")
    assert "CHAPERONE_ZOOM_HOST_USER" in failed.value.fix
    assert await scripted.zoom(host_user="").live_meetings() == ()
    assert not scripted.asked


async def test_meetings_that_run(scripted: Scripted) -> None:
    rows = [{"id": 82000000027, "uuid": "6Mn3g8BquQHGcaqtcL1eVg=="}, {"uuid": "x"}]
    zoom = scripted.on(f"GET {ANNAS}?type=live", listed(*rows)).zoom()
    assert await zoom.live_meetings() == (
        MeetingRef(
            platform="zoom",
            meeting_id="82000000027",
            instance="6Mn3g8BquQHGcaqtcL1eVg==",
        ),
    )


# --- links ------------------------------------------------------------------------

BENS = IssuedLink(
    registrant_id="u39sNSmXx0kms4CVQmuXvQ",
    join_url="https://zoom.example/w/81000000019?tk=SAMPLE-BEN-LINK",
    pin="550921",
)
BENS_ROW = {
    "id": BENS.registrant_id,
    "email": "Ben@family.example",
    "join_url": BENS.join_url,
    "participant_pin_code": 550921,
}


def registrants(scripted: Scripted, **by_status: list[Any]) -> Scripted:
    for status in ("approved", "pending", "denied"):
        rows = by_status.get(status, [])
        scripted.on(
            f"GET {REGISTRANTS}?status={status}", said(200, {"registrants": rows})
        )
    return scripted


async def test_a_link_of_ones_own(scripted: Scripted) -> None:
    zoom = registrants(scripted).recorded("add_registrant.created").zoom()
    assert await zoom.issue_link(ID, "ben@family.example", "Ben") == BENS
    recorded = load("rest.add_registrant.created.json")["request"]["json"]
    assert scripted.asked[-1].body == recorded


async def test_a_link_that_exists_is_adopted(scripted: Scripted) -> None:
    zoom = registrants(scripted, approved=[BENS_ROW]).zoom()
    assert await zoom.issue_link(ID, "ben@family.example", "Ben") == BENS
    assert "POST" not in {each.method for each in scripted.asked}


async def test_a_pending_link_is_opened(scripted: Scripted) -> None:
    registrants(
        scripted, pending=[{"id": BENS.registrant_id, "email": "ben@family.example"}]
    )
    approved = f"GET {REGISTRANTS}?status=approved"
    scripted.on(
        approved, said(200, {"registrants": []}), said(200, {"registrants": [BENS_ROW]})
    )
    scripted.on(f"PUT {REGISTRANTS}/status", said(204))
    assert await scripted.zoom().issue_link(ID, "ben@family.example", "Ben") == BENS
    (put,) = [each.body for each in scripted.asked if each.method == "PUT"]
    assert put == {
        "action": "approve",
        "registrants": [{"id": BENS.registrant_id, "email": "ben@family.example"}],
    }


async def test_a_link_made_but_pending_is_opened(scripted: Scripted) -> None:
    registrants(scripted).recorded("add_registrant.pending")
    scripted.on(f"PUT {REGISTRANTS}/status", said(204))
    link = await scripted.zoom().issue_link(ID, "x@alias.example", "Dev")
    assert link == IssuedLink(registrant_id="vGwUw0J7126ngaK1zX1hTw", join_url="")


async def test_half_a_list_makes_no_second_link(scripted: Scripted) -> None:
    registrants(scripted).on(
        f"GET {REGISTRANTS}?status=approved",
        said(200, {"registrants": [], "next_page_token": "t"}),
    )
    scripted.on(f"GET {REGISTRANTS}?next_page_token=t&status=approved", said(500))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().issue_link(ID, "ben@family.example", "Ben")


async def test_a_full_registration(scripted: Scripted) -> None:
    registrants(scripted).on(f"POST {REGISTRANTS}", said(400, {"code": 3043}))
    with pytest.raises(PermanentFailure, match="full"):
        await scripted.zoom().issue_link(ID, "ben@family.example", "Ben")


async def test_an_answer_without_a_registrant(scripted: Scripted) -> None:
    registrants(scripted).on(f"POST {REGISTRANTS}", said(201, {"id": 1}))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().issue_link(ID, "ben@family.example", "Ben")


async def test_a_long_name_is_cut(scripted: Scripted) -> None:
    zoom = registrants(scripted).recorded("add_registrant.created").zoom()
    await zoom.issue_link(ID, "ben@family.example", "B" * 70)
    assert scripted.asked[-1].body["first_name"] == "B" * 64


@pytest.mark.parametrize(
    ("state", "action"),
    [("active", "approve"), ("suspended", "cancel"), ("cancelled", "cancel")],
)
async def test_states_of_a_link(scripted: Scripted, state: str, action: str) -> None:
    zoom = scripted.on(f"PUT {REGISTRANTS}/status", said(204)).zoom()
    await zoom.change_link(ID, "R", "ben@family.example", state)
    assert [each.body for each in scripted.asked] == [
        {"action": action, "registrants": [{"id": "R", "email": "ben@family.example"}]}
    ]


async def test_an_address_that_is_not_known_is_looked_up_once(
    scripted: Scripted,
) -> None:
    registrants(scripted, denied=[BENS_ROW])
    zoom = scripted.on(f"PUT {REGISTRANTS}/status", said(204)).zoom()
    for _ in range(2):
        await zoom.change_link(ID, BENS.registrant_id, "", "active")
    lists = [each for each in scripted.asked if each.method == "GET"]
    assert len(lists) == 3
    assert scripted.asked[-1].body["registrants"][0]["email"] == "Ben@family.example"


async def test_without_a_list_the_id_has_to_do(scripted: Scripted) -> None:
    scripted.on(f"GET {REGISTRANTS}?status=approved", said(503))
    zoom = scripted.on(f"PUT {REGISTRANTS}/status", said(204)).zoom()
    await zoom.change_link(ID, "R", "", "suspended")
    assert scripted.asked[-1].body["registrants"] == [{"id": "R"}]


async def test_an_unknown_state(scripted: Scripted) -> None:
    with pytest.raises(PermanentFailure):
        await scripted.zoom().change_link(ID, "R", "a@b.example", "eaten")
    assert not scripted.asked


# --- afterwards -------------------------------------------------------------------

REPORT = (
    "GET /report/meetings/%252FAREEcJJVLI%252BD3%252F%252FFXQSWQ%253D%253D/participants"
    "?include_fields=registrant_id"
)
PAST = (
    "GET /past_meetings/%252FAREEcJJVLI%252BD3%252F%252FFXQSWQ%253D%253D/participants"
)


async def test_the_report(scripted: Scripted) -> None:
    lines = (
        await scripted.recorded("report_participants").zoom().attendance_report(ROOM)
    )
    assert scripted.targets == [REPORT]
    assert len(lines) == 7
    assert lines[2] == ReportLine(
        seat=Seat(
            user_id="33556480",
            registrant_id="u39sNSmXx0kms4CVQmuXvQ",
            name="Ben",
            email="ben@family.example",
        ),
        joined_at=at("18:58:11"),
        left_at=at("19:20:31"),
    )
    assert [line.waiting for line in lines] == [
        False, False, False, False, True, False, True,
    ]  # fmt: skip


async def test_without_a_report_the_past_list_has_to_do(scripted: Scripted) -> None:
    scripted.on(REPORT, said(400, {"code": 200, "message": "x"}))
    lines = await scripted.recorded("past_participants").zoom().attendance_report(ROOM)
    assert scripted.targets == [REPORT, PAST]
    assert [line.seat.name for line in lines] == [
        "Anna Price", "Sam Okoro", "Ben", "Ben", "Chloe", "Chloe", "Eve",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("report", "past"),
    [
        (said(503), None),
        (page([row("1")], "more"), None),
        (page([{"join_time": "2026-11-17T19:00:00Z"}]), None),
        (said(404, {"code": 3001}), said(404, {"code": 3001})),
    ],
)
async def test_a_report_that_is_not_ready(
    scripted: Scripted, report: Response, past: Response | None
) -> None:
    scripted.on(REPORT, report).on("*", said(500))
    if past is not None:
        scripted.on(PAST, past)
    with pytest.raises(TemporaryFailure):
        await scripted.zoom().attendance_report(ROOM)


async def test_durations_of_nothing_are_still_being_computed(
    scripted: Scripted,
) -> None:
    scripted.on(REPORT, said(400, {"code": 200}))
    zoom = scripted.recorded("past_participants.still_processing").zoom()
    with pytest.raises(TemporaryFailure) as failed:
        await zoom.attendance_report(ROOM)
    assert failed.value.retry_after == timedelta(minutes=2)


async def test_a_report_nobody_may_read(scripted: Scripted) -> None:
    scripted.on(REPORT, said(400, {"code": 200})).on(PAST, said(400, {"code": 12702}))
    with pytest.raises(PermanentFailure, match="no longer keeps"):
        await scripted.zoom().attendance_report(ROOM)


async def test_without_an_instance_the_report_is_of_the_latest(
    scripted: Scripted,
) -> None:
    latest = f"GET /report/meetings/{ID}/participants?include_fields=registrant_id"
    scripted.on(latest, page([]))
    meeting = MeetingRef(platform="zoom", meeting_id=ID)
    assert await scripted.zoom().attendance_report(meeting) == ()


LOG = "GET /marketplace/apps/app%2F1/webhook_logs?from=2026-11-16&to=2026-11-17"


async def test_lost_webhooks_come_back_from_the_log(scripted: Scripted) -> None:
    left, joined = (
        body("meeting.participant_left.json"),
        body("meeting.participant_joined.json"),
    )
    rows = [
        {"date_time": "2026-11-17T18:49:00Z", "request_body": left.decode()},
        {"date_time": "2026-11-17T18:48:00Z", "request_body": joined.decode()},
        {"date_time": "2026-11-17T18:54:00Z", "request_body": left.decode()},
        {"date_time": "2026-11-16T18:00:00Z", "request_body": '{"old":1}'},
        {"event": "endpoint.url_validation", "request_body": "{}"},
        {"date_time": "2026-11-17T18:49:30Z", "request_body": {"event": "x"}},
        {"date_time": "2026-11-17T18:49:30Z", "request_body": None},
    ]
    scripted.on(LOG, said(200, {"webhook_logs": rows, "next_page_token": ""}))
    since = datetime(2026, 11, 16, 19, tzinfo=UTC)
    bodies = await scripted.zoom(app_id="app/1").missed_webhooks(since)
    assert bodies == (joined, left, b'{"event":"x"}')


async def test_the_log_needs_the_apps_id(scripted: Scripted) -> None:
    with pytest.raises(PermanentFailure) as failed:
        await scripted.zoom().missed_webhooks(HEARD)
    assert "CHAPERONE_ZOOM_APP_ID" in failed.value.fix


# --- webhooks ---------------------------------------------------------------------


async def test_a_delivery_is_verified_and_understood(scripted: Scripted) -> None:
    zoom = scripted.zoom()
    raw = body("meeting.participant_left.json")
    assert zoom.verify(signed(raw), raw, HEARD) is False
    assert zoom.parse(raw, HEARD, late=True).late
    assert zoom.parse(raw, HEARD).quarantine == ""
    assert scripted.zoom(account_id="other").parse(raw, HEARD).quarantine


@pytest.mark.parametrize("signer", ["new", SECRET])
async def test_the_challenge_is_answered_with_the_secret_that_signed_it(
    scripted: Scripted, signer: str
) -> None:
    zoom = scripted.zoom(webhook_secrets=("new", SECRET))
    raw = body("endpoint.url_validation.json")
    zoom.verify(signed(raw, secret=signer), raw, HEARD)
    answer = zoom.parse(raw, HEARD).answer
    assert answer is not None
    recorded = load("signed_vectors.json")["vectors"][2]["expected_response"]["json"]
    assert (answer == recorded) is (signer == SECRET)


async def test_w29_five_challenges_a_minute_are_answered(scripted: Scripted) -> None:
    zoom = scripted.zoom()
    raw = body("endpoint.url_validation.json")
    for second in range(5):
        assert zoom.parse(raw, HEARD + timedelta(seconds=second)).answer
    with pytest.raises(BadWebhook, match="challenges") as refused:
        zoom.parse(raw, HEARD + timedelta(seconds=59))
    assert refused.value.status == 429
    assert zoom.parse(body("meeting.participant_left.json"), HEARD).events
    assert zoom.parse(raw, HEARD + timedelta(seconds=60)).answer


async def test_an_old_secret_is_believed_until_its_time(scripted: Scripted) -> None:
    zoom = scripted.zoom(webhook_secrets=("new", SECRET), old_secret_until=HEARD)
    raw = body("meeting.participant_left.json")
    before = HEARD - timedelta(seconds=1)
    assert zoom.verify(signed(raw), raw, before) is False
    with pytest.raises(Exception, match="sig_wrong"):
        zoom.verify(signed(raw), raw, HEARD)
    assert zoom.verify(signed(raw, secret="new"), raw, HEARD) is False
