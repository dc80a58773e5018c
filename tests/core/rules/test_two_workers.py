"""Two workers, one of them leading (S2, S3, U3)."""

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    Expect,
    Level,
    WakeAt,
    Wish,
)
from app.core.fold import Fact, apply
from app.core.plan import Role, WorkerSlot
from app.core.policy import Policy
from app.core.rules import two_workers
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    NOOR,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    plan,
    seat,
    set_up,
    started,
    story,
    waiting,
)

BOTH = (started(), joined(ANNA), joined(SAM), joined(BEN, "19:00"))
CROWD = (*BOTH, joined(CHLOE, "19:00"))


def few(session: GroupSession, clock: str = "19:30") -> list[Wish]:
    return list(two_workers.too_few(session, at(clock)))


def too_few_since(clock: str, needed: int = 2) -> AlertStaff:
    return AlertStaff(
        key=f"two_workers.too_few:{ROOM.instance}:{at(clock).isoformat()}",
        reason=f"Fewer than {needed} verified workers are in the call.",
        clause="S2",
        rule="two_workers.too_few",
        level=Level.AMBER,
        audience=Audience.STANDBY,
        what_to_do="The missing or standby worker joins now.",
    )


# --- fewer than two -------------------------------------------------------------------


def test_with_two_workers_all_is_well() -> None:
    assert few(story(*BOTH)) == []


def test_one_of_two_leaves() -> None:
    assert few(story(*BOTH, left(SAM, "19:10"))) == [too_few_since("19:10")]


def test_the_second_worker_has_not_come_yet() -> None:
    session = story(started(), joined(ANNA), joined(BEN, "19:00"))
    assert few(session) == [too_few_since("19:00")]


def test_with_nobody_to_look_after_one_worker_is_enough() -> None:
    assert few(story(started(), joined(ANNA), waiting(BEN))) == []


def test_one_worker_on_two_devices_is_one_worker() -> None:
    session = story(started(), joined(ANNA), joined(again(ANNA)), joined(BEN, "19:00"))
    assert few(session) == [too_few_since("19:00")]


def test_a_worker_in_a_side_room_is_in_the_call() -> None:
    assert few(story(*BOTH, seat(e.BreakoutJoined, SAM, "19:10", room="blue"))) == []


def test_the_alert_names_one_absence_whoever_else_comes_and_goes() -> None:
    session = story(
        *CROWD, left(SAM, "19:10"), left(CHLOE, "19:11"), joined(DEV, "19:12")
    )
    assert few(session) == [too_few_since("19:10")]


def test_a_second_absence_is_another_alert() -> None:
    back = again(SAM)
    session = story(*BOTH, left(SAM, "19:10"), joined(back, "19:11"))
    assert few(session) == []
    apply(session, left(back, "19:20"))
    assert few(session) == [too_few_since("19:20")]


def test_the_policy_says_how_many() -> None:
    session = story(*BOTH, policy=Policy(workers_needed=3))
    assert few(session) == [too_few_since("19:00", needed=3)]
    assert few(story(*BOTH, left(SAM, "19:10"), policy=Policy(workers_needed=1))) == []


@pytest.mark.parametrize(
    "then",
    [
        left(BEN, "19:11"),
        ended("19:11"),
        p.ClosingPressed(at=at("19:11"), by="anna"),
        joined(NOOR, "19:11"),
    ],
)
def test_it_stops_when_nobody_needs_a_second_worker_any_more(then: Fact) -> None:
    assert few(story(*BOTH, left(SAM, "19:10"), then)) == []


# --- one with one ---------------------------------------------------------------------


def alone(session: GroupSession) -> list[Wish]:
    return list(two_workers.one_to_one_by_accident(session, at("19:30")))


def test_one_worker_alone_with_one_client_is_its_own_alarm() -> None:
    assert alone(story(*BOTH, left(SAM, "19:10"))) == [
        AlertStaff(
            key=f"two_workers.alone_with_one:{ROOM.instance}:main:"
            f"{at('19:10').isoformat()}",
            reason="One worker is alone with one young person.",
            clause="U3",
            rule="two_workers.one_to_one_by_accident",
            level=Level.AMBER,
            audience=Audience.STANDBY,
            what_to_do="A second worker joins now, or the worker closes the call kindly.",
        )
    ]


