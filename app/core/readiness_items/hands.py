"""Checks of what this platform account can do and see in this session (E1, I1, I2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.facts import Hands
from app.core.policy import SHORTEST_FIRST_GRACE, Policy
from app.core.readiness_items.finding import Check, Finding, Result, passed
from app.core.readiness_items.settings import READ_AT_LEAST_EVERY
from app.core.session import GroupSession

NEWS_IN_TIME = timedelta(seconds=15)
"""N0 of the safety-time budget: allowed beyond the grace when the news comes at once.
Longer where the policy lets a call, or the look at its effect, take longer."""

FIRST_REPEAT = timedelta(minutes=5)
"""Zoom sends a webhook that we missed again after 5 minutes at the earliest
(https://developers.zoom.us/docs/api/webhooks/#webhook-retries)."""


ONE_MORE_TRY = timedelta(seconds=5)
"""For one end that had no effect and is tried again; longer with a longer `retry_cap`."""


@dataclass(frozen=True, slots=True)
class Addend:
    """One part of a promise: what it is for, and the settings it comes from."""

    what: str
    settings: tuple[str, ...]
    lasts: timedelta


def in_time(policy: Policy) -> timedelta:
    """N0 under this policy: the call that looks, the call that ends, the look after it."""
    return max(NEWS_IN_TIME, 2 * policy.call_deadline + policy.verify_after)


def one_more_try(policy: Policy) -> timedelta:
    """The wait before an end is tried once more."""
    return max(ONE_MORE_TRY, policy.retry_cap)


def addends(policy: Policy, *, live_roster: bool) -> tuple[Addend, ...]:
    """What the longest time alone is made of, though news was lost (docs/safety-case.md).

    With a live roster: G + N1 of the safety-time budget. Without one ("webhooks only")
    nobody can look, so a lost leave is only known when the platform repeats it; news
    older than the grace leaves a worker ``grace_late_news`` more to answer.
    """
    if not live_roster:
        return (
            Addend(
                "the grace, or the platform's first repeat when that is later",
                ("grace", "hands.FIRST_REPEAT"),
                max(policy.grace, FIRST_REPEAT),
            ),
            Addend(
                "time for a worker to answer news that came late",
                ("grace_late_news",),
                policy.grace_late_news,
            ),
            Addend(
                "to act",
                ("hands.NEWS_IN_TIME", "call_deadline", "verify_after"),
                in_time(policy),
            ),
        )
    pace = policy.poll_calm
    if not policy.grace:
        pace = min(pace, policy.poll_watchful)
    deadline = policy.call_deadline
    return (
        Addend("the grace", ("grace",), policy.grace),
        Addend(
            "what one gap between two looks and one look outlast the grace",
            ("poll_calm", "call_deadline", "grace"),
            max(timedelta(0), pace + deadline - policy.grace),
        ),
        Addend(
            "the look before the end, and the call that ends",
            ("call_deadline",),
            2 * deadline,
        ),
        Addend(
            "until the effect is looked for", ("verify_after",), policy.verify_after
        ),
        Addend(
            "one more try", ("hands.ONE_MORE_TRY", "retry_cap"), one_more_try(policy)
        ),
    )


def longest_alone(policy: Policy, *, live_roster: bool) -> timedelta:
    """The longest a client is in a room without a worker, though news was lost."""
    parts = addends(policy, live_roster=live_roster)
    return sum((part.lasts for part in parts), timedelta())


def longest_before_first(policy: Policy) -> timedelta:
    """The same before the first worker, with a live roster, though all news was lost.

    The grace of whom only a look shows counts as if they had come right after the look
    before, and is never shorter than ``SHORTEST_FIRST_GRACE``.
    """
    unseen = policy.poll_calm + policy.call_deadline
    act = 2 * policy.call_deadline + policy.verify_after + one_more_try(policy)
    return max(policy.grace_first_worker, SHORTEST_FIRST_GRACE + unseen) + act


def live_roster(session: GroupSession, hands: Hands) -> Finding:
    """Whether the bot can look into the room, and the promise that follows."""
    if hands.live_roster is None:
        return Finding(
            Result.UNKNOWN, "Whether we can see who is in the room was not tried yet."
        )
    bound = _seconds(longest_alone(session.policy, live_roster=hands.live_roster))
    if hands.live_roster:
        return Finding(
            Result.OK,
            f"We can see who is in the room: nobody is alone for more than {bound}, "
            "though news from the platform gets lost.",
        )
    soon = _seconds(session.policy.grace + in_time(session.policy))
    return Finding(
        Result.FAULT,
        "Webhooks only: we cannot look into the room. Nobody is alone for more than "
        f"{soon} while the platform's news arrives; when news gets lost it can be "
        f"{bound} or more.",
    )


def end_for_all(_: GroupSession, hands: Hands) -> Finding:
    """Whether the room can be ended for everyone (guidance E1)."""
    return _hand(hands.end_for_all, "Ending the meeting for everyone")


def remove_one(_: GroupSession, hands: Hands) -> Finding:
    """Whether one person can be removed by us; else a worker is asked (I2)."""
    return _hand(hands.remove_one, "Removing one person without a worker's press")


def _hand(value: bool | None, what: str) -> Finding:
    if value is None:
        return Finding(Result.UNKNOWN, f"{what}: not tried yet.")
    return passed(value, f"{what}: {'possible' if value else 'not possible'}.")


def _seconds(length: timedelta) -> str:
    return f"{int(length.total_seconds())} seconds"


def _probed(look: Callable[[GroupSession, Hands], Finding]) -> Check:
    def check(session: GroupSession, now: datetime) -> Finding:
        found = replace(look(session, session.hands), checked_at=session.hands_at)
        tried_at = session.hands_at
        young = tried_at is not None and now - tried_at <= READ_AT_LEAST_EVERY
        if found.result is Result.OK and not young:
            evidence = f"{found.evidence} This was last tried more than 24 hours ago."
            return replace(found, result=Result.UNKNOWN, evidence=evidence)
        return found

    return check


CHECKS: dict[str, Check] = {
    "end_for_all": _probed(end_for_all),
    "live_roster": _probed(live_roster),
    "remove_one": _probed(remove_one),
}
