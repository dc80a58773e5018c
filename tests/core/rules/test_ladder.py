"""Remind, warn, remove: presses, who they may be about, and what keeps people out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from app.core import presses as p
from app.core.actions import (
    Action,
    AlertStaff,
    ChangeLink,
    Expect,
    Level,
    RemoveParticipant,
    SendReminder,
    SendWarning,
    WakeAt,
    Wish,
)
from app.core.fold import Fact
from app.core.ladder import (
    BACK_ALREADY,
    IS_WORKER,
    LATER_FIRST,
    NO_STEP,
    NOBODY_THERE,
    NOT_ROSTERED,
    SESSION_OVER,
    expires_at,
    is_removed,
    ladder_problem,
    next_step,
    readmit_problem,
    reason_problem,
    removals,
    steps_of,
    take_back_problem,
)
from app.core.policy import Policy
from app.core.reasons import CAMERA_IS_NO_REASON, camera_problem
from app.core.rules import ladder
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    NAMES,
    ROOM,
    SAM,
    again,
    at,
    joined,
    left,
    seconds,
    started,
    story,
    waiting,
)

EVENING = (
    started(),
    joined(ANNA, "18:53"),
    joined(SAM, "18:54"),
    joined(BEN),
    joined(CHLOE),
)


def press(step: p.Step, clock: str, **more: Any) -> p.LadderPressed:
    """Anna presses a step against Ben for rule 2, unless told otherwise."""
    given: dict[str, Any] = {
        "at": at(clock),
        "by": "anna",
        "press_id": f"{step.value}-{clock}",
        "step": step,
        "connection": BEN["uuid"],
        "rule": 2,
        **more,
    }
    return p.LadderPressed(**given)


REMIND = press(p.Step.REMIND, "19:10")
WARN = press(p.Step.WARN, "19:15")
REMOVE = press(p.Step.REMOVE, "19:20")
AT_ONCE = press(p.Step.REMOVE, "19:20", immediate=True, rule=0, press_id="serious")
THREE = (*EVENING, REMIND, WARN, REMOVE)


def wanted(session: GroupSession, clock: str) -> list[Wish]:
    """What the ladder's own rules want at this moment."""
    found: list[Wish] = []
    for _, rule in ladder.RULES:
        found += rule(session, at(clock))
    return found


def keys(session: GroupSession, clock: str) -> list[str]:
    return [w.key for w in wanted(session, clock) if isinstance(w, Action)]


def moved(
    action: Action, state: p.ActionState, when: datetime, **more: Any
) -> p.ActionMoved:
    """What the engine writes down about an action."""
    return p.ActionMoved(
        at=when,
        key=action.key,
        kind=action.kind,
        state=state,
        connection=getattr(action, "connection", ""),
        person_id=getattr(action, "person_id", ""),
        meeting=getattr(action, "meeting", None),
        **more,
    )


def test_a_quiet_room_wants_nothing() -> None:
    assert wanted(story(*EVENING), "19:10") == []


def test_a_reminder_is_kind_and_in_the_groups_own_words() -> None:
    session = story(*EVENING, REMIND)

    assert wanted(session, "19:10") == [
        SendReminder(
            key="ladder.remind:remind-19:10",
            reason="A worker pressed “remind” (rule 2).",
            clause="T5",
            rule="ladder.steps",
            by="anna",
            not_after=at("20:30"),
            meeting=ROOM,
            connection="UUID-BEN",
            person_id="ben",
            uuid="UUID-BEN",
            user_id="201",
            registrant_id="reg-ben",
            text=(
                "A kind reminder of what we agreed together. "
                "Rule 2: One person talks at a time."
            ),
        )
    ]
    assert SendReminder.expect is Expect.TICK


def test_a_warning_says_what_comes_next_and_keeps_the_private_reason_private() -> None:
    warning = press(p.Step.WARN, "19:15", reason="shouted at Chloe")
    session = story(*EVENING, REMIND, warning)

    sent = [w for w in wanted(session, "19:15") if isinstance(w, SendWarning)]

    assert [w.text for w in sent] == [
        "This is a warning about what we agreed together. Rule 2: One person talks at a "
        "time. If it goes on, you will be asked to leave for today. Tell us if something "
        "is hard right now; we are here."
    ]
    assert "Chloe" not in repr(sent)


