"""Closing in two phases, links, and the way back after a safety clear (E1-E3, I7, B2)."""

from dataclasses import replace
from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    Audience,
    ChangeLink,
    EndCause,
    EndMeeting,
    Level,
    RemoveParticipant,
    StartFollowUp,
    TellWaitingRoom,
    WakeAt,
    Wish,
)
from app.core.fold import Fact, apply
from app.core.policy import Policy
from app.core.rules import closing
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
    SAM,
    at,
    ended,
    joined,
    left,
    seat,
    seconds,
    set_up,
    started,
    story,
    waiting,
)

EVENING = (started(), joined(ANNA), joined(SAM), joined(BEN, "19:00"))
GOODBYE = p.ClosingPressed(at=at("19:55"), by="anna")
SECOND = replace(ROOM, instance="a-second-one")


def wishes(rule: Any, session: GroupSession, clock: str) -> list[Wish]:
    return list(rule(session, at(clock)))


# --- clients out, then staff, then the end --------------------------------------------

DOOR = TellWaitingRoom(
    key=f"closing.door:{ROOM.instance}",
    reason="Tell everybody at the door that the session is over.",
    clause="E1",
    rule="closing.clients_out",
    by="anna",
    meeting=ROOM,
    title="This session is over",
    text=closing.OVER_TEXT,
)


def test_before_the_goodbye_nobody_is_put_out() -> None:
    assert wishes(closing.clients_out, story(*EVENING), "20:30") == []


@pytest.mark.parametrize("clock", ["19:55", "19:55:29"])
def test_everybody_has_half_a_minute_to_leave_by_themselves(clock: str) -> None:
    session = story(*EVENING, GOODBYE, policy=Policy(goodbye=seconds(30)))
    assert wishes(closing.clients_out, session, clock) == [
        DOOR,
        WakeAt(at("19:55:30"), "the goodbye is over"),
    ]


def test_then_everybody_but_the_staff_goes_by_the_workers_order() -> None:
    session = story(*EVENING, joined(EVE, "19:01"), waiting(CHLOE), GOODBYE)
    door, ben, eve = wishes(closing.clients_out, session, "19:56")
    assert door == DOOR
    assert ben == RemoveParticipant(
        key=f"closing.out:{ROOM.instance}:UUID-BEN:{at('19:00').isoformat()}",
        reason="The session is over: clients leave before the staff do.",
        clause="E1",
        rule="closing.clients_out",
        by="anna",
        meeting=ROOM,
        connection="UUID-BEN",
        person_id="ben",
        uuid="UUID-BEN",
        user_id="201",
        registrant_id="reg-ben",
    )
    assert isinstance(eve, RemoveParticipant)
    assert eve.connection == "UUID-EVE"


def test_who_sits_in_a_side_room_goes_too() -> None:
    """A session ended while side rooms run ends there too."""
    session = story(
        *EVENING, seat(e.BreakoutJoined, BEN, "19:10", room="blue"), GOODBYE
    )
    assert len(wishes(closing.clients_out, session, "19:56")) == 2


def test_who_comes_back_after_the_goodbye_is_put_out_again() -> None:
    back = {**BEN, "uuid": "UUID-BEN-2", "user_id": "2012"}
    session = story(*EVENING, GOODBYE, left(BEN, "19:56"), joined(back, "19:57"))
    (_, out) = wishes(closing.clients_out, session, "19:57")
    assert isinstance(out, RemoveParticipant)
    assert out.connection == "UUID-BEN-2"


def test_a_room_opened_after_the_goodbye_is_not_meant_by_it() -> None:
    later = (replace(joined(BEN, "19:58"), meeting=SECOND),)
    session = story(*EVENING, GOODBYE, ended("19:57"), *later)
    assert wishes(closing.clients_out, session, "20:00") == []


def end_wish(by: str, key: str, cause: EndCause) -> EndMeeting:
    return EndMeeting(
        key=f"{key}:{ROOM.instance}",
        reason="A worker ended the session for everyone.",
        clause="E1",
        rule="closing.end",
        by=by,
        meeting=ROOM,
        cause=cause,
    )


DEBRIEFED = p.DebriefEnded(at=at("20:05"), by="sam")


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((), []),
        ((GOODBYE,), []),
        ((DEBRIEFED,), []),
        ((GOODBYE, DEBRIEFED), [end_wish("sam", "closing.end", EndCause.CLOSING)]),
        (
            (p.SessionClosed(at=at("20:06"), by="anna"),),
            [end_wish("anna", "closing.end", EndCause.CLOSING)],
        ),
        (
            (p.EndPressed(at=at("19:40"), by="sam", press_id="9"),),
            [end_wish("sam", "closing.end:9", EndCause.ORDER)],
        ),
        ((GOODBYE, DEBRIEFED, ended("20:06")), []),
    ],
)
def test_the_call_is_ended_when_staff_are_done_or_a_worker_says_so(
    facts: tuple[Fact, ...], wanted: list[Wish]
) -> None:
    assert wishes(closing.end, story(*EVENING, *facts), "20:10") == wanted


