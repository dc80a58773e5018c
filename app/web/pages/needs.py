"""What needs somebody now, and what is late: read from the sessions, never kept twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from app.core.actions import StartFollowUp
from app.core.readiness import readiness
from app.core.rules.closing import notes_due
from app.core.rules.follow_ups import AGREED, open_follow_ups
from app.core.session import GroupSession
from app.store import concerns, dossiers, invitations, people, queue
from app.store.sessions import SessionPlan
from app.web.pages.people import MOST, REVIEW_EVERY, shown, today
from app.web.pages.visit import Visit
from app.web.words import Zone, name_of

LOOK_BACK = timedelta(days=28)
CHECK_FROM = timedelta(hours=24)
INVITE_FROM = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: what, where it is done, until when. ``late``: that has passed."""

    text: str
    link: str
    button: str
    due: str = ""
    late: bool = False
    at: datetime | None = None
    tone: str = "wait"


async def of(visit: Visit, plans: Sequence[SessionPlan]) -> list[Need]:
    """Everything for this visitor, the most pressing first."""
    found = [*await visit.read(lambda db: list(_from_tables(db, visit, plans)))]
    for plan in plans:
        if plan.state == "cancelled" or plan.ends_at < visit.now - LOOK_BACK:
            continue
        if plan.starts_at - visit.now > CHECK_FROM:
            continue
        session = await visit.house.engine.state(plan.id)
        found += _before(visit, plan, session)
        found += _after(visit, plan, session)
    first = datetime.max.replace(tzinfo=visit.now.tzinfo)
    return sorted(found, key=lambda need: need.at or first)


def _title(plan: SessionPlan) -> str:
    return plan.title or "Group session"


def _when(visit: Visit, plan: SessionPlan, at: datetime) -> str:
    return Zone(plan.zone).when(at, visit.now)


def _before(visit: Visit, plan: SessionPlan, session: GroupSession) -> Iterator[Need]:
    if plan.state != "planned" or plan.starts_at <= visit.now or session.closed:
        return
    card = readiness(session, visit.house.pack, visit.now)
    stops = sum(item.stops for item in card.items)
    if stops:
        lines = "1 line stops it" if stops == 1 else f"{stops} lines stop it"
        yield Need(
            text=f"{_title(plan)} is not ready: {lines}.",
            link=f"/sessions/{plan.id}/checklist",
            button="Open the checklist",
            due=f"starts {_when(visit, plan, plan.starts_at)}",
            at=plan.starts_at,
        )


def _after(visit: Visit, plan: SessionPlan, session: GroupSession) -> Iterator[Need]:
    wishes = [*open_follow_ups(session, visit.now), *notes_due(session, visit.now)]
    for wish in wishes:
        if not isinstance(wish, StartFollowUp):
            continue
        link, button, text = _task(plan, session, wish)
        yield Need(
            text=text,
            link=link,
            button=button,
            due=f"due {_when(visit, plan, wish.due_at)}",
            late=wish.due_at < visit.now,
            at=wish.due_at,
        )


def _task(
    plan: SessionPlan, session: GroupSession, task: StartFollowUp
) -> tuple[str, str, str]:
    title, base = _title(plan), f"/sessions/{plan.id}"
    if task.what == "notes":
        if not session.notes_version:
            return f"{base}/notes", "Write the notes", f"Notes of {title}."
        return (
            f"{base}/attendance",
            "Confirm who was there",
            f"Attendance of {title}.",
        )
    who = name_of(session, task.person_id)
    if task.key.startswith("follow_ups.reason:"):
        text = f"{title}: why somebody was removed at once is to be written down."
        return f"{base}/live#tasks", "Write the reason", text
    if task.what == AGREED:
        text = f"{title}: {task.reason} ({who})"
        return f"{base}/notes#tasks", "Open the follow-up", text
    text = f"{title}: find out how {who} is."
    return f"{base}/live#tasks", "Open the welfare call", text


# --- from the tables ------------------------------------------------------------------


def _from_tables(
    db: Connection, visit: Visit, plans: Sequence[SessionPlan]
) -> Iterator[Need]:
    if visit.may("READ_CONCERNS"):
        for concern_id, raised_at in concerns.waiting(db, visit.person_id):
            yield Need(
                text="A concern waits for somebody to take it.",
                link=f"/concerns/{concern_id}",
                button="Read it",
                due=f"raised {visit.zone.when(raised_at, visit.now)}",
                at=datetime.min.replace(tzinfo=visit.now.tzinfo),
                tone="bad",
            )
    yield from _alarms(db, visit, plans)
    if visit.may("PLAN_SESSIONS"):
        yield from _invitations(db, visit, plans)
    if visit.may("ENTER_PEOPLE"):
        yield from _reviews(db, visit, plans)


def _alarms(
    db: Connection, visit: Visit, plans: Sequence[SessionPlan]
) -> Iterator[Need]:
    mine = {plan.id: plan for plan in plans}
    for row in queue.open_alarms(db):
        plan = mine.get(row.session_id or "")
        if plan is None or row.level != "red" or row.ended_at is not None:
            continue
        if plan.ends_at < visit.now - LOOK_BACK:
            continue
        yield Need(
            text=f"{_title(plan)}: {row.text}",
            link=f"/sessions/{plan.id}/live",
            button="Take the alarm",
            due=f"raised {_when(visit, plan, row.raised_at)}",
            at=row.raised_at,
            tone="bad",
        )


def _invitations(
    db: Connection, visit: Visit, plans: Sequence[SessionPlan]
) -> Iterator[Need]:
    for plan in plans:
        soon = timedelta() < plan.starts_at - visit.now <= INVITE_FROM
        if plan.state != "planned" or not soon:
            continue
        sent = invitations.of_session(db, plan.id)
        left = sum(
            one not in sent or sent[one].state != invitations.SENT
            for one in plan.clients
        )
        if left:
            has = "1 young person has" if left == 1 else f"{left} young people have"
            yield Need(
                text=f"{_title(plan)}: {has} no invitation yet.",
                link=f"/sessions/{plan.id}/invitations",
                button="Open the invitations",
                due=f"starts {_when(visit, plan, plan.starts_at)}",
                at=plan.starts_at,
            )


def _reviews(
    db: Connection, visit: Visit, plans: Sequence[SessionPlan]
) -> Iterator[Need]:
    """Risk reviews and papers that ran out, of people in the sessions to come."""
    coming = [p for p in plans if p.state == "planned" and p.ends_at > visit.now]
    clients = {one for plan in coming for one in plan.clients}
    workers = {w.person_id for plan in coming for w in plan.workers}
    store, on = visit.house.store, today(visit)
    found = people.listed(db, store, limit=MOST)
    papers = dossiers.of(db, store, workers)
    for one in found:
        told = ""
        if one.id in clients and one.high_risk and _is_old(one.risk_reviewed_on, on):
            told = "the risk review is due"
        if one.id in workers:
            again = [w for w in dossiers.lapsed(papers[one.id], on) if "due" in w]
            told = " and ".join(again)
        if told:
            yield Need(
                text=f"{shown(one.name, one.id)}: {told}.",
                link=f"/people/{one.id}",
                button="Open the file",
                late=True,
            )


def _is_old(reviewed: date | None, on: date) -> bool:
    return reviewed is None or reviewed + REVIEW_EVERY < on
