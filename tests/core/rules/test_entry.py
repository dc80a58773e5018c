"""Who comes in: strangers go, callers are asked about, nobody skips the one-to-one."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    HoldParticipant,
    Level,
    RemoveParticipant,
    WakeAt,
    Wish,
)
from app.core.plan import OneToOne
from app.core.policy import Policy
from app.core.rules import entry
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    ROOM,
    again,
    at,
    client,
    joined,
    left,
    plan,
    seat,
    seconds,
    started,
    story,
    waiting,
)

STAY = "eigRfbCZRTK==:UUID-EVE:2026-11-17T19:04:10+00:00"
MINUTE = "eigRfbCZRTK==::2026-11-17T19:04:00+00:00"
CALLER = {"uuid": "UUID-CALL", "user_id": "401", "name": "447700900123"}
NOT_YET = client("ben", one_to_ones=())


def strangers(session: GroupSession, clock: str = "19:05") -> list[Wish]:
    """What the rule about strangers in the room wishes."""
    return list(entry.stranger_in_room(session, at(clock)))


def kinds(wishes: list[Wish]) -> list[str]:
    """The kinds of wishes, in order."""
    return [type(wish).__name__ for wish in wishes]


def removal_wanted(key: str, clock: str) -> p.ActionMoved:
    """The engine wrote down a removal."""
    return p.ActionMoved(
        at=at(clock),
        key=key,
        kind=RemoveParticipant.kind,
        state=p.ActionState.WANTED,
        meeting=ROOM,
    )


# --- strangers --------------------------------------------------------------------


def test_a_stranger_goes_and_the_workers_hear_of_it() -> None:
    session = story(started(), joined(ANNA), joined(BEN), joined(EVE, "19:04:10"))

    assert strangers(session) == [
        RemoveParticipant(
            key=f"entry.stranger:{STAY}",
            reason="This person is not on this session's list.",
            clause="S8",
            rule="entry.stranger_in_room",
            meeting=ROOM,
            connection="UUID-EVE",
            uuid="UUID-EVE",
            user_id="301",
        ),
        AlertStaff(
            key=f"entry.stranger_in_room.alert:{MINUTE}",
            reason="Somebody who is not on this session's list is in the room.",
            clause="I2",
            rule="entry.stranger_in_room",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do=(
                "If they are still there in 15 seconds, remove them yourself. If they "
                "belong here, say who they are."
            ),
            connection="UUID-EVE",
        ),
    ]


def test_workers_and_listed_clients_stay() -> None:
    copy = {**BEN, "name": "Anna Price"}
    session = story(
        started(), joined(ANNA), joined(copy), joined(again(BEN)), joined(CHLOE)
    )

    assert strangers(session) == []


def test_a_stranger_who_left_is_no_longer_wished_out() -> None:
    session = story(started(), joined(EVE, "19:04"), left(EVE, "19:04:30"))

    assert strangers(session) == []


def test_a_stranger_who_returns_is_another_episode() -> None:
    back = again(EVE)
    session = story(
        started(), joined(EVE, "19:04"), left(EVE, "19:04:30"), joined(back, "19:06")
    )
    keys = [w.key for w in strangers(session) if isinstance(w, RemoveParticipant)]

    assert keys == ["entry.stranger:eigRfbCZRTK==:UUID-EVE-2:2026-11-17T19:06:00+00:00"]


def test_a_move_to_a_breakout_room_is_not_another_episode() -> None:
    session = story(
        started(),
        joined(EVE, "19:04:10"),
        seat(e.BreakoutJoined, EVE, "19:05", room="room-1"),
    )

    assert [w.key for w in strangers(session) if isinstance(w, RemoveParticipant)] == [
        f"entry.stranger:{STAY}"
    ]


def test_a_vouched_person_stays() -> None:
    known = p.ConnectionVouched(
        at=at("19:05"), by="anna", connection="UUID-EVE", person_id="dev", how="voice"
    )
    session = story(started(), joined(EVE, "19:04"), known)

    assert strangers(session) == []


def test_a_note_taker_goes_too() -> None:
    session = story(started(), joined({**EVE, "name": "Fireflies.ai Notetaker"}))
    removal = strangers(session)[0]

    assert isinstance(removal, RemoveParticipant)
    assert removal.clause == "N21"


def test_without_a_plan_nobody_is_put_out() -> None:
    session = story(started(), joined(EVE))
    session.plan = None
    session.version += 1

    assert [w for _, rule in entry.RULES for w in rule(session, at("19:05"))] == []


def test_a_meeting_that_is_over_asks_for_nothing() -> None:
    session = story(started(), joined(EVE))
    fold.apply(
        session, e.MeetingEnded(meeting=ROOM, at=at("19:10"), heard_at=at("19:10"))
    )

    assert [w for _, rule in entry.RULES for w in rule(session, at("19:11"))] == []


def crowd(count: int, clock: str = "19:04:10") -> list[e.ParticipantJoined]:
    """So many strangers at once."""
    return [
        joined({"uuid": f"U{n:03}", "user_id": f"9{n:03}", "name": f"Guest {n}"}, clock)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "removed", "flooded"), [(19, 19, False), (20, 20, False), (21, 20, True)]
)
def test_removals_are_bounded_and_then_the_room_is_locked(
    count: int, removed: int, flooded: bool
) -> None:
    wishes = strangers(story(started(), *crowd(count)))

    assert kinds(wishes).count("RemoveParticipant") == removed
    assert ("WakeAt" in kinds(wishes)) is flooded
    assert (
        any(isinstance(w, AlertStaff) and w.level is Level.RED for w in wishes)
        is flooded
    )


def test_removals_wanted_before_go_on_and_count() -> None:
    people = crowd(22)
    first = strangers(story(started(), *people))
    session = story(started(), *people)
    for wish in first:
        if isinstance(wish, RemoveParticipant):
            fold.apply(session, removal_wanted(wish.key, "19:04:20"))
    soon = strangers(session, "19:05:19")
    later = strangers(session, "19:05:20")

    assert kinds(soon).count("RemoveParticipant") == 20
    assert WakeAt(at("19:05:20"), "removals may go on") in soon
    assert kinds(later).count("RemoveParticipant") == 22
    assert "WakeAt" not in kinds(later)


# --- whom only the list shows -----------------------------------------------------


def seen(person: dict[str, str], clock: str) -> e.ConnectionSeen:
    """A live list shows them; it never tells by whose link they came."""
    shown: e.ConnectionSeen = seat(
        e.ConnectionSeen, without_link(person), clock, source=e.Source.POLL
    )
    return shown


def without_link(person: dict[str, str]) -> dict[str, str]:
    """What a list, or news of a role, tells of somebody."""
    return {name: value for name, value in person.items() if name != "registrant_id"}


@pytest.mark.parametrize(
    ("clock", "found"),
    [
        ("19:04:19", ["WakeAt"]),
        ("19:04:20", ["AskWorker", "AlertStaff"]),
        ("19:09:00", ["AskWorker", "AlertStaff"]),
    ],
)
def test_whom_only_the_list_shows_is_asked_about_and_never_removed(
    clock: str, found: list[str]
) -> None:
    session = story(started(), joined(ANNA), seen(BEN, "19:04:10"))

    assert kinds(strangers(session, clock)) == found


def test_news_that_comes_late_says_whether_it_is_a_stranger() -> None:
    session = story(
        started(), joined(ANNA), seen(BEN, "19:04:10"), seen(EVE, "19:04:10")
    )
    for news in (joined(BEN, "19:04:05"), joined(EVE, "19:04:05")):
        fold.apply(session, news)

    wishes = strangers(session, "19:04:22")

    assert kinds(wishes) == ["RemoveParticipant", "AlertStaff"]
    assert {getattr(wish, "uuid", "UUID-EVE") for wish in wishes} == {"UUID-EVE"}


def test_news_without_a_link_in_it_proves_no_stranger() -> None:
    crowned = seat(e.RoleChanged, without_link(BEN), "19:05", role="host")
    session = story(started(), joined(ANNA), seen(BEN, "19:04:10"), crowned)

    assert "RemoveParticipant" not in kinds(strangers(session, "19:06"))


def test_without_any_link_nobody_can_prove_that_they_belong_here() -> None:
    session = story(started(), joined(ANNA), joined(EVE, "19:04:10"))
    session.links.clear()  # as in a meeting nobody planned

    assert kinds(strangers(session)) == ["AskWorker", "AlertStaff"]


def test_a_storm_of_strangers_is_a_few_messages() -> None:
    wishes = [
        wish
        for _, rule in entry.RULES
        for wish in rule(story(started(), *crowd(500)), at("19:05"))
    ]

    assert kinds(wishes).count("AlertStaff") <= 5


def test_a_stranger_with_host_rights_goes_first() -> None:
    people = crowd(21)
    crowned = seat(
        e.RoleChanged, {"uuid": "U020", "user_id": "9020"}, "19:04:20", role="co-host"
    )
    first = strangers(story(started(), *people, crowned))[0]

    assert isinstance(first, RemoveParticipant)
    assert first.connection == "U020"


# --- at the door ------------------------------------------------------------------


def test_a_stranger_at_the_door_is_asked_about_and_not_removed() -> None:
    session = story(started(), waiting(EVE, "19:04:10"))

    assert strangers(session) == []
    assert list(entry.stranger_at_the_door(session, at("19:05"))) == [
        AskWorker(
            key=f"entry.stranger_at_the_door.confirm_identity:{STAY}",
            reason=(
                "Somebody waits who is not on the list. Do not admit them before you know "
                "who it is."
            ),
            clause="T1",
            rule="entry.stranger_at_the_door",
            meeting=ROOM,
            press="confirm_identity",
            connection="UUID-EVE",
        ),
        AlertStaff(
            key=f"entry.stranger_at_the_door.alert:{MINUTE}",
            reason="Somebody waits who is not on the list.",
            clause="T1",
            rule="entry.stranger_at_the_door",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Do not admit them. If they belong here, say who they are first.",
            connection="UUID-EVE",
        ),
    ]


def test_listed_people_wait_without_a_word() -> None:
    session = story(started(), waiting(ANNA), waiting(BEN), waiting(CHLOE))

    assert list(entry.stranger_at_the_door(session, at("19:05"))) == []


@pytest.mark.parametrize(("count", "asked"), [(4, 4), (5, 5), (6, 5), (500, 5)])
def test_a_crowd_at_the_door_is_a_few_questions(count: int, asked: int) -> None:
    people = [
        waiting({"uuid": f"U{n:03}", "user_id": f"9{n:03}", "name": f"Guest {n}"})
        for n in range(count)
    ]
    wishes = list(entry.stranger_at_the_door(story(started(), *people), at("19:05")))

    assert kinds(wishes) == ["AskWorker"] * asked + ["AlertStaff"]


# --- phone callers ----------------------------------------------------------------


def callers(session: GroupSession) -> list[Wish]:
    """What the rule about phone callers wishes."""
    return list(entry.phone_caller(session, at("19:05")))


def calls(**more: Any) -> e.ParticipantJoined:
    """A phone caller is in the room."""
    fact: e.ParticipantJoined = seat(
        e.ParticipantJoined, {**CALLER, **more}, "19:03", by_phone=True
    )
    return fact


def test_a_phone_caller_is_asked_about_and_not_removed() -> None:
    session = story(started(), joined(ANNA), calls())
    asked, told = callers(session)

    assert strangers(session) == []
    assert isinstance(asked, AskWorker)
    assert asked.press == "identify_phone"
    assert asked.connection == "UUID-CALL"
    assert isinstance(told, AlertStaff)
    assert told.level is Level.AMBER


@pytest.mark.parametrize(
    ("policy", "held"),
    [(Policy(), False), (Policy(hold_phone_callers=True), True)],
)
def test_the_policy_decides_whether_callers_wait_outside(
    policy: Policy, held: bool
) -> None:
    session = story(started(), calls(), policy=policy)

    assert ("HoldParticipant" in kinds(callers(session))) is held


def test_a_caller_a_worker_has_named_is_held_by_no_policy() -> None:
    tied = seat(e.PhoneBound, CALLER, "19:04", bound_uuid="UUID-CHLOE")
    policy = Policy(hold_phone_callers=True)

    assert callers(story(started(), joined(CHLOE), calls(), tied, policy=policy)) == []


def test_an_identified_caller_is_left_alone() -> None:
    tied = seat(e.PhoneBound, CALLER, "19:04", bound_uuid="UUID-CHLOE")
    tied_to_anna = seat(e.PhoneBound, CALLER, "19:04", bound_uuid="UUID-ANNA")

    assert callers(story(started(), joined(CHLOE), calls(), tied)) == []
    assert callers(story(started(), joined(ANNA), calls(), tied_to_anna)) == []


# --- one-to-one first -------------------------------------------------------------


def unready(session: GroupSession) -> list[Wish]:
    """What the rule about the one-to-one wishes."""
    return list(entry.without_one_to_one(session, at("19:05")))


def test_a_client_without_a_one_to_one_waits_outside() -> None:
    session = story(started(), joined(BEN, "19:00"), the_plan=plan(clients=(NOT_YET,)))

    assert unready(session) == [
        HoldParticipant(
            key="entry.one_to_one:eigRfbCZRTK==:UUID-BEN",
            reason="This client has no one-to-one with a lead worker on file yet.",
            clause="T9",
            rule="entry.without_one_to_one",
            meeting=ROOM,
            connection="UUID-BEN",
            person_id="ben",
            uuid="UUID-BEN",
            user_id="201",
            registrant_id="reg-ben",
        ),
        AlertStaff(
            key=(
                "entry.without_one_to_one.alert:eigRfbCZRTK==:UUID-BEN:"
                "2026-11-17T19:00:00+00:00"
            ),
            reason="This client has no one-to-one with a lead worker on file yet.",
            clause="T9",
            rule="entry.without_one_to_one",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do=(
                "Take them to the waiting room and talk first, or give an exception "
                "with your name and a reason."
            ),
            connection="UUID-BEN",
            person_id="ben",
        ),
    ]


def talks(count: int, *, leads: bool = True) -> tuple[OneToOne, ...]:
    """So many talks on file."""
    return tuple(
        OneToOne(
            worker_id="anna",
            held_on=date(2026, 11, 3) + timedelta(days=n),
            worker_leads_group=leads,
        )
        for n in range(count)
    )


@pytest.mark.parametrize(
    ("held", "needed", "leads", "any_worker", "ready"),
    [
        (0, 1, True, False, False),
        (1, 1, True, False, True),
        (1, 2, True, False, False),
        (2, 2, True, False, True),
        (3, 2, True, False, True),
        (1, 1, False, False, False),
        (1, 1, False, True, True),
        (0, 0, True, False, True),
    ],
)
def test_how_many_talks_and_with_whom_are_settings(
    held: int, needed: int, leads: bool, any_worker: bool, ready: bool
) -> None:
    ben = client("ben", one_to_ones=talks(held, leads=leads))
    policy = Policy(
        one_to_ones_needed=needed, one_to_one_with_group_lead=not any_worker
    )
    session = story(
        started(), joined(BEN), the_plan=plan(clients=(ben,)), policy=policy
    )

    assert (unready(session) == []) is ready


def exception(item: str, **more: Any) -> p.ExceptionGiven:
    """Anna takes it on herself."""
    return p.ExceptionGiven(
        **{
            "at": at("19:01"),
            "by": "anna",
            "item": item,
            "reason": "Met at school",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("given", "enough"),
    [
        (exception("one_to_one"), True),
        (exception("one_to_one:ben"), True),
        (exception("one_to_one:chloe"), False),
        (exception("one_to_one:ben", withdrawn=True), False),
        (exception("one_to_one:ben", reason=" "), False),
        (exception("one_to_one:ben", by=""), False),
    ],
)
def test_a_named_exception_with_a_reason_is_enough(
    given: p.ExceptionGiven, enough: bool
) -> None:
    session = story(started(), joined(BEN), given, the_plan=plan(clients=(NOT_YET,)))

    assert (unready(session) == []) is enough


def test_at_the_door_nobody_is_held() -> None:
    session = story(started(), waiting(BEN), the_plan=plan(clients=(NOT_YET,)))

    assert unready(session) == []


def test_who_is_let_in_again_is_told_about_but_held_only_once() -> None:
    first = story(started(), joined(BEN, "19:00"), the_plan=plan(clients=(NOT_YET,)))
    again_in = story(
        started(),
        joined(BEN, "19:00"),
        seat(e.ParticipantHeld, BEN, "19:01"),
        joined(BEN, "19:03"),
        the_plan=plan(clients=(NOT_YET,)),
    )
    hold, alarm = unready(first)
    hold_again, alarm_again = unready(again_in)

    assert isinstance(hold, HoldParticipant)
    assert isinstance(hold_again, HoldParticipant)
    assert isinstance(alarm, AlertStaff)
    assert isinstance(alarm_again, AlertStaff)
    assert hold.key == hold_again.key
    assert alarm.key != alarm_again.key


def test_no_reason_names_anybody() -> None:
    session = story(
        started(),
        joined({**BEN, "name": "xX_dragon_Xx"}),
        joined(again(CHLOE)),
        joined(CHLOE),
        joined({**EVE, "name": "Anna Price"}),
        waiting({**again(EVE), "name": "Chloe"}),
        calls(),
        seat(e.RoleChanged, DEV, "19:02", role="host"),
        joined(DEV),
    )
    names = [*session.names.values(), "dragon", "447700900123"]
    said = [
        f"{wish.key} {wish.reason} {getattr(wish, 'what_to_do', '')}"
        for _, rule in entry.RULES
        for wish in rule(session, at("19:05") + seconds(1))
        if not isinstance(wish, WakeAt)
    ]

    assert len(said) > 10
    assert [text for text in said for name in names if name in text] == []
