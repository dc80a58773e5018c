"""One connection's marks and the stays they add up to (W22-W24, P08)."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from app.core.connections import Connection, Mark, MarkKind, Stay
from app.core.events import MAIN_ROOM, Source
from app.core.stays import Whereabouts, walk
from tests.core.builders import at

M = MarkKind


def mark(kind: MarkKind, clock: str, room: str = MAIN_ROOM, **more: object) -> Mark:
    whole = Mark(at(clock), kind, room)
    for name, value in more.items():
        object.__setattr__(whole, name, value)
    return whole


def stay(
    start: str | None,
    end: str | None,
    room: str = MAIN_ROOM,
    *,
    by_poll: bool = False,
    cause: str = "",
) -> Stay:
    return Stay(
        room,
        at(start) if start else None,
        at(end) if end else None,
        by_poll=by_poll,
        cause=cause,
    )


def stays(*marks: Mark) -> tuple[Stay, ...]:
    """Whatever the order of arrival, the same stays."""
    seen = set()
    for order in permutations(marks):
        connection = Connection(key="UUID-BEN")
        for one in [*order, order[0]]:
            connection.add(one)
        seen.add(connection.whereabouts().stays)
    assert len(seen) == 1
    return seen.pop()


IN, OUT = mark(M.JOINED, "19:00"), mark(M.LEFT, "19:40")


def test_somebody_comes_and_is_still_there() -> None:
    assert walk([IN]) == Whereabouts(
        MAIN_ROOM, False, at("19:00"), (stay("19:00", None),)
    )


def test_somebody_comes_and_goes() -> None:
    assert walk([IN, OUT]) == Whereabouts("", False, None, (stay("19:00", "19:40"),))


def test_w22_a_leave_without_a_join_has_an_unknown_start_and_raises_doubt() -> None:
    where = walk([OUT])
    assert where == Whereabouts("", False, None, (stay(None, "19:40"),), at("19:40"))
    assert where.stays[0].begins == at("19:40")


def test_a_stay_that_neither_begins_nor_ends_is_no_stay() -> None:
    with pytest.raises(ValueError, match="start"):
        _ = Stay(MAIN_ROOM, None, None).begins


def test_w23_a_late_leave_ends_the_older_stay_and_not_the_newer() -> None:
    back = mark(M.JOINED, "19:41")
    assert stays(IN, back, OUT) == (stay("19:00", "19:40"), stay("19:41", None))


def test_w23_a_leave_from_before_the_first_join_changes_nothing_now() -> None:
    early = mark(M.LEFT, "18:59")
    assert stays(early, IN) == (stay(None, "18:59"), stay("19:00", None))


def test_w24_at_one_moment_the_leave_wins_and_raises_doubt() -> None:
    out = mark(M.LEFT, "19:00")
    assert stays(IN, out) == (stay("19:00", "19:00"),)
    assert walk([IN, out]).doubt_at == at("19:00")
    assert walk([IN, OUT]).doubt_at is None


def test_a_second_join_is_no_second_stay() -> None:
    assert stays(IN, mark(M.JOINED, "19:05"), OUT) == (stay("19:00", "19:40"),)


def test_two_leaves_within_a_minute_are_one() -> None:
    assert stays(IN, OUT, mark(M.LEFT, "19:41")) == (stay("19:00", "19:40"),)
    assert stays(IN, OUT, mark(M.LEFT, "19:41:01")) == (
        stay("19:00", "19:40"),
        stay(None, "19:41:01"),
    )


def test_the_same_news_from_two_sources_is_one_mark() -> None:
    heard = Mark(at("19:40"), M.LEFT, heard_at=at("19:45"), cause="unknown")
    caught = Mark(
        at("19:40"),
        M.LEFT,
        source=Source.CATCH_UP,
        heard_at=at("19:41"),
        cause="dropped",
    )
    for order in ((heard, caught), (caught, heard)):
        connection = Connection(key="UUID-BEN")
        for one in order:
            connection.add(one)
        assert [(m.source, m.heard_at, m.cause) for m in connection.marks] == [
            (Source.WEBHOOK, at("19:41"), "dropped")
        ]


# --- at the door ---


def test_waiting_is_not_being_in_the_room() -> None:
    assert walk([mark(M.WAITING, "18:57")]) == Whereabouts("", True, at("18:57"), ())


def test_from_the_door_into_the_room_and_held_and_in_again() -> None:
    marks = (
        mark(M.WAITING, "18:57"),
        mark(M.ADMITTED, "18:59"),
        mark(M.STOPPED_WAITING, "18:59"),
        IN,
        mark(M.HELD, "19:10"),
        mark(M.WAITING, "19:10"),
        mark(M.JOINED, "19:20"),
    )
    assert walk(sorted(marks)) == Whereabouts(
        MAIN_ROOM,
        False,
        at("19:20"),
        (stay("19:00", "19:10"), stay("19:20", None)),
    )


def test_whoever_gives_up_waiting_was_never_in_the_room() -> None:
    gone = mark(M.STOPPED_WAITING, "19:03")
    assert stays(mark(M.WAITING, "18:57"), gone, mark(M.LEFT, "19:03:30")) == ()
    assert stays(mark(M.WAITING, "18:57"), mark(M.LEFT, "19:03:30")) == ()


def test_whoever_was_let_in_and_leaves_later_was_in_the_room() -> None:
    marks = (mark(M.WAITING, "18:57"), mark(M.ADMITTED, "18:59"), OUT)
    assert stays(*marks) == (stay(None, "19:40"),)


def test_at_one_moment_being_held_wins_over_joining() -> None:
    assert walk(sorted((IN, mark(M.HELD, "19:00")))).waiting


# --- side rooms ---


def test_moves_between_rooms_are_stays_without_gaps() -> None:
    marks = (
        IN,
        mark(M.BREAKOUT_JOINED, "19:10", "blue"),
        mark(M.BREAKOUT_LEFT, "19:20", "blue"),
        OUT,
    )
    assert stays(*marks) == (
        stay("19:00", "19:10"),
        stay("19:10", "19:20", "blue"),
        stay("19:20", "19:40"),
    )


def test_from_one_side_room_to_the_next_nobody_passes_through_the_main_room() -> None:
    marks = (
        IN,
        mark(M.BREAKOUT_JOINED, "19:10", "blue"),
        mark(M.BREAKOUT_LEFT, "19:20", "blue"),
        mark(M.BREAKOUT_JOINED, "19:20", "green"),
    )
    assert stays(*marks) == (
        stay("19:00", "19:10"),
        stay("19:10", "19:20", "blue"),
        stay("19:20", None, "green"),
    )


def test_leaving_from_a_side_room_keeps_the_cause() -> None:
    marks = (
        IN,
        mark(M.BREAKOUT_JOINED, "19:10", "blue"),
        mark(M.BREAKOUT_LEFT, "19:40", "blue"),
        mark(M.LEFT, "19:40", cause="dropped"),
    )
    assert walk(sorted(marks)) == Whereabouts(
        "",
        False,
        None,
        (stay("19:00", "19:10"), stay("19:10", "19:40", "blue", cause="dropped")),
    )


def test_leaving_a_side_room_one_was_not_in_moves_nobody() -> None:
    assert stays(IN, mark(M.BREAKOUT_LEFT, "19:20", "blue")) == (stay("19:00", None),)


# --- looks at the room ---


@pytest.mark.parametrize(
    ("came", "start", "by_poll"),
    [
        ("19:30:09", "19:30:09", False),
        ("19:30:10", "19:30:10", False),
        ("19:30:11", "19:30", True),  # too late for the look that showed them
    ],
)
def test_whoever_came_during_a_look_came_when_the_platform_says(
    came: str, start: str, by_poll: bool
) -> None:
    """A look is dated by its beginning and may be answered seconds later (I13)."""
    assert stays(mark(M.SEEN, "19:30"), mark(M.JOINED, came)) == (
        stay(start, None, by_poll=by_poll),
    )


def test_nor_is_a_stay_of_the_platforms_own_moved_by_a_second_join() -> None:
    assert stays(IN, mark(M.SEEN, "19:00:02"), mark(M.JOINED, "19:00:05")) == (
        stay("19:00", None),
    )


def test_a_look_shows_who_was_never_heard_of() -> None:
    assert walk([mark(M.SEEN, "19:00")]).stays == (stay("19:00", None, by_poll=True),)


@pytest.mark.parametrize(("clock", "there"), [("19:40:59", False), ("19:41", True)])
def test_p08_a_list_less_than_a_minute_old_never_revives(
    clock: str, there: bool
) -> None:
    assert bool(walk([IN, OUT, mark(M.SEEN, clock)]).room) is there


@pytest.mark.parametrize(
    ("clock", "room"), [("19:10:59", "blue"), ("19:11", MAIN_ROOM)]
)
def test_a_list_less_than_a_minute_old_undoes_no_move(clock: str, room: str) -> None:
    moved = mark(M.BREAKOUT_JOINED, "19:10", "blue")
    assert walk([IN, moved, mark(M.SEEN, clock)]).room == room


@pytest.mark.parametrize(("clock", "waits"), [("19:00:59", False), ("19:01", True)])
def test_a_list_less_than_a_minute_old_takes_nobody_to_the_door(
    clock: str, waits: bool
) -> None:
    assert walk([IN, mark(M.SEEN_WAITING, clock)]).waiting is waits


def test_whoever_was_let_in_and_is_seen_is_in_at_once() -> None:
    marks = (
        mark(M.WAITING, "18:59:30"),
        mark(M.ADMITTED, "18:59:50"),
        mark(M.SEEN, "19:00"),
    )
    assert walk(marks).room == MAIN_ROOM


def missed(clock: str, proof: str) -> Mark:
    return Mark(at(clock), M.MISSED, proof_at=at(proof))


def test_whoever_is_missed_was_there_until_the_last_proof() -> None:
    assert stays(IN, missed("19:30:10", "19:30")) == (
        stay("19:00", "19:30", by_poll=True),
    )


def test_a_leave_heard_after_a_look_says_better_when() -> None:
    out = mark(M.LEFT, "19:30:45", cause="dropped")
    assert stays(IN, missed("19:30:10", "19:30"), out) == (
        stay("19:00", "19:30:45", by_poll=True, cause="dropped"),
    )


@pytest.mark.parametrize(
    ("clock", "count"), [("19:31:59", 1), ("19:32", 1), ("19:32:01", 2)]
)
def test_a_leave_long_after_they_were_missed_is_another_stay(
    clock: str, count: int
) -> None:
    assert len(stays(IN, missed("19:30:10", "19:30"), mark(M.LEFT, clock))) == count


def test_a_look_that_could_not_know_of_the_join_ends_nothing() -> None:
    """Missed at the door; the late news is that they had just been let in."""
    back = mark(M.JOINED, "19:29:50")
    assert stays(back, missed("19:30:10", "19:20")) == (stay("19:29:50", None),)
    assert stays(mark(M.JOINED, "19:29:10"), missed("19:30:10", "19:20")) == (
        stay("19:29:10", "19:29:10", by_poll=True),
    )
    # This one knew of the join.
    assert stays(back, missed("19:30:10", "19:30")) == (
        stay("19:29:50", "19:30", by_poll=True),
    )


def test_news_of_a_role_proves_that_somebody_is_there() -> None:
    noticed = mark(M.NOTICED, "19:12")
    assert stays(noticed) == (stay("19:12", None, by_poll=True),)
    assert stays(IN, noticed) == (stay("19:00", None),)
    assert walk([mark(M.WAITING, "18:57"), noticed]).room == MAIN_ROOM
    assert not walk([IN, mark(M.LEFT, "19:11:30"), noticed]).room


# --- the end of the meeting ---


def test_the_end_closes_what_is_open_and_a_leave_of_that_moment_says_why() -> None:
    connection = Connection(key="UUID-BEN")
    connection.add(IN)
    assert connection.whereabouts(at("20:00")).stays == (
        stay("19:00", "20:00", cause="ended"),
    )
    connection.add(mark(M.LEFT, "20:00", cause="left"))
    assert connection.whereabouts(at("20:00")).stays == (
        stay("19:00", "20:00", cause="left"),
    )


def test_where_it_is_follows_the_end_it_is_asked_with() -> None:
    connection = Connection(key="UUID-BEN")
    connection.add(IN)
    assert connection.whereabouts().room == MAIN_ROOM
    assert connection.whereabouts(at("20:00")).room == ""
    assert connection.whereabouts(None).room == MAIN_ROOM


def test_when_the_news_came_is_kept_with_each_end() -> None:
    came = Mark(at("19:00"), M.JOINED, heard_at=at("19:00:02"))
    went = Mark(at("19:40"), M.LEFT, heard_at=at("19:45"))
    (only,) = walk([came, went]).stays
    assert (only.start_heard_at, only.end_heard_at) == (at("19:00:02"), at("19:45"))


# --- what it is called ---


def test_what_was_told_first_by_event_time_stays() -> None:
    told = [(at("19:05"), "reg-ben"), (at("19:00"), "reg-dev"), (at("19:00"), "")]
    for order in permutations(told):
        connection = Connection(key="UUID-BEN")
        for moment, value in order:
            connection.tell(moment, "registrant_id", value)
        assert connection.registrant_id == "reg-dev"


def test_the_latest_name_is_shown_and_all_are_kept() -> None:
    connection = Connection(key="UUID-BEN")
    connection.rename(at("19:10"), "Anna Price")
    connection.rename(at("19:00"), "Ben")
    connection.rename(at("19:20"), "")
    assert connection.name == "Anna Price"
    assert connection.names == {at("19:00"): "Ben", at("19:10"): "Anna Price"}


def test_of_two_names_at_one_moment_always_the_same_one_is_kept() -> None:
    for order in permutations(("Ben", "Benny", "B")):
        connection = Connection(key="UUID-BEN")
        for name in order:
            connection.rename(at("19:00"), name)
        assert connection.names == {at("19:00"): "Benny"}


def test_of_two_roles_at_one_moment_the_one_with_more_rights_counts() -> None:
    for order in permutations(("attendee", "host", "co-host")):
        connection = Connection(key="UUID-BEN")
        for role in order:
            connection.give_role(at("19:00"), role)
        assert connection.role == "host"


@pytest.mark.parametrize(
    ("told", "seen", "now"),
    [
        ("", "", ""),
        ("host", "", "host"),
        ("", "host", "host"),
        ("host", "attendee", "attendee"),
        ("co-host", "attendee", "co-host"),
        ("attendee", "host", "host"),
    ],
)
def test_a_list_that_calls_co_hosts_attendees_takes_no_role_away(
    told: str, seen: str, now: str
) -> None:
    connection = Connection(key="UUID-BEN")
    connection.give_role(at("19:00"), told)
    connection.give_role(at("19:10"), seen, seen=True)
    assert connection.role == now


def test_a_telephone_belongs_to_whom_the_last_word_says() -> None:
    bound = [(at("19:00"), "UUID-BEN"), (at("19:05"), "UUID-DEV")]
    for order in permutations(bound):
        connection = Connection(key="UUID-PHONE")
        for moment, key in order:
            connection.bind(moment, key)
        assert (connection.bound_to, connection.by_phone) == ("UUID-DEV", True)


def test_absorbing_another_connection_takes_over_all_of_it() -> None:
    one, other = Connection(key="UUID-BEN"), Connection(key="seat:201")
    one.add(IN)
    one.rename(at("19:00"), "Ben")
    other.add(OUT)
    other.uuid, other.user_ids = "UUID-BEN", {"201"}
    other.tell(at("19:00"), "registrant_id", "reg-ben")
    other.rename(at("19:30"), "Benny")
    other.give_role(at("19:30"), "host")
    other.give_role(at("19:35"), "attendee", seen=True)
    other.bind(at("19:31"), "UUID-DEV")
    other.email, other.proved_at = "ben@family.example", at("19:39")
    one.absorb(other)
    assert one.whereabouts().stays == (stay("19:00", "19:40"),)
    assert (one.uuid, one.user_id, one.registrant_id) == ("UUID-BEN", "201", "reg-ben")
    assert (one.name, one.email, one.role) == (
        "Benny",
        "ben@family.example",
        "attendee",
    )
    assert (one.bound_to, one.proved_at) == ("UUID-DEV", at("19:39"))
    assert one.first_at == at("19:00")


def test_nothing_known_is_nowhere() -> None:
    nobody = Connection(key="UUID-BEN")
    assert nobody.whereabouts() == Whereabouts("", False, None, ())
    assert (nobody.first_at, nobody.role, nobody.user_id) == (None, "", "")


def test_a_thousand_marks_stay_in_order() -> None:
    connection = Connection(key="UUID-BEN")
    moments = [at("19:00") + timedelta(seconds=(n * 7919) % 1000) for n in range(1000)]
    for moment in [*moments, *moments]:
        connection.add(Mark(moment, M.JOINED))
    times: list[datetime] = [one.at for one in connection.marks]
    assert times == sorted(set(moments))
