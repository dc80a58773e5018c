"""Every scene on Teams, with careful hands that know nothing but Graph.

There is no call that ends the meeting: the hands lock the door and remove everybody.
What the bot's eye was told by delta callbacks must add up to the roster.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from app.clock import ManualClock
from integrations.http import ASGITransport, AsyncClient
from integrations.rehearsal import scene as scenes
from integrations.rehearsal.play import Played, Press, play
from integrations.rehearsal.promises import JUDGED_BY_THE_WORLD, judge
from integrations.rehearsal.servers import server_for
from integrations.rehearsal.teams_server import TeamsServer
from integrations.rehearsal.teams_tenant import object_id
from integrations.rehearsal.truth import workers
from integrations.rehearsal.zoom_server import ZoomServer
from tests.integrations.rehearsal.stage import Stage
from tests.integrations.rehearsal.teams_stage import Bot, Room, name_of

EVENING = datetime(2026, 11, 17, 18, 55, tzinfo=UTC)
LOCK = {"lobbyBypassSettings": {"scope": "organizer"}, "allowMeetingChat": "disabled"}

pytestmark = pytest.mark.anyio


@dataclass
class Hands:
    """One leg in the call; removes by the roster, one person after the other."""

    room: Room
    scene: scenes.Scene
    call: str = ""

    async def press(self, press: Press) -> None:
        about = str(press.arguments.get("about", ""))
        if press.what == "remove":
            await self.remove(self.scene.cast[about].name)
        elif press.what == "end":
            await self.clear()
            self.room.server.world.end(press.meeting_id)  # Anna's own button

    async def remove(self, name: str = "") -> None:
        """One person by name, or everybody who is no worker; the last takes the
        lobby along (404)."""
        listed = await self.room.ask("GET", self.call + "/participants")
        for row in listed.json()["value"]:
            user = (row["info"]["identity"]["user"] or {}).get("id")
            mine = row["info"]["identity"]["application"] or user in self.workers
            if not mine and name in ("", name_of(row).strip("()")):
                path = f"{self.call}/participants/{row['id']}"
                answer = await self.room.ask("DELETE", path)
                assert answer.status_code in (204, 404)

    @property
    def workers(self) -> set[str]:
        return {object_id(self.scene.cast[key]) for key in self.scene.workers}

    async def clear(self) -> None:
        await self.room.ask("PATCH", self.room.meeting, LOCK)
        await self.remove()

    async def guard(self, clock: ManualClock) -> None:
        """Joins whatever runs; clears a room a minute after its last worker."""
        world, is_worker = self.room.server.world, workers(*self.scene.workers)
        while True:
            await clock.sleep(1)
            for meeting in list(world.meetings.values()):
                if meeting.live is None or meeting.deleted:
                    continue
                if not self.call or self.room.stage.meeting is not meeting:
                    self.room.stage.meeting = meeting
                    self.call = await self.room.join(delta=True)
                unsafe = world.alone_intervals(meeting.id, is_worker)
                if unsafe and unsafe[-1].end == world.now and unsafe[-1].seconds >= 60:
                    await self.clear()


async def perform(name: str) -> tuple[Played, Room]:
    scene, clock = scenes.load(name), ManualClock(EVENING)
    world, bot = scenes.world_of(scene, clock), Bot()
    meeting_id = scenes.plan_without_bot(scene, world)[0] if scene.planned else 0
    async with (
        AsyncClient(transport=ASGITransport(bot.app)) as listener,
        anyio.create_task_group() as tasks,
    ):
        server = TeamsServer(world, clock, client=listener)
        http = AsyncClient(transport=ASGITransport(server.app))
        server.desk.all_meetings()  # Teams has no registration and no personal link
        room = Room(Stage(clock), server, bot, http)
        await room.sign_in()
        hands = Hands(room, scene)
        done: list[Played] = []

        async def perform_steps() -> None:
            done.append(
                await play(scene, world, clock, hands.press, meeting_id=meeting_id)
            )

        tasks.start_soon(perform_steps)
        tasks.start_soon(hands.guard, clock)
        while not done:
            await clock.elapse(timedelta(seconds=30))
            if clock.now().minute % 50 == 0:
                await room.sign_in()
        await server.deliver()
        tasks.cancel_scope.cancel()
        await http.aclose()
    return done[0], room


def added_up(bodies: list[Any], call_id: str) -> set[str]:
    """Whom the delta callbacks of one leg leave in the roster."""
    there: dict[str, str] = {}
    for body in bodies:
        (item,) = body["value"]
        if item["resourceUrl"] != f"/communications/calls/{call_id}/participants":
            continue
        for row in item["resourceData"][0]["participants"]:
            there[row["id"]] = name_of(row)
            if "removedState" in row:
                del there[row["id"]]
    return set(there.values())


@pytest.mark.parametrize("name", scenes.names())
async def test_a_scene_is_played_on_teams(name: str) -> None:
    played, room = await perform(name)
    findings = [
        judge(promise, played)
        for promise in played.scene.promises
        if promise.check in JUDGED_BY_THE_WORLD
    ]
    assert [each.sentence for each in findings if not each.kept] == []
    assert room.server.legs
    for leg in room.server.legs:
        shown = {name_of(row) for row in leg.shown.values()}
        assert added_up(room.bot.bodies("calls"), leg.id) == shown
        assert {name_of(row) for row in room.server.desk.rows(leg)} == shown


def test_a_scene_is_given_the_platform_it_is_played_on(clock: ManualClock) -> None:
    stage = Stage(clock)
    made = [
        server_for(name, stage.world, clock, "http://bot") for name in ("zoom", "teams")
    ]
    assert [type(each) for each in made] == [ZoomServer, TeamsServer]
    with pytest.raises(ValueError, match="'meet'"):
        server_for("meet", stage.world, clock, "http://bot")
