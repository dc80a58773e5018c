"""The timings that show a session was kept safe: gaps, clears, blindness, closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.actions import EndCause, EndMeeting, HoldParticipant
from app.core.events import MeetingRef
from app.core.presses import ActionState
from app.core.rooms import who_is_who
from app.core.session import ActionFact, GroupSession, Instance
from app.core.spans import Span, crowd, minus, total, union


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Too few verified workers while somebody was there to be looked after.

    ``workers``: the fewest verified workers at once in the gap.
    """

    start: datetime
    end: datetime
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """One safety clear (guidance E1): from the last proof of a worker to the empty room.

    ``gap`` None until the room was proved empty. ``race``: a worker had just come back.
    """

    key: str
    meeting: MeetingRef | None
    armed_at: datetime | None
    fired_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    proof: str
    gap: timedelta | None
    race: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """The bot could not see the room; ``end`` None: it still cannot."""

    meeting: MeetingRef
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The closing receipt (guidance E1): clients out before staff.

    ``gap`` is from the last client out to the last worker out, negative when a client
    was left behind; None while somebody is still there.
    """

    pressed_at: datetime | None
    pressed_by: str
    last_client_out: datetime | None
    last_worker_out: datetime | None
    gap: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debrief:
    """Staff among themselves after the last client (guidance E2)."""

    start: datetime | None
    end: datetime | None
    length: timedelta | None
    present: tuple[str, ...]
    skipped: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Presence:
    """Who was in one instance: spans of each worker, and of everybody at risk."""

    workers: dict[str, tuple[Span, ...]]
    clients: tuple[Span, ...]
    client_inside: bool
    worker_inside: bool


def worker_gaps(session: GroupSession, now: datetime) -> tuple[Gap, ...]:
    """Every time below the policy's number of workers, with clients in the room (S2)."""
    found: list[Gap] = []
    for instance in session.instances.values():
        here = _presence(session, instance, now)
        spans = [span for one in here.workers.values() for span in one]
        enough = crowd(spans, session.policy.workers_needed)
        for gap in minus(here.clients, enough):
            enough_of = range(1, session.policy.workers_needed)
            always = [n for n in enough_of if not minus([gap], crowd(spans, n))]
            found.append(
                Gap(start=gap.start, end=gap.end, workers=max(always, default=0))
            )
    return tuple(sorted(found, key=lambda gap: (gap.start, gap.end)))


def time_with_enough(session: GroupSession, now: datetime) -> timedelta:
    """How long clients were there with enough verified workers."""
    clients = [
        span
        for instance in session.instances.values()
        for span in _presence(session, instance, now).clients
    ]
    short = [Span(gap.start, gap.end) for gap in worker_gaps(session, now)]
    return total(minus(clients, short))


def clears(session: GroupSession, now: datetime) -> tuple[Clear, ...]:
    """Every safety clear, as it was armed, fired, sent and proved (I1, I6, I16)."""
    return tuple(
        _clear(session, fact, now)
        for fact in sorted(session.actions.values(), key=lambda f: (f.wanted_at, f.key))
        if _is_clear(fact)
    )


def _is_clear(fact: ActionFact) -> bool:
    if fact.kind == HoldParticipant.kind:
        return fact.key.startswith("never_alone.")
    return fact.kind == EndMeeting.kind and fact.cause == EndCause.NEVER_ALONE.value


def _clear(session: GroupSession, fact: ActionFact, now: datetime) -> Clear:
    instance = session.instances.get(fact.meeting) if fact.meeting is not None else None
    armed = _armed_at(session, instance, fact, now) if instance is not None else None
    proved = fact.confirmed_at
    # A platform reports the end at its own time, earlier than we could know of it.
    if instance is not None and instance.closed_at is not None and proved is not None:
        proved = min(proved, instance.closed_at)
    done = proved is not None and fact.state is ActionState.CONFIRMED
    return Clear(
        key=fact.key,
        meeting=fact.meeting,
        armed_at=armed,
        fired_at=fact.wanted_at,
        sent_at=fact.sent_at,
        confirmed_at=fact.confirmed_at,
        proof=fact.proof,
        gap=proved - armed if done and proved and armed is not None else None,
        race=fact.race,
    )


