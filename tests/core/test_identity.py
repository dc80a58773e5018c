"""Who a connection is: link, account or a worker's word; never a name (N01-N23, K01, K06)."""

from dataclasses import replace
from typing import Any

import pytest

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.identity import Standing, Who, standing, standings
from app.core.plan import Role, WorkerSlot
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
    SESSION,
    again,
    at,
    client,
    joined,
    left,
    plan,
    seat,
    started,
    story,
    waiting,
)
from tests.core.name_corpus import STAFF, look_alikes

SHARED = plan(
    workers=(
        WorkerSlot(
            person_id="anna",
            role=Role.LEAD,
            platform_user_id="zoom-office",
            shared_login=True,
        ),
        WorkerSlot(person_id="sam", role=Role.SUPPORT, platform_user_id="zoom-sam"),
        WorkerSlot(person_id="noor", role=Role.STANDBY),
    )
)
OFFICE = {**ANNA, "platform_user_id": "zoom-office"}
CALLER = {"uuid": "UUID-CALL", "user_id": "401", "name": "447700900123"}


def who(session: GroupSession, person: dict[str, str]) -> Standing:
    """The standing of one person's connection."""
    return standings(session, session.instances[ROOM])[person["uuid"]]


def confirmed(
    by: str, person: dict[str, str], clock: str = "19:01"
) -> p.WorkerConfirmed:
    """A worker presses "I am in"."""
    return p.WorkerConfirmed(at=at(clock), by=by, connection=person["uuid"])


def vouched(
    person: dict[str, str], as_: str, clock: str = "19:01"
) -> p.ConnectionVouched:
    """Anna says who a connection is."""
    return p.ConnectionVouched(
        at=at(clock), by="anna", connection=person["uuid"], person_id=as_, how="voice"
    )


def test_the_evening_as_planned() -> None:
    people = (ANNA, SAM, NOOR, BEN, EVE)
    session = story(started(), *(joined(person) for person in people))
    found = standings(session, session.instances[ROOM])

    assert {key: (s.who, s.person_id) for key, s in found.items()} == {
        "UUID-ANNA": (Who.WORKER, "anna"),
        "UUID-SAM": (Who.WORKER, "sam"),
        "UUID-NOOR": (Who.WORKER, "noor"),
        "UUID-BEN": (Who.CLIENT, "ben"),
        "UUID-EVE": (Who.STRANGER, ""),
    }
    assert [s.is_worker for s in found.values()] == [True, True, True, False, False]
    assert [s.at_risk for s in found.values()] == [False, False, False, True, True]
    ben = session.instances[ROOM].connections["UUID-BEN"]
    assert standing(session, session.instances[ROOM], ben) == found["UUID-BEN"]


def test_without_a_plan_nobody_is_on_the_list() -> None:
    session = GroupSession(SESSION)
    bound = p.MeetingBound(
        at=at("18:00"),
        platform=ROOM.platform,
        meeting_id=ROOM.meeting_id,
        opens_at=at("18:00"),
        closes_at=at("21:00"),
    )
    for fact in (bound, started(), joined(ANNA), joined(BEN)):
        fold.apply(session, fact)

    assert who(session, ANNA).who is Who.STRANGER
    assert who(session, BEN).who is Who.STRANGER


def test_erased_names_change_nobody() -> None:
    session = story(started(), joined(ANNA), joined(BEN), joined(EVE))
    session.names = {}
    for connection in session.instances[ROOM].connections.values():
        connection.names, connection.name = {}, ""

    assert who(session, ANNA).is_worker
    assert who(session, BEN).who is Who.CLIENT
    assert who(session, EVE) == Standing(
        Who.STRANGER, why="No personal link and no worker's account."
    )


# --- names are never identity -----------------------------------------------------


def test_a_stranger_with_annas_name_is_a_stranger_who_looks_like_her() -> None:
    session = story(started(), joined({**EVE, "name": "\u0410nna Price (Host)"}))

    assert who(session, EVE).who is Who.STRANGER
    assert who(session, EVE).looks_like == "anna"


def test_no_look_alike_counts_as_a_worker() -> None:
    staffed = plan(
        workers=tuple(
            WorkerSlot(person_id=key, role=Role.SUPPORT, platform_user_id=f"zoom-{key}")
            for key in STAFF
        )
    )
    session = story(started(), the_plan=staffed)
    session.names = STAFF
    for number, (_, copy) in enumerate(look_alikes(5_000, 7)):
        person = {"uuid": f"U{number}", "user_id": f"9{number}", "name": copy}
        fold.apply(session, joined(person))
    found = standings(session, session.instances[ROOM]).values()

    assert not any(one.is_worker for one in found)
    assert sum(bool(one.looks_like) for one in found) >= 4_950


