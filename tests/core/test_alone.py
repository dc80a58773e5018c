"""Since when somebody is alone, over the rooms they went through (I1b)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.alone import alone_through_rooms
from app.core.stays import Stay

T0 = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
GRACE = timedelta(seconds=60)
LAST = 40
WHERE = st.sampled_from(["", "", "main", "A", "B"])
WALK = st.lists(WHERE, min_size=LAST, max_size=LAST)


def at(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


def stays_on(walk: list[str]) -> list[Stay]:
    """Where somebody is in every ten seconds; "" is outside."""
    found: list[Stay] = []
    begun = 0
    for place in range(1, LAST + 1):
        if place == LAST or walk[place] != walk[begun]:
            if walk[begun]:
                end = None if place == LAST else at(10 * place)
                found.append(Stay(walk[begun], at(10 * begun), end))
            begun = place
    return found


def truly_alone_since(young: list[str], workers: list[list[str]]) -> datetime:
    """The model: since the last ten seconds with a worker, or outside longer than grace."""
    since, outside = LAST, 0
    for place in reversed(range(LAST)):
        if not young[place]:
            outside += 1
            continue
        if outside > GRACE.total_seconds() / 10:
            break
        if any(walk[place] == young[place] for walk in workers):
            break
        since, outside = place, 0
    return at(10 * since)


@given(WALK, st.lists(WALK, max_size=2))
def test_it_is_what_a_simple_model_of_the_truth_says(
    young: list[str], walks: list[list[str]]
) -> None:
    workers = [stay for walk in walks for stay in stays_on(walk)]
    since = alone_through_rooms(stays_on(young), workers, GRACE)
    if since is None:
        return
    true = truly_alone_since(young, walks)
    assert since == true


@pytest.mark.parametrize("proved", [0, 59, 60])
def test_a_worker_last_seen_before_they_came_makes_them_alone_no_earlier(
    proved: int,
) -> None:
    """Sam was with Ben in A; that Anna had left B before Ben came is not Ben's time."""
    ben = [
        Stay("A", at(0), at(60)),
        Stay("B", at(60), at(70)),
        Stay("main", at(70), None),
    ]
    sam = Stay("A", at(0), at(65))
    anna = Stay("B", at(0), at(68), seen_until=at(proved))
    assert alone_through_rooms(ben, [sam, anna], GRACE) == at(60)


def test_a_worker_seen_after_they_came_was_with_them() -> None:
    ben = [
        Stay("A", at(0), at(60)),
        Stay("B", at(60), at(70)),
        Stay("main", at(70), None),
    ]
    anna = Stay("B", at(0), at(68), seen_until=at(61))
    assert alone_through_rooms(ben, [anna], GRACE) == at(61)