def _armed_at(
    session: GroupSession, instance: Instance, fact: ActionFact, now: datetime
) -> datetime | None:
    """The last moment a worker was there; before the first one, when clients came."""
    here = _presence(session, instance, now)
    ends = [
        span.end
        for spans in here.workers.values()
        for span in spans
        if span.end <= fact.wanted_at
    ]
    starts = [span.start for span in here.clients if span.start <= fact.wanted_at]
    return max(ends, default=min(starts, default=None))


SEEN_AT_LEAST = timedelta(seconds=1)


def blind(session: GroupSession) -> tuple[Blind, ...]:
    """When the bot could not see (DESIGN §5, line 8).

    Less than ``SEEN_AT_LEAST`` between two of them is no look: they are one.
    """
    found: list[Blind] = []
    for instance in session.instances.values():
        for start, end in _unseen(instance):
            last = found[-1] if found else None
            if (
                last is not None
                and last.meeting == instance.ref
                and last.end is not None
                and start - last.end < SEEN_AT_LEAST
            ):
                start = found.pop().start
            found.append(Blind(meeting=instance.ref, start=start, end=end))
    return tuple(sorted(found, key=lambda one: one.start))


def _unseen(instance: Instance) -> Iterator[tuple[datetime, datetime | None]]:
    """From each loss of sight to the next regaining; None: not regained."""
    since: datetime | None = None
    for at, what in sorted(instance.sight.items()):
        if what == "lost":
            since = since or at
        elif since is not None:
            yield since, at
            since = None
    if since is not None:
        end = instance.closed_at
        yield since, end if end is not None and end > since else None


def closing_receipt(session: GroupSession, now: datetime) -> Closing:
    """Last client out, last worker out, and what lies between."""
    client_ends: list[datetime] = []
    worker_ends: list[datetime] = []
    open_clients = open_workers = False
    for instance in session.instances.values():
        here = _presence(session, instance, now)
        open_clients = open_clients or here.client_inside
        open_workers = open_workers or here.worker_inside
        client_ends += [span.end for span in here.clients]
        worker_ends += [s.end for spans in here.workers.values() for s in spans]
    client = None if open_clients else max(client_ends, default=None)
    worker = None if open_workers else max(worker_ends, default=None)
    both = client is not None and worker is not None
    pressed = session.closing
    return Closing(
        pressed_at=pressed[0] if pressed is not None else None,
        pressed_by=pressed[1] if pressed is not None else "",
        last_client_out=client,
        last_worker_out=worker,
        gap=worker - client if both and worker and client else None,
    )


def debrief(session: GroupSession, now: datetime) -> Debrief:
    """From the last client out to the press that ended it, or to the last worker out."""
    receipt = closing_receipt(session, now)
    pressed = session.debrief
    start = receipt.last_client_out
    end = pressed.at if pressed is not None else receipt.last_worker_out
    stayed: tuple[str, ...] = ()
    if start is None or end is None or end < start or (pressed and pressed.skipped):
        length = None
    else:
        length = end - start
        stayed = _stayed(session, start, end, now)
    return Debrief(
        start=start,
        end=end,
        length=length,
        present=stayed,
        skipped=pressed.skipped if pressed is not None else False,
        reason=pressed.reason if pressed is not None else "",
    )


def _stayed(
    session: GroupSession, start: datetime, end: datetime, now: datetime
) -> tuple[str, ...]:
    people = {
        person
        for instance in session.instances.values()
        for person, spans in _presence(session, instance, now).workers.items()
        if any(span.end > start and span.start < end for span in spans)
    }
    return tuple(sorted(people))


def _presence(session: GroupSession, instance: Instance, now: datetime) -> _Presence:
    known = who_is_who(session, instance)
    workers: dict[str, list[Span]] = {}
    clients: list[Span] = []
    somebody = worker = False
    for connection in instance.connections.values():
        who = known[connection.key]
        where = connection.whereabouts(instance.closed_at)
        spans = [
            Span(max(stay.start, who.verified_from or stay.start), stay.end or now)
            for stay in where.stays
            if stay.start is not None
        ]
        if who.is_worker:
            workers.setdefault(who.person_id, []).extend(spans)
            worker = worker or bool(where.room)
        elif who.at_risk:
            clients += spans
            somebody = somebody or bool(where.room)
    return _Presence(
        workers={person: union(spans) for person, spans in sorted(workers.items())},
        clients=union(clients),
        client_inside=somebody,
        worker_inside=worker,
    )