def test_the_same_mail_address_proves_nothing() -> None:
    session = story(started(), joined({**EVE, "email": "anna@group.example"}))

    assert who(session, EVE).who is Who.STRANGER


def test_a_name_changed_in_the_call_changes_nobody() -> None:
    session = story(
        started(),
        joined(BEN, "18:58"),
        seat(e.RoleChanged, {**BEN, "name": "Sam Okoro"}, "19:05"),
    )

    assert who(session, BEN) == Standing(
        Who.CLIENT, "ben", "Came in by their own link.", looks_like="sam"
    )


def test_another_ones_name_on_a_clients_link_is_doubtful_until_vouched() -> None:
    chloe_on_bens = {**BEN, "name": "Chloe"}
    doubtful = story(started(), joined(chloe_on_bens))
    known = story(started(), joined(chloe_on_bens), vouched(BEN, "ben"))

    assert who(doubtful, BEN) == Standing(
        Who.DOUBTFUL,
        "ben",
        "The name shown is that of somebody else on the list.",
        looks_like="chloe",
    )
    assert (who(known, BEN).who, who(known, BEN).person_id) == (Who.CLIENT, "ben")


def test_two_clients_of_one_name_do_not_look_like_each_other() -> None:
    twins = plan(clients=(client("ben"), client("chloe")))
    session = story(
        started(), joined(BEN), joined({**CHLOE, "name": "Ben"}), the_plan=twins
    )
    session.names = {**session.names, "chloe": "Ben"}

    assert who(session, BEN).looks_like == ""
    assert who(session, CHLOE) == Standing(
        Who.CLIENT, "chloe", "Came in by their own link."
    )


def test_a_client_who_shares_a_word_with_a_worker_is_no_copy() -> None:
    patel = {**BEN, "name": "Anna P"}
    session = story(started(), joined(patel))
    session.names = {**session.names, "ben": "Anna Patel"}

    assert who(session, BEN).looks_like == ""


# --- workers ----------------------------------------------------------------------


@pytest.mark.parametrize("press", [None, "sam", "ben"])
def test_a_shared_account_is_no_worker_without_its_users_press(
    press: str | None,
) -> None:
    facts: list[Any] = [confirmed(press, OFFICE)] if press else []
    session = story(started(), joined(OFFICE), *facts, the_plan=SHARED)

    assert who(session, OFFICE).who is Who.CHALLENGED
    assert who(session, OFFICE).person_id == "anna"
    assert who(session, OFFICE).looks_like == ""


def test_a_shared_account_counts_from_the_press_on() -> None:
    session = story(
        started(), joined(OFFICE), confirmed("anna", OFFICE, "19:02"), the_plan=SHARED
    )

    assert who(session, OFFICE) == Standing(
        Who.WORKER,
        "anna",
        'Signed in with a worker\'s account and pressed "I am in".',
        verified_from=at("19:02"),
    )


def test_one_account_in_two_slots_is_shared_whatever_the_roster_says() -> None:
    both = plan(
        workers=(
            WorkerSlot(person_id="anna", role=Role.LEAD, platform_user_id="zoom-anna"),
            WorkerSlot(
                person_id="sam", role=Role.SUPPORT, platform_user_id="zoom-anna"
            ),
        )
    )
    unsure = story(started(), joined(ANNA), the_plan=both)
    sure = story(started(), joined(ANNA), confirmed("sam", ANNA), the_plan=both)

    assert (who(unsure, ANNA).who, who(unsure, ANNA).person_id) == (Who.CHALLENGED, "")
    assert who(unsure, ANNA).looks_like == ""
    assert (who(sure, ANNA).who, who(sure, ANNA).person_id) == (Who.WORKER, "sam")


def test_a_press_alone_makes_nobody_a_worker() -> None:
    session = story(started(), joined(EVE), confirmed("noor", EVE))

    assert who(session, EVE).who is Who.CHALLENGED
    assert "neither their link nor their account" in who(session, EVE).why


def test_a_press_by_somebody_not_rostered_does_nothing() -> None:
    session = story(started(), joined(EVE), confirmed("chloe", EVE))

    assert who(session, EVE).who is Who.STRANGER