@pytest.mark.parametrize(
    "press",
    [
        p.SessionClosed(at=at("19:30"), by="anna"),
        p.EndPressed(at=at("19:30"), by="anna", press_id="9"),
    ],
)
def test_a_room_opened_after_the_press_was_not_meant_by_it(press: Fact) -> None:
    later = (
        replace(started("19:31"), meeting=SECOND),
        replace(joined(BEN, "19:31"), meeting=SECOND),
    )
    session = story(*EVENING, press, *later)
    meant = wishes(closing.end, session, "19:32")
    assert [w.meeting for w in meant if isinstance(w, EndMeeting)] == [ROOM]


# --- links ----------------------------------------------------------------------------


def states(session: GroupSession, clock: str) -> dict[str, p.LinkState]:
    return {
        link.person_id: closing.wished_state(session, link, at(clock))
        for link in session.links.values()
    }


ACTIVE, SUSPENDED, CANCELLED = (
    p.LinkState.ACTIVE,
    p.LinkState.SUSPENDED,
    p.LinkState.CANCELLED,
)


def for_all(state: p.LinkState) -> dict[str, p.LinkState]:
    return dict.fromkeys(("ben", "chloe", "dev", "noor"), state)


def for_clients(state: p.LinkState) -> dict[str, p.LinkState]:
    return {**for_all(state), "noor": ACTIVE}


def test_links_work_before_and_in_the_session() -> None:
    assert states(set_up(), "18:30") == for_all(ACTIVE)
    assert states(story(*EVENING), "19:30") == for_all(ACTIVE)


def test_after_the_goodbye_only_workers_links_work() -> None:
    assert states(story(*EVENING, GOODBYE), "19:56") == for_clients(SUSPENDED)


def test_links_are_dead_once_a_worker_closed_the_session() -> None:
    closed = p.SessionClosed(at=at("20:06"), by="anna")
    assert states(story(*EVENING, closed), "20:06") == for_all(CANCELLED)


@pytest.mark.parametrize(
    ("clock", "state"),
    [("20:29:59", ACTIVE), ("20:30", CANCELLED), ("20:31", CANCELLED)],
)
def test_links_are_dead_thirty_minutes_after_the_planned_end(
    clock: str, state: p.LinkState
) -> None:
    assert states(story(*EVENING), clock) == for_all(state)


def moved(clock: str, state: p.ActionState, **more: Any) -> p.ActionMoved:
    whole: dict[str, Any] = {
        "at": at(clock),
        "key": "never_alone.end:1",
        "kind": "end_meeting",
        "state": state,
        "cause": "never_alone",
        "meeting": ROOM,
    }
    return p.ActionMoved(**whole | more)


SENT = moved("19:05:10", p.ActionState.SENT)
CLEARED = (*EVENING, SENT, ended("19:05:12"))


def test_a_safety_clear_suspends_the_links() -> None:
    session = story(*CLEARED)
    assert closing.cleared_at(session) == at("19:05:10")
    assert states(session, "19:06") == for_clients(SUSPENDED)


@pytest.mark.parametrize(
    "fact",
    [
        moved("19:05:10", p.ActionState.WANTED),
        moved("19:05:10", p.ActionState.SENT, cause="order"),
        moved("19:05:10", p.ActionState.SENT, race=True),
        moved("19:05:10", p.ActionState.SENT, kind="remove_participant"),
    ],
)
def test_nothing_else_suspends_them(fact: p.ActionMoved) -> None:
    session = story(*EVENING, fact, ended("19:05:12"))
    assert closing.cleared_at(session) is None
    assert states(session, "19:06") == for_all(ACTIVE)


def test_a_clear_withdrawn_before_it_had_an_effect_is_none() -> None:
    withdrawn = moved("19:05:11", p.ActionState.WITHDRAWN)
    assert closing.cleared_at(story(*EVENING, SENT, withdrawn)) is None
    over = story(*EVENING, SENT, withdrawn, ended("19:05:12"))
    assert closing.cleared_at(over) == at("19:05:10")
    nowhere = replace(SENT, meeting=None)
    assert closing.cleared_at(story(*EVENING, nowhere)) == at("19:05:10")


