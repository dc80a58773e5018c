"""Plan a session, copy the last one, plan several at once, change a plan, call it off."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.gates import invitation_gate
from app.core.plan import InvitedClient, OneToOne, Role
from app.core.policy import Policy
from app.store import groups, people, policies, sessions
from app.store.groups import Group
from app.store.people import Person, Talk
from app.store.refusals import Refused, Stale
from app.store.sessions import SessionPlan
from app.web.access import Permission, may
from app.web.pages.entered import Fields
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.people import MOST, shown
from app.web.pages.planning_entered import (
    EVERY,
    FORM,
    Times,
    plan_of,
    series_of,
    times_of,
    too_long,
    typed_of,
)
from app.web.pages.visit import HOME_ZONE, Visit
from app.web.words import ROLES, Zone, day_words

EMPTY: dict[str, Any] = {
    "title": "",
    "purpose": "",
    "day": "",
    "starts": "",
    "ends": "",
    "zone": HOME_ZONE,
    "platform": "",
    "parts": "",
    "workers": {},
    "clients": set(),
    "risk_assessment": False,
    "emergency_contacts": False,
    "recording_reason": "",
}
_FIELD_OF = {"starts_at": "starts", "ends_at": "ends", "plan_text": "parts"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client who could be invited, and why not yet."""

    id: str
    name: str
    lacks: tuple[str, ...]


async def page(visit: Visit) -> Response:
    """``GET /plan``: choose a group, then fill in the form (or copy the last session)."""
    wanted = visit.form.get("group_id") or visit.request.query_params.get("group", "")
    store = visit.house.store
    found: list[Group] = await visit.read(
        lambda db: groups.listed(db, store, limit=MOST)
    )
    mine = [g for g in found if g.id == wanted] or (found if len(found) == 1 else [])
    if not mine:
        found.sort(key=lambda g: (visit.person_id not in g.leads, g.name.casefold()))
        return await visit.show("plan_group.html", found=found)
    group = mine[0]
    last: SessionPlan | None = await visit.read(lambda db: _last(db, visit, group.id))
    copies = last is not None and "copy" in visit.request.query_params
    typed = EMPTY | {"workers": {visit.person_id: "lead"}}
    if last is not None and copies:
        typed = typed_of(last, _next_day(last, visit.now))
    return await _form(visit, group, typed, last=last, copied=copies)


def _last(db: Connection, visit: Visit, group_id: str) -> SessionPlan | None:
    found = sessions.listed(db, visit.house.store, group_id=group_id, limit=MOST)
    held = [plan for plan in found if plan.state != "cancelled" and _mine(visit, plan)]
    return held[-1] if held else None


def _mine(visit: Visit, plan: SessionPlan) -> bool:
    return may(visit.visitor, Permission.SEE_ALL_SESSIONS) or any(
        w.person_id == visit.person_id for w in plan.workers
    )


def _next_day(last: SessionPlan, now: datetime) -> date:
    """The same weekday as last time, in a week that has not passed."""
    day = date.fromisoformat(last.local_start[:10]) + timedelta(days=7)
    today = Zone(last.zone).local(now).date()
    while day < today:
        day += timedelta(days=7)
    return day


async def change_form(visit: Visit) -> Response:
    """``GET /sessions/{id}/plan``."""
    plan, store = visit.planned, visit.house.store
    group = await visit.read(lambda db: groups.get(db, store, plan.group_id))
    typed = typed_of(plan, date.fromisoformat(plan.local_start[:10]))
    return await _form(visit, group, typed, plan=plan)


async def _form(
    visit: Visit,
    group: Group,
    typed: dict[str, Any],
    *,
    plan: SessionPlan | None = None,
    last: SessionPlan | None = None,
    copied: bool = False,
) -> Response:
    def look(db: Connection) -> tuple[list[Person], list[Candidate]]:
        store = visit.house.store
        found = people.listed(db, store, limit=MOST)
        there = {one.id for one in found}
        # Who was planned before may have left since.
        gone = (set(typed["workers"]) | typed["clients"]) - there
        found += [people.get(db, store, one) for one in sorted(gone)]
        clients = [one for one in found if one.kind == "client"]
        talks = people.talks_of(db, store, [one.id for one in clients])
        policy = policies.policy_for(
            db,
            plan.starts_at if plan is not None else None,
            plan.policy if plan is not None else {},
        )
        return [one for one in found if one.kind == "worker"], sorted(
            (candidate(one, talks[one.id], group, policy) for one in clients),
            key=lambda c: (bool(c.lacks), c.name.casefold()),
        )

    workers, clients = await visit.read(look)
    refused = visit.refusal is not None
    return await visit.show(
        "plan.html",
        group=group,
        typed=typed,
        plan=plan,
        last=None if last is None else Zone(last.zone).day(last.starts_at),
        copied=copied and not refused,
        workers=sorted(
            ((one.id, shown(one.name, one.id)) for one in workers),
            key=lambda w: (not typed["workers"].get(w[0]), w[1].casefold()),
        ),
        clients=clients,
        roles=[(str(role), word.capitalize()) for role, word in ROLES.items()],
        platforms=visit.house.platforms,
        platform_choices=[(one, one.capitalize()) for one in visit.house.platforms],
        every=EVERY,
        # Only an hour that comes twice asks which one is meant (D01).
        twice=refused and "comes twice" in " ".join(visit.refusal.faults.values())
        if visit.refusal is not None
        else False,
    )