def test_a_reminder_without_a_rule_quotes_none() -> None:
    session = story(*EVENING, press(p.Step.REMIND, "19:10", rule=0, reason="loud"))

    sent = [w for w in wanted(session, "19:10") if isinstance(w, SendReminder)]

    assert [w.text for w in sent] == ["A kind reminder of what we agreed together."]


def test_nobody_is_reminded_who_has_left() -> None:
    session = story(*EVENING, REMIND, left(BEN, "19:11"))

    assert keys(session, "19:12") == []


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("20:29:59", ["ladder.remind:remind-19:10"]), ("20:30:00", []), ("20:31", [])],
)
def test_steps_end_with_the_links(clock: str, expected: list[str]) -> None:
    assert keys(story(*EVENING, REMIND), clock) == expected


def test_steps_end_when_a_worker_closes_the_session() -> None:
    session = story(*EVENING, REMIND, p.SessionClosed(at=at("19:40"), by="anna"))

    assert expires_at(session) == at("19:40")
    assert keys(session, "19:39:59") == ["ladder.remind:remind-19:10"]
    assert keys(session, "19:40") == []


def test_a_removal_is_wanted_until_the_room_shows_it() -> None:
    session = story(*THREE)

    assert keys(session, "19:20") == [
        "ladder.remind:remind-19:10",
        "ladder.warn:warn-19:15",
        "ladder.remove:remove-19:20",
    ]
    gone = story(*THREE, left(BEN, "19:20:04"))
    assert keys(gone, "19:20:05") == []


def test_a_removal_names_the_presser_and_the_connection() -> None:
    removal = [
        w for w in wanted(story(*THREE), "19:20") if isinstance(w, RemoveParticipant)
    ]

    assert removal == [
        RemoveParticipant(
            key="ladder.remove:remove-19:20",
            reason="A worker pressed “remove” (rule 2).",
            clause="T5",
            rule="ladder.removed_stay_out",
            by="anna",
            meeting=ROOM,
            connection="UUID-BEN",
            person_id="ben",
            uuid="UUID-BEN",
            user_id="201",
            registrant_id="reg-ben",
        )
    ]


# --- who may press what -----------------------------------------------------------

ORDER = (
    "There has been no {} in this session before {} (remind, then warn, then remove). "
    "For serious harm choose the immediate step."
)
PROBLEMS: list[tuple[tuple[Fact, ...], p.LadderPressed, str]] = [
    ((), REMIND, ""),
    ((), press(p.Step.REMIND, "19:10", by="sam"), ""),
    ((), press(p.Step.REMIND, "19:10", by="noor"), ""),
    ((), press(p.Step.REMIND, "19:10", by="ben"), NOT_ROSTERED),
    ((), press(p.Step.REMIND, "19:10", by=""), NOT_ROSTERED),
    ((), press(p.Step.REMIND, "20:29:59"), ""),
    ((), press(p.Step.REMIND, "20:30"), SESSION_OVER),
    ((), press(p.Step.REMIND, "19:10", connection="nobody"), NOBODY_THERE),
    ((), press(p.Step.REMIND, "19:10", connection="UUID-SAM"), IS_WORKER),
    (
        (),
        press(p.Step.REMOVE, "19:10", connection="UUID-SAM", immediate=True),
        IS_WORKER,
    ),
    ((), press(p.Step.REMIND, "19:10", rule=4), ""),
    (
        (),
        press(p.Step.REMIND, "19:10", rule=5),
        "The group has agreed no rule 5; choose one of its rules.",
    ),
    (
        (),
        press(p.Step.REMIND, "19:10", rule=-1),
        "The group has agreed no rule -1; choose one of its rules.",
    ),
    ((), press(p.Step.REMIND, "19:10", rule=0, reason="shouting"), ""),
    (
        (),
        press(p.Step.REMIND, "19:10", rule=0, reason=" "),
        "Name the agreed rule that was broken, or write the reason in a sentence.",
    ),
    (
        (REMIND, WARN),
        press(p.Step.REMOVE, "19:20", rule=0),
        "Name the agreed rule that was broken, or write the reason in a sentence.",
    ),
    ((), AT_ONCE, ""),
    (
        (),
        press(p.Step.WARN, "19:15", rule=0, immediate=True),
        "Name the agreed rule that was broken, or write the reason in a sentence.",
    ),
    ((), WARN, ORDER.format("reminder", "a warning")),
    ((REMIND,), WARN, ""),
    ((REMIND,), REMOVE, ORDER.format("warning", "a removal")),
    ((REMIND, WARN), REMOVE, ""),
    ((WARN,), REMOVE, ORDER.format("warning", "a removal")),
    ((), press(p.Step.WARN, "19:15", immediate=True), ""),
    (
        (press(p.Step.REMIND, "19:10", connection="UUID-CHLOE"),),
        WARN,
        ORDER.format("reminder", "a warning"),
    ),
    ((press(p.Step.REMIND, "19:15:01"),), WARN, ORDER.format("reminder", "a warning")),
    ((press(p.Step.REMIND, "19:15"),), WARN, ""),
    (
        (press(p.Step.REMIND, "19:10", by="eve"),),
        WARN,
        ORDER.format("reminder", "a warning"),
    ),
    ((joined(EVE, "19:05"),), press(p.Step.REMOVE, "19:06", connection="UUID-EVE"), ""),
]


