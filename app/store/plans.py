"""The plan and the names of one session, as the core reads them from the tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from app.core.plan import InvitedClient, OneToOne, Plan, Role, WorkerSlot
from app.core.policy import Policy
from app.store import groups, people, policies
from app.store.database import Store
from app.store.sessions import SessionPlan, get, sessions
from app.store.tables import ContactRow

contacts = ContactRow.__table__  # type: ignore[attr-defined]


def build_plan(db: Connection, store: Store, session_id: str) -> Plan:
    """The plan as the core reads it: ids and facts from the tables. Raises Unknown."""
    row = get(db, store, session_id)
    group = groups.get(db, store, row.group_id)
    persons = _facts(db, [*(w.person_id for w in row.workers), *row.clients])
    talks = people.talks_of(db, store, row.clients)
    known = _seen_before(db, row)
    return Plan(
        session_id=row.id,
        group_id=row.group_id,
        platform=row.platform,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        version=row.version,
        title=row.title,
        purpose=row.purpose,
        segments=row.segments,
        workers=tuple(
            WorkerSlot(
                person_id=w.person_id,
                role=Role(w.role),
                platform_user_id=persons[w.person_id].platform_user_id,
                shared_login=persons[w.person_id].shared_login,
            )
            for w in row.workers
        ),
        clients=tuple(
            _invited(persons[c], talks[c], group.leads, c not in known)
            for c in row.clients
        ),
        ground_rules=group.rules,
        under_18=group.under_18,
        risk_assessment=row.risk_assessment,
        emergency_contacts=row.emergency_contacts,
        alarm_contacts_confirmed=contacts_confirmed(db),
        alarm_channels=contact_channels(db),
        recording_reason=row.recording_reason,
        link_is_public=row.link_is_public,
    )


def policy_of(db: Connection, store: Store, session_id: str) -> Policy:
    """The policy in force at its start, with what it does differently. Raises Unknown."""
    plan = get(db, store, session_id)
    return policies.policy_for(db, plan.starts_at, plan.policy)


def names_of(db: Connection, store: Store, session_id: str) -> dict[str, str]:
    """Person id -> name: everybody of this session and every active worker.

    A look-alike of *any* worker must be told apart (N02). Raises Unknown.
    """
    row = get(db, store, session_id)
    workers = db.execute(
        select(people.people.c.id).where(
            people.people.c.kind == "worker", people.people.c.active.is_(True)
        )
    )
    ids = {w.person_id for w in row.workers} | set(row.clients)
    return people.named(db, store, ids | {w.id for w in workers})


def contacts_confirmed(db: Connection) -> int:
    """How many alarm contacts answered their code."""
    count = select(func.count()).select_from(contacts)
    found = db.execute(count.where(contacts.c.confirmed_at.is_not(None)))
    return int(found.scalar_one())


def contact_channels(db: Connection) -> int:
    """By how many different ways (mail, webhook) those who answered are reached."""
    count = select(func.count(contacts.c.channel.distinct()))
    found = db.execute(count.where(contacts.c.confirmed_at.is_not(None)))
    return int(found.scalar_one())


def _facts(db: Connection, ids: Sequence[str]) -> dict[str, Any]:
    rows = db.execute(select(people.people).where(people.people.c.id.in_(list(ids))))
    return {row.id: row for row in rows}


def _invited(
    person: Any, talks: Sequence[people.Talk], leads: Sequence[str], new: bool
) -> InvitedClient:
    return InvitedClient(
        person_id=person.id,
        one_to_ones=tuple(
            OneToOne(
                worker_id=t.worker_id,
                held_on=t.held_on,
                worker_leads_group=t.worker_id in leads,
            )
            for t in talks
        ),
        consent_to_take_part=person.consent_to_take_part,
        recording_consent=person.recording_consent,
        high_risk=person.high_risk,
        risk_reviewed=person.risk_reviewed_on is not None,
        has_contact=person.has_contact,
        has_referrer=person.has_referrer,
        known_to=person.known_to,
        new_to_group=new,
        age_years=person.age_years,
    )


def _seen_before(db: Connection, row: SessionPlan) -> set[str]:
    """Clients who were invited to an earlier session of the same group."""
    earlier = db.execute(
        select(sessions.c.clients).where(
            sessions.c.group_id == row.group_id,
            sessions.c.starts_at < row.starts_at,
            sessions.c.state != "cancelled",
        )
    )
    return {client for found in earlier for client in found.clients}