def candidate(
    one: Person, talks: list[Talk], group: Group, policy: Policy
) -> Candidate:
    """This client, and why their invitation may not leave yet."""
    client = InvitedClient(
        person_id=one.id,
        one_to_ones=tuple(
            OneToOne(
                worker_id=talk.worker_id,
                held_on=talk.held_on,
                worker_leads_group=talk.worker_id in group.leads,
            )
            for talk in talks
        ),
        consent_to_take_part=one.consent_to_take_part,
        high_risk=one.high_risk,
        risk_reviewed=one.risk_reviewed_on is not None,
    )
    lacks = invitation_gate(policy, client)
    return Candidate(one.id, shown(one.name, one.id), lacks)


# --- saving -----------------------------------------------------------------------


async def add(visit: Visit) -> Response:
    """``POST /plan``: one session, or several single ones with the same plan."""
    house, fields = visit.house, Fields(visit, FORM)
    plan, times = plan_of(fields), times_of(fields)
    days = series_of(fields, times)
    plan["group_id"] = fields.text("group_id")
    await _check(visit, fields, plan, times)

    def work(db: Connection) -> list[SessionPlan]:
        return [
            sessions.add(
                db,
                house.store,
                plan | _moments(day, visit.now, name=len(days) > 1),
                house.platforms,
                visit.now,
            )
            for day in days
        ]

    made: list[SessionPlan] = await _stored(visit, work)
    for one in made:
        await house.engine.plan_changed(one.id, visit.person_id)
    return await _then(visit, made[0].id)


async def change(visit: Visit) -> Response:
    """``POST /sessions/{id}/plan``."""
    house, fields = visit.house, Fields(visit, FORM)
    plan, times = plan_of(fields), times_of(fields)
    await _check(visit, fields, plan | {"group_id": visit.planned.group_id}, times)
    assert times is not None  # noqa: S101 - settled above
    seen = visit.form.get("version", "")
    if not (seen.isdecimal() and len(seen) < 9):
        raise BadForm(400, "The form is not whole. Open the page again.")
    changes = plan | _moments(times, visit.now)
    await _stored(
        visit,
        lambda db: sessions.change(
            db,
            house.store,
            visit.session_id,
            changes,
            house.platforms,
            on_version=int(seen),
        ),
    )
    await house.engine.plan_changed(visit.session_id, visit.person_id)
    return await _then(visit, visit.session_id)


def _moments(times: Times, now: datetime, *, name: bool = False) -> dict[str, Any]:
    """The time columns. Raises Refused, which names the day of a series."""
    try:
        return sessions.times(times.starts, times.ends, times.zone, now, times.hour)
    except Refused as refused:
        day = f"{day_words(times.starts.date())}: " if name else ""
        faults = {k: f"{day}{told}" for k, told in refused.faults.items()}
        raise Refused(faults) from refused


async def _check(
    visit: Visit, fields: Fields, plan: dict[str, Any], times: Times | None
) -> None:
    """Raises Refusal with everything that can be known before storing."""
    if times is not None:
        too_long(fields, plan, times)
    rostered = {w.person_id for w in plan["workers"]}
    leads = sum(w.role == Role.LEAD for w in plan["workers"])
    if leads != 1:
        fields.faults["workers"] = "Choose one lead worker."
    elif visit.person_id not in rostered and not may(
        visit.visitor, Permission.SEE_ALL_SESSIONS
    ):
        led = await visit.read(lambda db: groups.led_by(db, visit.person_id))
        if plan["group_id"] not in led:
            fields.faults["workers"] = (
                "Put yourself among the workers: you do not lead this group, so you "
                "would not see its session."
            )
    fields.settle()


async def _stored(visit: Visit, work: Any) -> Any:
    """Raises Refusal with faults named as the fields of the form are."""
    try:
        return await visit.house.store.write(work)
    except Refused as refused:
        faults = {_FIELD_OF.get(name, name): s for name, s in refused.faults.items()}
        raise Refusal(faults, FORM) from refused
    except Stale as stale:
        sentence = (
            "Somebody else changed this plan meanwhile. What you typed is still here. "
            "Open the plan in another window, bring both together, and save there."
        )
        raise Refusal({"": sentence}, FORM) from stale


async def _then(visit: Visit, session_id: str) -> Response:
    """On to the invitations; one press more made the meeting and the links as well."""
    if visit.form.get("then") == "prepare":
        await visit.house.engine.prepare(session_id, visit.person_id)
    return visit.go(f"/sessions/{session_id}/invitations?saved=1")


# --- calling off --------------------------------------------------------------------


async def ask_cancel(visit: Visit) -> Response:
    """``GET /sessions/{id}/cancel``: what follows, before it cannot be undone."""
    return await visit.show("plan_cancel.html")


async def cancel(visit: Visit) -> Response:
    """``POST /sessions/{id}/cancel``: it will not take place."""
    session_id, now = visit.session_id, visit.now
    if visit.planned.state != "planned" or any(True for _ in visit.here.live()):
        sentence = "This session runs or is over: it cannot be called off any more."
        raise Refusal({"": sentence}, "cancel")
    await visit.house.store.write(
        lambda db: sessions.close(db, session_id, now, "cancelled")
    )
    await visit.house.engine.plan_changed(session_id, visit.person_id)
    return visit.go(f"/sessions/{session_id}/invitations")