def test_a_press_from_before_this_instance_is_not_about_it() -> None:
    office = {**OFFICE, "uuid": ""}
    early = p.WorkerConfirmed(at=at("18:51"), by="anna", connection="seat:101")
    session = story(early, started("18:52"), joined(office), the_plan=SHARED)
    found = standings(session, session.instances[ROOM])

    assert found["seat:101"].who is Who.CHALLENGED


def test_a_press_holds_when_the_connection_gets_its_uuid() -> None:
    early = p.WorkerConfirmed(at=at("19:00"), by="anna", connection="seat:101")
    session = story(
        started(),
        joined({**OFFICE, "uuid": ""}),
        early,
        joined(OFFICE),
        the_plan=SHARED,
    )

    assert who(session, OFFICE).is_worker


def test_a_workers_link_opened_twice_counts_once() -> None:
    second = again(NOOR)
    session = story(started(), joined(NOOR, "18:55"), joined(second, "19:00"))

    assert who(session, NOOR).is_worker
    assert who(session, second) == Standing(
        Who.CHALLENGED, "noor", "This worker's link is open more than once."
    )


def test_the_second_user_of_a_workers_link_does_not_inherit_when_the_first_goes() -> (
    None
):
    second = again(NOOR)
    session = story(
        started(),
        joined(NOOR, "18:55"),
        joined(second, "19:00"),
        left(NOOR, "19:10", cause=e.LeaveCause.LEFT),
    )

    assert who(session, second).who is Who.CHALLENGED


def test_only_the_confirmed_one_of_two_counts() -> None:
    second = again(NOOR)
    session = story(
        started(),
        joined(NOOR, "18:55"),
        joined(second, "19:00"),
        confirmed("noor", second, "19:01"),
    )

    assert who(session, NOOR).who is Who.CHALLENGED
    assert who(session, second).is_worker
    assert who(session, second).verified_from == at("19:01")


def test_somebody_elses_press_does_not_confirm_noors_second_device() -> None:
    second = again(NOOR)
    session = story(
        started(), joined(NOOR), joined(second, "19:00"), confirmed("sam", second)
    )

    assert who(session, second).who is Who.CHALLENGED


@pytest.mark.parametrize(
    ("cause", "gone_at", "counts"),
    [
        (e.LeaveCause.DROPPED, "19:00:59", True),
        (e.LeaveCause.DROPPED, "19:01:00", True),
        (e.LeaveCause.DROPPED, "19:01:01", False),
        (e.LeaveCause.LEFT, "19:00:59", False),
        (e.LeaveCause.LEFT, "19:00:00", True),
    ],
)
def test_a_worker_whose_network_dropped_did_not_open_the_link_twice(
    cause: e.LeaveCause, gone_at: str, counts: bool
) -> None:
    back = again(NOOR)
    session = story(
        started(),
        joined(NOOR, "18:55"),
        joined(back, "19:00"),
        left(NOOR, gone_at, cause=cause),
    )

    assert who(session, back).is_worker is counts


def test_two_devices_signed_in_to_the_workers_own_account_both_count() -> None:
    link = p.LinkIssued(
        at=at("18:00"),
        person_id="anna",
        registrant_id="reg-anna",
        meeting_id=ROOM.meeting_id,
    )
    laptop = {**ANNA, "registrant_id": "reg-anna"}
    session = story(started(), link, joined(laptop), joined(again(laptop), "19:00"))

    assert who(session, laptop).is_worker
    assert who(session, again(laptop)).is_worker


@pytest.mark.parametrize(
    ("came_at", "counts"), [("19:04", True), ("19:05", True), ("19:05:01", False)]
)
def test_a_workers_cancelled_link_proves_nothing_afterwards(
    came_at: str, counts: bool
) -> None:
    dead = p.LinkChanged(
        at=at("19:05"), registrant_id="reg-noor", state=p.LinkState.CANCELLED
    )
    session = story(started(), joined(NOOR, came_at), dead)

    assert who(session, NOOR).is_worker is counts


def test_a_workers_account_on_a_clients_link_is_doubtful() -> None:
    mixed = {**BEN, "platform_user_id": "zoom-anna"}
    doubtful = story(started(), joined(mixed))
    sure = story(started(), joined(mixed), confirmed("anna", mixed))

    assert (who(doubtful, BEN).who, who(doubtful, BEN).person_id) == (
        Who.DOUBTFUL,
        "ben",
    )
    assert (who(sure, BEN).who, who(sure, BEN).person_id) == (Who.WORKER, "anna")