@pytest.mark.parametrize(
    "facts",
    [
        (),
        (left(SAM, "19:10"), joined(CHLOE, "19:09")),
        (left(SAM, "19:10"), left(BEN, "19:11")),
        (left(SAM, "19:10"), left(ANNA, "19:11")),
        (left(SAM, "19:10"), joined(EVE, "19:09")),
    ],
)
def test_two_workers_or_two_clients_or_none_are_not(facts: tuple[Fact, ...]) -> None:
    assert alone(story(*BOTH, *facts)) == []


@pytest.mark.parametrize(
    "also", [joined(again(BEN), "19:09"), joined(again(ANNA), "19:09")]
)
def test_devices_are_not_people(also: e.ParticipantJoined) -> None:
    assert len(alone(story(*BOTH, left(SAM, "19:10"), also))) == 1


def test_in_a_side_room_too() -> None:
    session = story(
        *CROWD,
        seat(e.BreakoutJoined, SAM, "19:10", room="blue"),
        seat(e.BreakoutJoined, CHLOE, "19:10", room="blue"),
    )
    rooms = [w.key.split(":")[2] for w in alone(session) if isinstance(w, AlertStaff)]
    assert rooms == ["blue", "main"]


# --- the lead -------------------------------------------------------------------------


def lead(session: GroupSession, clock: str) -> list[Wish]:
    return list(two_workers.lead_lost(session, at(clock)))


def take_over(since: str) -> AskWorker:
    return AskWorker(
        key=f"two_workers.lead:{ROOM.instance}:{at(since).isoformat()}",
        reason="The lead worker is not in the call. Please take over the lead.",
        clause="S3",
        rule="two_workers.lead_lost",
        meeting=ROOM,
        press="accept_lead",
        until=Expect.TICK,
    )


@pytest.mark.parametrize(
    ("clock", "asked"), [("19:10:29", False), ("19:10:30", True), ("19:10:31", True)]
)
def test_the_lead_is_missed_after_half_a_minute(clock: str, asked: bool) -> None:
    session = story(*BOTH, left(ANNA, "19:10"))
    wait = WakeAt(at("19:10:30"), "the lead may come back")
    assert lead(session, clock) == [take_over("19:10") if asked else wait]


def test_a_lead_who_never_came_is_missed_from_the_planned_start() -> None:
    session = story(started(), joined(SAM), joined(BEN, "18:59"))
    assert lead(session, "19:00:29") == [
        WakeAt(at("19:00:30"), "the lead may come back")
    ]
    assert lead(session, "19:00:30") == [take_over("19:00")]


@pytest.mark.parametrize(
    "then",
    [
        joined(again(ANNA), "19:10:20"),
        p.LeadAccepted(at=at("19:10:40"), by="sam"),
        p.ClosingPressed(at=at("19:10:40"), by="sam"),
        left(SAM, "19:10:20"),
        ended("19:10:20"),
    ],
)
def test_nobody_is_asked_when_there_is_a_lead_or_nobody_to_ask(then: Fact) -> None:
    assert lead(story(*BOTH, left(ANNA, "19:10"), then), "19:12") == []


def test_who_took_over_the_lead_is_missed_in_turn() -> None:
    session = story(
        *BOTH,
        left(ANNA, "19:10"),
        p.LeadAccepted(at=at("19:10:40"), by="sam"),
        joined(NOOR, "19:11"),
        left(SAM, "19:20"),
    )
    assert lead(session, "19:21") == [take_over("19:20")]


def test_the_last_of_two_leaves_of_the_lead_counts() -> None:
    back = again(ANNA)
    session = story(
        *BOTH, left(ANNA, "19:10"), joined(back, "19:11"), left(back, "19:20")
    )
    assert lead(session, "19:20:30") == [take_over("19:20")]


def test_without_a_plan_nobody_leads() -> None:
    session = story(*BOTH, left(ANNA, "19:10"))
    session.plan = None
    session.version += 1
    assert lead(session, "19:30") == []
    assert session.lead_id == ""


def test_a_plan_without_a_lead_asks_for_one() -> None:
    sam = WorkerSlot(
        person_id="sam", role=Role.SUPPORT, platform_user_id=SAM["platform_user_id"]
    )
    session = story(started(), joined(SAM), the_plan=plan(workers=(sam,)))
    assert lead(session, "19:01") == [take_over("19:00")]
    assert set_up(the_plan=plan(workers=(sam,))).lead_id == ""
