"""The meeting, its settings, its times and the promise that follows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.facts import MeetingFacts
from app.core.gates import recording_gate
from app.core.policy import Policy, Weight
from app.core.readiness import Verdict, readiness
from app.core.readiness_items.finding import Result
from app.core.readiness_items.hands import longest_alone, longest_before_first
from app.core.readiness_items.plain_settings import wishes
from app.core.session import GroupSession
from tests.core.builders import (
    ROOM,
    SAFE,
    at,
    client,
    plan,
    set_up,
    story,
)
from tests.core.cards import NOW, PROJECT, STRICT, card, excepted, line, ticked

# --- settings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "result"),
    [
        (timedelta(hours=24), Result.OK),
        (timedelta(hours=24, seconds=1), Result.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    "item", ["settings_read", "waiting_room", "meeting", "end_for_all"]
)
def test_what_was_read_longer_than_a_day_ago_is_unknown(
    item: str, age: timedelta, result: Result
) -> None:
    session = set_up()
    found = readiness(session, PROJECT, at("18:00") + age).item(item)
    assert found is not None
    assert found.result is result


def test_an_old_fault_is_still_a_fault() -> None:
    session = set_up(facts=replace(SAFE, waiting_room_for_everyone=False))
    late = readiness(session, PROJECT, NOW + timedelta(days=2)).item("waiting_room")
    assert late is not None
    assert late.result is Result.FAULT


def test_settings_of_another_meeting_say_nothing() -> None:
    session = set_up()
    other = p.MeetingBound(
        at=at("18:10"),
        platform="zoom",
        meeting_id="82000000000",
        opens_at=at("18:00"),
        closes_at=at("21:00"),
    )
    fold.apply(session, other)
    found = line(session, "waiting_room")
    assert (found.result, found.evidence) == (
        Result.UNKNOWN,
        "Waiting room for everyone: on. The settings were read before this meeting was "
        "chosen.",
    )


def test_a_change_after_the_reading_makes_it_unknown() -> None:
    changed = e.MeetingChanged(meeting=ROOM, at=at("18:20"))
    session = story(changed)
    assert line(session, "settings_read").evidence == (
        "The meeting was changed after its settings were read."
    )
    fold.apply(session, p.FactsRead(at=at("18:21"), facts=SAFE))
    assert line(session, "settings_read").result is Result.OK


def test_no_meeting_is_a_fault_and_nothing_read_is_said() -> None:
    session = GroupSession("session-1")
    assert line(session, "meeting").evidence == "No meeting belongs to this session."
    assert line(session, "settings_read").evidence == "The settings were never read."


def test_signing_in_is_as_good_as_personal_links() -> None:
    for invite, sign_in, result in (
        (None, True, Result.OK),
        (True, None, Result.OK),
        (False, None, Result.UNKNOWN),
        (False, False, Result.FAULT),
    ):
        facts = replace(SAFE, invite_only=invite, sign_in_required=sign_in)
        assert line(set_up(facts=facts), "invite_only").result is result


def test_a_link_in_public_is_a_fault_whoever_says_so() -> None:
    public = set_up(the_plan=plan(link_is_public=True))
    leaked = story(e.LinkLeaked(meeting=ROOM, at=at("18:10")))
    assert line(public, "link_private").result is Result.FAULT
    assert line(leaked, "link_private").result is Result.FAULT


def test_a_room_that_comes_back_is_not_our_own() -> None:
    session = set_up(facts=replace(SAFE, recurring=True))
    assert line(session, "own_room").evidence == (
        "This room comes back with the same link."
    )


@pytest.mark.parametrize("facts", [SAFE, replace(SAFE, recurring=True)], ids=str)
def test_a_room_that_is_only_watched_needs_a_named_exception(
    facts: MeetingFacts,
) -> None:
    session = ticked(set_up())
    watched = replace(session.bindings[-1], watch_only=True)
    fold.apply(session, watched)
    fold.apply(session, p.FactsRead(at=at("18:11"), facts=facts))
    found = line(session, "own_room")
    assert (found.result, found.weight) == (Result.FAULT, Weight.BLOCK)
    excepted(session, "own_room")
    assert card(session).verdict is Verdict.READY_WITH_EXCEPTIONS


def test_automatic_recording_needs_a_reason_and_everybodys_consent() -> None:
    def result(reason: str, *consents: bool) -> Result:
        clients = tuple(
            client(f"c{n}", recording_consent=given) for n, given in enumerate(consents)
        )
        the_plan = plan(recording_reason=reason, clients=clients)
        facts = replace(SAFE, auto_recording=True)
        return line(
            set_up(the_plan=the_plan, facts=facts), "automatic_recording"
        ).result

    assert result("Training, approved on paper", True, True) is Result.OK
    assert result("Training, approved on paper", True, False) is Result.FAULT
    assert result(" ", True, True) is Result.FAULT
    assert recording_gate(None) == ("No plan says that this session may be recorded.",)


@pytest.mark.parametrize(
    ("policy", "item", "field", "value"),
    [
        (
            Policy(share_by_workers_only=False),
            "screen_share",
            "share_by_workers_only",
            False,
        ),
        (Policy(private_chat_allowed=True), "private_chat", "private_chat", True),
        (Policy(file_transfer_allowed=True), "file_transfer", "file_transfer", True),
        (Policy(chat_lasting_allowed=True), "lasting_chat", "lasting_chat", True),
        (Policy(rename_allowed=True), "rename", "rename_possible", True),
    ],
)
def test_what_the_policy_allows_is_no_fault_and_no_wish(
    policy: Policy, item: str, field: str, value: bool
) -> None:
    for read in (value, None):
        changed: dict[str, Any] = {field: read}
        facts = replace(SAFE, **changed)
        assert line(set_up(facts=facts, policy=policy), item).result is Result.OK
    assert field not in wishes(policy)


def test_renaming_that_no_platform_tells_is_settled_by_a_tick() -> None:
    session = set_up(policy=STRICT)
    assert line(session, "rename").result is Result.UNKNOWN
    fold.apply(session, p.ItemTicked(at=at("18:19"), item="rename_decided"))
    assert line(session, "rename").result is Result.UNKNOWN
    assert line(ticked(session, "rename_decided"), "rename").result is Result.OK
    back = p.ItemTicked(at=at("18:21"), by="anna", item="rename_decided", ticked=False)
    fold.apply(session, back)
    assert line(session, "rename").result is Result.UNKNOWN


def test_every_item_that_can_be_mended_has_a_wish() -> None:
    mended = {item.mend for item in PROJECT.items if item.mend}
    assert mended == set(wishes(STRICT))


# --- times and the promise --------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "result"),
    [
        (timedelta(0), Result.FAULT),
        (timedelta(minutes=1), Result.OK),
        (timedelta(hours=12), Result.OK),
        (timedelta(hours=12, seconds=1), Result.FAULT),
    ],
)
def test_the_times_make_sense(ends: timedelta, result: Result) -> None:
    the_plan = plan(ends_at=at("19:00") + ends)
    session = set_up(the_plan=the_plan)
    wide = replace(
        session.bindings[-1], closes_at=the_plan.ends_at + timedelta(hours=1)
    )
    fold.apply(session, wide)
    assert line(session, "time_window").result is result


@pytest.mark.parametrize(
    "changed", [{"opens_at": at("19:01")}, {"closes_at": at("19:59")}], ids=str
)
def test_the_meeting_is_watched_from_start_to_end(changed: dict[str, Any]) -> None:
    session = set_up()
    edges = replace(session.bindings[-1], opens_at=at("19:00"), closes_at=at("20:00"))
    fold.apply(session, edges)
    assert line(session, "time_window").result is Result.OK
    fold.apply(session, replace(edges, **changed))
    assert line(session, "time_window").evidence == (
        "The meeting is not watched for the whole session."
    )


@pytest.mark.parametrize(
    ("grace", "looking", "webhooks_only"),
    [(60, 80, 325), (0, 35, 325), (30, 55, 325), (300, 320, 325)],
)
def test_the_promise_shown_is_that_of_the_safety_time_budget(
    grace: int, looking: int, webhooks_only: int
) -> None:
    policy = Policy(grace=timedelta(seconds=grace))
    assert longest_alone(policy, live_roster=True) == timedelta(seconds=looking)
    assert longest_alone(policy, live_roster=False) == timedelta(seconds=webhooks_only)


@pytest.mark.parametrize(
    ("first", "longest"), [(120, 140), (66, 86), (65, 85), (30, 85), (300, 320)]
)
def test_the_promise_before_the_first_worker(first: int, longest: int) -> None:
    policy = Policy(grace_first_worker=timedelta(seconds=first))
    assert longest_before_first(policy) == timedelta(seconds=longest)


@pytest.mark.parametrize(
    ("changed", "looking", "webhooks_only", "first"),
    [
        ({"call_deadline": 5}, 80, 325, 140),
        ({"call_deadline": 6}, 82, 327, 142),
        ({"verify_after": 6}, 81, 326, 141),
        ({"verify_after": 4}, 79, 325, 139),
        ({"retry_cap": 4}, 80, 325, 140),
        ({"retry_cap": 6}, 81, 325, 141),
    ],
    ids=str,
)
def test_a_policy_that_lets_calls_take_longer_promises_less(
    changed: dict[str, int], looking: int, webhooks_only: int, first: int
) -> None:
    lengths: dict[str, Any] = {n: timedelta(seconds=s) for n, s in changed.items()}
    policy = Policy(**lengths)
    assert longest_alone(policy, live_roster=True) == timedelta(seconds=looking)
    assert longest_alone(policy, live_roster=False) == timedelta(seconds=webhooks_only)
    assert longest_before_first(policy) == timedelta(seconds=first)