@pytest.mark.parametrize(("before", "pressed", "problem"), PROBLEMS)
def test_a_press_is_refused_with_a_sentence_or_taken(
    before: tuple[Fact, ...], pressed: p.LadderPressed, problem: str
) -> None:
    session = story(*EVENING, *before)

    assert ladder_problem(session, pressed) == problem


@pytest.mark.parametrize(("before", "pressed", "problem"), PROBLEMS)
def test_the_rules_leave_a_press_alone_that_should_not_be_there(
    before: tuple[Fact, ...], pressed: p.LadderPressed, problem: str
) -> None:
    session = story(*EVENING, *before, pressed)
    key = f"ladder.{pressed.step.value}:{pressed.press_id}"

    assert (key in keys(session, "20:29:59")) is (problem == "")


def test_a_reminder_counts_for_the_person_not_for_the_connection() -> None:
    session = story(*EVENING, REMIND, left(BEN, "19:12"), joined(again(BEN), "19:13"))

    assert (
        ladder_problem(session, press(p.Step.WARN, "19:15", connection="UUID-BEN-2"))
        == ""
    )
    assert steps_of(session, "UUID-BEN-2") == (REMIND,)


def test_the_page_proposes_the_next_step() -> None:
    assert next_step(story(*EVENING), "UUID-BEN") is p.Step.REMIND
    assert next_step(story(*EVENING, REMIND), "UUID-BEN") is p.Step.WARN
    assert next_step(story(*EVENING, REMIND, WARN), "UUID-BEN") is p.Step.REMOVE
    assert next_step(story(*EVENING, REMIND, WARN), "UUID-CHLOE") is p.Step.REMIND
    assert next_step(story(*EVENING), "nobody") is p.Step.REMIND


def test_a_press_told_twice_is_one_step() -> None:
    assert keys(story(*EVENING, REMIND, REMIND), "19:10") == [
        "ladder.remind:remind-19:10"
    ]


def test_a_step_acted_on_stays_valid_when_its_reason_is_erased() -> None:
    reasoned = press(p.Step.REMIND, "19:10", rule=0, reason="loud")
    erased = press(p.Step.REMIND, "19:10", rule=0)
    sent = next(iter(ladder.steps(story(*EVENING, reasoned), at("19:10"))))
    assert isinstance(sent, SendReminder)

    session = story(*EVENING, erased, moved(sent, p.ActionState.SENT, at("19:10")))

    assert steps_of(session, "UUID-BEN") == (erased,)
    assert ladder_problem(session, WARN) == ""


# --- the camera -------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "camera",
        "Camera off",
        "video off!",
        "Ben's camera is off",
        "his camera\u2019s off again",
        "won't turn her camera on",
        "refuses to show face",
        "Chloe keeps the video switched off",
        "No webcam.",
        "CAMERA  OFF",
    ],
)
@pytest.mark.parametrize("immediate", [False, True])
def test_a_camera_that_is_off_is_never_a_reason(reason: str, immediate: bool) -> None:
    pressed = press(p.Step.REMIND, "19:10", reason=reason, immediate=immediate)
    given = p.ReasonGiven(at=at("19:30"), by="anna", press_id="x", reason=reason)
    session = story(*EVENING, pressed)

    assert ladder_problem(session, pressed) == CAMERA_IS_NO_REASON
    assert reason_problem(session, given) == CAMERA_IS_NO_REASON
    assert keys(session, "19:10") == []


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "shouting",
        "undressed on camera",
        "filmed the others with a second camera",
        "Camera off and swearing at Chloe",
        "showed a weapon on video",
        "off",
    ],
)
def test_another_reason_stands_even_when_it_names_a_camera(reason: str) -> None:
    assert camera_problem(reason, NAMES.values()) == ""


