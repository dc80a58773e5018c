"""The sentences a newcomer reads in the terminal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.core.presses import ActionState
from app.core.session import ActionFact
from app.rehearse.show import in_order, sentence, steps

AT = datetime(2026, 11, 17, 19, 5, 10, tzinfo=UTC)
ENDED = ActionFact(
    key="never_alone.end:1",
    kind="end_meeting",
    state=ActionState.CONFIRMED,
    wanted_at=AT,
    moved_at=AT + timedelta(seconds=2),
    sent_at=AT + timedelta(seconds=1),
    route="api",
    reason="No worker came back in time.",
    proof="The platform reports that this meeting is over.",
)


def test_an_act_sent_and_proved_between_two_looks_is_told_with_its_reason() -> None:
    told = [(each.moved_at, sentence(each, "")) for each in steps(ENDED)]

    assert told == [
        (
            AT + timedelta(seconds=1),
            "sent end for everyone through Zoom: No worker came back in time.",
        ),
        (
            AT + timedelta(seconds=2),
            "PROVED end for everyone: The platform reports that this meeting is over.",
        ),
    ]


def test_an_answer_of_the_platform_is_never_called_proved() -> None:
    link = replace(ENDED, kind="change_link", reason="Off.", proof="Heard (204).")

    assert steps(link) == [link]
    assert sentence(link, " (Ben)") == "changed personal link (Ben): Off. Heard (204)."


def test_what_a_worker_was_asked_for_and_has_not_done() -> None:
    asked = replace(
        ENDED, kind="post_ground_rules", route="person", state=ActionState.SENT
    )
    late = replace(asked, state=ActionState.ESCALATED)

    assert sentence(asked, "") == (
        "asks a worker to give the ground rules: No worker came back in time."
    )
    assert sentence(late, "") == "no worker has done it yet: ground rules"


def test_of_one_moment_the_room_is_told_first_and_nothing_twice() -> None:
    later = AT + timedelta(milliseconds=900)
    told = in_order(
        [
            (later, "bot   PROVED ground rules: So."),
            (AT, "bot   RED ALARM: Nobody is with them."),
            (AT, "room  Anna Price is out of the room (disconnected)."),
            (later, "bot   PROVED ground rules: So."),
        ]
    )

    assert told == [
        "  19:05:10  room  Anna Price is out of the room (disconnected).",
        "  19:05:10  bot   RED ALARM: Nobody is with them.",
        "  19:05:10  bot   PROVED ground rules: So.",
    ]


def test_what_is_only_wanted_or_told_by_the_way_is_no_alarm() -> None:
    wanted = replace(ENDED, state=ActionState.WANTED, sent_at=None)
    five = replace(
        ENDED, kind="alert_staff", state=ActionState.SENT, cause="info", reason="Soon."
    )

    assert steps(wanted) == []
    assert [sentence(each, "") for each in steps(five)] == ["tells the workers: Soon."]
