"""Settings that turn unsafe while live, recordings, streams and unreadable news."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    Level,
    ReadRoom,
    StopLiveStream,
    StopRecording,
    WakeAt,
    Wish,
)
from app.core.facts import MeetingFacts
from app.core.plan import Plan
from app.core.policy import Policy, Weight
from app.core.rules.settings import RULES
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    ROOM,
    SAFE,
    at,
    client,
    ended,
    joined,
    plan,
    read_at,
    started,
    story,
)

LIVE = (started(), joined(ANNA), joined(BEN))
OFF = replace(SAFE, waiting_room_for_everyone=False)


def wishes(session: GroupSession, clock: str = "19:10") -> list[Wish]:
    return [w for _, rule in RULES for w in rule(session, at(clock))]


def kinds(session: GroupSession, clock: str = "19:10") -> list[type[Wish]]:
    return [type(w) for w in wishes(session, clock)]


def alerts(session: GroupSession, clock: str = "19:10") -> list[AlertStaff]:
    return [w for w in wishes(session, clock) if isinstance(w, AlertStaff)]


def levels(session: GroupSession, clock: str = "19:10") -> list[Level]:
    return [alert.level for alert in alerts(session, clock)]


def keys(found: Sequence[Wish]) -> list[str]:
    return [w.key for w in found if not isinstance(w, WakeAt)]


def facts_read(clock: str, facts: MeetingFacts) -> p.FactsRead:
    return p.FactsRead(at=at(clock), facts=facts)


def rung(key: str, clock: str) -> p.ActionMoved:
    return p.ActionMoved(
        at=at(clock), key=key, kind="alert_staff", state=p.ActionState.SENT
    )


def test_a_safe_evening_says_nothing() -> None:
    assert wishes(story(*LIVE)) == []


# --- the waiting room -------------------------------------------------------------------


def test_a_waiting_room_switched_off_live_is_red_and_a_worker_is_asked() -> None:
    session = story(*LIVE, facts_read("19:05", OFF))
    reason = "The waiting room is off: anybody with a link walks straight in."
    stamp = f"eigRfbCZRTK==:{at('19:05').isoformat()}"
    assert wishes(session) == [
        AskWorker(
            key=f"settings.ask_waiting_room:{stamp}",
            reason=reason,
            clause="T1",
            rule="settings.waiting_room_off",
            meeting=ROOM,
            press="switch_waiting_room_on",
        ),
        AlertStaff(
            key=f"settings.waiting_room_off:{stamp}",
            reason=reason,
            clause="T1",
            rule="settings.waiting_room_off",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "The host switches the waiting room on in the meeting's security menu "
                "and looks who is in the room."
            ),
        ),
    ]


@pytest.mark.parametrize("read", [True, None])
def test_a_waiting_room_that_is_on_or_unknown_is_not_switched_off(
    read: bool | None,
) -> None:
    facts = replace(SAFE, waiting_room_for_everyone=read)
    assert wishes(story(*LIVE, facts_read("19:05", facts))) == []


def test_a_room_that_is_not_live_is_for_the_checklist() -> None:
    assert wishes(story(facts=OFF)) == []
    assert wishes(story(*LIVE, ended("19:08"), facts_read("19:05", OFF))) == []
    assert wishes(story(*LIVE, facts=None)) == []


def test_settings_of_a_meeting_bound_later_say_nothing_of_the_first() -> None:
    session = story(*LIVE)
    other = replace(session.bindings[-1], at=at("19:01"), meeting_id="82000000000")
    fold.apply(session, other)
    fold.apply(session, facts_read("19:05", OFF))
    assert wishes(session) == []


def test_settings_read_again_while_it_rings_are_the_same_alarm() -> None:
    session = story(*LIVE, facts_read("19:05", OFF))
    first = keys(wishes(session))
    fold.apply(session, rung(first[1], "19:05"))
    fold.apply(session, facts_read("19:10", OFF))
    assert keys(wishes(session)) == first


def test_acknowledged_but_still_off_at_the_next_reading_rings_anew() -> None:
    session = story(*LIVE, facts_read("19:05", OFF))
    first = keys(wishes(session))
    fold.apply(session, rung(first[1], "19:05"))
    heard = p.AlarmAcknowledged(at=at("19:06"), by="sam", key=first[1])
    fold.apply(session, heard)
    assert keys(wishes(session)) == first
    fold.apply(session, facts_read("19:10", OFF))
    second = keys(wishes(session))
    stamp = f"eigRfbCZRTK==:{at('19:10').isoformat()}"
    assert second == [
        f"settings.ask_waiting_room:{stamp}",
        f"settings.waiting_room_off:{stamp}",
    ]


def test_acknowledged_at_the_moment_of_the_reading_stays_acknowledged() -> None:
    session = story(*LIVE, facts_read("19:05", OFF))
    first = keys(wishes(session))
    fold.apply(session, rung(first[1], "19:05"))
    heard = p.AlarmAcknowledged(at=at("19:10"), by="sam", key=first[1])
    fold.apply(session, heard)
    fold.apply(session, facts_read("19:10", OFF))
    assert keys(wishes(session)) == first


def test_on_and_off_again_is_another_alarm() -> None:
    session = story(*LIVE, facts_read("19:05", OFF))
    first = keys(wishes(session))
    fold.apply(session, rung(first[1], "19:05"))
    fold.apply(session, facts_read("19:10", SAFE))
    assert wishes(session) == []
    gone = replace(rung(first[1], "19:10"), state=p.ActionState.WITHDRAWN)
    fold.apply(session, gone)
    fold.apply(session, facts_read("19:15", OFF))
    assert set(keys(wishes(session))).isdisjoint(first)


def test_a_waiting_room_the_organisation_does_without_is_no_alarm() -> None:
    def found(weight: Weight, *more: fold.Fact) -> list[Level]:
        policy = Policy(weights={"waiting_room": weight})
        return levels(story(*LIVE, facts_read("19:05", OFF), *more, policy=policy))

    given = p.ExceptionGiven(
        at=at("18:30"), by="anna", item="waiting_room", reason="The manager knows."
    )
    assert found(Weight.INFORM) == []
    assert found(Weight.WARN) == [Level.RED]
    assert found(Weight.WARN, given) == []
    assert found(Weight.BLOCK, given) == [Level.RED]
    assert levels(story(*LIVE, facts_read("19:05", OFF), given)) == [Level.RED]


# --- other settings ---------------------------------------------------------------------

DOORS = {
    "only_workers_admit": False,
    "join_before_host": True,
    "invite_only": False,
}
HABITS = {
    "auto_recording": True,
    "live_stream_possible": True,
    "share_by_workers_only": False,
    "remote_control": True,
    "private_chat": True,
    "file_transfer": True,
    "lasting_chat": True,
}


@pytest.mark.parametrize(
    ("field", "level"),
    [*((f, Level.RED) for f in DOORS), *((f, Level.AMBER) for f in HABITS)],
)
def test_a_weakened_setting_is_told_once_with_what_was_read(
    field: str, level: Level
) -> None:
    weak: dict[str, Any] = {field: {**DOORS, **HABITS}[field]}
    session = story(*LIVE, facts_read("19:05", replace(SAFE, **weak)))
    [alert] = alerts(session)
    assert (alert.level, alert.audience, alert.clause) == (
        level,
        Audience.WORKERS,
        "A5",
    )
    assert alert.key.endswith(f":{at('19:05').isoformat()}")
    unknown: dict[str, Any] = {field: None}
    session = story(*LIVE, facts_read("19:05", replace(SAFE, **unknown)))
    assert wishes(session) == []


def test_several_weak_settings_are_one_alert_as_loud_as_the_worst() -> None:
    weak = replace(SAFE, private_chat=True, join_before_host=True)
    session = story(*LIVE, facts_read("19:05", weak))
    assert alerts(session) == [
        AlertStaff(
            key=(
                "settings.weakened:eigRfbCZRTK==:join_before_host+private_chat:"
                f"{at('19:05').isoformat()}"
            ),
            reason="Joining before the host: on; Private chat between participants: on.",
            clause="A5",
            rule="settings.weakened",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do="Mend the setting on the checklist page, or in the meeting.",
        )
    ]


def test_what_a_named_person_excepted_is_not_told_again() -> None:
    weak = facts_read("19:05", replace(SAFE, private_chat=True))
    given = p.ExceptionGiven(
        at=at("18:30"), by="anna", item="private_chat", reason="Needed for signing."
    )
    blocked = Policy(weights={"private_chat": Weight.BLOCK})
    allowed = Policy(private_chat_allowed=True)
    assert levels(story(*LIVE, weak, given)) == []
    assert levels(story(*LIVE, weak, replace(given, by=""))) == [Level.AMBER]
    assert levels(story(*LIVE, weak, given, policy=blocked)) == [Level.AMBER]
    assert levels(story(*LIVE, weak, policy=allowed)) == []


# --- recording and streaming ------------------------------------------------------------


def recording(clock: str, state: str = "started") -> e.RecordingChanged:
    return e.RecordingChanged(meeting=ROOM, at=at(clock), state=state)


def agreed() -> Plan:
    clients = tuple(client(c, recording_consent=True) for c in ("ben", "chloe", "dev"))
    return plan(recording_reason="Training, approved on paper", clients=clients)


def test_a_recording_nobody_decided_on_is_stopped_and_told() -> None:
    session = story(*LIVE, recording("19:05"))
    stamp = f"eigRfbCZRTK==:{at('19:05').isoformat()}"
    reason = (
        "The meeting is being recorded; No reason for a recording is on file; "
        "3 of 3 invited clients have not consented to be recorded."
    )
    assert wishes(session, "19:05:10") == [
        StopRecording(
            key=f"recording.stop:{stamp}",
            reason=reason,
            clause="001.10",
            rule="recording.started",
            meeting=ROOM,
        ),
        AlertStaff(
            key=f"recording.alert:{stamp}",
            reason=reason,
            clause="T7",
            rule="recording.started",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Stop the recording and tell the group that it was on.",
        ),
        WakeAt(at("19:06"), "the recording may still run"),
    ]


@pytest.mark.parametrize(
    ("clock", "found"),
    [
        ("19:05:59", [Level.AMBER]),
        ("19:06:00", [Level.AMBER, Level.RED]),
        ("19:30:00", [Level.AMBER, Level.RED]),
    ],
)
def test_a_recording_that_goes_on_grows_louder(clock: str, found: list[Level]) -> None:
    assert levels(story(*LIVE, recording("19:05")), clock) == found


def test_a_recording_with_reason_and_everybodys_consent_is_left_alone() -> None:
    assert wishes(story(*LIVE, recording("19:05"), the_plan=agreed())) == []
    one = client("ben", recording_consent=False)
    without = replace(agreed(), clients=(one, *agreed().clients[1:]))
    found = kinds(story(*LIVE, recording("19:05"), the_plan=without), "19:05")
    assert found == [StopRecording, AlertStaff, WakeAt]


@pytest.mark.parametrize("state", ["stopped", "paused"])
def test_a_recording_that_does_not_run_is_not_stopped(state: str) -> None:
    assert wishes(story(*LIVE, recording("19:05"), recording("19:06", state))) == []


def test_a_recording_taken_up_again_is_another_episode() -> None:
    first = story(*LIVE, recording("19:05"))
    again = story(
        *LIVE,
        recording("19:05"),
        recording("19:06", "paused"),
        recording("19:07", "resumed"),
    )
    assert kinds(again, "19:07") == [StopRecording, AlertStaff, WakeAt]
    assert set(keys(wishes(again))).isdisjoint(keys(wishes(first)))


def test_a_recording_of_a_room_that_has_closed_is_past() -> None:
    assert wishes(story(*LIVE, recording("19:05"), ended("19:08"))) == []


def test_a_live_stream_is_stopped_and_red_whatever_was_agreed() -> None:
    stream = e.LiveStreamChanged(meeting=ROOM, at=at("19:05"), started=True)
    stamp = f"eigRfbCZRTK==:{at('19:05').isoformat()}"
    reason = "The meeting is being streamed in public."
    assert wishes(story(*LIVE, stream, the_plan=agreed())) == [
        StopLiveStream(
            key=f"recording.stop_stream:{stamp}",
            reason=reason,
            clause="S8",
            rule="recording.live_stream",
            meeting=ROOM,
        ),
        AlertStaff(
            key=f"recording.stream_alert:{stamp}",
            reason=reason,
            clause="S8",
            rule="recording.live_stream",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do="Stop the live stream; if that fails, end the meeting.",
        ),
    ]
    over = replace(stream, at=at("19:06"), started=False)
    assert wishes(story(*LIVE, stream, over)) == []


# --- the door and the news --------------------------------------------------------------


def test_somebody_inside_before_any_host_is_red() -> None:
    early = e.JoinedBeforeHost(meeting=ROOM, at=at("18:50"))
    assert alerts(story(*LIVE, early)) == [
        AlertStaff(
            key=f"settings.in_before_host:eigRfbCZRTK==:{at('18:50').isoformat()}",
            reason="Somebody was in the meeting before any host.",
            clause="T1",
            rule="settings.in_before_host",
            level=Level.RED,
            audience=Audience.STANDBY,
            what_to_do="A worker joins now, and switches off joining before the host.",
        )
    ]
    assert wishes(story(*LIVE, early, ended("19:08"))) == []


def unreadable(clock: str) -> e.UnreadableReceived:
    return e.UnreadableReceived(meeting=ROOM, at=at(clock), event_type="meeting.new")


def test_news_nobody_could_read_makes_us_look_and_tells_the_administrator() -> None:
    reason = "The platform sent news that we could not read."
    assert wishes(story(*LIVE, unreadable("19:05"))) == [
        ReadRoom(
            key=f"settings.look:eigRfbCZRTK==:{at('19:05').isoformat()}",
            reason=reason,
            clause="I20",
            rule="settings.unreadable_news",
            meeting=ROOM,
        ),
        AlertStaff(
            key="settings.unreadable_news:eigRfbCZRTK==",
            reason=reason,
            clause="I20",
            rule="settings.unreadable_news",
            level=Level.AMBER,
            audience=Audience.OPERATOR,
            what_to_do="Look at the stored message; the platform may have changed.",
        ),
    ]


def test_more_of_it_makes_us_look_again_but_tells_nobody_twice() -> None:
    one = keys(wishes(story(*LIVE, unreadable("19:05"))))
    two = keys(wishes(story(*LIVE, unreadable("19:05"), unreadable("19:06"))))
    assert one[0] != two[0]
    assert one[1] == two[1]


@pytest.mark.parametrize(
    ("looked", "found"),
    [
        ("19:04:59", [ReadRoom, AlertStaff]),
        ("19:05:00", [AlertStaff]),
        ("19:05:01", [AlertStaff]),
    ],
)
def test_a_look_that_began_afterwards_is_enough(
    looked: str, found: list[type[Wish]]
) -> None:
    assert kinds(read_at(story(*LIVE, unreadable("19:05")), looked)) == found


def test_no_rule_names_anybody() -> None:
    weak = replace(OFF, join_before_host=True, invite_only=False)
    session = story(*LIVE, facts_read("19:05", weak), recording("19:05"))
    later: datetime = at("19:10") + timedelta(minutes=5)
    told = [w for _, rule in RULES for w in rule(session, later)]
    words = " ".join(w.reason for w in told if not isinstance(w, WakeAt))
    assert not any(name in words for name in session.names.values())