def test_a_worker_is_a_worker_by_link_whatever_the_other_account() -> None:
    session = story(started(), joined({**NOOR, "platform_user_id": "zoom-private"}))

    assert who(session, NOOR).is_worker


# --- clients ----------------------------------------------------------------------


def test_the_second_device_on_a_clients_link_is_doubtful_until_vouched() -> None:
    phone = again(DEV, name="iPhone")
    doubtful = story(started(), joined(DEV, "18:59"), joined(phone, "19:02"))
    known = story(
        started(),
        joined(DEV, "18:59"),
        joined(phone, "19:02"),
        vouched(phone, "dev", "19:03"),
    )
    alone = story(
        started(), joined(DEV, "18:59"), joined(phone, "19:02"), left(DEV, "19:30")
    )

    assert who(doubtful, DEV).who is Who.CLIENT
    assert who(doubtful, phone) == Standing(
        Who.DOUBTFUL, "dev", "This personal link is open more than once."
    )
    assert who(known, phone).who is Who.CLIENT
    assert who(alone, phone).who is Who.CLIENT


def test_who_is_in_the_room_comes_before_who_waits() -> None:
    phone = again(DEV)
    session = story(started(), waiting(phone, "18:55"), joined(DEV, "18:59"))

    assert who(session, DEV).who is Who.CLIENT
    assert who(session, phone).who is Who.DOUBTFUL


def test_a_move_to_a_breakout_room_does_not_make_the_first_device_the_second() -> None:
    phone = again(DEV)
    session = story(
        started(),
        joined(DEV, "18:59"),
        joined(phone, "19:02"),
        seat(e.BreakoutJoined, DEV, "19:10", room="room-1"),
    )

    assert who(session, DEV).who is Who.CLIENT
    assert who(session, phone).who is Who.DOUBTFUL


def test_a_sibling_a_worker_knows_is_not_a_doubled_link() -> None:
    sister = again(BEN, name="Chloe")
    session = story(
        started(),
        joined(sister, "18:55"),
        vouched(sister, "chloe"),
        joined(BEN, "19:02"),
    )

    assert (who(session, sister).who, who(session, sister).person_id) == (
        Who.CLIENT,
        "chloe",
    )
    assert who(session, BEN).who is Who.CLIENT


def test_a_vouched_stranger_is_that_client_here_and_only_here() -> None:
    back = again(EVE)
    session = story(
        started(),
        joined(EVE),
        vouched(EVE, "dev"),
        left(EVE, "19:05"),
        joined(back, "19:06"),
    )

    assert (who(session, EVE).who, who(session, EVE).person_id) == (Who.CLIENT, "dev")
    assert who(session, back).who is Who.STRANGER


@pytest.mark.parametrize("as_", ["anna", "nobody", ""])
def test_vouching_makes_nobody_a_worker_or_a_new_member(as_: str) -> None:
    session = story(started(), joined(EVE), vouched(EVE, as_))

    assert who(session, EVE).who is Who.STRANGER


def test_a_vouching_taken_back_is_gone() -> None:
    session = story(
        started(), joined(EVE), vouched(EVE, "dev", "19:01"), vouched(EVE, "", "19:02")
    )

    assert who(session, EVE).who is Who.STRANGER


def test_a_young_person_on_a_workers_link_can_be_named() -> None:
    session = story(started(), joined(NOOR), vouched(NOOR, "ben"))

    assert (who(session, NOOR).who, who(session, NOOR).person_id) == (Who.CLIENT, "ben")


def test_a_workers_own_account_is_not_vouched_away() -> None:
    assert who(story(started(), joined(ANNA), vouched(ANNA, "ben")), ANNA).is_worker


@pytest.mark.parametrize("state", list(p.LinkState))
def test_a_clients_link_says_who_they_are_in_any_state(state: p.LinkState) -> None:
    changed = p.LinkChanged(at=at("18:30"), registrant_id="reg-ben", state=state)

    assert who(story(changed, started(), joined(BEN)), BEN).who is Who.CLIENT


def test_the_link_of_somebody_taken_off_the_list_opens_nothing() -> None:
    session = story(started(), joined(BEN), the_plan=plan(clients=(client("chloe"),)))

    assert who(session, BEN) == Standing(
        Who.STRANGER, why="The link of somebody who is no longer on the list."
    )