def test_resume_makes_them_work_again() -> None:
    session = story(*CLEARED, p.SessionResumed(at=at("19:10"), by="anna"))
    assert closing.cleared_at(session) is None
    assert states(session, "19:10") == for_all(ACTIVE)
    apply(session, moved("19:20", p.ActionState.SENT, key="never_alone.end:2"))
    assert closing.cleared_at(session) == at("19:20")


@pytest.mark.parametrize(
    ("clock", "offered"),
    [("19:05:10", True), ("19:35:09", True), ("19:35:10", False), ("19:36", False)],
)
def test_resume_is_offered_for_thirty_minutes(clock: str, offered: bool) -> None:
    assert closing.may_resume(story(*CLEARED), at(clock)) is offered


def test_resume_is_offered_after_a_race_too() -> None:
    race = moved("19:05:14", p.ActionState.CONFIRMED, race=True)
    assert closing.may_resume(story(*CLEARED, race), at("19:06"))


@pytest.mark.parametrize(
    "facts",
    [
        EVENING,
        (*CLEARED, p.SessionResumed(at=at("19:10"), by="anna")),
        (*CLEARED, p.SessionClosed(at=at("19:10"), by="anna")),
        (*CLEARED, p.ClosingPressed(at=at("19:10"), by="anna")),
    ],
)
def test_resume_is_not_offered_without_a_clear_or_once_it_is_over(
    facts: tuple[Fact, ...],
) -> None:
    assert not closing.may_resume(story(*facts), at("19:11"))


def test_who_was_removed_has_no_working_link_until_readmitted() -> None:
    removal = p.LadderPressed(
        at=at("19:10"),
        by="anna",
        press_id="7",
        step=p.Step.REMOVE,
        connection="UUID-BEN",
        immediate=True,
    )
    session = story(*EVENING, removal)
    assert states(session, "19:11") == {**for_all(ACTIVE), "ben": SUSPENDED}
    back = p.Readmitted(
        at=at("19:12"),
        by="anna",
        press_id="8",
        person_id="ben",
        connection="UUID-BEN",
    )
    apply(session, back)
    assert states(session, "19:12") == for_all(ACTIVE)


REMOVED = p.LadderPressed(
    at=at("19:10"),
    by="anna",
    press_id="7",
    step=p.Step.REMOVE,
    connection="UUID-BEN",
    immediate=True,
)
LET_BACK = p.Readmitted(
    at=at("19:12"), by="anna", press_id="8", person_id="ben", connection="UUID-BEN"
)
OFF = f"closing.link:reg-ben:suspended:{at('18:00').isoformat()}"


def asked_off(state: p.ActionState, clock: str) -> p.ActionMoved:
    """The platform was asked to switch Ben's link off."""
    return p.ActionMoved(
        at=at(clock), key=OFF, kind=ChangeLink.kind, state=state, person_id="ben"
    )


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((), []),
        ((asked_off(p.ActionState.WANTED, "19:10"),), []),
        ((asked_off(p.ActionState.SENT, "19:10:01"),), ["active"]),
        (
            (
                asked_off(p.ActionState.SENT, "19:10:01"),
                asked_off(p.ActionState.WITHDRAWN, "19:12"),
            ),
            ["active"],
        ),
    ],
    ids=["never asked", "only wanted", "asked", "withdrawn after it was asked"],
)
def test_a_link_the_platform_may_have_switched_off_unheard_is_switched_on(
    facts: tuple[Fact, ...], wanted: list[str]
) -> None:
    """I7: no answer came, and meanwhile Ben was let back in."""
    session = story(*EVENING, REMOVED, *facts, LET_BACK)
    found = [
        w.state
        for w in wishes(closing.links, session, "19:13")
        if isinstance(w, ChangeLink)
    ]
    assert found == wanted


def test_once_it_is_known_to_work_nothing_more_is_wanted() -> None:
    on = p.LinkChanged(at=at("19:12:02"), registrant_id="reg-ben", state=ACTIVE)
    sent = asked_off(p.ActionState.SENT, "19:10:01")
    session = story(*EVENING, REMOVED, sent, LET_BACK, on)
    assert states(session, "19:13") == for_all(ACTIVE)
    assert not [
        w for w in wishes(closing.links, session, "19:13") if isinstance(w, ChangeLink)
    ]


def test_links_are_brought_to_the_state_they_should_have_once() -> None:
    session = story(*CLEARED)
    for person in ("chloe", "dev"):
        apply(
            session,
            p.LinkChanged(
                at=at("19:05:15"), registrant_id=f"reg-{person}", state=SUSPENDED
            ),
        )
    assert wishes(closing.links, session, "19:06") == [
        ChangeLink(
            key=f"closing.link:reg-ben:suspended:{at('18:00').isoformat()}",
            reason="The personal link is switched off for now.",
            clause="E1",
            rule="closing.links",
            meeting=replace(ROOM, instance=""),
            registrant_id="reg-ben",
            person_id="ben",
            state="suspended",
        ),
        WakeAt(at("20:30"), "links die"),
    ]


