"""A look at the room: only differences, and no absence that is not proved (P07-P09, F10)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.core import events as e
from app.core.fold import apply
from app.core.roster import differences, match, prove, settled_at
from app.core.session import GroupSession, Instance
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
    again,
    at,
    ended,
    joined,
    left,
    seat,
    started,
    story,
    waiting,
)

EVENING = (started(), joined(ANNA), joined(BEN, "18:58"))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a list of who is there."""

    seat: e.Seat
    room: str = e.MAIN_ROOM
    waiting: bool = False
    role: str = ""


def row(person: dict[str, str], **more: Any) -> Row:
    return Row(seat=e.Seat(**person), **more)


def here(session: GroupSession) -> Instance:
    return session.instances[ROOM]


def look(
    session: GroupSession, clock: str, rows: Iterable[Row], *, complete: bool = True
) -> list[Any]:
    return differences(
        session, here(session), rows, started_at=at(clock), complete=complete
    )


def seen(person: dict[str, str], clock: str, **more: Any) -> e.ConnectionSeen:
    whole = {"meeting": ROOM, "at": at(clock), "source": e.Source.POLL, **person}
    return e.ConnectionSeen(**{**whole, **more})


def missed(person: dict[str, str], clock: str, proof: str) -> e.ConnectionMissed:
    return e.ConnectionMissed(
        meeting=ROOM,
        at=at(clock),
        source=e.Source.POLL,
        uuid=person.get("uuid", ""),
        user_id=person["user_id"],
        last_proof_at=at(proof),
    )


BOTH = (row(ANNA), row(BEN))


def test_a_look_that_shows_what_we_thought_appends_nothing() -> None:
    assert look(story(*EVENING), "19:10", BOTH) == []


def test_somebody_we_had_not_heard_of() -> None:
    session = story(*EVENING)
    assert look(session, "19:10", [*BOTH, row(EVE)]) == [seen(EVE, "19:10")]


def test_a_telephone_is_known_by_its_number() -> None:
    caller = {"uuid": "UUID-PHONE", "user_id": "401", "phone": "+44*****1234"}
    (fact,) = look(story(*EVENING), "19:10", [*BOTH, row(caller)])
    assert (fact.by_phone, fact.phone) == (True, "")


def test_somebody_at_the_door_and_let_in_unheard() -> None:
    session = story(*EVENING, waiting(CHLOE))
    assert look(session, "19:10", [*BOTH, row(CHLOE, waiting=True)]) == []
    let_in = seen(CHLOE, "19:10", last_proof_at=at("18:57"))
    assert look(session, "19:10", [*BOTH, row(CHLOE)]) == [let_in]
    assert look(session, "19:10", [row(ANNA), row(BEN, waiting=True), row(CHLOE)]) == [
        seen(BEN, "19:10", waiting=True, last_proof_at=at("18:58")),
        let_in,
    ]


def test_a_move_to_a_side_room() -> None:
    session = story(*EVENING)
    rows = [row(ANNA), row(BEN, room="blue")]
    moved = seen(BEN, "19:10", room="blue", last_proof_at=at("18:58"))
    assert look(session, "19:10", rows) == [moved]
    apply(session, moved)
    assert look(session, "19:11", rows) == []


def test_a_move_came_after_the_last_look_that_showed_another_room() -> None:
    session = story(*EVENING)
    prove(here(session), BOTH, started_at=at("19:09:30"), complete=True)
    assert look(session, "19:10", [row(ANNA), row(BEN, room="blue"), row(EVE)]) == [
        seen(BEN, "19:10", room="blue", last_proof_at=at("19:09:30")),
        seen(EVE, "19:10", last_proof_at=at("19:09:30")),  # whom no look had shown
    ]


def test_a_list_that_knows_no_side_rooms_moves_nobody_out_of_one() -> None:
    session = story(*EVENING, seat(e.BreakoutJoined, BEN, "19:05", room="blue"))
    assert look(session, "19:10", BOTH) == []
    rows = [row(ANNA), row(BEN, role="host")]
    assert look(session, "19:10", rows) == [
        seen(BEN, "19:10", room="blue", role="host")
    ]


