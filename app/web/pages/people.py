"""The list of people, and one person with everything that is on file.

A worker sees who people are; contacts, papers and the forms are for those who enter them
(guidance 001.11: contacts are no address book).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.names import display
from app.core.tables import csv_table
from app.store import consents, dossiers, groups, people
from app.store.dossiers import Dossier
from app.store.people import Person, Talk
from app.web.access import Permission, may
from app.web.pages.visit import HOME_ZONE, Visit
from app.web.words import Tag, Zone

MOST = 2_000
REVIEW_EVERY = timedelta(days=365)
WORKERS_READY = Tag("good", "✓", "Papers in order")
OK = Tag("good", "✓", "May be invited")
LEFT = Tag("calm", "•", "Left")


@dataclass(frozen=True, slots=True)
class Line:
    """One person as they are listed."""

    id: str
    name: str
    kind: str
    tag: Tag
    more: str


@dataclass(frozen=True, slots=True)
class TalkLine:
    """A one-to-one as it is shown."""

    talk: Talk
    worker: str
    covered: list[str]


def may_enter(visit: Visit) -> bool:
    """Whether the visitor may enter and change people and groups."""
    return may(visit.visitor, Permission.ENTER_PEOPLE)


def today(visit: Visit) -> date:
    """The day on the clock of the organisation's zone."""
    return Zone(HOME_ZONE).local(visit.now).date()


def shown(name: str, person_id: str) -> str:
    """A name safe to look at; the id of somebody who was erased."""
    return display(name) if name else person_id


async def page(visit: Visit) -> Response:
    """``GET /people``."""
    wanted = visit.request.query_params.get("find", "")[:120].strip()
    lines = await visit.read(lambda db: _lines(db, visit))
    found = [one for one in lines if wanted.casefold() in one.name.casefold()]
    return await visit.show(
        "people.html",
        clients=[one for one in found if one.kind == "client" and one.tag != LEFT],
        workers=[one for one in found if one.kind == "worker" and one.tag != LEFT],
        left=[one for one in found if one.tag == LEFT],
        anybody=bool(lines),
        find=wanted,
        may_enter=may_enter(visit),
    )


def _lines(db: Connection, visit: Visit) -> list[Line]:
    store = visit.house.store
    found = people.listed(db, store, active_only=False, limit=MOST)
    papers = dossiers.of(db, store, [one.id for one in found if one.kind == "worker"])
    talks = people.talks_of(
        db, store, [one.id for one in found if one.kind != "worker"]
    )
    lines = []
    for one in found:
        if one.kind == "worker":
            lacks = list(dossiers.lapsed(papers[one.id], today(visit)))
            lacks = lacks if may_enter(visit) else []
            tag = Tag("wait", "!", "Look at the papers") if lacks else WORKERS_READY
            tag = tag if may_enter(visit) else Tag("calm", "•", "Worker")
            more = papers[one.id].job
        else:
            lacks = lacking(one, talks[one.id], today(visit))
            tag = Tag("wait", "!", "Not ready to be invited") if lacks else OK
            more = f"{one.age_years} years" if one.age_years is not None else ""
        lines.append(
            Line(
                id=one.id,
                name=shown(one.name, one.id),
                kind=one.kind,
                tag=tag if one.active else LEFT,
                more=", ".join([part for part in (more, *lacks) if part]),
            )
        )
    return sorted(lines, key=lambda line: line.name.casefold())


def lacking(person: Person, talks: list[Talk], on: date) -> list[str]:
    """What a client still needs before any invitation, in plain words."""
    reviewed = person.risk_reviewed_on
    return [
        sentence
        for lacks, sentence in (
            (not talks, "no one-to-one yet"),
            (not person.consent_to_take_part, "no consent to take part"),
            (not person.known_to, "no worker knows them"),
            (person.high_risk and reviewed is None, "high risk, not reviewed"),
            (
                person.high_risk
                and reviewed is not None
                and reviewed + REVIEW_EVERY < on,
                "risk review a year old",
            ),
        )
        if lacks
    ]


async def person(visit: Visit) -> Response:
    """``GET /people/{person_id}``."""
    person_id = visit.request.path_params["person_id"]
    context = await visit.read(lambda db: _look(db, visit, person_id))
    return await visit.show(
        "person.html",
        **context,
        may_enter=may_enter(visit),
        saved="saved" in visit.request.query_params,
        scopes=consents.SCOPES,
        givers=consents.GIVERS,
        methods=consents.METHODS,
        points=dossiers.COVERED,
        levels=dossiers.DISCLOSURE,
        today=today(visit),
    )


def _look(db: Connection, visit: Visit, person_id: str) -> dict[str, object]:
    store = visit.house.store
    one = people.get(db, store, person_id)
    papers: Dossier = dossiers.of(db, store, [person_id])[person_id]
    talks = people.talks_of(db, store, [person_id])[person_id]
    covered = dossiers.covered_in(db, person_id)
    workers = people.listed(db, store, kind="worker", limit=MOST)
    names = people.named(
        db,
        store,
        [one.known_to, *(t.worker_id for t in talks), *(w.id for w in workers)],
    )
    client = one.kind == "client"
    lacks = (
        lacking(one, talks, today(visit))
        if client
        else list(dossiers.lapsed(papers, today(visit)))
    )
    led = [] if client else groups.listed(db, store, limit=MOST)
    return {
        "one": one,
        "name": shown(one.name, one.id),
        "papers": papers,
        "lacks": lacks,
        "known_to": shown(names.get(one.known_to, ""), one.known_to),
        "consents": consents.of(db, store, person_id) if client else [],
        "talks": [
            TalkLine(
                talk,
                shown(names.get(talk.worker_id, ""), talk.worker_id),
                [dossiers.COVERED[key] for key in covered.get(talk.id, [])],
            )
            for talk in talks
        ],
        "workers": worker_choices(workers),
        "groups": [(g.id, display(g.name)) for g in led if person_id in g.leads],
    }


def worker_choices(workers: list[Person]) -> list[tuple[str, str]]:
    """(id, name) of workers for a list to choose from."""
    found = [(one.id, shown(one.name, one.id)) for one in workers]
    return sorted(found, key=lambda pair: pair[1].casefold())


HEADS = (
    "kind",
    "name",
    "register_name",
    "reference",
    "age_years",
    "known_to",
    "consent_to_take_part",
    "one_to_ones",
    "last_one_to_one",
    "high_risk",
    "risk_reviewed_on",
)


async def export(visit: Visit) -> Response:
    """``GET /people/export``: who is on the list and how far. No contacts (001.11)."""

    def look(db: Connection) -> list[tuple[str, ...]]:
        store = visit.house.store
        found = people.listed(db, store, limit=MOST)
        clients = [one.id for one in found if one.kind == "client"]
        talks = people.talks_of(db, store, clients)
        names = {one.id: one.name for one in found}
        return [_row(one, talks.get(one.id, []), names) for one in found]

    rows = await visit.read(look)
    return download("people.csv", csv_table(HEADS, rows))


def _row(one: Person, talks: list[Talk], names: dict[str, str]) -> tuple[str, ...]:
    return (
        one.kind,
        one.name,
        one.register_name,
        one.reference,
        "" if one.age_years is None else str(one.age_years),
        names.get(one.known_to, ""),
        "yes" if one.consent_to_take_part else "no",
        str(len(talks)),
        talks[-1].held_on.isoformat() if talks else "",
        "yes" if one.high_risk else "no",
        one.risk_reviewed_on.isoformat() if one.risk_reviewed_on else "",
    )


def download(name: str, content: bytes) -> Response:
    """A CSV file to keep."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
