"""Remind, warn, remove: what a worker pressed, and keeping out who was removed.

Guidance T5 and T4; invariants I2 (who was removed stays out), I4 (never a worker) and
I7 (undo). The bot takes no step against a listed client by itself; it carries out
presses and keeps removed people out. ``closing.links`` suspends and restores the links
Chaperone made; a link it did not make is looked after here.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.actions import (
    AlertStaff,
    Audience,
    ChangeLink,
    Level,
    RemoveParticipant,
    SendReminder,
    SendWarning,
    WakeAt,
    Wish,
)
from app.core.connections import Connection
from app.core.events import MeetingRef
from app.core.identity import Who
from app.core.ladder import (
    Removal,
    Target,
    expires_at,
    over,
    removals,
    step_key,
    taken_back,
    target_of,
    valid_presses,
)
from app.core.presses import LadderPressed, LinkState, Readmitted, Step
from app.core.rules.aim import aim
from app.core.session import GroupSession, Instance
from app.core.spans import here_since

_MINUTE = timedelta(minutes=1)

# The young person reads these: kind first, the group's own words, a way to talk.
REMINDER = "A kind reminder of what we agreed together. {rule}"
WARNING = (
    "This is a warning about what we agreed together. {rule}If it goes on, you will be "
    "asked to leave for today. Tell us if something is hard right now; we are here."
)


TAKEN_BACK = (
    "Please take no notice of the {what} you were just given: it was a mistake of ours, "
    "and it does not count."
)


def steps(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Send each pressed reminder and warning while its person is in the room (T5).

    One that was taken back is no longer sent; who was told already is told that it does
    not count.
    """
    if over(session, now):
        return
    for press in valid_presses(session):
        kind = {Step.REMIND: SendReminder, Step.WARN: SendWarning}.get(press.step)
        target = target_of(session, press.connection)
        found = session.find(press.connection)
        if kind is None or target is None or found is None:
            continue
        instance, connection = found
        inside = connection.whereabouts(instance.closed_at).room
        if not inside or target.who is Who.WORKER:
            continue
        back = taken_back(session, press)
        if back is not None:
            if _was_told(session, press):
                yield SendReminder(
                    key=f"ladder.taken_back:{press.press_id}",
                    reason=f"A worker took a {_WHAT[press.step]} back.",
                    clause="T5",
                    rule="ladder.steps",
                    by=back.by,
                    not_after=expires_at(session),
                    text=TAKEN_BACK.format(what=_WHAT[press.step]),
                    **aim(instance, connection, target.person_id),
                )
            continue
        words = REMINDER if press.step is Step.REMIND else WARNING
        yield kind(
            key=step_key(press),
            reason=f"A worker pressed “{press.step.value}”{_rule_number(press)}.",
            clause="T5",
            rule="ladder.steps",
            by=press.by,
            not_after=expires_at(session),
            text=words.format(rule=_rule_text(session, press)).strip(),
            **aim(instance, connection, target.person_id),
        )


_WHAT = {Step.REMIND: "reminder", Step.WARN: "warning"}


def _was_told(session: GroupSession, press: LadderPressed) -> bool:
    """Whether they may have heard of it: a worker said so, or the platform was asked."""
    fact = session.actions.get(step_key(press))
    if fact is None or fact.sent_at is None:
        return False
    return fact.confirmed_at is not None or fact.route != "person"


def _rule_number(press: LadderPressed) -> str:
    return f" (rule {press.rule})" if press.rule else ""


def _rule_text(session: GroupSession, press: LadderPressed) -> str:
    rules = session.plan.ground_rules.rules if session.plan is not None else ()
    if not 0 < press.rule <= len(rules):
        return ""
    return f"Rule {press.rule}: {rules[press.rule - 1].text} "


