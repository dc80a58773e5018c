"""When a message that did not arrive is posted again."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.outgoing.retry import PAUSES, pause_after, retry_after

NOW = datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC)


def test_the_pauses_grow_and_end_after_a_day() -> None:
    minutes = [pause / timedelta(minutes=1) for pause in PAUSES]
    assert minutes == [1, 5, 30, 120, 360, 924]
    assert sum(minutes) == 24 * 60
    assert [pause_after(attempts) for attempts in range(1, 8)] == [*PAUSES, None]


@pytest.mark.parametrize(("asked", "waits"), [(None, 60), (59, 60), (60, 60), (61, 61)])
def test_a_gateway_can_ask_for_a_longer_pause_only(
    asked: int | None, waits: int
) -> None:
    said = None if asked is None else timedelta(seconds=asked)
    assert pause_after(1, said) == timedelta(seconds=waits)


def test_a_gateway_cannot_ask_for_an_attempt_past_the_last() -> None:
    assert pause_after(len(PAUSES) + 1, timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", 0),
        ("1", 1),
        ("3600", 3600),
        ("86400", 86400),
        ("86401", 86400),
        ("9" * 40, 86400),
        ("Tue, 17 Nov 2026 19:05:10 GMT", 60),
        ("Tue, 17 Nov 2026 19:05:10 -0000", 60),
        ("Tue, 17 Nov 2099 19:05:10 GMT", 86400),
        ("Tue, 17 Nov 2026 19:04:10 GMT", None),
        ("Tue, 17 Nov 2020 19:05:10 GMT", None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("NaN", None),
        ("soon", None),
        ("१२", None),
        ("Tue, 99 Nov 99999 19:05:10 GMT", None),
    ],
)
def test_retry_after_is_read_with_care(said: str, wait: int | None) -> None:
    expected = None if wait is None else timedelta(seconds=wait)
    assert retry_after(said, NOW) == expected
