"""The group's own rules, given at each start and to whoever comes later (guidance T3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from app.core.actions import AlertStaff, Audience, Level, PostGroundRules, Wish
from app.core.connections import Connection
from app.core.identity import Who
from app.core.plan import GroundRules
from app.core.presses import ActionState
from app.core.rooms import who_is_who
from app.core.session import ActionFact, GroupSession, Instance
from app.core.spans import here_since

POSTED = "posted"
SPOKEN = "spoken"
SHARE = timedelta(seconds=30)
_LISTED = (Who.CLIENT, Who.DOUBTFUL)


@dataclass(frozen=True, slots=True)
class RulesReceipt:
    """How one person got the ground rules first.

    ``how``: ``posted`` (confirmed in the room) or ``spoken`` (a worker talked them
    through). ``person_id`` "" when nobody knows who the connection is.
    """

    person_id: str
    connection: str
    how: str
    at: datetime
    version: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Here:
    """A client in the room now, and since when without a break."""

    connection: Connection
    person_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class _Given:
    """One person reached by one post, or by a worker's words; proved when ``at`` is set."""

    person_id: str
    connection: str
    how: str
    wanted_at: datetime
    at: datetime | None
    version: int
    key: str = ""


def post(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Post the rules once a worker and a client are there, and again to late joiners."""
    if (
        session.closing is not None
        or session.closed is not None
        or session.plan is None
    ):
        return
    rules = session.plan.ground_rules
    for instance in session.live():
        here = session.remember_room(
            f"ground_rules.here:{instance.ref.instance}",
            partial(_together, session, instance),
        )
        if not here:
            continue
        if not rules.rules:
            yield _none_agreed(instance)
            continue
        yield from _posts(session, instance, rules, here)


def _posts(
    session: GroupSession, instance: Instance, rules: GroundRules, here: list[_Here]
) -> Iterator[Wish]:
    stem = f"rules:{instance.ref.instance}:{rules.version}"
    start = session.actions.get(f"{stem}:start")
    yield _post(instance, rules, f"{stem}:start", here, "The session has started.")
    if start is None:
        return
    for group, key in _late(session, stem, start, here):
        yield _post(
            instance, rules, key, group, "Somebody came after the rules were given."
        )
    for asked in sorted(set(session.rules_requested)):
        if asked > start.wanted_at:
            key = f"{stem}:asked:{asked.isoformat()}"
            yield _post(
                instance, rules, key, here, "A worker asked to send them again."
            )


def _late(
    session: GroupSession, stem: str, start: ActionFact, here: list[_Here]
) -> Iterator[tuple[list[_Here], str]]:
    """Who has not had them yet, in groups that may share one message."""
    group: list[_Here] = []
    key = ""
    for one in here:
        if one.since <= start.wanted_at or _had(_given(session), one):
            continue
        if group and not _shares(session, key, group[0], one):
            yield group, key
            group = []
        if not group:
            key = f"{stem}:late:{one.connection.key}:{one.since.isoformat()}"
        group.append(one)
    if group:
        yield group, key


def _shares(session: GroupSession, key: str, first: _Here, one: _Here) -> bool:
    sent = session.actions.get(key)
    in_time = one.since - first.since <= SHARE
    return in_time and (sent is None or one.since <= sent.wanted_at)


def _had(given: list[_Given], one: _Here) -> bool:
    """Given before this stay began: a dropped line is no late arrival."""
    return any(
        gift.person_id == one.person_id != ""
        and (gift.how == SPOKEN or gift.wanted_at < one.since)
        for gift in given
    )


def _post(
    instance: Instance, rules: GroundRules, key: str, here: list[_Here], why: str
) -> PostGroundRules:
    return PostGroundRules(
        key=key,
        reason=f"{why} The group's own rules belong to every start.",
        clause="T3",
        rule="ground_rules.post",
        meeting=instance.ref,
        connections=tuple(one.connection.key for one in here),
        version=rules.version,
        text=rules.text(),
    )


def _none_agreed(instance: Instance) -> AlertStaff:
    return AlertStaff(
        key=f"rules:{instance.ref.instance}:none",
        reason="The group has agreed no ground rules, so none were given.",
        clause="T3",
        rule="ground_rules.post",
        level=Level.INFO,
        audience=Audience.WORKERS,
        what_to_do="Agree them together today and write them down in the group's page.",
    )


def _together(session: GroupSession, instance: Instance) -> list[_Here]:
    """The clients in the room while a worker is there; nobody while none is."""
    return _clients(session, instance) if _worker_inside(session, instance) else []


def _clients(session: GroupSession, instance: Instance) -> list[_Here]:
    known, closed_at = who_is_who(session, instance), instance.closed_at
    found = [
        _Here(connection, known[connection.key].person_id, since)
        for connection in instance.connections.values()
        if (since := here_since(connection.whereabouts(closed_at))) is not None
        and known[connection.key].who in _LISTED
    ]
    return sorted(found, key=lambda one: (one.since, one.connection.key))


def _worker_inside(session: GroupSession, instance: Instance) -> bool:
    known = who_is_who(session, instance)
    return any(
        known[connection.key].is_worker
        and connection.whereabouts(instance.closed_at).room
        for connection in instance.connections.values()
    )


def receipts(session: GroupSession) -> list[RulesReceipt]:
    """The first proved receipt of each person, in order of time (guidance T3)."""
    first: dict[str, RulesReceipt] = {}
    proved = [(gift.at, gift) for gift in _given(session) if gift.at is not None]
    for at, gift in sorted(proved, key=lambda row: (row[0], row[1].connection)):
        first.setdefault(
            gift.person_id or gift.connection,
            RulesReceipt(
                person_id=gift.person_id,
                connection=gift.connection,
                how=gift.how,
                at=at,
                version=gift.version,
                key=gift.key,
            ),
        )
    return list(first.values())


def _given(session: GroupSession) -> list[_Given]:
    return session.remember(
        "ground_rules.given", lambda: [*_posted(session), *_spoken(session)]
    )


_FAILED = (ActionState.WITHDRAWN, ActionState.REFUSED, ActionState.EXPIRED)


def _posted(session: GroupSession) -> Iterator[_Given]:
    for fact in session.actions.values():
        instance = session.instances.get(fact.meeting) if fact.meeting else None
        if fact.kind != PostGroundRules.kind or fact.state in _FAILED or not instance:
            continue
        known = who_is_who(session, instance)
        for connection in instance.connections.values():
            who = known[connection.key]
            if who.who in _LISTED and _reached(instance, connection, fact):
                yield _Given(
                    person_id=who.person_id,
                    connection=connection.key,
                    how=POSTED,
                    wanted_at=fact.wanted_at,
                    at=fact.confirmed_at,
                    version=_version(fact, instance),
                    key=fact.key,
                )


def _reached(instance: Instance, connection: Connection, fact: ActionFact) -> bool:
    """Named by the post (``details``), or in the room when it was decided."""
    if fact.details:
        return connection.key in {
            found.key
            for key in fact.details
            if (found := instance.resolve(key)) is not None
        }
    return any(
        (stay.start is not None and stay.start <= fact.wanted_at)
        and (stay.end is None or stay.end > fact.wanted_at)
        for stay in connection.whereabouts(instance.closed_at).stays
    )


def _version(fact: ActionFact, instance: Instance) -> int:
    number = fact.key.removeprefix(f"rules:{instance.ref.instance}:").split(":")[0]
    return int(number) if number.isdecimal() else 0


def _spoken(session: GroupSession) -> Iterator[_Given]:
    version = session.plan.ground_rules.version if session.plan is not None else 0
    for key, at in session.rules_spoken.items():
        found = session.find(key)
        if found is None:
            continue
        instance, connection = found
        who = who_is_who(session, instance)[connection.key]
        yield _Given(who.person_id, connection.key, SPOKEN, at, at, version)


RULES = (("ground_rules.post", post),)