def role(person: dict[str, str], what: str) -> e.RoleChanged:
    fact: e.RoleChanged = seat(e.RoleChanged, person, "19:01", role=what)
    return fact


@pytest.mark.parametrize(
    ("known", "shown", "told"),
    [
        ("", "", False),
        ("", "host", True),
        ("host", "host", False),
        ("host", "", False),
        ("host", "attendee", True),
        ("co-host", "attendee", False),
        ("co-host", "host", True),
    ],
)
def test_host_rights_gained_or_lost_unheard(known: str, shown: str, told: bool) -> None:
    session = story(*EVENING, *([role(BEN, known)] if known else []))
    rows = [row(ANNA), row(BEN, role=shown)]
    expected = [seen(BEN, "19:10", role=shown)] if told else []
    assert look(session, "19:10", rows) == expected


@pytest.mark.parametrize(("clock", "told"), [("19:01:59", False), ("19:02", True)])
def test_a_list_that_may_be_a_minute_old_takes_no_host_rights_away(
    clock: str, told: bool
) -> None:
    session = story(*EVENING, role(BEN, "host"))
    rows = [row(ANNA), row(BEN, role="attendee")]
    expected = [seen(BEN, clock, role="attendee")] if told else []
    assert look(session, clock, rows) == expected


# --- absence --------------------------------------------------------------------------


def test_somebody_no_longer_shown_was_there_until_the_last_proof() -> None:
    session = story(*EVENING)
    assert look(session, "19:10", [row(ANNA)]) == [missed(BEN, "19:10", "18:58")]
    here(session).connections["UUID-BEN"].proved_at = at("19:09:50")
    assert look(session, "19:10", [row(ANNA)]) == [missed(BEN, "19:10", "19:09:50")]


def test_somebody_seen_but_never_heard_of_can_be_missed_too() -> None:
    session = story(started(), joined(ANNA), seen(BEN, "19:00"))
    assert look(session, "19:00:10", [row(ANNA)]) == [missed(BEN, "19:00:10", "19:00")]


def test_p07_a_partial_list_never_proves_absence() -> None:
    rows = [row(ANNA), row(EVE)]
    assert look(story(*EVENING), "19:10", rows, complete=False) == [seen(EVE, "19:10")]


def test_p09_nor_does_one_with_a_row_that_names_nobody() -> None:
    nameless = row({"name": "Ben"})
    assert look(story(*EVENING), "19:10", [row(ANNA), nameless]) == []


def test_nobody_is_missed_twice_or_after_leaving() -> None:
    session = story(*EVENING, left(BEN, "19:05"))
    assert look(session, "19:10", [row(ANNA)]) == []
    assert look(story(*EVENING, ended("20:00")), "20:05", []) == []


@pytest.mark.parametrize(
    ("clock", "told"), [("18:58:59", False), ("18:59", True), ("18:59:01", True)]
)
def test_f10_a_fresh_join_is_not_missed_by_a_list_that_may_be_a_minute_old(
    clock: str, told: bool
) -> None:
    found = look(story(*EVENING), clock, [row(ANNA)])
    assert found == ([missed(BEN, clock, "18:58")] if told else [])


@pytest.mark.parametrize(
    "news",
    [
        seat(e.BreakoutJoined, BEN, "19:09:30", room="blue"),
        waiting(BEN, "19:09:30"),
        seat(e.ParticipantHeld, BEN, "19:09:30"),
        role(BEN, "host"),
    ],
)
def test_f10_nor_is_anybody_of_whom_there_is_fresh_news(news: e.SeatEvent) -> None:
    session = story(*EVENING, replace(news, at=at("19:09:30")))
    assert look(session, "19:10", [row(ANNA)]) == []


def test_but_once_a_look_has_shown_them_the_next_may_miss_them() -> None:
    session = story(*EVENING)
    connection = here(session).connections["UUID-BEN"]
    connection.proved_at = at("18:58:10")
    assert look(session, "18:58:20", [row(ANNA)]) == [
        missed(BEN, "18:58:20", "18:58:10")
    ]
    connection.proved_at = at("18:57:50")
    assert look(session, "18:58:20", [row(ANNA)]) == []


