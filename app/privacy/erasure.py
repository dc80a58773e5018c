"""Erasing one person: what names or describes them goes, what happened stays by number.

Gone: their row's texts, their account, the ways in they had, what they typed as a name in
the room, raw messages about them, and their name wherever somebody wrote it about one of
their sessions. Staying, and told on the answer: the pseudonymous log, and the records a
worker confirmed (docs/data-inventory.md says why and for how long).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, delete, func, or_, select

from app.privacy import traces
from app.privacy.holds import Held, held, holds
from app.privacy.one_session import Counts, Found, take_out
from app.privacy.retention import erasures, facts_of, terms_of
from app.privacy.sealed import rewrite, sealed_column
from app.privacy.terms import Kind
from app.privacy.traces import in_text
from app.store import accounts, consents, contacts, dossiers, drafts, people, policies
from app.store.access_rows import sign_in_links, tries, web_sessions
from app.store.bulk import insert_once
from app.store.database import Store, Work
from app.store.log import log, meetings
from app.store.notes import records
from app.store.refusals import Refused
from app.store.rooms import links
from app.store.sessions import sessions

LOG_STAYS = (
    "What happened stays, told by number and without a name: it shows why somebody was "
    "removed or a room was ended."
)
RECORDS_STAY = (
    "Records a worker confirmed stay as they were signed, names included: they are the "
    "register of attendance."
)
MEETINGS_ELSEWHERE = (
    "The meeting platform keeps lists of its own: delete the reports and registrations "
    "of these meetings there."
)
SHARED_NAME = (
    "Somebody else in these sessions has the same name, so notes and reasons written "
    "there were left alone: read them."
)
SESSIONS_HELD = (
    "Sessions on hold stay as they are until the hold is lifted: erase again then."
)
MEMORY = "A running service shows names it holds in memory until it is restarted."
IN_MEMORY = "memory"
CONCERNS = (
    "Concerns, if there are any, stay word for word until a person has looked at them: "
    "safeguarding needs them."
)
BACKUPS = (
    "Backups made before today still name this person: after a restore the erasure is "
    "done again from the list of erasures."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """What is not erased, how many there are, until when (None: no fixed day), and why."""

    what: str
    count: int
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The certificate: no content. ``counts``: table -> rows changed or deleted."""

    person_id: str
    erased_at: datetime
    counts: Mapping[str, int]
    stays: tuple[Stays, ...]


# --- the three ways in ------------------------------------------------------------


async def erase(store: Store, person_id: str, by: str, now: datetime) -> Erased:
    """Erase a person, one transaction for each session; again is harmless.

    The person's own row goes last, so that after a crash the second try finds what is
    left. Raises Unknown; Refused for somebody on hold.
    """
    found: Found = await store.read(lambda db: find(db, store, person_id))
    counts: Counts = Counter()
    shared = 0
    for session_id in found.sessions:
        here, same = await store.write(
            partial(take_out, store=store, found=found, session_id=session_id)
        )
        counts, shared = counts + here, shared + same
    last = partial(_person, store=store, found=found, by=by, now=now)
    counts += await store.write(lambda db: last(db, so_far=counts))
    made: Erased = await store.read(
        lambda db: _certificate(db, found, counts, shared, now)
    )
    return made


class _Undone(Exception):
    """Leaves a transaction without a trace."""


def preview(store: Store, person_id: str, now: datetime) -> Erased:
    """What :func:`erase` would do: it is done and taken back. Raises the same."""
    made: list[Erased] = []
    with suppress(_Undone), store.unit() as db:
        made.append(_at_once(db, store, find(db, store, person_id), "", now))
        raise _Undone
    return made[0]


