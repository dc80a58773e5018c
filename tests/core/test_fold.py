"""What is so does not depend on the order in which we hear of it (I12, W08, W22-W26)."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import events as e
from app.core import presses as p
from app.core import wire
from app.core.actions import ReadRoom
from app.core.decide import decide
from app.core.facts import Hands, MeetingFacts
from app.core.fold import apply
from app.core.rooms import rooms
from app.core.session import ActionFact, GroupSession
from tests.core.arrivals import EVENINGS, YESTERDAY, folded, picture
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    plan,
    read_at,
    seat,
    set_up,
    started,
    story,
)


@settings(max_examples=300)
@given(data=st.data(), facts=EVENINGS)
def test_any_order_of_arrival_and_any_copies_end_in_the_same_state(
    data: st.DataObject, facts: list[e.MeetingEvent]
) -> None:
    copies = data.draw(st.lists(st.sampled_from(facts), max_size=8)) if facts else []
    arrived = data.draw(st.permutations([*facts, *copies]))
    in_time = sorted(facts, key=lambda fact: fact.at)
    assert picture(folded(arrived, peek=True)) == picture(folded(in_time))


@settings(max_examples=100)
@given(facts=EVENINGS)
def test_the_log_read_back_folds_to_the_same_state(facts: list[e.MeetingEvent]) -> None:
    read_back: list[Any] = [wire.load(*wire.dump(fact)) for fact in facts]
    assert picture(folded(read_back)) == picture(folded(facts))


# --- stories ---


def there(session: GroupSession) -> dict[str, set[str]]:
    """Room -> keys of the connections in it."""
    return {
        room.name: {person.connection.key for person in room.people}
        for room in rooms(session)
    }


EVENING = (started(), joined(ANNA), joined(SAM), joined(BEN))
ALL = {"UUID-ANNA", "UUID-SAM", "UUID-BEN"}


def test_who_came_is_there_and_who_left_is_not() -> None:
    assert there(story(*EVENING)) == {"main": ALL}
    assert there(story(*EVENING, left(SAM, "19:10"))) == {"main": ALL - {"UUID-SAM"}}


def test_state_is_built_from_any_first_event() -> None:
    """Neither created nor started need ever come (instant meetings, lost webhooks)."""
    assert there(story(joined(BEN))) == {"main": {"UUID-BEN"}}
    assert there(story(seat(e.RoleChanged, BEN, "19:31:42", role="host"))) == {
        "main": {"UUID-BEN"}
    }
    rang = seat(e.PhoneBound, EVE, "19:31:42", bound_uuid="UUID-BEN")
    assert there(story(rang)) == {"main": {"UUID-EVE"}}
    sharing = seat(e.SharingChanged, {"user_id": "201"}, "19:31:42", started=True)
    assert there(story(sharing)) == {"main": {"seat:201"}}
    assert there(story(sharing, joined(BEN))) == {"main": {"UUID-BEN"}}


def test_w22_a_leave_without_a_join_is_kept_and_the_room_is_read() -> None:
    session = story(started(), joined(ANNA), left(BEN, "19:10"))
    assert there(session) == {"main": {"UUID-ANNA"}}
    assert stays_at(session, BEN) == [(None, at("19:10"))]
    assert looks(session, "19:10") == ["sight.does_not_fit"]


def test_w23_a_leave_older_than_the_join_ends_nothing() -> None:
    session = story(*EVENING, left(BEN, "18:57:30"))
    assert there(session) == {"main": ALL}
    assert stays_at(session, BEN) == [(None, at("18:57:30")), (at("18:58"), None)]


def test_w24_the_leave_wins_for_the_same_connection_only() -> None:
    again_ben = again(BEN)
    session = story(*EVENING, left(BEN, "18:58"), joined(again_ben))
    assert there(session) == {"main": ALL - {"UUID-BEN"} | {"UUID-BEN-2"}}
    assert looks(session, "18:58") == ["sight.does_not_fit"]


def test_a_look_since_then_settles_the_doubt() -> None:
    session = read_at(story(*EVENING, left(CHLOE, "19:10")), "19:10:05")
    assert looks(session, "19:11") == []


def stays_at(session: GroupSession, person: dict[str, str]) -> list[Any]:
    instance = session.instances[ROOM]
    where = instance.connections[person["uuid"]].whereabouts(instance.closed_at)
    return [(stay.start, stay.end) for stay in where.stays]


def looks(session: GroupSession, clock: str) -> list[str]:
    decision = decide(session, at(clock))
    return [a.rule for a in decision.actions if isinstance(a, ReadRoom)]


def status(clock: str, *, runs: bool) -> e.StatusRead:
    return e.StatusRead(meeting=ROOM, at=at(clock), started=runs, source=e.Source.POLL)


def seen(person: dict[str, str], clock: str, **more: Any) -> e.ConnectionSeen:
    fact: e.ConnectionSeen = seat(
        e.ConnectionSeen, person, clock, source=e.Source.POLL, **more
    )
    return replace(fact, heard_at=None)


def test_the_end_closes_every_connection_of_this_instance() -> None:
    session = story(*EVENING, ended("20:01"))
    assert there(session) == {}
    assert session.instances[ROOM].closed_at == at("20:01")
    assert stays_at(session, BEN) == [(at("18:58"), at("20:01"))]


@pytest.mark.parametrize(
    ("clock", "closed_at"), [("20:01", "20:01"), ("20:01:59", "20:01"), ("20:02", "")]
)
def test_w25_an_end_is_not_believed_while_later_looks_show_people(
    clock: str, closed_at: str
) -> None:
    session = story(*EVENING, ended("20:01"), seen(BEN, clock))
    assert session.instances[ROOM].closed_at == (at(closed_at) if closed_at else None)


@pytest.mark.parametrize(
    ("clock", "open_again"), [("20:01", False), ("20:01:01", True)]
)
def test_w25_nor_when_the_status_says_started_later(
    clock: str, open_again: bool
) -> None:
    session = story(*EVENING, ended("20:01"), status(clock, runs=True))
    assert bool(there(session)) is open_again


def test_a_second_end_after_such_a_mistake_is_believed() -> None:
    facts = (ended("19:30"), status("19:31", runs=True), ended("20:01"))
    for order in permutations(facts):
        session = story(*EVENING, *order)
        assert session.instances[ROOM].closed_at == at("20:01")


def test_whoever_joins_after_the_end_shows_that_it_runs() -> None:
    session = story(*EVENING, ended("19:30"), joined(CHLOE, "19:31"))
    assert there(session) == {"main": ALL | {"UUID-CHLOE"}}


def test_the_report_after_the_meeting_opens_nothing_again() -> None:
    late = replace(joined(CHLOE, "20:01:30"), source=e.Source.REPORT)
    assert there(story(*EVENING, ended("20:01"), late)) == {}


@pytest.mark.parametrize(("clock", "over"), [("18:58:09", False), ("18:58:10", True)])
def test_a_status_may_trail_the_events_a_little(clock: str, over: bool) -> None:
    session = story(*EVENING, status(clock, runs=False))
    assert (there(session) == {}) is over


def test_w26_yesterdays_end_does_nothing_to_today() -> None:
    session = story(*EVENING, replace(ended("19:30"), meeting=YESTERDAY))
    assert there(session) == {"main": ALL}
    assert session.instances[YESTERDAY].opened_at is None


def test_another_meeting_and_another_window_are_not_ours() -> None:
    other = replace(ROOM, meeting_id="82000000020")
    last_week = timedelta(days=7)
    session = story(
        replace(joined(BEN), meeting=other),
        replace(joined(BEN), at=at("18:58") - last_week, meeting=YESTERDAY),
    )
    assert session.instances == {}
    assert session.outside == {}


def test_news_from_outside_the_window_counts_once_the_occurrence_is_ours() -> None:
    early = replace(started("17:40"), heard_at=at("17:40"))
    session = story(early)
    assert session.instances == {}
    apply(session, joined(BEN))
    assert session.instances[ROOM].started_at == at("17:40")
    assert session.outside == {}


def test_a_narrow_binding_takes_that_one_occurrence_whenever_it_is() -> None:
    session = set_up()
    session.bindings.clear()
    apply(
        session,
        p.MeetingBound(
            at=at("18:59"),
            platform=ROOM.platform,
            meeting_id=ROOM.meeting_id,
            instance=ROOM.instance,
            opens_at=at("18:59"),
            closes_at=at("19:00"),
            adopted=True,
        ),
    )
    for fact in (*EVENING, replace(joined(CHLOE), meeting=YESTERDAY)):
        apply(session, fact)
    assert there(session) == {"main": ALL}
    assert list(session.instances) == [ROOM]


def test_occurrences_are_kept_in_the_order_in_which_they_opened() -> None:
    second = replace(ROOM, instance="a-second-one")
    session = story(
        replace(started("19:30"), meeting=second), replace(joined(BEN), meeting=second)
    )
    for fact in EVENING:
        apply(session, fact)
    assert [i.ref for i in session.live()] == [ROOM, second]
    found = session.find("UUID-BEN")
    assert found is not None
    assert found[0].ref == second


# --- seat numbers alone ---


def test_news_with_a_seat_number_alone_reaches_its_connection() -> None:
    number = {"user_id": "201"}
    for facts in permutations((joined(BEN), left(number, "19:10"))):
        session = story(started(), joined(ANNA), *facts)
        assert there(session) == {"main": {"UUID-ANNA"}}
        assert stays_at(session, BEN) == [(at("18:58"), at("19:10"))]


def test_until_then_the_seat_stands_for_itself() -> None:
    number = {"user_id": "201", "name": "Ben"}
    session = story(started(), joined(number))
    assert there(session) == {"main": {"seat:201"}}
    session.instances[ROOM].connections["seat:201"].proved_at = at("19:00")
    apply(session, seat(e.RoleChanged, BEN, "19:05", role="attendee"))
    assert there(session) == {"main": {"UUID-BEN"}}
    connection = session.instances[ROOM].resolve("seat:201")
    assert connection is not None
    assert (connection.uuid, connection.proved_at) == ("UUID-BEN", at("19:00"))


def test_a_side_room_shows_another_seat_of_the_same_person() -> None:
    aside = {"user_id": "9201", "parent_user_id": "201"}
    facts = (joined(BEN), seat(e.BreakoutJoined, aside, "19:10", room="blue"))
    for order in permutations(facts):
        assert there(story(started(), *order)) == {"blue": {"UUID-BEN"}}
    only = story(started(), facts[1])
    assert there(only) == {"blue": {"seat:201"}}


def test_a_seat_given_twice_belongs_to_whoever_took_it_last_before() -> None:
    other = {**CHLOE, "user_id": "201"}
    number = {"user_id": "201"}
    facts = (
        joined(BEN, "18:58"),
        left(BEN, "19:10"),
        joined(other, "19:20"),
        left(number, "19:40"),
    )
    for order in permutations(facts):
        session = story(started(), *order)
        assert stays_at(session, BEN) == [(at("18:58"), at("19:10"))]
        assert stays_at(session, CHLOE) == [(at("19:20"), at("19:40"))]


def test_when_a_seat_was_taken_may_turn_out_to_be_earlier() -> None:
    other = {**CHLOE, "user_id": "201"}
    facts = (
        joined(BEN, "18:58"),
        seat(e.RoleChanged, other, "19:30", role="attendee"),
        joined({"user_id": "201"}, "19:25"),
        joined(other, "19:20"),
    )
    for order in permutations(facts):
        session = story(started(), *order)
        assert stays_at(session, CHLOE) == [(at("19:20"), None)]
        assert len(session.instances[ROOM].connections["UUID-BEN"].marks) == 1


def test_seats_that_claim_each_other_as_parents_are_one() -> None:
    ring = (
        joined({"user_id": "1", "parent_user_id": "2"}),
        joined({"user_id": "2", "parent_user_id": "1"}),
        joined({"user_id": "3", "parent_user_id": "2"}),
    )
    for order in permutations(ring):
        assert there(story(started(), *order)) == {"main": {"seat:1"}}


def test_w21_a_fact_about_nobody_asks_for_a_look() -> None:
    session = story(*EVENING, joined({"name": "Ben"}, "19:05"))
    assert there(session) == {"main": ALL}
    assert session.instances[ROOM].unreadable_at == at("19:05")
    assert looks(session, "19:05") == ["settings.unreadable_news"]


def test_whoever_waits_for_the_host_is_not_in_the_room() -> None:
    session = story(
        seat(e.WaitedForHost, BEN, "18:50"),
        seat(e.JoinedBeforeHost, BEN, "18:52"),
        seat(e.JoinedBeforeHost, BEN, "18:51"),
    )
    assert there(session) == {}
    assert session.instances[ROOM].before_host_at == at("18:51")


# --- what we stamp ourselves ---


def test_the_latest_plan_counts_and_who_was_taken_off_is_remembered() -> None:
    first = plan()
    anna, sam, noor = first.workers
    session = set_up(the_plan=first)
    without = replace(first, workers=(anna, replace(sam, platform_user_id="other")))
    apply(session, p.SessionPlanned(at=at("19:10"), plan=without))
    apply(session, p.SessionPlanned(at=at("19:05"), plan=first))
    assert session.plan == without
    assert session.former_workers == {
        "noor": (at("19:10"), noor),
        "sam": (at("19:10"), sam),
    }


def test_a_cancelled_link_stays_cancelled() -> None:
    session = set_up()
    for clock, state in (
        ("19:00", p.LinkState.SUSPENDED),
        ("19:01", p.LinkState.CANCELLED),
        ("19:02", p.LinkState.ACTIVE),
    ):
        change = p.LinkChanged(at=at(clock), registrant_id="reg-ben", state=state)
        apply(session, change)
    apply(session, replace(change, registrant_id="reg-nobody"))
    link = session.links["reg-ben"]
    assert (link.state, link.changed_at) == (p.LinkState.CANCELLED, at("19:01"))
    assert "reg-nobody" not in session.links


def test_older_readings_do_not_replace_newer_ones() -> None:
    session = set_up()
    fresh, stale = MeetingFacts(passcode=True), MeetingFacts(passcode=False)
    apply(session, p.FactsRead(at=at("19:10"), facts=fresh))
    apply(session, p.FactsRead(at=at("19:05"), facts=stale))
    apply(session, p.HandsProbed(at=at("19:10"), hands=Hands(remove_one=True)))
    apply(session, p.HandsProbed(at=at("19:05"), hands=Hands(remove_one=False)))
    assert (session.facts, session.hands) == (fresh, Hands(remove_one=True))


def test_the_life_of_an_action_is_kept_whole() -> None:
    session = set_up()
    moves = (
        ("19:05:10", p.ActionState.WANTED, {"connection": "UUID-BEN", "reason": "so"}),
        ("19:05:11", p.ActionState.SENT, {"route": "api", "tries": 1}),
        ("19:05:16", p.ActionState.SENT, {"problem": "429", "tries": 2, "race": True}),
        ("19:05:20", p.ActionState.CONFIRMED, {"proof": "out", "tries": 2}),
    )
    for clock, state, more in moves:
        moved: Any = p.ActionMoved(
            at=at(clock), key="k", kind="remove_participant", state=state, **more
        )
        apply(session, moved)
    assert session.actions["k"] == ActionFact(
        "k",
        "remove_participant",
        p.ActionState.CONFIRMED,
        wanted_at=at("19:05:10"),
        moved_at=at("19:05:20"),
        sent_at=at("19:05:11"),
        confirmed_at=at("19:05:20"),
        route="api",
        connection="UUID-BEN",
        reason="so",
        proof="out",
        race=True,
        tries=2,
    )


@pytest.mark.parametrize(
    "late", [one for one in p.ActionState if one is not p.ActionState.CONFIRMED]
)
def test_what_was_proved_is_taken_back_by_no_late_step(late: p.ActionState) -> None:
    """A turn that began before the proof withdraws what is done already."""
    session = set_up()
    for clock, state in (("19:05", p.ActionState.SENT), ("19:06", _PROVED)):
        apply(session, _step(clock, state))
    proved = replace(session.actions["k"])
    apply(session, _step("19:06:01", late))

    assert session.actions["k"] == proved
    assert (proved.state, proved.confirmed_at) == (_PROVED, at("19:06"))


_PROVED = p.ActionState.CONFIRMED


def _step(clock: str, state: p.ActionState) -> p.ActionMoved:
    return p.ActionMoved(at=at(clock), key="k", kind="change_link", state=state)