def test_a_proof_is_never_later_than_the_look() -> None:
    session = story(*EVENING)
    here(session).connections["UUID-BEN"].proved_at = at("19:20")
    assert look(session, "19:10", [row(ANNA)]) == [missed(BEN, "19:10", "19:10")]


def test_somebody_who_stopped_waiting_unheard() -> None:
    session = story(*EVENING, waiting(CHLOE, "18:50"))
    assert look(session, "19:10", BOTH) == [missed(CHLOE, "19:10", "18:50")]


# --- whose row it is ------------------------------------------------------------------


def test_rows_are_matched_by_uuid_then_by_seat_and_never_by_name() -> None:
    instance = here(story(*EVENING))

    def key(seat: e.Seat) -> str:
        found = match(instance, seat)
        return found.key if found is not None else ""

    assert key(e.Seat(uuid="UUID-BEN")) == "UUID-BEN"
    assert key(e.Seat(user_id="201")) == "UUID-BEN"
    assert key(e.Seat(uuid="UUID-BEN", user_id="101")) == "UUID-BEN"
    assert key(e.Seat(name="Ben", registrant_id="reg-ben")) == ""
    assert key(e.Seat()) == ""


def test_a_seat_taken_by_another_connection_is_not_the_old_one() -> None:
    other = again(BEN, user_id="201")
    session = story(*EVENING)
    assert match(here(session), e.Seat(**other)) is None
    assert look(session, "19:10", [row(ANNA), row(other)]) == [
        seen(other, "19:10"),
        missed(BEN, "19:10", "18:58"),
    ]


def test_a_row_says_the_uuid_of_whom_we_knew_by_seat_only() -> None:
    session = story(started(), joined({"user_id": "201"}))
    found = match(here(session), e.Seat(uuid="UUID-BEN", user_id="201"))
    assert found is not None
    assert look(session, "19:10", [row(BEN)]) == []


def test_f10_the_same_person_listed_twice_is_in_the_room() -> None:
    session = story(*EVENING)
    twice = [row(ANNA), row(BEN, waiting=True), row(BEN), row(BEN, waiting=True)]
    assert look(session, "19:10", twice) == []
    unknown = [*BOTH, row(EVE, waiting=True), row(EVE)]
    assert look(session, "19:10", unknown) == [seen(EVE, "19:10")]


# --- what a look proves ---------------------------------------------------------------


def proved(
    session: GroupSession, clock: str, rows: Iterable[Row], *, complete: bool = True
) -> tuple[str, ...]:
    return prove(here(session), rows, started_at=at(clock), complete=complete)


def test_a_complete_look_proves_the_room_and_each_connection_as_we_thought() -> None:
    session = story(*EVENING, waiting(CHLOE))
    here(session).failing_since = at("19:09")
    rows = [*BOTH, row(CHLOE), row(EVE)]
    assert proved(session, "19:10", rows) == ("UUID-ANNA", "UUID-BEN")
    instance = here(session)
    assert (instance.proof_at, instance.failing_since) == (at("19:10"), None)
    assert instance.connections["UUID-BEN"].proved_at == at("19:10")
    assert instance.connections["UUID-CHLOE"].proved_at is None
    assert proved(session, "19:11", [row(CHLOE, waiting=True)]) == ("UUID-CHLOE",)


@pytest.mark.parametrize(
    ("rows", "complete"), [(BOTH, False), ((*BOTH, row({"name": "Ben"})), True)]
)
def test_a_partial_look_proves_presence_only(
    rows: tuple[Row, ...], complete: bool
) -> None:
    session = story(*EVENING)
    here(session).failing_since = at("19:09")
    assert len(proved(session, "19:10", rows, complete=complete)) == 2
    assert (here(session).proof_at, here(session).failing_since) == (None, at("19:09"))


def test_an_older_look_does_not_take_a_newer_proof_back() -> None:
    session = story(*EVENING)
    proved(session, "19:10", BOTH)
    proved(session, "19:09", BOTH)
    instance = here(session)
    assert instance.proof_at == at("19:10")
    assert instance.connections["UUID-BEN"].proved_at == at("19:10")


# --- a list that may be too old to know (F10) -----------------------------------------