def test_no_text_of_the_ladder_speaks_of_cameras() -> None:
    assert "camera" not in (ladder.REMINDER + ladder.WARNING).lower()


def test_a_reason_given_afterwards_is_a_sentence_of_a_worker() -> None:
    def problem(**changed: Any) -> str:
        given = {
            "at": at("19:30"),
            "by": "anna",
            "press_id": "serious",
            "reason": "threat",
        }
        return reason_problem(story(*EVENING), p.ReasonGiven(**{**given, **changed}))

    assert problem() == ""
    assert problem(by="ben") == NOT_ROSTERED
    assert problem(reason="  ") == "Write the reason in a sentence."


# --- coming back (I2) -------------------------------------------------------------

BACK = (left(BEN, "19:20:04"), joined(again(BEN), "19:21"))


def test_a_removed_client_who_comes_back_is_removed_again_and_staff_are_told() -> None:
    session = story(*THREE, *BACK)
    key = "ladder.remove:remove-19:20:UUID-BEN-2:2026-11-17T19:21:00+00:00"

    found = wanted(session, "19:21")

    assert [w.key for w in found if isinstance(w, Action)] == [
        key,
        f"ladder.back:{key}",
    ]
    assert isinstance(found[0], RemoveParticipant)
    assert (found[0].clause, found[0].by, found[0].person_id) == ("I2", "anna", "ben")
    assert isinstance(found[1], AlertStaff)
    assert found[1].level is Level.AMBER


def test_a_removed_client_is_known_again_on_the_same_connection() -> None:
    session = story(*THREE, left(BEN, "19:20:04"), joined(BEN, "19:22"))

    assert keys(session, "19:22")[-2] == (
        "ladder.remove:remove-19:20:UUID-BEN:2026-11-17T19:22:00+00:00"
    )


def test_a_removed_client_is_known_again_without_a_link_when_a_worker_vouches() -> None:
    other = {"uuid": "UUID-PHONE", "user_id": "401", "name": "Galaxy"}
    facts = (*THREE, left(BEN, "19:20:04"), joined(other, "19:25"))
    vouched = p.ConnectionVouched(
        at=at("19:26"), by="sam", connection="UUID-PHONE", person_id="ben", how="voice"
    )

    assert keys(story(*facts), "19:26") == []
    assert keys(story(*facts, vouched), "19:26")[0].startswith(
        "ladder.remove:remove-19:20:UUID-PHONE:"
    )


def test_a_removed_stranger_is_known_again_by_account() -> None:
    eve = {**EVE, "platform_user_id": "zoom-eve"}
    out = press(p.Step.REMOVE, "19:06", connection="UUID-EVE", press_id="eve")
    session = story(
        *EVENING,
        joined(eve, "19:05"),
        out,
        left(eve, "19:06:02"),
        joined(again(eve), "19:07"),
    )

    assert keys(session, "19:07")[0].startswith("ladder.remove:eve:UUID-EVE-2:")


def test_nobody_else_is_removed_for_a_like_name() -> None:
    twin = {
        "uuid": "UUID-TWIN",
        "user_id": "402",
        "registrant_id": "reg-dev",
        "name": "Ben",
    }
    session = story(*THREE, left(BEN, "19:20:04"), joined(twin, "19:21"))

    assert keys(session, "19:21") == []


def test_both_devices_of_the_removed_client_go() -> None:
    leg = {"uuid": "UUID-LEG", "user_id": "501", "name": "Ben phone"}
    vouched = p.ConnectionVouched(
        at=at("19:01"), by="sam", connection="UUID-LEG", person_id="ben", how="asked"
    )
    session = story(*THREE, joined(leg, "19:00"), vouched)

    removed = [
        w.connection
        for w in wanted(session, "19:20")
        if isinstance(w, RemoveParticipant)
    ]

    assert removed == ["UUID-BEN", "UUID-LEG"]


