"""How long a room may be without a worker, from what was broken meanwhile.

The safety-time budget: G, then 15 s when all is well, 20 s (at G = 60) when news is lost
or late, M + 30 s when the platform fails M seconds, and D + 20 s for each kill with D
seconds down (docs/simulation.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.policy import SHORTEST_FIRST_GRACE, Policy
from app.core.readiness_items.hands import (
    NEWS_IN_TIME,
    longest_alone,
    longest_before_first,
)
from app.simulate.stage import Stage
from integrations.rehearsal.courier import Sending
from integrations.rehearsal.rooms import Connection
from integrations.rehearsal.truth import AloneInterval

NEWS = ("F1", "F2", "F4", "F6")
CALLS = ("F7", "F8", "F9", "F10", "F15")
SEEN_LATE = timedelta(seconds=35)
"""P + T: an outage that began so long before may have hidden the beginning."""
OUTAGE = timedelta(seconds=30)
START = timedelta(seconds=20)
"""B + Wd: from the end of being down to enforcing again."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """`grace` and what comes on top; `why` names the condition. None: no promise."""

    grace: timedelta
    beyond: timedelta | None
    why: str


def is_verified(stage: Stage, connection: Connection) -> bool:
    """Whether this connection is a worker with proof: by account, or by own link."""
    who = connection.person.key
    if who not in stage.scenario.workers:
        return False
    if connection.signed_in:
        return True
    meeting = stage.world.meetings.get(stage.meeting_id)
    own = stage.links.get(who)
    known = meeting.registrant_of(own) if meeting is not None and own else None
    return known is not None and known.id == connection.registrant_id


def allowed(stage: Stage, gap: AloneInterval) -> Allowed:
    """What the budget allows for this interval."""
    scenario = stage.scenario
    grace, is_first = _grace(stage, gap)
    kills, down = _down(stage, gap)
    more = down + kills * START
    if not scenario.live_roster:
        return _webhooks_only(stage, gap, grace, more, killed=kills > 0)
    lost = _lost(stage, is_first=is_first)
    beyond, why = NEWS_IN_TIME, "all well"
    if _touched(stage, NEWS, gap.start - SEEN_LATE, gap.end) or not _heard(stage, gap):
        beyond, why = lost, "news lost"
    trouble = _touched(stage, CALLS, gap.start - SEEN_LATE, gap.end)
    if trouble:
        beyond, why = max(beyond, trouble + OUTAGE), "outage"
    if kills:
        beyond, why = max(beyond, lost), "killed"
    return Allowed(grace, beyond + more, why)


def _lost(stage: Stage, *, is_first: bool) -> timedelta:
    """What comes on top of the grace when the news is lost."""
    first = max(SHORTEST_FIRST_GRACE.total_seconds(), stage.scenario.grace_first_worker)
    policy = Policy(
        grace=timedelta(seconds=stage.scenario.grace),
        grace_first_worker=timedelta(seconds=first),
    )
    if is_first:
        return longest_before_first(policy) - policy.grace_first_worker
    return longest_alone(policy, live_roster=True) - policy.grace


def _grace(stage: Stage, gap: AloneInterval) -> tuple[timedelta, bool]:
    """G, or G0 where nobody could know that a worker had been there; whether it is G0."""
    scenario = stage.scenario
    usual = timedelta(seconds=scenario.grace)
    first = timedelta(seconds=max(30, scenario.grace_first_worker))
    stays = [
        (stay.start, min(stay.end or gap.start, gap.start))
        for instance in stage.world.meeting(stage.meeting_id).instances
        if instance.started_at <= gap.start
        and (instance.ended_at is None or instance.ended_at >= gap.start)
        for connection in instance.connections
        if is_verified(stage, connection)
        for stay in connection.stays
        if stay.room != "waiting room" and stay.start <= gap.start
    ]
    if not stays:
        return first, True
    longest = max(end - start for start, end in stays)
    if longest >= timedelta(seconds=70) or usual > first:
        return usual, False
    return first, True


def _down(stage: Stage, gap: AloneInterval) -> tuple[int, timedelta]:
    kills, down = 0, timedelta()
    for each in stage.downs:
        until = each.until or stage.clock.now()
        if each.since <= gap.end and until >= gap.start - SEEN_LATE:
            kills += 1
            down += until - each.since
    return kills, down


def _touched(
    stage: Stage, codes: Iterable[str], start: datetime, end: datetime
) -> timedelta:
    """For how long such faults were there in [start, end)."""
    low = (start - stage.began).total_seconds()
    high = (end - stage.began).total_seconds()
    spans = sorted(
        (max(fault.at, low), min(fault.until, high))
        for fault in stage.scenario.faults
        if fault.code in codes and fault.at < high and fault.until > low
    )
    whole, last = 0.0, low
    for begin, until in spans:
        whole += max(0.0, until - max(begin, last))
        last = max(last, until)
    return timedelta(seconds=whole)


def _heard(stage: Stage, gap: AloneInterval) -> bool:
    """Whether the news of the beginning came within 5 s."""
    news = _news(stage, gap)
    return news is not None and news - gap.start <= timedelta(seconds=5)


def _news(stage: Stage, gap: AloneInterval) -> datetime | None:
    """When the bot had been told all that makes this room unsafe; None: never.

    That is the going of every worker of whose coming it had been told, and the coming
    of the first of those who are alone now.
    """
    last: datetime | None = gap.start
    for instance in stage.world.meeting(stage.meeting_id).instances:
        if not instance.started_at <= gap.start <= (instance.ended_at or gap.start):
            continue
        for connection in instance.connections:
            verified = is_verified(stage, connection)
            for stay in connection.stays:
                if stay.room != gap.room:
                    continue
                moment = None
                if verified and stay.end is not None and stay.end <= gap.start:
                    moment = stay.end
                elif not verified and stay.start == gap.start:
                    moment = stay.start
                if moment is None or last is None:
                    continue
                if verified and heard_of(stage, connection, stay.start) is None:
                    continue
                told = heard_of(stage, connection, moment)
                last = None if told is None else max(last, told)
    return last


MOVES = (
    "meeting.participant_joined",
    "meeting.participant_left",
    "meeting.participant_put_in_waiting_room",
    "meeting.participant_joined_breakout_room",
    "meeting.participant_left_breakout_room",
)


def heard_of(
    stage: Stage, connection: Connection, happened: datetime
) -> datetime | None:
    """When the bot first took a webhook that this connection came or went just then."""
    return first_heard(
        (sent for sent in stage.server.sendings if sent.event in MOVES),
        happened,
        connection.participant_uuid,
    )


def first_heard(
    sendings: Iterable[Sending], happened: datetime, about: str = ""
) -> datetime | None:
    """When the bot first took a webhook about what happened at that moment."""
    stamp = f'"event_ts":{int(happened.timestamp() * 1000)},'.encode()
    who = about.encode()
    return min(
        (
            sent.at
            for sent in sendings
            if sent.is_accepted
            and not sent.forged
            and stamp in sent.body
            and who in sent.body
        ),
        default=None,
    )


def _webhooks_only(
    stage: Stage, gap: AloneInterval, grace: timedelta, more: timedelta, *, killed: bool
) -> Allowed:
    """The smaller promise: as soon as the news is there, at the latest when it is
    repeated; none for news the platform never brings."""
    heard = _news(stage, gap)
    trouble = _touched(stage, CALLS, gap.start - SEEN_LATE, gap.end)
    extra = (trouble + OUTAGE if trouble else NEWS_IN_TIME) + more
    if heard is None:
        return Allowed(grace, None, "webhooks only, never told")
    late = max(timedelta(), heard - gap.start - grace)
    why = "webhooks only, told late" if late or killed else "webhooks only"
    slack = timedelta(seconds=10) if late else timedelta()
    return Allowed(grace, late + slack + extra, why)
