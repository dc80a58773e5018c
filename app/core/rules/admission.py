"""Hold and admit on a worker's press (guidance T1, T9; invariants I4, I7)."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import AdmitParticipant, HoldParticipant, Wish
from app.core.admission import admit_problem, hold_problem, may_enter_problem
from app.core.connections import Connection
from app.core.ladder import (
    Target,
    expires_at,
    over,
    readmitted_target,
    target_of,
)
from app.core.presses import AdmitPressed, HoldPressed, Readmitted
from app.core.rules.aim import aim
from app.core.session import GroupSession, Instance
from app.core.spans import here_since


def holds(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Take who a worker pressed *Hold* on to the waiting room, once."""
    if over(session, now):
        return
    for press in session.holds:
        target = target_of(session, press.connection)
        found = session.find(press.connection)
        if target is None or found is None or hold_problem(session, press):
            continue
        instance, connection = found
        if _still_to_hold(instance, connection, press):
            yield HoldParticipant(
                key=f"admission.hold:{press.press_id}",
                reason="A worker pressed “Hold”.",
                clause="T1",
                rule="admission.holds",
                by=press.by,
                not_after=expires_at(session),
                **aim(instance, connection, target.person_id),
            )


def admissions(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Let in who a worker pressed *Admit* or *Readmit* on, if they may enter at all."""
    if over(session, now):
        return
    for press in session.admits:
        found = session.find(press.connection)
        if found is None or admit_problem(session, press):
            continue
        instance, connection = found
        if _at_the_door(instance, connection):
            yield _admit(session, instance, connection, press)
    for back in session.readmitted:
        yield from _admit_again(session, back)


def _still_to_hold(
    instance: Instance, connection: Connection, press: HoldPressed
) -> bool:
    since = here_since(connection.whereabouts(instance.closed_at))
    return instance.closed_at is None and since is not None and since <= press.at


def _at_the_door(instance: Instance, connection: Connection) -> bool:
    where = connection.whereabouts(instance.closed_at)
    return instance.closed_at is None and where.waiting


def _admit(
    session: GroupSession,
    instance: Instance,
    connection: Connection,
    press: AdmitPressed | Readmitted,
) -> AdmitParticipant:
    target = target_of(session, connection.key)
    again = isinstance(press, Readmitted)
    button = "Readmit" if again else "Admit"
    return AdmitParticipant(
        key=f"admission.admit:{press.press_id}"
        + (f":{connection.key}" if again else ""),
        reason=f"A worker pressed “{button}”.",
        clause="I7" if again else "T1",
        rule="admission.admissions",
        by=press.by,
        not_after=expires_at(session),
        **aim(instance, connection, target.person_id if target is not None else ""),
    )


def _admit_again(session: GroupSession, back: Readmitted) -> Iterator[Wish]:
    target = readmitted_target(session, back)
    if session.worker_slot(back.by) is None:
        return
    theirs = list(_connections_of(session, target))
    # *Readmit* opens the door once; after that it is an ordinary door again.
    if any(_been_in_since(i, c, back.at) for i, c, _ in theirs):
        return
    for instance, connection, who in theirs:
        door = _at_the_door(instance, connection)
        if door and not may_enter_problem(session, instance, who):
            yield _admit(session, instance, connection, back)


def _connections_of(
    session: GroupSession, target: Target
) -> Iterator[tuple[Instance, Connection, Target]]:
    for instance in session.live():
        for connection in instance.connections.values():
            who = target_of(session, connection.key)
            if who is not None and who.is_same(target):
                yield instance, connection, who


def _been_in_since(instance: Instance, connection: Connection, at: datetime) -> bool:
    stays = connection.whereabouts(instance.closed_at).stays
    return any(stay.start is not None and stay.start >= at for stay in stays)


RULES = (("admission.holds", holds), ("admission.admissions", admissions))