def test_two_on_one_link_only_the_pressed_one_goes() -> None:
    second = again(BEN, name="Ben's brother")
    pressed = press(
        p.Step.REMOVE,
        "19:20",
        connection="UUID-BEN-2",
        immediate=True,
        press_id="second",
    )
    session = story(*EVENING, joined(second, "19:02"), pressed)

    removed = [
        w.connection
        for w in wanted(session, "19:20")
        if isinstance(w, RemoveParticipant)
    ]

    assert removed == ["UUID-BEN-2"]


def test_a_verified_worker_is_never_removed_even_if_they_were_not_one_before() -> None:
    link = {
        "uuid": "UUID-NOOR",
        "user_id": "103",
        "registrant_id": "reg-noor",
        "name": "N",
    }
    second = again(link)
    out = press(p.Step.REMOVE, "19:20", connection="UUID-NOOR-2", press_id="noor")
    facts = (*EVENING, joined(link, "18:57"), joined(second, "19:19"), out)
    sure = p.WorkerConfirmed(at=at("19:21"), by="noor", connection="UUID-NOOR-2")

    assert "ladder.remove:noor" in keys(story(*facts), "19:20")
    assert not [k for k in keys(story(*facts, sure), "19:21") if "remove" in k]
    sent = next(iter(ladder.removed_stay_out(story(*facts), at("19:20"))))
    assert isinstance(sent, RemoveParticipant)
    acted_on = moved(sent, p.ActionState.SENT, at("19:20:01"))
    assert not [
        k for k in keys(story(*facts, acted_on, sure), "19:21") if "remove" in k
    ]


def comings(count: int, clock: str = "19:21") -> Iterator[Fact]:
    """Ben comes back so many times and was put out each time."""
    start = at(clock)
    for number in range(1, count + 1):
        when = (start + seconds(number)).strftime("%H:%M:%S")
        ben = again(BEN, number + 1)
        yield joined(ben, when)
        yield p.ActionMoved(
            at=start + seconds(number),
            key=f"ladder.remove:remove-19:20:{ben['uuid']}:again",
            kind="remove_participant",
            state=p.ActionState.WANTED,
            meeting=ROOM,
        )
        yield left(ben, when)


@pytest.mark.parametrize(
    ("before", "again_wanted"), [(1, True), (2, True), (3, False), (4, False)]
)
def test_removals_a_minute_are_bounded_then_the_room_is_to_be_locked(
    before: int, again_wanted: bool
) -> None:
    session = story(
        *THREE,
        left(BEN, "19:20:04"),
        *comings(before),
        joined(again(BEN, 9), "19:21:10"),
        policy=Policy(removals_per_minute=3),
    )

    found = wanted(session, "19:21:10")

    assert any(isinstance(w, RemoveParticipant) for w in found) is again_wanted
    alarms = [
        w.key for w in found if isinstance(w, AlertStaff) and w.level is Level.RED
    ]
    assert alarms == ([] if again_wanted else [f"ladder.flood:{ROOM.instance}"])
    wakes = [w for w in found if isinstance(w, WakeAt)]
    assert wakes == (
        [] if again_wanted else [WakeAt(at("19:22:01"), "removals may go on")]
    )


@pytest.mark.parametrize(
    ("clock", "expected"), [("19:22:00", False), ("19:22:01", True)]
)
def test_after_a_minute_removals_go_on(clock: str, expected: bool) -> None:
    session = story(
        *THREE,
        left(BEN, "19:20:04"),
        *comings(3),
        joined(again(BEN, 9), "19:21:10"),
        policy=Policy(removals_per_minute=3),
    )

    assert (
        any(isinstance(w, RemoveParticipant) for w in wanted(session, clock))
        is expected
    )


def test_a_workers_first_press_is_never_put_off() -> None:
    session = story(
        *THREE, *comings(3, "19:19:50"), policy=Policy(removals_per_minute=3)
    )

    assert "ladder.remove:remove-19:20" in keys(session, "19:20")


# --- and the way back (I7) --------------------------------------------------------

READMIT = p.Readmitted(
    at=at("19:30"), by="sam", press_id="back", connection="UUID-BEN", person_id="ben"
)