def not_shown(clock: str) -> GroupSession:
    """Chloe joined at 19:09; a look at this time did not show her."""
    session = story(*EVENING, joined(CHLOE, "19:09"))
    prove(here(session), BOTH, started_at=at(clock), complete=True)
    return session


@pytest.mark.parametrize(
    ("clock", "settled"),
    [
        ("19:08:59", None),  # it was before she came
        ("19:09", "19:10"),
        ("19:09:59", "19:10"),
        ("19:10", None),  # that look knew
    ],
)
def test_a_doubt_is_settled_when_every_list_must_know(
    clock: str, settled: str | None
) -> None:
    session = not_shown(clock)
    expected = at(settled) if settled else None
    assert settled_at(session, here(session)) == expected


def test_whom_a_look_showed_is_not_in_doubt() -> None:
    session = not_shown("19:09:10")
    prove(
        here(session),
        [*BOTH, row(CHLOE)],
        started_at=at("19:09:20"),
        complete=True,
    )
    assert settled_at(session, here(session)) is None


def test_nor_whoever_is_known_to_be_gone() -> None:
    session = not_shown("19:09:10")
    apply(session, left(CHLOE, "19:09:15"))
    assert settled_at(session, here(session)) is None


def test_a_list_cut_short_puts_nobody_in_doubt() -> None:
    session = story(*EVENING, joined(CHLOE, "19:09"))
    prove(here(session), BOTH, started_at=at("19:09:10"), complete=False)
    assert settled_at(session, here(session)) is None


# --- breakout rooms of which the news was lost ----------------------------------------

IN_BLUE = (*EVENING, joined(CHLOE), seat(e.BreakoutJoined, BEN, "19:05", room="blue"))
IN_MAIN = (row(ANNA), row(BEN), row(CHLOE))


@pytest.mark.parametrize(
    ("clock", "believed"),
    [("19:05:59", False), ("19:06", True), ("19:06:01", True)],
)
def test_a_list_that_tells_rooms_apart_brings_back_who_is_in_the_main_room(
    clock: str, believed: bool
) -> None:
    """It may be a minute old; after that nobody is kept in a room they have left."""
    session = story(*IN_BLUE)
    rows = [row(ANNA), row(BEN), row(CHLOE, room="red")]
    back = seen(BEN, clock, last_proof_at=at("19:05"))
    found = [one for one in look(session, clock, rows) if one.uuid == BEN["uuid"]]
    assert found == ([back] if believed else [])
    for fact in found:
        apply(session, fact)
        connection = here(session).connections[BEN["uuid"]]
        assert connection.whereabouts().room == e.MAIN_ROOM


def test_that_it_tells_rooms_apart_is_known_from_a_look_before() -> None:
    session = story(*IN_BLUE)
    assert look(session, "19:10", IN_MAIN) == []  # perhaps a list without rooms
    proved(session, "19:10", [row(ANNA), row(BEN, room="blue"), row(CHLOE)])
    assert look(session, "19:11", IN_MAIN) == [
        seen(BEN, "19:11", last_proof_at=at("19:10"))
    ]


def test_a_look_that_shows_another_room_does_not_prove_the_old_one() -> None:
    session = story(*IN_BLUE)
    rows = [row(ANNA), row(BEN, room="blue"), row(CHLOE)]
    assert proved(session, "19:05:10", rows) == ("UUID-ANNA", "UUID-BEN", "UUID-CHLOE")
    assert proved(session, "19:05:20", IN_MAIN) == ("UUID-ANNA", "UUID-CHLOE")
    assert look(session, "19:06", IN_MAIN) == [
        seen(BEN, "19:06", last_proof_at=at("19:05:10"))
    ]


@pytest.mark.parametrize(("clock", "room"), [("19:10:59", "main"), ("19:11", "blue")])
def test_f10_an_old_list_takes_nobody_back_into_a_room_they_left(
    clock: str, room: str
) -> None:
    """Else a worker who left would hide for a minute that a client is alone there."""
    session = story(*IN_BLUE, seat(e.BreakoutLeft, BEN, "19:10", room="blue"))
    apply(session, seen(BEN, clock, room="blue"))
    assert here(session).connections[BEN["uuid"]].whereabouts().room == room
