"""Simulated rooms behind real HTTP, in a process of their own.

``python -m app.bench.simulated`` with one JSON argument plans meetings, writes them to a
file, says so, and waits for a word on standard input before people come.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from app.bench import bodies
from app.bench.figures import plain
from app.clock import SystemClock
from integrations.http import AsyncClient
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.settings import safe_meeting_settings
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer

MINUTE = 60.0
ENDED_WITHIN = 20.0
_CLIENTS = [f"client-{number}" for number in range(bodies.CLIENTS)]


def planned(rooms: int, clock: SystemClock) -> World:
    """Meetings with a link for each client."""
    account = Account(
        account_id=bodies.ACCOUNT,
        client_id="bench-client",
        client_secret="bench-secret",  # noqa: S106 - guards nothing
        webhook_secret=bodies.SECRET,
    )
    world = World(clock, account)
    for name in ("anna", "sam"):
        world.add_person(
            Person(name, name.title(), f"{name}@bench.example", f"zoom-{name}", True)
        )
    for key in _CLIENTS:
        world.add_person(Person(key, key.replace("-", " ").title()))
    for _ in range(rooms):
        meeting = world.create_meeting("anna", settings=safe_meeting_settings())
        for key in _CLIENTS:
            world.register(meeting.id, key, f"{key}@bench.example", approve=True)
    return world


class Evening:
    """The rooms while they run."""

    def __init__(self, world: World, server: ZoomServer, clock: SystemClock) -> None:
        self._world = world
        self._server = server
        self._clock = clock
        self._rooms: Sequence[int] = [*world.meetings]
        self._links = {
            room: [*world.meetings[room].registrants] for room in self._rooms
        }

    async def open(self) -> None:
        """Twelve people come into each room; one webhook after the other."""
        for room in self._rooms:
            self._world.start_meeting(room, "anna")
            self._world.arrive(room, "sam")
            for client in range(bodies.CLIENTS):
                self._come(room, client)
            await self._server.deliver()

    def _come(self, room: int, client: int) -> None:
        link = self._links[room][client]
        self._world.arrive(room, _CLIENTS[client], link=link)
        if self._world.connection(room, _CLIENTS[client]) is not None:
            self._world.admit_everyone(room)

    async def lose_workers(self) -> list[float]:
        """Room after room: the last worker leaves; ms until the end call arrives."""
        took = []
        for room in self._rooms:
            self._world.leave(room, "sam")
            await self._clock.sleep(1)
            before = len(self._server.called("PUT", f"/meetings/{room}/status"))
            left_at = self._clock.now()
            self._world.leave(room, "anna")
            took.append(await self._end_call(room, before) - left_at.timestamp())
            await self._clock.sleep(1)
        return [seconds * 1000 for seconds in took]

    async def _end_call(self, room: int, before: int) -> float:
        until = self._clock.monotonic() + ENDED_WITHIN
        while self._clock.monotonic() < until:
            calls = self._server.called("PUT", f"/meetings/{room}/status")
            if len(calls) > before:
                return calls[before].at.timestamp()
            await self._clock.sleep(0.005)
        raise TimeoutError("no end call came")

    def lose_all_workers(self) -> None:
        """Every worker leaves every room, and nobody is there to take the news."""
        for room in self._rooms:
            self._world.leave(room, "sam")
            self._world.leave(room, "anna")

    async def all_ended(self, within: float) -> dict[str, float]:
        """When the last room was first looked at after this, and when the last one got
        its end call, in seconds since 1970."""
        before = len(self._server.calls)
        until = self._clock.monotonic() + within
        while self._clock.monotonic() < until:
            if all(self._world.meetings[room].live is None for room in self._rooms):
                looks: dict[str, float] = {}
                ends: dict[str, float] = {}
                for call in self._server.calls[before:]:
                    kept = looks if "/metrics/" in call.path else ends
                    if kept is looks or call.method == "PUT":
                        kept.setdefault(call.path, call.at.timestamp())
                return {"looked": max(looks.values()), "ended": max(ends.values())}
            await self._clock.sleep(0.02)
        raise TimeoutError("a room without a worker was not ended")

    async def live(self, seconds: float) -> dict[str, Any]:
        """One event a minute in each room: clients go, and a minute later come back."""
        begun, gone = self._clock.monotonic(), dict.fromkeys(self._rooms, False)
        before = len(self._server.calls)
        turn = 0
        while (now := self._clock.monotonic() - begun) < seconds:
            while turn < now / MINUTE * len(self._rooms):
                room = self._rooms[turn % len(self._rooms)]
                client = turn // len(self._rooms) // 2 % bodies.CLIENTS
                if gone[room]:
                    self._come(room, client)
                else:
                    self._world.leave(room, _CLIENTS[client])
                gone[room] = not gone[room]
                turn += 1
            await self._clock.sleep(0.05)
        calls = self._server.calls[before:]
        return {
            "events": turn,
            "polls": sum("/metrics/meetings/" in call.path for call in calls),
            "ended": len(self._server.called("PUT", "/status")),
        }


async def _run(given: dict[str, Any]) -> None:
    clock = SystemClock()
    world = planned(given["rooms"], clock)
    plan = [
        {"id": str(meeting.id), "registrants": [*meeting.registrants]}
        for meeting in world.meetings.values()
    ]
    await asyncio.to_thread(Path(given["plan"]).write_text, json.dumps(plan))
    async with AsyncClient(trust_env=False) as client:
        server = ZoomServer(world, clock, webhook_url=given["webhook"], client=client)
        await _play(given, world, server, clock)


async def _play(
    given: dict[str, Any], world: World, server: ZoomServer, clock: SystemClock
) -> None:
    async with server.listening(given["port"]):
        evening = Evening(world, server, clock)
        print(plain("planned"), flush=True)
        await _word()
        await evening.open()
        print(plain("open"), flush=True)
        await _word()
        work = asyncio.create_task(server.run())
        if given.get("crash"):
            evening.lose_all_workers()
            print(plain("alone"), flush=True)
            print(plain(await evening.all_ended(given["within"])), flush=True)
        elif "seconds" in given:
            print(plain(await evening.live(given["seconds"])), flush=True)
        else:
            print(plain(await evening.lose_workers()), flush=True)
        work.cancel()


async def _word() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def main() -> None:
    """Do what the argument says."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