def test_a_readmitted_client_is_not_removed_again() -> None:
    session = story(*THREE, left(BEN, "19:20:04"), READMIT, joined(again(BEN), "19:31"))

    assert keys(session, "19:31") == []
    assert not is_removed(session, "ben")
    assert is_removed(story(*THREE), "ben")
    assert not is_removed(story(*THREE), "")


def test_a_new_press_after_readmitting_counts_again() -> None:
    again_out = press(p.Step.REMOVE, "19:40", connection="UUID-BEN-2")
    session = story(
        *THREE, left(BEN, "19:20:04"), READMIT, joined(again(BEN), "19:31"), again_out
    )

    assert "ladder.remove:remove-19:40" in keys(session, "19:40")


def test_only_a_worker_readmits() -> None:
    by_ben = p.Readmitted(at=at("19:30"), by="ben", press_id="b", connection="UUID-BEN")

    session = story(*THREE, by_ben)

    assert is_removed(session, "ben")
    assert readmit_problem(session, by_ben) == NOT_ROSTERED


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (THREE, ""),
        (EVENING, "There is no removal to undo for that person."),
        ((*THREE, READMIT), "There is no removal to undo for that person."),
    ],
)
def test_readmitting_needs_a_removal(facts: tuple[Fact, ...], problem: str) -> None:
    later = p.Readmitted(
        at=at("19:35"), by="sam", press_id="later", connection="UUID-BEN"
    )

    assert readmit_problem(story(*facts), later) == problem


def test_a_removal_by_the_bot_can_be_undone_too() -> None:
    by_bot = p.ActionMoved(
        at=at("19:05"),
        key="entry.remove:UUID-EVE",
        kind="remove_participant",
        state=p.ActionState.CONFIRMED,
        connection="UUID-EVE",
        meeting=ROOM,
    )
    session = story(*EVENING, joined(EVE, "19:04"), by_bot)
    back = p.Readmitted(at=at("19:10"), by="sam", press_id="x", connection="UUID-EVE")

    assert readmit_problem(session, back) == ""


def test_a_link_chaperone_did_not_make_is_suspended_and_restored() -> None:
    eve = {**EVE, "registrant_id": "reg-eve"}
    out = press(p.Step.REMOVE, "19:06", connection="UUID-EVE", press_id="eve")
    facts: tuple[Fact, ...] = (*EVENING, joined(eve, "19:05"), out)
    suspended = [w for w in wanted(story(*facts), "19:06") if isinstance(w, ChangeLink)]

    assert suspended == [
        ChangeLink(
            key="ladder.link:eve:suspended:reg-eve",
            reason="A worker pressed “remove”.",
            clause="T5",
            rule="ladder.foreign_links",
            by="anna",
            meeting=ROOM,
            registrant_id="reg-eve",
            person_id="",
            state="suspended",
        )
    ]
    back = p.Readmitted(
        at=at("19:30"), by="sam", press_id="back", connection="UUID-EVE"
    )
    assert not [
        w for w in wanted(story(*facts, back), "19:30") if isinstance(w, ChangeLink)
    ]
    done = moved(suspended[0], p.ActionState.CONFIRMED, at("19:06:01"))
    restored = wanted(story(*facts, done, back), "19:30")
    assert [(w.key, w.state) for w in restored if isinstance(w, ChangeLink)] == [
        ("ladder.link:back:active:reg-eve", "active")
    ]


def test_dev_who_did_nothing_is_never_touched() -> None:
    session = story(*THREE, joined(DEV, "19:00"), waiting(again(DEV, 3), "19:01"))

    touched = {getattr(w, "person_id", "") for w in wanted(session, "19:20")}

    assert touched == {"ben"}


def test_the_rules_are_registered_with_names() -> None:
    names: list[tuple[str, Callable[..., Any]]] = list(ladder.RULES)

    assert [name for name, _ in names] == [
        "ladder.steps",
        "ladder.removed_stay_out",
        "ladder.foreign_links",
    ]


# --- a step pressed in error ----------------------------------------------------------


def back(step: p.LadderPressed, clock: str, **more: Any) -> p.StepTakenBack:
    """Sam takes a step back."""
    given: dict[str, Any] = {
        "at": at(clock),
        "by": "sam",
        "press_id": f"back-{clock}",
        "step_id": step.press_id,
        **more,
    }
    return p.StepTakenBack(**given)