# --- callers and note-takers ------------------------------------------------------


def call(**more: Any) -> e.ParticipantJoined:
    """A phone caller comes in."""
    fact: e.ParticipantJoined = seat(
        e.ParticipantJoined, {**CALLER, **more}, "19:03", by_phone=True
    )
    return fact


def bound(to: dict[str, str]) -> e.PhoneBound:
    """The platform ties the telephone to another connection."""
    fact: e.PhoneBound = seat(e.PhoneBound, CALLER, "19:04", bound_uuid=to["uuid"])
    return fact


def test_a_phone_caller_is_nobody() -> None:
    assert who(story(started(), call()), CALLER) == Standing(
        Who.PHONE, why="A phone caller nobody has identified."
    )


def test_a_phone_tied_to_a_clients_connection_is_that_client() -> None:
    session = story(started(), joined(CHLOE), call(), bound(CHLOE))

    assert (who(session, CALLER).who, who(session, CALLER).person_id) == (
        Who.CLIENT,
        "chloe",
    )
    assert who(session, CHLOE).who is Who.CLIENT


def test_a_phone_that_takes_over_the_clients_link_does_not_double_it() -> None:
    session = story(started(), call(registrant_id="reg-chloe"), joined(CHLOE, "19:05"))

    assert who(session, CALLER).who is Who.CLIENT
    assert who(session, CHLOE).who is Who.CLIENT


@pytest.mark.parametrize(
    "facts",
    [
        (joined(ANNA), call(), bound(ANNA)),
        (call(registrant_id="reg-noor"),),
        (call(platform_user_id="zoom-anna"),),
        (call(), confirmed("noor", CALLER)),
        (call(registrant_id="reg-noor"), confirmed("noor", CALLER)),
    ],
)
def test_a_phone_is_never_a_worker(facts: tuple[fold.Fact, ...]) -> None:
    assert who(story(started(), *facts), CALLER).who is Who.PHONE


def test_a_phone_tied_to_a_stranger_or_to_itself_stays_unknown() -> None:
    assert (
        who(story(started(), joined(EVE), call(), bound(EVE)), CALLER).who is Who.PHONE
    )
    assert who(story(started(), call(), bound(CALLER)), CALLER).who is Who.PHONE


def test_a_vouched_caller_is_that_client() -> None:
    assert (
        who(story(started(), call(), vouched(CALLER, "dev")), CALLER).person_id == "dev"
    )


def test_a_note_taker_is_neither_worker_nor_at_risk() -> None:
    session = story(started(), joined({**EVE, "name": "Ben's OtterPilot"}))

    assert who(session, EVE).who is Who.RECORDER
    assert not who(session, EVE).at_risk


def test_a_client_is_no_note_taker_by_name() -> None:
    assert (
        who(story(started(), joined({**BEN, "name": "Otter.ai"})), BEN).who
        is Who.CLIENT
    )


def test_the_link_of_somebody_off_the_list_hides_no_person_behind_a_product() -> None:
    session = story(
        started(),
        joined({**BEN, "name": "Otter.ai"}),
        the_plan=plan(clients=(client("chloe"),)),
    )

    assert who(session, BEN).who is Who.STRANGER
    assert who(session, BEN).at_risk


def test_a_number_typed_as_a_name_is_no_phone() -> None:
    session = story(started(), joined({**EVE, "name": "+44 7700 900123"}))

    assert who(session, EVE).who is Who.STRANGER


def test_the_plan_may_change_under_a_connection() -> None:
    session = story(started(), joined(SAM))
    fewer = replace(plan(), workers=plan().workers[:1])
    fold.apply(session, p.SessionPlanned(at=at("19:10"), by="anna", plan=fewer))

    assert who(session, SAM).who is Who.STRANGER


def test_a_connection_is_one_person_under_every_name_of_its_occurrence() -> None:
    before_any_news = replace(ROOM, instance="unseen:2026-11-17T18:58")
    bare = {name: value for name, value in BEN.items() if name != "registrant_id"}
    shown = seat(e.ConnectionSeen, bare, "18:58", source=e.Source.POLL)
    session = story(replace(shown, meeting=before_any_news))
    made_up = session.instances[before_any_news]
    assert standings(session, made_up)["UUID-BEN"].who is Who.STRANGER

    fold.apply(session, joined(BEN, "18:57"))

    known = standings(session, made_up)["UUID-BEN"]
    assert (known.who, known.person_id) == (Who.CLIENT, "ben")
