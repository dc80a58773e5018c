"""One person's history: the sessions they were part of, as their records say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from app.core.names import display
from app.core.record_parts import Record
from app.exports.register import mark_of
from app.store import people
from app.web import frozen
from app.web.pages import exports_choice as choices
from app.web.pages.exports import look_for
from app.web.pages.exports_choice import Chosen
from app.web.pages.people import shown
from app.web.pages.visit import Visit
from app.web.words import STEPS, Zone

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One session in a person's history."""

    session_id: str
    title: str
    group: str
    starts_at: datetime
    zone: Zone
    role: str
    mark: str
    minutes: int
    steps: tuple[str, ...]
    confirmed: bool


async def page(visit: Visit) -> Response:
    """``GET /people/{person_id}/history``: sessions within reach only."""
    person_id = visit.request.path_params["person_id"]
    person = await visit.read(lambda db: people.get(db, visit.house.store, person_id))
    choice, found, groups = await look_for(visit)
    theirs = [one for one in found if _is_part(one, person_id)]
    lines: list[Line] = []
    for one in theirs[-AT_ONCE:]:
        plan, now = one.plan, visit.now
        record = await frozen.to_export_by_id(visit.house, plan.id, now)
        lines += _lines(one, record, person_id)
    return await visit.show(
        "history.html",
        one=person,
        name=shown(person.name, person.id),
        choice=choice,
        groups=groups,
        states=choices.STATES,
        lines=lines[::-1],
        came=sum(line.mark.startswith("✓") or line.mark == "removed" for line in lines),
        left_out=max(len(theirs) - AT_ONCE, 0),
    )


def _is_part(one: Chosen, person_id: str) -> bool:
    plan = one.plan
    return person_id in plan.clients or any(
        worker.person_id == person_id for worker in plan.workers
    )


def _lines(one: Chosen, record: Record, person_id: str) -> Iterator[Line]:
    words = {str(step): word for step, word in STEPS.items()}
    for row in record.attendance:
        if row.person.id == person_id:
            yield Line(
                session_id=one.plan.id,
                title=display(one.plan.title) if one.plan.title else one.group,
                group=one.group,
                starts_at=one.plan.starts_at,
                zone=Zone(one.plan.zone),
                role=row.role or row.part,
                mark=mark_of(row) or "not expected",
                minutes=row.minutes,
                steps=tuple(
                    words.get(entry.step, entry.step)
                    for entry in record.ladder
                    if entry.person.id == person_id
                ),
                confirmed=record.version > 0,
            )
