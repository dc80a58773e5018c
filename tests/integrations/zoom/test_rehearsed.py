"""The client against a server that speaks Zoom's protocol about a room that exists."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from app.clock import ManualClock
from app.core import actions as a
from app.core.events import MeetingRef, ParticipantJoined, ParticipantLeft
from app.core.facts import Hands
from integrations.base import IssuedLink, PermanentFailure, TemporaryFailure
from integrations.http import (
    ASGITransport,
    AsyncClient,
    MockTransport,
    Request,
    Response,
)
from integrations.rehearsal.faults import Trouble
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import Refused
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer
from integrations.zoom import settings
from integrations.zoom.account import ZoomSettings
from integrations.zoom.client import Zoom
from tests.integrations.zoom.test_settings import PLAN

pytestmark = pytest.mark.anyio

OUR_PLAN = replace(
    PLAN,
    workers=tuple(
        replace(each, platform_user_id="ANNA-ID")
        if each.platform_user_id == "host"
        else each
        for each in PLAN.workers
    ),
)
ANNA = Person("anna", "Anna Price", "anna@charity.example", "ANNA-ID", in_account=True)
SAM = Person("sam", "Sam Okoro", "sam@charity.example", "sam-id", in_account=True)
BEN = Person("ben", "Ben", "ben@alias.example")
CHLOE = Person("chloe", "Chloe", "chloe@alias.example")


@dataclass
class Evening:
    """A World, its Zoom, and our client of it."""

    clock: ManualClock
    world: World
    server: ZoomServer
    zoom: Zoom

    async def make(self) -> MeetingRef:
        created = await self.zoom.create_meeting(OUR_PLAN, "mark-1")
        await self.zoom.read_status(ref(created.meeting_id))
        return ref(created.meeting_id)

    async def open(self, *clients: Person) -> tuple[MeetingRef, dict[str, IssuedLink]]:
        """The meeting made by us, Anna in it, clients let in by links of ours."""
        meeting = await self.make()
        number = int(meeting.meeting_id)
        links = {
            each.key: await self.zoom.issue_link(
                meeting.meeting_id, each.email, each.name
            )
            for each in clients
        }
        self.world.start_meeting(number)
        for each in clients:
            came = self.world.arrive(number, each.key, link=links[each.key].join_url)
            if came is not None and not came.is_in_room:
                self.world.admit(number, each.key)
        status = await self.zoom.read_status(meeting)
        assert status.started
        return replace(meeting, instance=status.instance), links

    def wait(self, **time: float) -> None:
        self.clock.advance(timedelta(**time))
        self.world.catch_up()

    def inside(self, meeting: MeetingRef) -> set[str]:
        return {each.person.key for each in self.world.in_room(int(meeting.meeting_id))}


def ref(meeting_id: str) -> MeetingRef:
    return MeetingRef(platform="zoom", meeting_id=meeting_id)


async def _nobody_listens(request: Request) -> Response:
    return Response(503)


async def evening_of(
    clock: ManualClock, account: Account, **changed: Any
) -> AsyncIterator[Evening]:
    world = World(clock, account, seed=3)
    for person in (ANNA, SAM, BEN, CHLOE):
        world.add_person(person)
    nobody = AsyncClient(transport=MockTransport(_nobody_listens))
    server = ZoomServer(world, clock, client=nobody)
    http = AsyncClient(transport=ASGITransport(app=server.app))
    zoom_settings = ZoomSettings(
        account_id=account.account_id,
        client_id=account.client_id,
        client_secret=account.client_secret,
        webhook_secrets=(account.webhook_secret,),
        api_url="http://127.0.0.1:1/v2",
        oauth_url="http://127.0.0.1:1/oauth/token",
        host_user="anna@charity.example",
        app_id=account.app_id,
        allow_test_hosts=True,
        **changed,
    )
    yield Evening(clock, world, server, Zoom(zoom_settings, http, clock))
    await http.aclose()
    await nobody.aclose()


@pytest.fixture
async def evening(clock: ManualClock) -> AsyncIterator[Evening]:
    async for made in evening_of(clock, Account(awkward_uuids=True)):
        yield made


@pytest.fixture
async def modest(clock: ManualClock) -> AsyncIterator[Evening]:
    """A Pro plan without removal, and with a setting the account has locked."""
    locked = frozenset({"settings.waiting_room", "in_meeting.private_chat"})
    account = Account(
        plan="pro", remove_enabled=False, locked=locked, end_when_over="404"
    )
    async for made in evening_of(clock, account):
        yield made


def act(kind: type[a.MeetingAction], meeting: MeetingRef, **more: Any) -> a.Action:
    return kind(key="k", reason="r", clause="I1", meeting=meeting, **more)


async def test_a_meeting_of_ours_is_safe(evening: Evening) -> None:
    meeting = await evening.make()
    found = await evening.zoom.read_facts(meeting.meeting_id)
    unsafe = {
        name: getattr(found, name)
        for name, wish in settings.WISHES.items()
        if getattr(found, name) is not wish.safe
    }
    assert unsafe == {"rename_possible": None, "sign_in_required": False}


async def test_a_lost_answer_makes_no_second_room(evening: Evening) -> None:
    evening.server.go_wrong("POST", "/users/", Trouble.TRUNCATED)
    with pytest.raises(TemporaryFailure):
        await evening.zoom.create_meeting(OUR_PLAN, "mark-1")
    created = await evening.zoom.create_meeting(OUR_PLAN, "mark-1")
    assert created.adopted
    assert len(evening.world.meetings) == 1


async def test_an_evening(evening: Evening) -> None:
    meeting, links = await evening.open(BEN, CHLOE)
    assert meeting.instance.startswith("/")
    assert evening.inside(meeting) == {"anna", "ben", "chloe"}

    roster = await evening.zoom.read_roster(meeting)
    assert {entry.seat.name for entry in roster.entries} == {
        "Anna Price",
        "Ben",
        "Chloe",
    }
    assert [entry.role for entry in roster.entries].count("host") == 1
    assert roster.complete
    assert roster.offset == timedelta()

    ben = next(entry.seat for entry in roster.entries if entry.seat.name == "Ben")
    removal = act(a.RemoveParticipant, meeting, connection="c", uuid=ben.uuid)
    assert "202" in await evening.zoom.perform(removal)
    evening.wait(seconds=1)
    assert evening.inside(meeting) == {"anna", "chloe"}
    await evening.zoom.perform(
        act(
            a.ChangeLink,
            meeting,
            registrant_id=links["ben"].registrant_id,
            person_id="p",
            state="suspended",
        )
    )
    with pytest.raises(Refused):
        evening.world.arrive(int(meeting.meeting_id), "ben", link=links["ben"].join_url)

    await evening.zoom.perform(act(a.EndMeeting, meeting, cause=a.EndCause.NEVER_ALONE))
    evening.wait(seconds=1)
    assert evening.inside(meeting) == set()
    assert not (await evening.zoom.read_status(meeting)).started

    with pytest.raises(TemporaryFailure):
        await evening.zoom.attendance_report(meeting)
    evening.wait(minutes=4)
    report = await evening.zoom.attendance_report(meeting)
    stayed = {line.seat.registrant_id for line in report if not line.waiting}
    assert {links["ben"].registrant_id, links["chloe"].registrant_id} <= stayed


async def test_what_the_webhooks_said(evening: Evening) -> None:
    """Bodies from the log are read as those that were delivered."""
    since = evening.clock.now()
    meeting, links = await evening.open(BEN)
    evening.world.leave(int(meeting.meeting_id), "ben")
    await evening.server.deliver()
    bodies = await evening.zoom.missed_webhooks(since)
    deliveries = [evening.zoom.parse(raw, evening.clock.now()) for raw in bodies]
    assert not [each for each in deliveries if each.unreadable or each.quarantine]
    facts = [event for each in deliveries for event in each.events]
    came = [each for each in facts if isinstance(each, ParticipantJoined)]
    went = [each for each in facts if isinstance(each, ParticipantLeft)]
    assert [each.registrant_id for each in came] == ["", links["ben"].registrant_id]
    assert [each.registrant_id for each in went] == [links["ben"].registrant_id]
    assert {each.meeting for each in came} == {meeting}


async def test_words_recordings_and_streams(evening: Evening) -> None:
    meeting, _ = await evening.open()
    number = int(meeting.meeting_id)
    await evening.zoom.perform(
        act(a.TellWaitingRoom, meeting, title="Hello", text="Anna comes at seven.")
    )
    evening.world.start_recording(number)
    await evening.zoom.perform(act(a.StopRecording, meeting))
    evening.world.start_streaming(number)
    await evening.zoom.perform(act(a.StopLiveStream, meeting))
    evening.wait(seconds=1)
    facts = await evening.zoom.read_facts(meeting.meeting_id)
    assert facts.started


async def test_hands_of_a_business_account(evening: Evening) -> None:
    meeting, _ = await evening.open()
    assert await evening.zoom.probe(meeting.meeting_id) == Hands(
        live_roster=True,
        end_for_all=True,
        remove_one=None,
        hold_one=False,
        admit_one=False,
        waiting_text=True,
        room_chat=False,
        links=True,
    )
    assert await evening.zoom.live_meetings() == (meeting,)
    scopes = await evening.zoom.check_scopes()
    assert (scopes.missing, scopes.optional_missing) == ((), ())


async def test_hands_of_a_modest_account(modest: Evening) -> None:
    meeting, _ = await modest.open(BEN)
    hands = await modest.zoom.probe(meeting.meeting_id)
    assert (hands.live_roster, hands.remove_one) == (False, None)
    assert "webhooks only" in hands.problems[0]
    with pytest.raises(PermanentFailure):
        await modest.zoom.read_roster(meeting)
    ben = modest.world.connection(int(meeting.meeting_id), "ben")
    assert ben is not None
    removal = act(
        a.RemoveParticipant, meeting, connection="c", uuid=ben.participant_uuid
    )
    with pytest.raises(PermanentFailure, match="not switched on"):
        await modest.zoom.perform(removal)
    assert modest.zoom.routes(removal, hands) == ("person",)
    assert (await modest.zoom.probe(meeting.meeting_id)).remove_one is False


async def test_a_locked_setting_is_told(modest: Evening) -> None:
    meeting = await modest.make()
    wishes = ("waiting_room_for_everyone", "private_chat", "annotation")
    modest.world.change_user_settings("anna", {"in_meeting": {"private_chat": True}})
    mended = await modest.zoom.mend(meeting.meeting_id, wishes)
    assert mended.done == ("annotation",)
    assert set(mended.refused) == {"waiting_room_for_everyone", "private_chat"}


async def test_ending_twice_is_not_a_failure(modest: Evening) -> None:
    meeting, _ = await modest.open()
    end = act(a.EndMeeting, meeting, cause=a.EndCause.ORDER)
    assert "204" in await modest.zoom.perform(end)
    assert "404" in await modest.zoom.perform(end)


async def test_p05_the_token_dies_in_the_middle_of_a_clear(evening: Evening) -> None:
    meeting, _ = await evening.open(BEN)
    evening.server.gate.revoke_tokens()
    await evening.zoom.perform(act(a.EndMeeting, meeting, cause=a.EndCause.NEVER_ALONE))
    evening.wait(seconds=1)
    assert evening.inside(meeting) == set()


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.RATE_LIMITED,
        Trouble.RATE_LIMITED_HUGE,
        Trouble.SERVER_ERROR,
        Trouble.BAD_GATEWAY,
        Trouble.UNAVAILABLE,
        Trouble.HTML,
    ],
)
async def test_troubles_on_the_way_are_temporary(
    evening: Evening, trouble: Trouble
) -> None:
    meeting, _ = await evening.open(BEN)
    evening.server.go_wrong("PUT", "/status", trouble)
    with pytest.raises(TemporaryFailure) as failed:
        await evening.zoom.perform(
            act(a.EndMeeting, meeting, cause=a.EndCause.NEVER_ALONE)
        )
    huge = trouble is Trouble.RATE_LIMITED_HUGE
    assert failed.value.retry_after == (timedelta(hours=1) if huge else None)
    assert evening.inside(meeting) == {"anna", "ben"}


async def test_links_are_adopted_suspended_and_restored(evening: Evening) -> None:
    meeting = await evening.make()
    link = await evening.zoom.issue_link(meeting.meeting_id, BEN.email, "Ben")
    again = await evening.zoom.issue_link(meeting.meeting_id, BEN.email, "Ben")
    assert link == again
    registrants = evening.world.meeting(int(meeting.meeting_id)).registrants
    for state, kept in (("suspended", "cancelled"), ("active", "approved")):
        await evening.zoom.change_link(
            meeting.meeting_id, link.registrant_id, "", state
        )
        status = registrants[link.registrant_id].status
        assert (status == "approved") is (kept == "approved")
