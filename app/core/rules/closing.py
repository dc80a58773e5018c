"""Closing in two phases: clients out with proof, then staff, then the end (E1, E2)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from app.core.actions import (
    AlertStaff,
    Audience,
    ChangeLink,
    EndCause,
    EndMeeting,
    Level,
    RemoveParticipant,
    StartFollowUp,
    TellWaitingRoom,
    WakeAt,
    Wish,
)
from app.core.events import MeetingRef
from app.core.ladder import is_removed, removals
from app.core.presses import ActionState, LinkState
from app.core.rooms import rooms
from app.core.session import GroupSession, Instance, Link

END_SOON = timedelta(minutes=5)
OVER_TITLE = "This session is over"
OVER_TEXT = "Thank you for coming. The group has finished for today. See you next time."


def clients_out(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """After the goodbye everybody but the staff goes, by the closing worker's order.

    People have ``policy.goodbye`` to leave by themselves before anybody is put out.
    """
    if session.closing is None:
        return
    pressed_at, by = session.closing
    for instance in session.live():
        if not _runs_since_before(instance, pressed_at):
            continue  # Opened anew after the goodbye: the live guard watches it (E1).
        yield TellWaitingRoom(
            key=f"closing.door:{instance.ref.instance}",
            reason="Tell everybody at the door that the session is over.",
            clause="E1",
            rule="closing.clients_out",
            by=by,
            meeting=instance.ref,
            title=OVER_TITLE,
            text=OVER_TEXT,
        )
    due = pressed_at + session.policy.goodbye
    if now < due:
        yield WakeAt(due, "the goodbye is over")
        return
    for room in rooms(session):
        if not _runs_since_before(room.instance, pressed_at):
            continue
        for person in room.people:
            if person.standing.is_worker:
                continue
            seat = person.connection
            since = person.since.isoformat() if person.since else ""
            yield RemoveParticipant(
                key=f"closing.out:{room.instance.ref.instance}:{seat.key}:{since}",
                reason="The session is over: clients leave before the staff do.",
                clause="E1",
                rule="closing.clients_out",
                by=by,
                meeting=room.instance.ref,
                connection=seat.key,
                person_id=person.standing.person_id,
                uuid=seat.uuid,
                user_id=seat.user_id,
                registrant_id=seat.registrant_id,
            )


def end(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """End for everyone when a worker pressed it, or when staff are done."""
    for press in session.ends:
        for instance in session.live():
            if _runs_since_before(instance, press.at):
                key = f"closing.end:{press.press_id}"
                yield _end(instance, key, press.by, EndCause.ORDER)
    done = session.closed or (
        (session.debrief.at, session.debrief.by)
        if session.debrief is not None and session.closing is not None
        else None
    )
    if done is None:
        return
    for instance in session.live():
        if _runs_since_before(instance, done[0]):
            yield _end(instance, "closing.end", done[1], EndCause.CLOSING)


def _runs_since_before(instance: Instance, press: datetime) -> bool:
    """An instance opened after the press was not meant by it."""
    return instance.opened_at is not None and instance.opened_at <= press


def _end(instance: Instance, key: str, by: str, cause: EndCause) -> EndMeeting:
    return EndMeeting(
        key=f"{key}:{instance.ref.instance}",
        reason="A worker ended the session for everyone.",
        clause="E1",
        rule="closing.end",
        by=by,
        meeting=instance.ref,
        cause=cause,
    )


def wished_state(session: GroupSession, link: Link, now: datetime) -> LinkState:
    """What a personal link should be now (DESIGN §5, line 6; invariant I7)."""
    return _wished(session, now)(link.person_id)


def _wished(session: GroupSession, now: datetime) -> Callable[[str], LinkState]:
    """The same for the link of any person, with what counts for all looked up once."""
    plan = session.plan
    if session.closed is not None:
        return lambda _person_id: LinkState.CANCELLED
    if plan is not None and now >= plan.ends_at + session.policy.links_die_after_end:
        return lambda _person_id: LinkState.CANCELLED
    workers = {slot.person_id for slot in plan.workers} if plan is not None else ()
    stopped = session.closing is not None or cleared_at(session) is not None
    someone_removed = bool(removals(session))

    def wished(person_id: str) -> LinkState:
        if person_id in workers:
            return LinkState.ACTIVE
        out = stopped or (someone_removed and is_removed(session, person_id))
        return LinkState.SUSPENDED if out else LinkState.ACTIVE

    return wished


def _clears(session: GroupSession) -> Iterator[tuple[datetime, bool]]:
    """(sent at, whether it met a returning worker) of each safety clear that counts."""
    for fact in session.actions.values():
        if fact.kind != EndMeeting.kind or fact.cause != EndCause.NEVER_ALONE:
            continue
        if fact.sent_at is None:
            continue
        instance = session.instances.get(fact.meeting) if fact.meeting else None
        runs = instance is not None and instance.closed_at is None
        if fact.state is ActionState.WITHDRAWN and runs:
            continue  # A worker was back before it had any effect.
        yield fact.sent_at, fact.race


def cleared_at(session: GroupSession) -> datetime | None:
    """When a safety clear happened that nobody has resumed from; None otherwise.

    One that met a returning worker suspends no links (I8).
    """
    last = max((at for at, race in _clears(session) if not race), default=None)
    return None if last is None or session.since_resume(last) else last


def may_resume(session: GroupSession, now: datetime) -> bool:
    """Whether *Resume* is offered: after a safety clear, within the window, not closed."""
    if session.closed is not None or session.closing is not None:
        return False
    last = max((at for at, _ in _clears(session)), default=None)
    if last is None or session.since_resume(last):
        return False
    return now < last + session.policy.resume_window


def links(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Bring every personal link to the state it should have."""
    wish = _wished(session, now)
    unheard = _unheard(session)
    for link in session.links.values():
        wished = wish(link.person_id)
        if link.state is LinkState.CANCELLED:
            continue
        if link.state is wished and not (unheard and _in_doubt(link, unheard)):
            continue
        platform = session.plan.platform if session.plan is not None else ""
        yield ChangeLink(
            key=_link_key(link, wished),
            reason=_WHY[wished],
            clause="E1",
            rule="closing.links",
            meeting=MeetingRef(platform=platform, meeting_id=link.meeting_id),
            registrant_id=link.registrant_id,
            person_id=link.person_id,
            state=str(wished),
        )
    plan = session.plan
    if plan is not None and session.links and session.closed is None:
        dead = plan.ends_at + session.policy.links_die_after_end
        if now < dead:
            yield WakeAt(dead, "links die")


