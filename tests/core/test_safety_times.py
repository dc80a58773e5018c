"""Gaps, clears, blindness and the closing receipt, at their edges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core import events as e
from app.core import presses as p
from app.core.fold import Fact
from app.core.plan import Role, WorkerSlot
from app.core.safety_times import (
    Blind,
    Clear,
    Closing,
    Debrief,
    blind,
    clears,
    closing_receipt,
    debrief,
    time_with_enough,
    worker_gaps,
)
from app.core.spans import Span, common, crowd, minus, total, union
from tests.core.builders import (
    ANNA,
    BEN,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    plan,
    started,
    story,
)
from tests.core.evening import acted

NOW = at("20:30")
OPEN: tuple[Fact, ...] = (started(), joined(ANNA, "18:53"), joined(SAM, "18:54"))


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


# --- arithmetic -------------------------------------------------------------------


def test_spans_that_touch_become_one_and_empty_ones_vanish() -> None:
    assert union(
        [span("19:10", "19:20"), span("19:00", "19:10"), span("19:30", "19:30")]
    ) == (span("19:00", "19:20"),)
    assert union([span("19:00", "19:30"), span("19:10", "19:20")]) == (
        span("19:00", "19:30"),
    )
    assert total([span("19:00", "19:10"), span("19:05", "19:20")]) == timedelta(
        minutes=20
    )


def test_difference_and_overlap() -> None:
    whole, hole = [span("19:00", "19:30")], [span("19:10", "19:20")]

    assert minus(whole, hole) == (span("19:00", "19:10"), span("19:20", "19:30"))
    assert common(whole, hole) == (span("19:10", "19:20"),)
    assert minus(hole, whole) == ()


def test_a_crowd_is_so_many_at_once() -> None:
    three = [span("19:00", "19:30"), span("19:10", "19:40"), span("19:20", "19:20")]

    assert crowd(three, 1) == (span("19:00", "19:40"),)
    assert crowd(three, 2) == (span("19:10", "19:30"),)
    assert crowd(three, 3) == ()
    assert crowd([span("19:00", "19:10"), span("19:10", "19:20")], 1) == (
        span("19:00", "19:20"),
    )


# --- workers ----------------------------------------------------------------------


def gaps(*facts: Fact) -> list[tuple[Any, Any, int]]:
    return [(g.start, g.end, g.workers) for g in worker_gaps(story(*facts), NOW)]


def test_two_workers_all_evening_is_no_gap() -> None:
    session = story(*OPEN, joined(BEN), left(BEN, "20:00"), left(SAM, "20:01"))

    assert worker_gaps(session, NOW) == ()
    assert time_with_enough(session, NOW) == timedelta(minutes=62)


def test_one_worker_less_is_a_gap_only_while_somebody_is_there() -> None:
    facts = (*OPEN, joined(BEN, "19:00"), left(SAM, "19:30"), left(BEN, "19:40"))

    assert gaps(*facts) == [(at("19:30"), at("19:40"), 1)]
    assert gaps(*OPEN, left(SAM, "19:30")) == []


def test_the_fewest_workers_of_a_gap_count() -> None:
    facts = (
        *OPEN,
        joined(BEN),
        left(SAM, "19:30"),
        left(ANNA, "19:35"),
        joined(again(ANNA), "19:36"),
    )

    assert gaps(*facts, left(BEN, "19:50")) == [(at("19:30"), at("19:50"), 0)]


def test_a_workers_two_devices_are_one_worker() -> None:
    facts = (
        started(),
        joined(ANNA, "18:53"),
        joined(again(ANNA), "18:54"),
        joined(BEN, "19:00"),
    )

    assert gaps(*facts, left(BEN, "19:10")) == [(at("19:00"), at("19:10"), 1)]


def test_an_unproved_worker_does_not_count_and_a_stranger_is_at_risk() -> None:
    fake = {**EVE, "name": "Sam Okoro"}

    assert gaps(
        started(), joined(ANNA, "18:53"), joined(fake, "19:00"), left(fake, "19:05")
    ) == [(at("19:00"), at("19:05"), 1)]


def test_a_shared_login_counts_from_the_press_on() -> None:
    slots = (
        WorkerSlot(person_id="anna", role=Role.LEAD, platform_user_id="zoom-anna"),
        WorkerSlot(
            person_id="sam",
            role=Role.SUPPORT,
            platform_user_id="zoom-sam",
            shared_login=True,
        ),
    )
    sure = p.WorkerConfirmed(at=at("19:10"), by="sam", connection="UUID-SAM")
    session = story(
        *OPEN,
        joined(BEN, "19:00"),
        sure,
        left(BEN, "20:00"),
        the_plan=plan(workers=slots),
    )

    assert [(g.start, g.end, g.workers) for g in worker_gaps(session, NOW)] == [
        (at("19:00"), at("19:10"), 1)
    ]


def test_a_recorder_needs_no_workers() -> None:
    otter = {"uuid": "O", "user_id": "8", "name": "Otter.ai Notetaker"}

    assert gaps(started(), joined(ANNA, "18:53"), joined(otter, "19:00")) == []


# --- safety clears ----------------------------------------------------------------


CLEAR = acted(
    "never_alone.end:x",
    "end_meeting",
    "19:05",
    "19:05:01",
    "19:05:06",
    cause="never_alone",
    proof="The platform reports that this meeting is over.",
)
ALONE: tuple[Fact, ...] = (*OPEN, joined(BEN), left(SAM, "19:03"), left(ANNA, "19:04"))


def test_a_clear_counts_from_the_last_proof_of_a_worker() -> None:
    session = story(*ALONE, *CLEAR, ended("19:05:03"))

    assert clears(session, NOW) == (
        Clear(
            key="never_alone.end:x",
            meeting=ROOM,
            armed_at=at("19:04"),
            fired_at=at("19:05"),
            sent_at=at("19:05:01"),
            confirmed_at=at("19:05:06"),
            proof="The platform reports that this meeting is over.",
            gap=timedelta(seconds=63),
            race=False,
        ),
    )


def test_a_clear_without_proof_has_no_gap_yet() -> None:
    (clear,) = clears(story(*ALONE, *CLEAR[:2]), NOW)

    assert (clear.sent_at, clear.confirmed_at, clear.gap) == (
        at("19:05:01"),
        None,
        None,
    )


def test_before_the_first_worker_it_counts_from_the_first_client() -> None:
    (clear,) = clears(story(started(), joined(BEN, "18:58"), *CLEAR), NOW)

    assert clear.armed_at == at("18:58")


def test_an_ordered_end_and_a_pressed_hold_are_no_clears() -> None:
    order = acted("closing.end:x", "end_meeting", "20:00", cause="order")
    hold = acted("admission.hold:x", "hold_participant", "19:00")
    safety = acted("never_alone.hold:e:UUID-BEN", "hold_participant", "19:05")

    assert [c.key for c in clears(story(*order, *hold, *safety), NOW)] == [
        "never_alone.hold:e:UUID-BEN"
    ]


# --- sight ------------------------------------------------------------------------


def lost(clock: str) -> e.SightLost:
    return e.SightLost(meeting=ROOM, at=at(clock))


def regained(clock: str) -> e.SightRegained:
    return e.SightRegained(meeting=ROOM, at=at(clock))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], []),
        ([lost("19:10")], [(at("19:10"), None)]),
        ([lost("19:10"), regained("19:12")], [(at("19:10"), at("19:12"))]),
        ([regained("19:12"), lost("19:10")], [(at("19:10"), at("19:12"))]),
        (
            [lost("19:10"), lost("19:11"), regained("19:12")],
            [(at("19:10"), at("19:12"))],
        ),
        ([regained("19:09")], []),
        ([lost("19:10"), ended("19:20")], [(at("19:10"), at("19:20"))]),
        ([lost("19:21"), ended("19:20")], [(at("19:21"), None)]),
    ],
)
def test_blindness_lasts_until_we_see_again(
    facts: list[Fact], expected: list[Any]
) -> None:
    session = story(started(), *facts)

    assert blind(session) == tuple(
        Blind(meeting=ROOM, start=start, end=end) for start, end in expected
    )


# --- closing ----------------------------------------------------------------------


def receipt(*facts: Fact) -> Closing:
    return closing_receipt(story(*OPEN, joined(BEN), *facts), NOW)


def test_while_somebody_is_there_nothing_is_closed() -> None:
    found = receipt(left(ANNA, "20:00"), left(SAM, "20:00"))

    assert (found.last_client_out, found.last_worker_out, found.gap) == (
        None,
        at("20:00"),
        None,
    )
    assert receipt(left(BEN, "20:00")).last_worker_out is None


def test_clients_first_is_a_gap_above_zero_and_a_client_left_behind_below() -> None:
    staff_last = receipt(left(BEN, "20:00"), left(ANNA, "20:01"), left(SAM, "20:00:30"))
    left_behind = receipt(
        left(ANNA, "20:00"), left(SAM, "20:00"), left(BEN, "20:00:05")
    )

    assert staff_last.gap == timedelta(minutes=1)
    assert left_behind.gap == timedelta(seconds=-5)


def talk(*facts: Fact) -> Debrief:
    return debrief(story(*OPEN, joined(BEN), left(BEN, "20:00"), *facts), NOW)


def test_the_debrief_ends_with_its_press_or_with_the_last_worker() -> None:
    out = (left(ANNA, "20:08"), left(SAM, "20:05"))

    assert talk(*out).length == timedelta(minutes=8)
    assert talk(*out, p.DebriefEnded(at=at("20:06"), by="anna")).length == timedelta(
        minutes=6
    )
    assert talk(*out).present == ("anna", "sam")
    assert talk(left(ANNA, "20:00"), left(SAM, "20:05")).present == ("sam",)


def test_no_debrief_yet_or_none_at_all() -> None:
    assert talk().length is None
    assert talk(left(ANNA, "19:50"), left(SAM, "19:50")).length is None
    skipped = p.DebriefEnded(
        at=at("20:06"), by="anna", skipped=True, reason="fire alarm"
    )
    found = talk(left(ANNA, "20:08"), left(SAM, "20:05"), skipped)
    assert (found.length, found.skipped, found.reason, found.present) == (
        None,
        True,
        "fire alarm",
        (),
    )


def test_two_who_end_the_debrief_lose_no_word() -> None:
    """S09: Anna and Sam write at once; the second adds to the first."""
    by_anna = p.DebriefEnded(
        at=at("20:06"), by="anna", went_well="Everybody spoke.", change="Start later."
    )
    by_sam = p.DebriefEnded(
        at=at("20:07"), by="sam", went_well="Chloe laughed.", staff="Tired."
    )
    found = story(*OPEN, by_anna, by_sam, by_sam).debrief

    assert found == replace(
        by_anna, went_well="Everybody spoke.\n\nChloe laughed.", staff="Tired."
    )


def test_a_debrief_that_was_held_after_all_is_not_skipped() -> None:
    skipped = p.DebriefEnded(
        at=at("20:06"), by="anna", skipped=True, reason="fire alarm"
    )
    held = p.DebriefEnded(at=at("20:30"), by="sam", staff="All well.")
    found = story(*OPEN, skipped, held).debrief

    assert found is not None
    assert (found.skipped, found.reason, found.staff) == (
        False,
        "fire alarm",
        "All well.",
    )