async def look(store: Store, person_id: str, now: datetime) -> Erased:
    """As :func:`preview` beside a running service: a short transaction for each session,
    each taken back, so that no webhook waits long. Raises the same.
    """
    found: Found = await store.read(lambda db: find(db, store, person_id))
    counts: Counts = Counter()
    shared = 0

    def one(db: Connection, session_id: str) -> None:
        nonlocal counts, shared
        here, same = take_out(db, store, found, session_id)
        counts, shared = counts + here, shared + same
        raise _Undone

    def last(db: Connection) -> None:
        nonlocal counts
        counts += _person(db, store, found, "", now, counts)
        raise _Undone

    works: list[Work] = [partial(one, session_id=i) for i in found.sessions]
    for work in (*works, last):
        with suppress(_Undone):
            await store.write(work)
    made: Erased = await store.read(
        lambda db: _certificate(db, found, counts, shared, now)
    )
    return made


def erased_at(db: Connection, person_id: str) -> datetime | None:
    """When somebody was erased, None for who was not."""
    query = select(erasures.c.erased_at).where(erasures.c.person_id == person_id)
    at: datetime | None = db.scalar(query)
    return at


def ledger(db: Connection) -> list[str]:
    """Ids of everybody erased, to be erased again after a restore (I24)."""
    return list(db.scalars(select(erasures.c.person_id).order_by(erasures.c.erased_at)))


def erase_again(
    db: Connection, store: Store, ids: Collection[str], now: datetime
) -> int:
    """Erase whoever a restored database still names; how many there were."""
    known = db.scalars(
        select(people.people.c.id).where(people.people.c.id.in_(list(ids)))
    )
    back = [person_id for person_id in known if person_id not in ledger(db)]
    for person_id in back:
        _at_once(db, store, find(db, store, person_id), "restore", now)
    return len(back)


def _at_once(
    db: Connection, store: Store, found: Found, by: str, now: datetime
) -> Erased:
    counts: Counts = Counter()
    shared = 0
    for session_id in found.sessions:
        here, same = take_out(db, store, found, session_id)
        counts, shared = counts + here, shared + same
    counts += _person(db, store, found, by, now, counts)
    return _certificate(db, found, counts, shared, now)


# --- where to look ----------------------------------------------------------------


def find(db: Connection, store: Store, person_id: str) -> Found:
    """Whom to erase and where. Raises Unknown; Refused on hold, or as an alarm contact."""
    person = people.get(db, store, person_id)
    if person_id in held(db).people:
        raise Refused(
            {"": "This person is on hold: nothing is erased until the hold is lifted."}
        )
    reach = {person.email.casefold(), person.phone.casefold()} - {""}
    for contact in contacts.listed(db, store):
        if contact.address.casefold() in reach:
            raise Refused(
                {"": f"Alarms go to this person: put another in place of {contact.id}."}
            )
    details = {name: getattr(person, name) for name in people.SEALED}
    account = "" if person.shared_login else person.platform_user_id
    every, kept = _sessions_with(db, person_id), _on_hold(db, held(db))
    return Found(
        person_id,
        details,
        account,
        tuple(one for one in every if one not in kept),
        tuple(one for one in every if one in kept),
    )


def _on_hold(db: Connection, now_held: Held) -> frozenset[str]:
    """Sessions on hold, themselves or by anybody who was part of them."""
    rows = db.execute(select(sessions.c.id, sessions.c.clients, sessions.c.workers))
    return now_held.sessions | frozenset(
        row.id
        for row in rows
        if {*row.clients, *(w["person_id"] for w in row.workers)} & now_held.people
    )


def _sessions_with(db: Connection, person_id: str) -> tuple[str, ...]:
    """Every session they were planned for, had a link to, or are named in by id."""
    planned = {
        row.id
        for row in db.execute(
            select(sessions.c.id, sessions.c.clients, sessions.c.workers)
        )
        if person_id in row.clients
        or any(worker["person_id"] == person_id for worker in row.workers)
    }
    linked = db.scalars(
        select(links.c.session_id).where(links.c.person_id == person_id)
    )
    told = db.scalars(
        select(log.c.session_id)
        .where(log.c.session_id.is_not(None), log.c.public.contains(person_id))
        .distinct()
    )
    return tuple(sorted({*planned, *linked, *told}))


# --- the person -------------------------------------------------------------------


