"""Who seems to be more than they are: copied names, host rights, nicknames (A2, A4, T2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import events as e
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    Expect,
    Level,
    RemoveParticipant,
    Wish,
)
from app.core.fold import apply
from app.core.plan import Role, WorkerSlot
from app.core.rules import RULES, likeness
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    joined,
    left,
    plan,
    seat,
    started,
    story,
    waiting,
)


def wishes(session: GroupSession) -> list[Wish]:
    """What all rules about names and rights wish."""
    return [wish for _, rule in likeness.RULES for wish in rule(session, at("19:30"))]


def role(person: dict[str, str], clock: str, what: str = "host") -> e.RoleChanged:
    """The platform gives somebody a role."""
    fact: e.RoleChanged = seat(e.RoleChanged, person, clock, role=what)
    return fact


def test_everybody_under_their_own_name_is_as_it_should_be() -> None:
    session = story(
        started(),
        joined(ANNA),
        joined(SAM),
        joined(BEN),
        joined({**CHLOE, "name": "Chlo"}),
    )

    assert wishes(session) == []


def test_a_workers_name_on_somebody_else_is_red() -> None:
    session = story(started(), joined({**EVE, "name": "Sam 0koro (Host)"}, "19:04:10"))

    assert wishes(session) == [
        AlertStaff(
            key="entry.copied_name.alert:eigRfbCZRTK==:sam:2026-11-17T19:04:00+00:00",
            reason="Somebody looks like a worker by name, and is not one.",
            clause="A2",
            rule="entry.copied_name",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "Do not follow what they say as a worker, and do not give them host "
                "rights. Ask who they are."
            ),
            connection="UUID-EVE",
        )
    ]


@pytest.mark.parametrize(
    ("fact", "level"),
    [
        (joined({**EVE, "name": "Chloe"}), Level.AMBER),
        (waiting({**EVE, "name": "Anna Price"}), Level.RED),
        (joined({**BEN, "name": "Anna Price"}), Level.RED),
        (joined({**BEN, "name": "Chloe"}), Level.AMBER),
    ],
)
def test_a_copied_name_is_as_loud_as_the_person_it_copies(
    fact: e.SeatEvent, level: Level
) -> None:
    (told,) = wishes(story(started(), fact))

    assert isinstance(told, AlertStaff)
    assert told.level is level


def test_a_name_changed_in_the_call_is_noticed() -> None:
    session = story(
        started(), joined(BEN), role({**BEN, "name": "Anna Price"}, "19:10", "")
    )
    (told,) = wishes(session)

    assert isinstance(told, AlertStaff)
    assert told.level is Level.RED


def test_thirty_copies_in_one_minute_are_one_alarm() -> None:
    copies = [
        joined(
            {"uuid": f"U{n}", "user_id": f"9{n}", "name": "Anna Price"}, f"19:04:{n:02}"
        )
        for n in range(30)
    ]

    assert len(wishes(story(started(), *copies))) == 1


def copies(*names: str) -> list[e.SeatEvent]:
    return [
        joined({"uuid": f"U{n}", "user_id": f"9{n}", "name": name}, f"19:04:{n:02}")
        for n, name in enumerate(names)
    ]


def test_the_names_of_many_clients_in_one_minute_are_one_alarm() -> None:
    """As in a call nobody planned, where no link says who anybody is (I10)."""
    assert len(wishes(story(started(), *copies("Ben", "Chloe", "Dev")))) == 1


def test_each_worker_whose_name_is_copied_is_an_alarm_of_its_own() -> None:
    assert len(wishes(story(started(), *copies("Anna Price", "Sam Okoro")))) == 2


def test_a_copy_that_left_is_no_longer_told() -> None:
    copy = {**EVE, "name": "Anna Price"}

    assert wishes(story(started(), joined(copy, "19:04"), left(copy, "19:05"))) == []


@pytest.mark.parametrize("name", ["Ben (Host)", "Ben - Staff", "Ben | co-host"])
def test_a_role_written_behind_a_name_is_suspicious(name: str) -> None:
    (told,) = wishes(story(started(), joined({**BEN, "name": name})))

    assert isinstance(told, AlertStaff)
    assert (told.level, told.rule) == (Level.AMBER, "entry.claimed_role")


def test_a_worker_may_write_their_role() -> None:
    assert wishes(story(started(), joined({**ANNA, "name": "Anna (Host)"}))) == []


def test_a_client_whose_name_is_lead_claims_nothing() -> None:
    session = story(started(), joined({**BEN, "name": "Ben Lead"}))
    session.names = {**session.names, "ben": "Ben Lead"}

    assert wishes(session) == []


# --- host rights ------------------------------------------------------------------


def test_a_young_person_with_host_rights_is_red_at_once() -> None:
    session = story(started(), joined(BEN), role(BEN, "19:12:30"))
    episode = "eigRfbCZRTK==:UUID-BEN:2026-11-17T19:12:30+00:00"

    assert wishes(session) == [
        AlertStaff(
            key=f"entry.host_rights.alert:{episode}",
            reason="Somebody who is not a worker has host rights.",
            clause="A4",
            rule="entry.host_rights",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "Take the host rights back now: they can let people in, put people out "
                "and end the call."
            ),
            connection="UUID-BEN",
            person_id="ben",
        ),
        AskWorker(
            key=f"entry.host_rights.reclaim_host:{episode}",
            reason="Somebody who is not a worker has host rights. Take them back.",
            clause="A4",
            rule="entry.host_rights",
            meeting=ROOM,
            press="reclaim_host",
            connection="UUID-BEN",
            person_id="ben",
            until=Expect.ROLE_BACK,
        ),
    ]


@pytest.mark.parametrize("what", ["host", "co-host"])
def test_co_host_is_as_bad_as_host(what: str) -> None:
    assert len(wishes(story(started(), joined(BEN), role(BEN, "19:12", what)))) == 2


@pytest.mark.parametrize(
    "facts",
    [
        (joined(ANNA), role(ANNA, "19:00")),
        (joined(BEN), role(BEN, "19:12"), role(BEN, "19:13", "attendee")),
        (joined(BEN), role(BEN, "19:12"), left(BEN, "19:13")),
        (joined(BEN), role(BEN, "19:12", "attendee")),
    ],
)
def test_rights_with_a_worker_or_taken_back_are_well(
    facts: tuple[e.SeatEvent, ...],
) -> None:
    assert wishes(story(started(), *facts)) == []


def test_rights_seen_again_are_the_same_episode_and_given_again_another() -> None:
    once = story(started(), joined(BEN), role(BEN, "19:12"))
    seen = story(
        started(), joined(BEN), role(BEN, "19:12"), role(BEN, "19:14", "co-host")
    )
    given = story(
        started(),
        joined(BEN),
        role(BEN, "19:12"),
        role(BEN, "19:13", "attendee"),
        role(BEN, "19:14"),
    )

    assert wishes(seen) == wishes(once)
    assert wishes(given) != wishes(once)


def seen(clock: str, what: str = "host") -> e.ConnectionSeen:
    """A look into the room shows Ben with a role."""
    fact: e.ConnectionSeen = seat(e.ConnectionSeen, BEN, clock, role=what)
    return fact


WITNESSES: tuple[e.MeetingEvent, ...] = (
    role(BEN, "19:12"),
    role(BEN, "19:12:40", "co-host"),
    seen("19:12:10"),
    seen("19:12:20", "co-host"),
    seen("19:13"),
)


def rung(*heard: e.MeetingEvent) -> list[str]:
    """The alarms about host rights, when each is decided on and kept as it is heard."""
    session = story(started(), joined(BEN))
    found: list[str] = []
    for fact in heard:
        apply(session, fact)
        for wish in wishes(session):
            if not isinstance(wish, AlertStaff) or wish.key in session.actions:
                continue
            found.append(wish.key)
            wanted = p.ActionMoved(
                at=at("19:14"),
                key=wish.key,
                kind=wish.kind,
                state=p.ActionState.WANTED,
            )
            apply(session, wanted)
    return found


@given(
    heard=st.lists(st.sampled_from(WITNESSES), min_size=1, max_size=8),
    old=st.booleans(),
)
def test_whoever_sees_them_first_it_rings_once(
    heard: list[e.MeetingEvent], old: bool
) -> None:
    """The webhook or the look, in any order, any number of times."""
    before = [role(BEN, "19:10"), role(BEN, "19:11", "attendee")] if old else []

    assert len(rung(*heard, *before, *heard)) == 1


def test_a_look_before_the_webhook_and_rights_given_again_ring_twice() -> None:
    seen_first = (seen("19:12:10"), role(BEN, "19:12"))
    again_later = (role(BEN, "19:13", "attendee"), role(BEN, "19:13:30"), seen("19:14"))

    assert len(rung(*seen_first)) == 1
    assert len(rung(*seen_first, *again_later)) == 2


def test_a_stranger_with_host_rights_is_removed_as_well() -> None:
    session = story(started(), joined(EVE), role(EVE, "19:12"))
    all_wishes = [w for _, rule in RULES for w in rule(session, at("19:30"))]

    assert any(isinstance(w, RemoveParticipant) for w in all_wishes)
    assert any(
        isinstance(w, AlertStaff) and w.rule == "entry.host_rights" for w in all_wishes
    )


def test_a_shared_account_before_its_press_is_host_by_right() -> None:
    shared = plan(
        workers=(
            WorkerSlot(
                person_id="anna",
                role=Role.LEAD,
                platform_user_id="zoom-anna",
                shared_login=True,
            ),
        )
    )
    session = story(started(), joined(ANNA), role(ANNA, "18:56"), the_plan=shared)

    assert wishes(session) == []


def test_a_challenged_second_user_of_a_link_is_not_host_by_right() -> None:
    noor = {
        "uuid": "N1",
        "user_id": "1",
        "registrant_id": "reg-noor",
        "name": "Noor Haddad",
    }
    session = story(
        started(),
        joined(noor, "18:55"),
        joined(again(noor), "19:00"),
        role(again(noor), "19:01"),
    )

    assert len(wishes(session)) == 2


# --- nicknames --------------------------------------------------------------------


def test_a_nickname_is_asked_about_and_nothing_more() -> None:
    session = story(started(), joined({**BEN, "name": "xX_dragon_Xx"}))

    assert wishes(session) == [
        AskWorker(
            key="entry.nickname.rename:eigRfbCZRTK==:UUID-BEN",
            reason="The name shown is not the one on the list. Ask for the real name.",
            clause="T2",
            rule="entry.nickname",
            meeting=ROOM,
            press="rename",
            connection="UUID-BEN",
            person_id="ben",
        )
    ]


def test_after_the_rename_nothing_is_asked() -> None:
    session = story(
        started(),
        joined({**BEN, "name": "xX_dragon_Xx"}, "18:58"),
        role({**BEN, "name": "Ben"}, "19:05", "attendee"),
    )

    assert wishes(session) == []


@pytest.mark.parametrize("name", ["", " ", "Ben 🐉", "ben w.", "Benjamin"])
def test_no_name_or_nearly_the_right_one_is_not_asked_about(name: str) -> None:
    assert wishes(story(started(), joined({**BEN, "name": name}))) == []


def test_a_vouched_or_erased_person_is_not_asked_to_rename() -> None:
    dragon = joined({**BEN, "name": "xX_dragon_Xx"})
    known = p.ConnectionVouched(
        at=at("19:03"), by="anna", connection="UUID-BEN", person_id="ben", how="voice"
    )
    erased = story(started(), dragon)
    erased.names = {}

    assert wishes(story(started(), dragon, known)) == []
    assert wishes(erased) == []


def test_a_number_is_no_nickname() -> None:
    caller = {**BEN, "name": "447700900123"}
    session = story(
        started(), seat(e.ParticipantJoined, caller, "19:03", by_phone=True)
    )

    assert wishes(session) == []