def test_switching_a_link_off_twice_is_two_episodes() -> None:
    again = p.LinkChanged(at=at("19:01"), registrant_id="reg-ben", state=ACTIVE)
    session = story(*CLEARED, again)
    keys = {
        w.key
        for w in wishes(closing.links, session, "19:06")
        if isinstance(w, ChangeLink)
    }
    assert f"closing.link:reg-ben:suspended:{at('19:01').isoformat()}" in keys


def test_a_dead_link_stays_dead() -> None:
    cancelled = p.LinkChanged(at=at("19:01"), registrant_id="reg-ben", state=CANCELLED)
    session = story(*EVENING, cancelled)
    assert wishes(closing.links, session, "19:02") == [WakeAt(at("20:30"), "links die")]
    dead = story(*EVENING, p.SessionClosed(at=at("20:06"), by="anna"))
    changes = wishes(closing.links, dead, "20:07")
    assert {w.state for w in changes if isinstance(w, ChangeLink)} == {"cancelled"}
    assert len(changes) == 4


# --- the clock and the notes ----------------------------------------------------------


def spoken(clock: str, text: str) -> AlertStaff:
    return AlertStaff(
        key=f"closing.clock:{'soon' if clock == '19:55' else 'end'}:{at(clock).isoformat()}",
        reason=text,
        clause="B2",
        rule="closing.clock",
        level=Level.INFO,
        audience=Audience.WORKERS,
    )


SOON = "Five minutes to the planned end."
NOW = "The planned end has come. Say goodbye and close."


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ("19:54:59", [WakeAt(at("19:55"), SOON), WakeAt(at("20:00"), NOW)]),
        ("19:55", [spoken("19:55", SOON), WakeAt(at("20:00"), NOW)]),
        ("19:59:59", [spoken("19:55", SOON), WakeAt(at("20:00"), NOW)]),
        ("20:00", [spoken("19:55", SOON), spoken("20:00", NOW)]),
    ],
)
def test_the_planned_end_is_told_and_nobody_is_cut_off(
    clock: str, told: list[Wish]
) -> None:
    assert wishes(closing.clock, story(*EVENING), clock) == told


@pytest.mark.parametrize(
    "facts",
    [
        (*EVENING, GOODBYE),
        (*EVENING, p.SessionClosed(at=at("19:50"), by="anna")),
        (*EVENING, left(BEN, "19:50")),
    ],
)
def test_the_clock_is_quiet_when_it_is_over_or_nobody_is_there(
    facts: tuple[Fact, ...],
) -> None:
    assert wishes(closing.clock, story(*facts), "20:00") == []


NOTES = StartFollowUp(
    key="closing.notes_due",
    reason="Write the session notes and confirm who was there.",
    clause="E3",
    rule="closing.notes_due",
    what="notes",
    due_at=at("20:00") + seconds(24 * 3600),
)
SAVED = p.NotesSaved(at=at("20:10"), by="anna", version=1)
CONFIRMED = p.AttendanceConfirmed(at=at("20:12"), by="anna", version=1)


@pytest.mark.parametrize(
    ("facts", "clock", "wanted"),
    [
        (EVENING, "19:59:59", [WakeAt(at("20:00"), "notes are due")]),
        (EVENING, "20:00", [NOTES]),
        ((*EVENING, p.SessionClosed(at=at("19:50"), by="anna")), "19:51", [NOTES]),
        ((*EVENING, SAVED), "20:20", [NOTES]),
        ((*EVENING, CONFIRMED), "20:20", [NOTES]),
        ((*EVENING, SAVED, CONFIRMED), "20:20", []),
        ((), "20:20", []),
        (
            (
                e.RegistrationChanged(
                    meeting=ROOM, at=at("18:10"), registrant_id="x", status="pending"
                ),
            ),
            "20:20",
            [],
        ),
    ],
)
def test_notes_and_attendance_are_asked_for_once_there_was_a_session(
    facts: tuple[Fact, ...], clock: str, wanted: list[Wish]
) -> None:
    assert wishes(closing.notes_due, story(*facts), clock) == wanted


@pytest.mark.parametrize("rule", [closing.links, closing.clock, closing.notes_due])
def test_without_a_plan_there_is_no_end_to_tell(rule: Any) -> None:
    session = story(*EVENING)
    session.plan = None
    session.version += 1
    assert wishes(rule, session, "21:00") == []
