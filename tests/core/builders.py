"""A small language for stories about one evening: Tuesday group, 17 November 2026.

Anna leads, Sam supports, Noor stands by; Ben, Chloe and Dev take part; Eve is a stranger.
Times are minutes and seconds on the clock of that evening: ``at("19:04:10")``.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.facts import Hands, MeetingFacts
from app.core.plan import (
    GroundRule,
    GroundRules,
    InvitedClient,
    OneToOne,
    Plan,
    Role,
    WorkerSlot,
)
from app.core.policy import Policy
from app.core.session import GroupSession

ROOM = e.MeetingRef(platform="zoom", meeting_id="81000000019", instance="eigRfbCZRTK==")
SESSION = "session-1"
RULES = GroundRules(
    version=3,
    rules=(
        GroundRule(heading="confidentiality", text="What is said here stays here."),
        GroundRule(heading="respect", text="One person talks at a time."),
        GroundRule(heading="new members", text="We say hello to new people together."),
        GroundRule(heading="behaviour", text="No screenshots and no recordings."),
    ),
)


def at(clock: str) -> datetime:
    """``"19:04"`` or ``"19:04:10"`` on the evening of 17 November 2026, UTC."""
    hours, minute, second = (int(part) for part in f"{clock}:0".split(":")[:3])
    past_midnight = timedelta(hours=hours, minutes=minute, seconds=second)
    return datetime(2026, 11, 17, tzinfo=UTC) + past_midnight


ANNA = {
    "uuid": "UUID-ANNA",
    "user_id": "101",
    "platform_user_id": "zoom-anna",
    "name": "Anna Price",
}
SAM = {
    "uuid": "UUID-SAM",
    "user_id": "102",
    "platform_user_id": "zoom-sam",
    "name": "Sam Okoro",
}
NOOR = {
    "uuid": "UUID-NOOR",
    "user_id": "103",
    "registrant_id": "reg-noor",
    "name": "Noor Haddad",
}
BEN = {"uuid": "UUID-BEN", "user_id": "201", "registrant_id": "reg-ben", "name": "Ben"}
CHLOE = {
    "uuid": "UUID-CHLOE",
    "user_id": "202",
    "registrant_id": "reg-chloe",
    "name": "Chloe",
}
DEV = {"uuid": "UUID-DEV", "user_id": "203", "registrant_id": "reg-dev", "name": "Dev"}
EVE = {"uuid": "UUID-EVE", "user_id": "301", "name": "Eve"}

NAMES = {
    "anna": "Anna Price",
    "sam": "Sam Okoro",
    "noor": "Noor Haddad",
    "ben": "Ben",
    "chloe": "Chloe",
    "dev": "Dev",
}


def again(person: dict[str, str], number: int = 2, **changed: str) -> dict[str, str]:
    """The same person on a new connection, as after a re-join or on a second device."""
    return {
        **person,
        "uuid": f"{person['uuid']}-{number}",
        "user_id": f"{person['user_id']}{number}",
        **changed,
    }


def client(person_id: str, **changed: Any) -> InvitedClient:
    """A client with every gate passed."""
    talk = OneToOne(
        worker_id="anna", held_on=date(2026, 11, 3), worker_leads_group=True
    )
    ready = InvitedClient(
        person_id=person_id,
        one_to_ones=(talk,),
        consent_to_take_part=True,
        has_contact=True,
        has_referrer=True,
        known_to="anna",
        age_years=15,
    )
    return replace(ready, **changed)


def plan(**changed: Any) -> Plan:
    """The Tuesday group's plan, safe in every respect."""
    ready = Plan(
        session_id=SESSION,
        group_id="group-1",
        platform="zoom",
        starts_at=at("19:00"),
        ends_at=at("20:00"),
        title="Tuesday group",
        purpose="Talking about worries at school",
        segments=3,
        workers=(
            WorkerSlot(person_id="anna", role=Role.LEAD, platform_user_id="zoom-anna"),
            WorkerSlot(person_id="sam", role=Role.SUPPORT, platform_user_id="zoom-sam"),
            WorkerSlot(person_id="noor", role=Role.STANDBY),
        ),
        clients=(client("ben"), client("chloe"), client("dev")),
        ground_rules=RULES,
        risk_assessment=True,
        emergency_contacts=True,
        alarm_contacts_confirmed=2,
    )
    return replace(ready, **changed)