def _link_key(link: Link, wished: LinkState) -> str:
    episode = (link.changed_at or link.issued_at).isoformat()
    return f"closing.link:{link.registrant_id}:{wished}:{episode}"


def _unheard(session: GroupSession) -> frozenset[str]:
    """Changes of links the platform was asked for and of which no answer came."""
    return session.remember(
        "closing.unheard",
        lambda: frozenset(
            key
            for key, fact in session.actions.items()
            if fact.kind == ChangeLink.kind
            and fact.sent_at is not None
            and fact.confirmed_at is None
        ),
    )


def _in_doubt(link: Link, unheard: frozenset[str]) -> bool:
    """Whether the platform may have changed it although that is no longer wanted (I7)."""
    others = (state for state in LinkState if state is not link.state)
    return any(_link_key(link, state) in unheard for state in others)


_WHY = {
    LinkState.ACTIVE: "The personal link works again.",
    LinkState.SUSPENDED: "The personal link is switched off for now.",
    LinkState.CANCELLED: "The session is over: the personal link is dead.",
}


def clock(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Say when the planned end comes near; never cut anybody off (guidance B2)."""
    plan = session.plan
    if plan is None or session.closing is not None or session.closed is not None:
        return
    if not any(room.at_risk for room in rooms(session)):
        return
    for name, due, text in (
        ("soon", plan.ends_at - END_SOON, "Five minutes to the planned end."),
        ("end", plan.ends_at, "The planned end has come. Say goodbye and close."),
    ):
        if now < due:
            yield WakeAt(due, text)
            continue
        yield AlertStaff(
            key=f"closing.clock:{name}:{due.isoformat()}",
            reason=text,
            clause="B2",
            rule="closing.clock",
            level=Level.INFO,
            audience=Audience.WORKERS,
        )


def notes_due(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Notes and attendance are due some hours after the planned end (guidance E3)."""
    plan = session.plan
    if plan is None or not any(i.opened_at for i in session.instances.values()):
        return
    if now < plan.ends_at and session.closed is None:
        yield WakeAt(plan.ends_at, "notes are due")
        return
    if session.notes_version and session.attendance_confirmed is not None:
        return
    yield StartFollowUp(
        key="closing.notes_due",
        reason="Write the session notes and confirm who was there.",
        clause="E3",
        rule="closing.notes_due",
        what="notes",
        due_at=plan.ends_at + session.policy.notes_due,
    )


RULES = (
    ("closing.clients_out", clients_out),
    ("closing.end", end),
    ("closing.links", links),
    ("closing.clock", clock),
    ("closing.notes_due", notes_due),
)
