"""Taking one person out of everything that is kept about one session."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.privacy import traces
from app.privacy.holds import holds
from app.privacy.retention import facts_of
from app.privacy.sealed import rewrite, sealed_column
from app.privacy.traces import Words, in_json, in_text
from app.store import people
from app.store.database import Store
from app.store.drafts import drafts
from app.store.groups import ground_rules, groups
from app.store.log import deliveries, forget_names, log, meetings, personal
from app.store.notes import notes
from app.store.queue import actions
from app.store.rooms import links
from app.store.sessions import sessions

_AT_ONCE = 500
Counts = Counter[str]
Change = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Found:
    """Whom to erase and where to look. ``on_hold``: sessions that must stay as they are."""

    person_id: str
    details: Mapping[str, str]
    account: str
    sessions: tuple[str, ...]
    on_hold: tuple[str, ...] = ()


def take_out(
    db: Connection, store: Store, found: Found, session_id: str
) -> tuple[Counts, bool]:
    """Take them out of everything about one session; and whether a name was shared."""
    others = _others(db, store, found, session_id)
    words = traces.words_of(found.details, others)
    facts = _facts(db, store, session_id)
    refs = _theirs(db, found, session_id, facts, words)
    typed = {str(fact.personal.get("name", "")) for fact in facts if fact.ref in refs}
    words = traces.words_of(found.details, others, typed - {""})
    counts = _from_the_log(db, store, facts, refs, words)
    counts["deliveries"] = _from_raw_messages(db, store, session_id, refs, words)
    counts += _from_texts(db, store, found.person_id, session_id, words)
    return +counts, words.shared


def _others(db: Connection, store: Store, found: Found, session_id: str) -> list[str]:
    """The names of everybody else in that session."""
    row = db.execute(
        select(sessions.c.clients, sessions.c.workers).where(
            sessions.c.id == session_id
        )
    ).first()
    if row is None:
        return []
    ids = {*row.clients, *(worker["person_id"] for worker in row.workers)}
    named = people.named(db, store, ids - {found.person_id})
    return [name for name in named.values() if name]


def _theirs(
    db: Connection,
    found: Found,
    session_id: str,
    facts: Collection[traces.Fact],
    words: Words,
) -> set[str]:
    registrants = db.scalars(
        select(links.c.registrant_id).where(
            links.c.session_id == session_id, links.c.person_id == found.person_id
        )
    ).all()
    return traces.theirs(facts, found.person_id, found.account, registrants, words)


def _from_the_log(
    db: Connection,
    store: Store,
    facts: Collection[traces.Fact],
    refs: Collection[str],
    words: Words,
) -> Counts:
    """What was told of their connections goes; other texts lose their name only."""
    named = [fact.ref for fact in facts if fact.ref in refs and fact.personal]
    rest = [fact.ref for fact in facts if fact.ref not in refs and fact.personal]
    counts: Counts = Counter(log_personal=len(named))
    for part in _parts(named):
        forget_names(db, part)
    halves = sealed_column("log_personal.fields_sealed")
    for part in _parts(rest):
        where = personal.c.ref.in_(part)
        counts["log_personal"] += rewrite(db, store, halves, where, in_json(words))
    return counts


def _from_texts(
    db: Connection, store: Store, person_id: str, session_id: str, words: Words
) -> Counts:
    here = actions.c.session_id == session_id
    group = select(sessions.c.group_id).where(sessions.c.id == session_id)
    of_group = ground_rules.c.group_id.in_(group)
    places: tuple[tuple[str, Any, Change], ...] = (
        ("actions.body_sealed", here & actions.c.body.contains(person_id), _nothing),
        ("actions.body_sealed", here, in_json(words)),
        ("sessions.texts_sealed", sessions.c.id == session_id, in_json(words)),
        ("drafts.fields_sealed", drafts.c.session_id == session_id, in_json(words)),
        ("notes.text_sealed", notes.c.session_id == session_id, in_text(words)),
        ("holds.reason_sealed", holds.c.subject_id == session_id, in_text(words)),
        ("groups.name_sealed", groups.c.id.in_(group), in_text(words)),
        ("ground_rules.made_with_sealed", of_group, in_text(words)),
    )
    counts: Counts = Counter()
    for name, where, change in places:
        one = sealed_column(name)
        counts[one.table.name] += rewrite(db, store, one, where, change)
    return counts


def _nothing(_plain: bytes) -> None:
    """What was to be said to them is not kept at all."""


def _facts(db: Connection, store: Store, session_id: str) -> list[traces.Fact]:
    rows = db.execute(
        select(log, personal.c.fields_sealed)
        .select_from(log.outerjoin(personal, personal.c.ref == log.c.ref))
        .where(facts_of(db, session_id))
    )
    return [
        traces.Fact(
            row.ref,
            row.kind,
            (row.platform, row.meeting_id, row.instance),
            orjson.loads(row.public),
            _half(store, row),
        )
        for row in rows
    ]


def _half(store: Store, row: Any) -> Mapping[str, Any]:
    if row.fields_sealed is None:
        return {}
    opened = store.open(row.fields_sealed, f"log_personal:fields:{row.ref}")
    half: Mapping[str, Any] = orjson.loads(opened)
    return half


def _from_raw_messages(
    db: Connection, store: Store, session_id: str, refs: Collection[str], words: Words
) -> int:
    """A message is one of theirs by its facts, or because it names them."""
    rooms = select(meetings.c.meeting_id).where(meetings.c.session_id == session_id)
    own = {ref.rsplit(".", 1)[0] for ref in refs}
    bodies = sealed_column("deliveries.body_sealed")
    taken = 0
    for row in db.execute(
        select(deliveries.c.ref).where(
            deliveries.c.meeting_id.in_(rooms), deliveries.c.body_sealed.is_not(None)
        )
    ).all():

        def change(plain: bytes, ref: str = row.ref) -> bytes | None:
            return None if ref in own or traces.occurs(words, plain) else plain

        taken += rewrite(db, store, bodies, deliveries.c.ref == row.ref, change)
    return taken


def _parts(refs: list[str]) -> list[list[str]]:
    return [refs[at : at + _AT_ONCE] for at in range(0, len(refs), _AT_ONCE)]