SAFE = MeetingFacts(
    exists=True,
    started=False,
    waiting_room_for_everyone=True,
    only_workers_admit=True,
    join_before_host=False,
    invite_only=True,
    sign_in_required=False,
    one_device_per_link=True,
    link_hidden=True,
    personal_room=False,
    recurring=False,
    auto_recording=False,
    recording_possible=False,
    live_stream_possible=False,
    share_by_workers_only=True,
    annotation=False,
    remote_control=False,
    private_chat=False,
    chat_saved_by_anyone=False,
    file_transfer=False,
    second_host=True,
    host_licensed=True,
    lasting_chat=False,
    passcode=True,
    host_user_id="zoom-anna",
)
ALL_HANDS = Hands(
    live_roster=True,
    end_for_all=True,
    remove_one=True,
    hold_one=False,
    admit_one=False,
    waiting_text=True,
    room_chat=False,
    links=True,
)


def set_up(
    *,
    the_plan: Plan | None = None,
    policy: Policy | None = None,
    hands: Hands = ALL_HANDS,
    facts: MeetingFacts | None = SAFE,
) -> GroupSession:
    """A planned session with its meeting bound, links made and settings read."""
    chosen = the_plan or plan()
    session = GroupSession(SESSION, policy=policy or Policy(), names=NAMES)
    start = at("18:00")
    fold.apply(session, p.SessionPlanned(at=start, by="anna", plan=chosen))
    bound = p.MeetingBound(
        at=start,
        platform=ROOM.platform,
        meeting_id=ROOM.meeting_id,
        opens_at=at("18:00"),
        closes_at=at("21:00"),
    )
    fold.apply(session, bound)
    fold.apply(session, p.HandsProbed(at=start, hands=hands))
    if facts is not None:
        fold.apply(session, p.FactsRead(at=start, facts=facts))
    for person in ("ben", "chloe", "dev", "noor"):
        fold.apply(
            session,
            p.LinkIssued(
                at=start,
                person_id=person,
                registrant_id=f"reg-{person}",
                meeting_id=ROOM.meeting_id,
            ),
        )
    return session


def story(*facts: fold.Fact, **options: Any) -> GroupSession:
    """Set up the evening and let these facts happen."""
    session = set_up(**options)
    for fact in facts:
        fold.apply(session, fact)
    return session


def started(clock: str = "18:52") -> e.MeetingStarted:
    """The meeting opens."""
    return e.MeetingStarted(meeting=ROOM, at=at(clock), heard_at=at(clock))


def ended(clock: str) -> e.MeetingEnded:
    """The meeting closes."""
    return e.MeetingEnded(meeting=ROOM, at=at(clock), heard_at=at(clock))


def seat(cls: Any, person: dict[str, str], clock: str, **more: Any) -> Any:
    """Any fact about one connection."""
    return cls(meeting=ROOM, at=at(clock), heard_at=at(clock), **{**person, **more})


def joined(person: dict[str, str], clock: str = "18:58") -> e.ParticipantJoined:
    """A connection is in the room."""
    fact: e.ParticipantJoined = seat(e.ParticipantJoined, person, clock)
    return fact


def left(person: dict[str, str], clock: str, **more: Any) -> e.ParticipantLeft:
    """A connection is out of the room."""
    fact: e.ParticipantLeft = seat(e.ParticipantLeft, person, clock, **more)
    return fact


def waiting(person: dict[str, str], clock: str = "18:57") -> e.ParticipantWaiting:
    """A connection is at the door."""
    fact: e.ParticipantWaiting = seat(e.ParticipantWaiting, person, clock)
    return fact


def read_at(session: GroupSession, clock: str) -> GroupSession:
    """A complete roster read that began then and found what we thought."""
    for instance in session.live():
        instance.proof_at = at(clock)
        for connection in instance.connections.values():
            if connection.whereabouts(instance.closed_at).room:
                connection.proved_at = at(clock)
    session.version += 1
    return session


def minutes(count: float) -> timedelta:
    """A length of time."""
    return timedelta(minutes=count)


def seconds(count: float) -> timedelta:
    """A length of time."""
    return timedelta(seconds=count)