def removed_stay_out(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Remove who a worker removed, and again when they come back (T5, I2; never I4).

    Re-removals are bounded by ``policy.removals_per_minute`` for each room; beyond that
    the workers are told to lock it.
    """
    standing_ones = [r for r in removals(session) if r.undone is None]
    if over(session, now) or not standing_ones:
        return
    for instance in session.live():
        recent = _recent_removals(session, instance, now)
        left = session.policy.removals_per_minute - len(recent)
        for connection in instance.connections.values():
            wish = _kept_out(session, instance, connection, standing_ones)
            if wish is None:
                continue
            again = wish.clause == "I2"
            if again and wish.key not in session.actions:
                left -= 1
                if left < 0:
                    yield from _flood(session, instance, min(recent, default=now))
                    break
            yield wish
            if again:
                yield _is_back(wish)


def _kept_out(
    session: GroupSession,
    instance: Instance,
    connection: Connection,
    standing_ones: list[Removal],
) -> RemoveParticipant | None:
    """The removal wanted of this connection now, or None."""
    since = here_since(connection.whereabouts(instance.closed_at))
    target = target_of(session, connection.key)
    if since is None or target is None or target.who is Who.WORKER:
        return None
    for removal in reversed(standing_ones):
        if not removal.target.is_same(target):
            continue
        came_back = since > removal.press.at
        if connection.key == removal.target.connection and not came_back:
            return _remove(instance, connection, target, removal)
        # Two on one link at the time of the press: only the one that was pressed goes
        # (I4), unless it is sure that both are this client's own devices (N18).
        if came_back or removal.target.who is target.who is Who.CLIENT:
            episode = f":{connection.key}:{since.isoformat()}"
            return _remove(instance, connection, target, removal, episode)
    return None


def _remove(
    instance: Instance,
    connection: Connection,
    target: Target,
    removal: Removal,
    episode: str = "",
) -> RemoveParticipant:
    press = removal.press
    serious = " for serious harm" if press.immediate else ""
    back = " That person is in the room without “Readmit”." if episode else ""
    return RemoveParticipant(
        key=step_key(press) + episode,
        reason=f"A worker pressed “remove”{serious}{_rule_number(press)}.{back}",
        clause="I2" if episode else "T5",
        rule="ladder.removed_stay_out",
        by=press.by,
        **aim(instance, connection, target.person_id or removal.target.person_id),
    )


def _is_back(wish: RemoveParticipant) -> AlertStaff:
    return AlertStaff(
        key=f"ladder.back:{wish.key}",
        reason="Somebody a worker removed is in the room again; they are being removed.",
        clause="I2",
        rule="ladder.removed_stay_out",
        level=Level.AMBER,
        audience=Audience.WORKERS,
        what_to_do="To let them stay, press “Readmit”.",
        connection=wish.connection,
        person_id=wish.person_id,
    )


def _recent_removals(
    session: GroupSession, instance: Instance, now: datetime
) -> list[datetime]:
    return [
        fact.wanted_at
        for fact in session.actions.values()
        if fact.kind == RemoveParticipant.kind
        and fact.meeting == instance.ref
        and fact.wanted_at > now - _MINUTE
    ]


def _flood(
    session: GroupSession, instance: Instance, oldest: datetime
) -> Iterator[Wish]:
    limit = session.policy.removals_per_minute
    yield AlertStaff(
        key=f"ladder.flood:{instance.ref.instance}",
        reason=f"People keep coming back: {limit} removals within one minute.",
        clause="I2",
        rule="ladder.removed_stay_out",
        level=Level.RED,
        audience=Audience.WORKERS,
        what_to_do="Lock the meeting now, then check who is inside.",
    )
    yield WakeAt(oldest + _MINUTE, "removals may go on")


def foreign_links(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Suspend a removed person's link that Chaperone did not make; restore it after."""
    if over(session, now):
        return
    for removal in removals(session):
        target, registrant = removal.target, removal.target.registrant_id
        found = session.find(target.connection)
        if not registrant or registrant in session.links or found is None:
            continue
        meeting, suspend = found[0].ref, LinkState.SUSPENDED
        if removal.undone is None:
            yield _change(removal.press, meeting, target, suspend)
        elif _link_key(removal.press, registrant, suspend) in session.actions:
            yield _change(removal.undone, meeting, target, LinkState.ACTIVE)


def _link_key(
    press: LadderPressed | Readmitted, registrant: str, state: LinkState
) -> str:
    return f"ladder.link:{press.press_id}:{state.value}:{registrant}"


def _change(
    press: LadderPressed | Readmitted,
    meeting: MeetingRef,
    target: Target,
    state: LinkState,
) -> ChangeLink:
    again = state is LinkState.ACTIVE
    return ChangeLink(
        key=_link_key(press, target.registrant_id, state),
        reason=f"A worker pressed “{'readmit' if again else 'remove'}”.",
        clause="I7" if again else "T5",
        rule="ladder.foreign_links",
        by=press.by,
        meeting=meeting,
        registrant_id=target.registrant_id,
        person_id=target.person_id,
        state=state.value,
    )


RULES = (
    ("ladder.steps", steps),
    ("ladder.removed_stay_out", removed_stay_out),
    ("ladder.foreign_links", foreign_links),
)
