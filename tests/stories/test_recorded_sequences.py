"""Recorded Zoom bodies, as they arrived, and who is in the room in the end.

Each is folded as it came, backwards and doubled: the end is the same (I12, zoom §15).
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.core import fold
from app.core import presses as p
from app.core.actions import AlertStaff, EndMeeting, Level
from app.core.decide import decide
from app.core.events import MeetingEvent
from app.core.identity import Who
from app.core.plan import Role, WorkerSlot
from app.core.rooms import rooms, waiting
from app.core.session import GroupSession
from integrations.zoom.webhook import parse
from tests.core.builders import NAMES, at, client, plan

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zoom"
BODIES = sorted([*PAYLOADS.glob("seq.*.json"), *PAYLOADS.glob("hard.*.json")])
HEARD = datetime(2026, 11, 17, 20, 30, tzinfo=UTC)
BREAKOUT = "hVqsQlYSvslqwBbTXAp9GQ=="
LINKS = {
    "ben": "u39sNSmXx0kms4CVQmuXvQ",
    "chloe": "KnwRDdYtbmGDo9sKZPkk2A",
    "dev": "9j0tI0b08HyFYoQhcN6S1A",
    "sam": "j9oAHHQLtzZO_NM1_CiETw",
}
WORKERS = (
    WorkerSlot(
        person_id="anna", role=Role.LEAD, platform_user_id="VVebVXiW0M4XZMR_7WRPmw"
    ),
    WorkerSlot(
        person_id="sam", role=Role.SUPPORT, platform_user_id="6W4C2OR_KnwDvlEXs-0XXA"
    ),
)

ANNA, SAM = ("anna", Who.WORKER), ("sam", Who.WORKER)
BEN, CHLOE, DEV = ("ben", Who.CLIENT), ("chloe", Who.CLIENT), ("dev", Who.CLIENT)
STRANGER = ("", Who.STRANGER)
UNSEEN = ("", Who.STRANGER)
"""Of some only a leave or a role is recorded, which does not say by which link."""

Standings = dict[str, list[tuple[str, Who]]]

# Room -> who is in it in the end; "door" for the waiting room.
ENDS: dict[str, Standings] = {
    "seq.breakout_without_worker": {BREAKOUT: [BEN, CHLOE], "main": [SAM]},
    "seq.ended_before_last_left": {},
    "seq.last_worker_leaves": {"main": [UNSEEN]},
    "seq.one_link_two_devices": {"main": [DEV]},
    "seq.phone_caller_then_bind": {"main": [CHLOE]},
    "seq.rejoin_before_late_left": {"main": [BEN]},
    "seq.removed_stranger_returns": {"main": [STRANGER]},
    "seq.restart_out_of_order": {},
    "seq.retried_left_after_rejoin": {"main": [BEN]},
    "seq.waiting_room_cycle": {"door": [CHLOE]},
    "hard.chat_private_to_young_person": {},
    "hard.joined_copies_worker_name": {"main": [STRANGER]},
    "hard.joined_date_time_field": {"main": [BEN]},
    "hard.joined_extra_fields": {"main": [DEV]},
    "hard.joined_hostile_name": {"main": [STRANGER]},
    "hard.joined_not_signed_in": {"main": [STRANGER]},
    "hard.joined_registrant_null": {"main": [ANNA]},
    "hard.joined_worker_private_account": {"main": [SAM]},
    "hard.left_extra_fields": {},
    "hard.registration_created_pending_stranger": {},
    "hard.role_changed_young_person_becomes_host": {"main": [UNSEEN]},
    "hard.started_instant_no_host_email": {},
    "hard.started_uuid_with_slashes": {},
    "hard.unknown_event": {},
}


def facts_of(name: str) -> list[MeetingEvent]:
    """The recorded bodies, in order of arrival, as the product reads them."""
    recorded = json.loads((PAYLOADS / f"{name}.json").read_text())
    bodies: list[Any] = recorded if isinstance(recorded, list) else [recorded]
    return [
        event
        for body in bodies
        for event in parse(
            json.dumps(body, ensure_ascii=False).encode(),
            HEARD,
            secret="secret",
            account_id=body["payload"]["account_id"],
        ).events
    ]


def folded(facts: list[MeetingEvent]) -> GroupSession:
    """Anna's Tuesday group, with the links and accounts of the recorded bodies."""
    session = GroupSession("session-1", names=NAMES)
    group = plan(workers=WORKERS, clients=tuple(map(client, ("ben", "chloe", "dev"))))
    fold.apply(session, p.SessionPlanned(at=at("18:00"), plan=group))
    for meeting_id in ("81000000019", "82000000027"):
        bound = p.MeetingBound(
            at=at("18:00"),
            platform="zoom",
            meeting_id=meeting_id,
            opens_at=at("18:00"),
            closes_at=at("21:00"),
        )
        fold.apply(session, bound)
    for person_id, registrant_id in LINKS.items():
        issued = p.LinkIssued(
            at=at("18:00"),
            person_id=person_id,
            registrant_id=registrant_id,
            meeting_id="81000000019",
        )
        fold.apply(session, issued)
    for fact in facts:
        fold.apply(session, fact)
    return session


def who_is_where(session: GroupSession) -> Standings:
    places = {room.name: room.people for room in rooms(session)}
    for instance in session.live():
        if at_door := waiting(session, instance):
            places["door"] = at_door
    return {
        name: sorted((p.standing.person_id, p.standing.who) for p in people)
        for name, people in places.items()
    }


@pytest.mark.parametrize("name", [path.stem for path in BODIES])
def test_the_end_is_the_same_in_any_order(name: str) -> None:
    facts = facts_of(name)
    for order in (facts, facts[::-1], [*facts, *facts], [*facts[1:], *facts[:1]]):
        assert who_is_where(folded(order)) == ENDS[name]


def test_every_recorded_sequence_has_its_end_here() -> None:
    assert [path.stem for path in BODIES] == sorted(ENDS)


def red(session: GroupSession, clock: str) -> set[str]:
    decision = decide(session, at(clock))
    assert not decision.broken
    return {
        action.rule
        for action in decision.actions
        if isinstance(action, AlertStaff) and action.level is Level.RED
    }


def test_the_last_worker_drops_and_a_young_person_is_made_host() -> None:
    session = folded(facts_of("seq.last_worker_leaves"))
    assert {"never_alone.guard", "entry.host_rights"} <= red(session, "19:31:45")


def test_two_young_people_are_left_alone_in_a_side_room() -> None:
    session = folded(facts_of("seq.breakout_without_worker"))
    (alone,) = [room for room in rooms(session) if room.unsafe_since is not None]
    assert (alone.name, alone.unsafe_since) == (BREAKOUT, at("19:22:30"))


def test_a_telephone_and_a_device_at_the_door_are_one_client() -> None:
    """The leg stays in the room while the device was put in the waiting room."""
    session = folded(
        [*facts_of("seq.phone_caller_then_bind"), *facts_of("seq.waiting_room_cycle")]
    )
    assert who_is_where(session) == {"main": [CHLOE], "door": [CHLOE]}


def test_yesterdays_end_does_not_close_today() -> None:
    session = folded(facts_of("seq.restart_out_of_order"))
    assert [i.started_at for i in session.live()] == [at("18:52:04")]
    assert not [
        a for a in decide(session, at("19:00")).actions if a.kind == "end_meeting"
    ]


def test_ending_finds_the_room_empty_and_asks_for_nothing_more() -> None:
    session = folded(facts_of("seq.ended_before_last_left"))
    wanted = decide(session, at("20:02")).actions
    assert not [action for action in wanted if isinstance(action, EndMeeting)]
