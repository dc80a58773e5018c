"""The oracle: what was really so, worked out from stays alone.

`a` and `b` of an alone interval follow the safety promise: a room (main or each
breakout) holds at least one person who is not a worker, and no worker. The waiting
room is not the room; recorders alone hold nobody at risk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from integrations.rehearsal.rooms import WAITING_ROOM, Connection, Instance, Meeting

IsWorker = Callable[[Connection], bool]


class AloneInterval(NamedTuple):
    """[start, end) in which `room` was unsafe; `end` is now while it lasts."""

    start: datetime
    end: datetime
    room: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


class Presence(NamedTuple):
    """[start, end) of somebody in any room of the meeting."""

    start: datetime
    end: datetime


def workers(*keys: str) -> IsWorker:
    """A judge by scene names: these people, on whatever device, are the workers."""
    return lambda connection: connection.person.key in keys


def in_room(meeting: Meeting) -> list[Connection]:
    """Connections inside now, in order of arrival."""
    return meeting.live.inside() if meeting.live else []


def alone_intervals(
    meeting: Meeting, is_worker: IsWorker, now: datetime
) -> list[AloneInterval]:
    """Every unsafe interval of every instance, by start."""
    found = [
        AloneInterval(start, end, room)
        for instance in meeting.instances
        for room in _rooms(instance)
        for start, end in _unsafe(instance, room, is_worker, now)
    ]
    return sorted(found)


def attendance(meeting: Meeting, now: datetime) -> dict[str, list[Presence]]:
    """Person key to the joined-up times in any room; two devices count once."""
    times: dict[str, list[tuple[datetime, datetime]]] = {}
    for instance in meeting.instances:
        for connection in instance.connections:
            for stay in connection.stays:
                if stay.room != WAITING_ROOM:
                    mine = times.setdefault(connection.person.key, [])
                    mine.append((stay.start, stay.end or now))
    return {
        key: [Presence(*each) for each in _union(mine)] for key, mine in times.items()
    }


def _rooms(instance: Instance) -> list[str]:
    rooms = {stay.room for each in instance.connections for stay in each.stays}
    return sorted(rooms - {WAITING_ROOM})


def _unsafe(
    instance: Instance, room: str, is_worker: IsWorker, now: datetime
) -> list[tuple[datetime, datetime]]:
    at_risk: list[tuple[datetime, datetime]] = []
    guarded: list[tuple[datetime, datetime]] = []
    for connection in instance.connections:
        here = [
            (stay.start, stay.end or now)
            for stay in connection.stays
            if stay.room == room
        ]
        if is_worker(connection):
            guarded += here
        elif not connection.person.recorder:
            at_risk += here
    return _minus(_union(at_risk), _union(guarded))


def _union(
    intervals: Iterable[tuple[datetime, datetime]],
) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _minus(
    whole: list[tuple[datetime, datetime]], holes: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    left: list[tuple[datetime, datetime]] = []
    for start, end in whole:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = hole_end
        if start < end:
            left.append((start, end))
    return left