def test_a_reminder_taken_back_before_it_was_said_is_wanted_no_more() -> None:
    session = story(*EVENING, REMIND, back(REMIND, "19:11"))
    assert keys(session, "19:11") == []
    assert (next_step(session, BEN["uuid"]), steps_of(session, BEN["uuid"])) == (
        p.Step.REMIND,
        (),
    )


@pytest.mark.parametrize(
    ("state", "route", "told"),
    [
        (p.ActionState.SENT, "person", False),  # asked of a worker, who has not said it
        (p.ActionState.CONFIRMED, "person", True),
        (p.ActionState.SENT, "api", True),
    ],
)
def test_whoever_may_have_heard_of_it_hears_that_it_does_not_count(
    state: p.ActionState, route: str, told: bool
) -> None:
    session = story(*EVENING, REMIND)
    [wish] = wanted(session, "19:10")
    assert isinstance(wish, SendReminder)
    facts = [moved(wish, p.ActionState.SENT, at("19:10:01"), route=route)]
    if state is p.ActionState.CONFIRMED:
        facts.append(moved(wish, state, at("19:10:30"), route=route))
    session = story(*EVENING, REMIND, *facts, back(REMIND, "19:11"))
    correction = SendReminder(
        key=f"ladder.taken_back:{REMIND.press_id}",
        reason="A worker took a reminder back.",
        clause="T5",
        rule="ladder.steps",
        meeting=ROOM,
        connection=BEN["uuid"],
        person_id="ben",
        by="sam",
        not_after=expires_at(session),
        text=(
            "Please take no notice of the reminder you were just given: it was a mistake "
            "of ours, and it does not count."
        ),
    )
    found = [replace(w, **unlike(w, correction)) for w in wanted(session, "19:11")]
    assert found == ([correction] if told else [])


def unlike(wish: Any, other: SendReminder) -> dict[str, Any]:
    """The fields by which a connection is aimed at; they have tests of their own."""
    names = ("uuid", "user_id", "registrant_id", "platform_user_id", "room")
    return {name: getattr(other, name) for name in names if hasattr(wish, name)}


def test_a_warning_taken_back_lets_no_removal_follow() -> None:
    session = story(*EVENING, REMIND, WARN, back(WARN, "19:16"))
    assert next_step(session, BEN["uuid"]) is p.Step.WARN
    assert "no warning in this session before a removal" in ladder_problem(
        session, REMOVE
    )


@pytest.mark.parametrize(
    ("taken_back_at", "stands"),
    [("19:19:59", False), ("19:20", False), ("19:20:01", True)],
)
def test_a_warning_taken_back_later_does_not_undo_the_removal_it_led_to(
    taken_back_at: str, stands: bool
) -> None:
    """It was rightly pressed, and what it did to their link must be put right (I7)."""
    session = story(*EVENING, REMIND, WARN, REMOVE, back(WARN, taken_back_at))
    assert [one.press for one in removals(session)] == ([REMOVE] if stands else [])


@pytest.mark.parametrize(
    ("facts", "said", "problem"),
    [
        ((REMIND,), back(REMIND, "19:11"), ""),
        ((REMIND,), back(REMIND, "19:11", by="eve"), NOT_ROSTERED),
        ((REMIND,), back(REMIND, "19:11", step_id="nothing"), NO_STEP),
        (THREE[5:], back(REMOVE, "19:21"), NO_STEP),
        ((REMIND, back(REMIND, "19:11")), back(REMIND, "19:12"), BACK_ALREADY),
        ((REMIND, WARN), back(REMIND, "19:16"), LATER_FIRST),
        ((REMIND, WARN, back(WARN, "19:16")), back(REMIND, "19:17"), ""),
        ((REMIND,), back(REMIND, "23:59"), SESSION_OVER),
    ],
)
def test_what_may_be_taken_back_and_by_whom(
    facts: tuple[Fact, ...], said: p.StepTakenBack, problem: str
) -> None:
    assert take_back_problem(story(*EVENING, *facts), said) == problem


def test_a_strangers_word_takes_nothing_back() -> None:
    session = story(*EVENING, REMIND, back(REMIND, "19:11", by="eve"))
    assert keys(session, "19:11") == [f"ladder.remind:{REMIND.press_id}"]