def _person(
    db: Connection,
    store: Store,
    found: Found,
    by: str,
    now: datetime,
    so_far: Counts,
) -> Counts:
    """Their own rows, and the certificate."""
    who, counts = found.person_id, Counter(people=1)
    account = accounts.of_person(db, store, who)
    if account is not None:
        digests = store.keys.digests("account-email", account.email.strip().casefold())
        counts["sign_in_tries"] = db.execute(
            delete(tries).where(tries.c.email_digest.in_(digests))
        ).rowcount
        counts["accounts"] = 1
    for table in (
        web_sessions,
        sign_in_links,
        links,
        consents.consents,
        dossiers.dossiers,
    ):
        query = select(func.count()).select_from(table)
        counts[table.name] = int(db.scalar(query.where(table.c.person_id == who)) or 0)
    counts["one_to_ones"] = int(
        db.scalar(
            select(func.count())
            .select_from(people.talks)
            .where(people.talks.c.client_id == who)
        )
        or 0
    )
    words = traces.words_of(found.details, ())
    for name, where in (
        ("one_to_ones.outcome_sealed", people.talks.c.worker_id == who),
        ("one_to_ones.channel_sealed", people.talks.c.worker_id == who),
        ("holds.reason_sealed", holds.c.subject_id == who),
        ("contacts.label_sealed", contacts.contacts.c.id.is_not(None)),
        ("policy_versions.reason_sealed", policies.versions.c.version > 0),
    ):
        one = sealed_column(name)
        counts[one.table.name] += rewrite(db, store, one, where, in_text(words))
    consents.forget(db, who)
    dossiers.forget(db, who)
    people.erase(db, who, now)
    counts["drafts"] = drafts.forget(db, who)
    counts = +counts
    _certify(db, who, by, now, so_far + counts)
    return counts


def _certify(
    db: Connection, person_id: str, by: str, now: datetime, counts: Counts
) -> None:
    """Write it down; a second time adds what was found then."""
    row = {"person_id": person_id, "erased_at": now, "by": by, "counts": {}}
    db.execute(insert_once(db, erasures), row)
    own = erasures.c.person_id == person_id
    before: Counts = Counter(db.scalar(select(erasures.c.counts).where(own)))
    db.execute(
        erasures.update()
        .where(own)
        .values(erased_at=now, by=by, counts=dict(before | counts))
    )


def _certificate(
    db: Connection, found: Found, counts: Counts, shared: int, now: datetime
) -> Erased:
    return Erased(
        person_id=found.person_id,
        erased_at=now,
        counts=dict(sorted(counts.items())),
        stays=tuple(_stays(db, found, shared)),
    )


def _stays(db: Connection, found: Found, shared: int) -> list[Stays]:
    mine = [*found.sessions, *found.on_hold]
    until = max(
        (t.until for t in terms_of(db) if t.kind is Kind.SESSION and t.id in mine),
        default=None,
    )
    signed = db.scalar(
        select(func.count()).select_from(records).where(records.c.session_id.in_(mine))
    )
    told = db.scalar(
        select(func.count())
        .select_from(log)
        .where(or_(*(facts_of(db, one) for one in mine)) if mine else log.c.seq < 0)
    )
    bound = db.scalar(
        select(func.count())
        .select_from(meetings)
        .where(meetings.c.session_id.in_(mine))
    )
    found_stays = [
        Stays(what="records", count=int(signed or 0), until=until, why=RECORDS_STAY),
        Stays(what="log", count=int(told or 0), until=until, why=LOG_STAYS),
        Stays(
            what="meetings", count=int(bound or 0), until=None, why=MEETINGS_ELSEWHERE
        ),
        Stays(what="sessions", count=shared, until=None, why=SHARED_NAME),
        Stays(what="sessions", count=len(found.on_hold), until=None, why=SESSIONS_HELD),
    ]
    return [one for one in found_stays if one.count] + [
        Stays(what=IN_MEMORY, count=0, until=None, why=MEMORY),
        Stays(what="concerns", count=0, until=None, why=CONCERNS),
        Stays(what="backups", count=0, until=None, why=BACKUPS),
    ]
