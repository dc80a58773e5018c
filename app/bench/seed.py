"""Planned sessions in the store, as if prepared by pages and platform before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.bench import bodies
from app.core.facts import Hands, MeetingFacts
from app.core.fold import Fact
from app.core.plan import HEADINGS, GroundRule
from app.core.presses import (
    FactsRead,
    HandsProbed,
    LinkIssued,
    MeetingBound,
    SessionPlanned,
)
from app.crypto import new_token
from app.store import groups, log, people, plans, rooms, sessions
from app.store.database import Store

SAFE = MeetingFacts(
    exists=True,
    waiting_room_for_everyone=True,
    only_workers_admit=True,
    join_before_host=False,
    invite_only=True,
    one_device_per_link=True,
    link_hidden=True,
    personal_room=False,
    recurring=False,
    auto_recording=False,
    recording_possible=False,
    live_stream_possible=False,
    share_by_workers_only=True,
    private_chat=False,
    file_transfer=False,
    lasting_chat=False,
    second_host=True,
    host_licensed=True,
    passcode=True,
)


@dataclass(frozen=True, slots=True)
class Room:
    """A meeting to plan a session for; ``registrants`` in the order of the clients."""

    meeting_id: str
    registrants: Sequence[str]


def bench_rooms(count: int, clients: int = bodies.CLIENTS) -> list[Room]:
    """The rooms that app.bench.bodies tells of."""
    return [
        Room(
            bodies.meeting_id(room),
            [bodies.registrant(room, client) for client in range(clients)],
        )
        for room in range(count)
    ]


def plant(
    store: Store,
    meetings: Sequence[Room],
    now: datetime,
    *,
    policy: Mapping[str, Any],
    live_roster: bool,
) -> list[str]:
    """One session for each meeting; the same two workers and the same clients in all."""
    with store.unit() as db:
        most = max((len(one.registrants) for one in meetings), default=0)
        workers, clients = _people(db, store, most, now)
        group = groups.add(
            db, store, groups.Group(name="Bench group", leads=(workers[0],)), now
        ).id
        rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
        groups.agree_rules(db, store, group, rules, workers[0], now)
        hands = Hands(
            live_roster=live_roster,
            end_for_all=True,
            remove_one=True,
            waiting_text=True,
            links=True,
        )
        return [
            _session(db, store, one, group, workers, clients, policy, hands, now)
            for one in meetings
        ]


def _people(
    db: Connection, store: Store, count: int, now: datetime
) -> tuple[list[str], list[str]]:
    workers = [
        people.add(
            db,
            store,
            people.Person(kind="worker", name=name, platform_user_id=f"zoom-{name}"),
            now,
        ).id
        for name in ("anna", "sam")
    ]
    clients: list[str] = []
    for number in range(count):
        client = people.Person(
            kind="client",
            name=f"Client {number}",
            contact="A parent",
            referrer="The school",
            known_to=workers[0],
            consent_to_take_part=True,
            age_years=15,
        )
        clients.append(people.add(db, store, client, now).id)
        talk = people.Talk(
            client_id=clients[-1], worker_id=workers[0], held_on=now.date()
        )
        people.add_talk(db, store, talk, now)
    return workers, clients


def _session(
    db: Connection,
    store: Store,
    room: Room,
    group: str,
    workers: Sequence[str],
    clients: Sequence[str],
    policy: Mapping[str, Any],
    hands: Hands,
    now: datetime,
) -> str:
    roster = (
        sessions.Rostered(person_id=workers[0], role="lead"),
        sessions.Rostered(person_id=workers[1], role="support"),
    )
    start = now - timedelta(minutes=1)
    begins = start.replace(second=0, microsecond=0) + timedelta(minutes=2)
    entered = {
        **sessions.times(begins, begins + timedelta(hours=1), "Etc/UTC", now),
        "group_id": group,
        "platform": "zoom",
        "title": "Bench",
        "purpose": "Measuring",
        "workers": roster,
        "clients": tuple(clients),
        "policy": policy,
    }
    session_id = sessions.add(db, store, entered, ("zoom",), now).id
    opens, closes = now - timedelta(hours=1), now + timedelta(hours=4)
    bound = rooms.BoundMeeting(
        platform="zoom",
        meeting_id=room.meeting_id,
        session_id=session_id,
        opens_at=opens,
        closes_at=closes,
        bound_at=now,
    )
    rooms.bind(db, store, bound)
    facts: list[Fact] = [
        SessionPlanned(at=now, plan=plans.build_plan(db, store, session_id)),
        MeetingBound(
            at=now,
            platform="zoom",
            meeting_id=room.meeting_id,
            opens_at=opens,
            closes_at=closes,
        ),
        HandsProbed(at=now, hands=hands),
        FactsRead(at=now, facts=SAFE),
    ]
    for person, link in zip(clients, room.registrants, strict=True):
        facts.append(
            LinkIssued(
                at=now, person_id=person, registrant_id=link, meeting_id=room.meeting_id
            )
        )
    entries = [
        log.entry(store, f, new_token(), now, session_id=session_id) for f in facts
    ]
    log.add(db, entries)
    return session_id
