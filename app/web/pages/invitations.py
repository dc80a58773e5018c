"""Invitations of one session: who may be invited, who has been, what failed, and retry.

Nothing leaves before the gate is met, or a one-to-one is excepted by name and reason
(guidance T9, B6, H1): what the engine makes no link for cannot be sent.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.core.gates import has_one_to_one, invitation_gate
from app.core.plan import InvitedClient, Plan
from app.core.presses import ExceptionGiven
from app.core.readiness import exception_of, one_to_one_excepted
from app.store import invitations, people, rooms
from app.store.invitations import FAILED, HANDED, MAIL, SENDING, Sent
from app.store.people import Person
from app.store.rooms import PersonalLink
from app.web.pages import invitation_words
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.invitation_words import Invited
from app.web.pages.visit import Visit
from app.web.words import ROLES, Tag, named
from integrations.base import PlatformFailure

log = structlog.get_logger("chaperone")

AT_ONCE = 4
STUCK = timedelta(minutes=2)
NOT_YET = Tag("wait", "!", "Not yet")
NO_LINK = Tag("wait", "…", "No link yet")
READY = Tag("calm", "•", "Not invited yet")
GOING = Tag("wait", "…", "Being sent")
DONE = Tag("good", "✓", "Sent by mail")
GIVEN = Tag("good", "✓", "Handed over")
CHANGED = Tag("wait", "!", "Changed since it was sent")
BROKEN = Tag("bad", "✕", "Not sent")


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the session. ``lacks``: why nothing may leave yet."""

    person_id: str
    name: str
    role: str
    tag: Tag
    lacks: tuple[str, ...]
    may_except: bool
    exception: str
    ready: bool
    mail: bool
    sent: Sent | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say about the people of a session."""

    persons: dict[str, Person]
    links: dict[str, PersonalLink]
    sent: dict[str, Sent]


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/invitations``."""
    lines = _lines(visit, await _known(visit))
    to_mail = [one for one in lines if one.ready and one.mail and not _is_done(one)]
    return await visit.show(
        "invitations.html",
        clients=[one for one in lines if not one.role],
        workers=[one for one in lines if one.role],
        to_mail=to_mail,
        going=any(one.tag is GOING for one in lines),
        mails=visit.house.send_letter is not None,
        prepared=bool(visit.here.bindings),
        open=_is_open(visit),
        cancelled=visit.planned.state == "cancelled",
        done=sum(_is_done(one) for one in lines),
        of=len(lines),
        saved="saved" in visit.request.query_params,
    )


def _is_open(visit: Visit) -> bool:
    over = visit.here.closed is not None or visit.now >= visit.planned.ends_at
    return visit.planned.state == "planned" and not over


def _is_done(line: Line) -> bool:
    return line.tag in (DONE, GIVEN, GOING)


def _plan(visit: Visit) -> Plan:
    if visit.here.plan is None:
        raise BadForm(404, "There is no such page.")
    return visit.here.plan


async def _known(visit: Visit) -> Known:
    plan, store = _plan(visit), visit.house.store
    ids = [*(w.person_id for w in plan.workers), *(c.person_id for c in plan.clients)]

    def look(db: Connection) -> Known:
        links = rooms.links_of(db, store, visit.session_id)
        return Known(
            persons={one: people.get(db, store, one) for one in ids},
            links={link.person_id: link for link in links},
            sent=invitations.of_session(db, visit.session_id),
        )

    found: Known = await visit.read(look)
    return found


def gate(visit: Visit, client: InvitedClient) -> tuple[str, ...]:
    """Why this client's invitation may not leave; an exception counts (T9)."""
    lacks = invitation_gate(visit.here.policy, client)
    if not one_to_one_excepted(visit.here, client.person_id):
        return lacks
    met = has_one_to_one(visit.here.policy, client)
    return lacks if met else lacks[1:]  # the one-to-one is the first that is asked


def _lines(visit: Visit, known: Known) -> list[Line]:
    plan = _plan(visit)
    clients = [_client(visit, one, known) for one in plan.clients]
    clients.sort(key=lambda line: line.name.casefold())
    workers = [
        _line(visit, one.person_id, known, role=ROLES[one.role]) for one in plan.workers
    ]
    return [*workers, *clients]


def _client(visit: Visit, client: InvitedClient, known: Known) -> Line:
    return _line(
        visit,
        client.person_id,
        known,
        lacks=gate(visit, client),
        talks=has_one_to_one(visit.here.policy, client),
    )


def _line(
    visit: Visit,
    person_id: str,
    known: Known,
    *,
    role: str = "",
    lacks: tuple[str, ...] = (),
    talks: bool = True,
) -> Line:
    person, link = known.persons[person_id], known.links.get(person_id)
    has_link = link is not None and bool(link.url) and link.state == "active"
    by_account = bool(role) and bool(person.platform_user_id)
    ready = not lacks and (has_link or by_account)
    sent = known.sent.get(person_id)
    excepted = exception_of(visit.here, f"one_to_one:{person_id}")
    return Line(
        person_id=person_id,
        name=visit.name(person_id),
        role=role,
        tag=_tag(visit, lacks, sent, link, ready=ready),
        lacks=lacks,
        may_except=not talks and not one_to_one_excepted(visit.here, person_id),
        exception=""
        if excepted is None
        else f"{visit.name(excepted.by)}: {excepted.reason}",
        ready=ready,
        mail=visit.house.send_letter is not None and bool(person.email),
        sent=sent,
    )


def _tag(
    visit: Visit,
    lacks: tuple[str, ...],
    sent: Sent | None,
    link: PersonalLink | None,
    *,
    ready: bool,
) -> Tag:
    if lacks:
        return NOT_YET
    if not ready:
        return NO_LINK
    if sent is None:
        return READY
    if sent.state == SENDING:
        return GOING if visit.now - sent.at < STUCK else BROKEN
    if sent.state == FAILED:
        return BROKEN
    now_link = link.registrant_id if link is not None else ""
    plan = _plan(visit)
    if sent.registrant_id != now_link or sent.plan_version != plan.version:
        return CHANGED
    return DONE if sent.channel == MAIL else GIVEN


# --- what is pressed ----------------------------------------------------------------


def _back(visit: Visit) -> Response:
    return visit.go(f"/sessions/{visit.session_id}/invitations")


def _refuse_over(visit: Visit) -> None:
    if not _is_open(visit):
        raise Refusal({"": "This session is over or called off: nothing leaves."})


async def prepare(visit: Visit) -> Response:
    """``POST .../prepare``: the safe meeting, and each person's own link."""
    _refuse_over(visit)
    problems = await visit.house.engine.prepare(visit.session_id, visit.person_id)
    if problems:
        words = " ".join(named(text, visit.here.names) for text in problems)
        raise Refusal({"": words}, "prepare")
    return _back(visit)


async def give_exception(visit: Visit) -> Response:
    """``POST .../except``: without a one-to-one, by name and reason; or take that back."""
    person_id, form = visit.text("person", 80), visit.form.get("form", "")
    if _plan(visit).client(person_id) is None:
        raise BadForm(404, "Nobody of this session is meant.")
    withdrawn, reason = visit.form.get("withdrawn") == "yes", visit.text("reason")
    if not withdrawn and not any(c.isalnum() for c in reason):
        raise Refusal({"reason": "Write the reason in a sentence."}, form)
    await visit.press(
        ExceptionGiven(
            at=visit.now,
            by=visit.person_id,
            item=f"one_to_one:{person_id}",
            withdrawn=withdrawn,
            reason="" if withdrawn else reason,
        )
    )
    return _back(visit)


async def send(visit: Visit) -> Response:
    """``POST .../send``: by mail to one person, or to everybody who is ready."""
    _refuse_over(visit)
    known, wanted = await _known(visit), visit.form.get("person", "")
    lines = [one for one in _lines(visit, known) if one.ready and one.mail]
    if wanted:
        lines = [one for one in lines if one.person_id == wanted]
    else:
        lines = [one for one in lines if not _is_done(one)]
    if not lines:
        raise Refusal({"": "Nobody here can be sent a mail now."})
    # Written down first: whoever looks meanwhile sees it, and presses no second time.
    await _note(visit, [_sent(visit, known, one, SENDING) for one in lines])
    few = asyncio.Semaphore(AT_ONCE)
    failed = await asyncio.gather(*(_send(visit, known, one, few) for one in lines))
    if any(failed):
        count = sum(failed)
        told = f"{count} of {len(lines)} were not sent. The reason stands beside each."
        raise Refusal({"": told})
    return _back(visit)


async def _send(visit: Visit, known: Known, line: Line, few: asyncio.Semaphore) -> bool:
    """Whether it failed."""
    letter, plan, house = visit.house.send_letter, _plan(visit), visit.house
    if letter is None:
        raise BadForm(404, "No mail server is set.")
    problem = ""
    async with few:
        try:
            await letter(
                known.persons[line.person_id].email,
                invitation_words.subject(house.settings, plan),
                _text(visit, known, line),
                ics=invitation_words.appointment(house.settings, plan, visit.now),
            )
        except PlatformFailure as failure:
            problem = f"{failure} {getattr(failure, 'fix', '')}".strip()
    state = FAILED if problem else invitations.SENT
    await _note(visit, [_sent(visit, known, line, state, problem)])
    log.info(
        "invitation",
        session=visit.session_id,
        person=line.person_id,
        by=visit.person_id,
        state=state,
    )
    return bool(problem)


async def show_text(visit: Visit) -> Response:
    """``POST .../text``: what to copy for a work telephone; shown on this answer only."""
    _refuse_over(visit)
    known, line = await _one(visit)
    log.info(
        "invitation shown",
        session=visit.session_id,
        person=line.person_id,
        by=visit.person_id,
    )
    return await visit.show(
        "invitation_text.html",
        line=line,
        text=_text(visit, known, line),
        phone=known.persons[line.person_id].phone,
    )


async def handed_over(visit: Visit) -> Response:
    """``POST .../handed``: it was given by a work telephone; or undo that."""
    _refuse_over(visit)
    known, line = await _one(visit)
    if visit.form.get("undo") == "yes":
        person_id = line.person_id
        await visit.house.store.write(
            lambda db: invitations.take_back(db, visit.session_id, person_id)
        )
        return _back(visit)
    await _note(visit, [_sent(visit, known, line, invitations.SENT, channel=HANDED)])
    return _back(visit)


async def _one(visit: Visit) -> tuple[Known, Line]:
    known, wanted = await _known(visit), visit.form.get("person", "")
    for line in _lines(visit, known):
        if line.person_id == wanted and line.ready:
            return known, line
    raise Refusal({"": "This invitation may not leave yet."})


def _text(visit: Visit, known: Known, line: Line) -> str:
    plan, link = _plan(visit), known.links.get(line.person_id)
    lead = visit.name(plan.lead.person_id) if plan.lead is not None else ""
    invited = Invited(
        person_id=line.person_id,
        name=known.persons[line.person_id].name,
        link=link.url if link is not None else "",
        role=line.role,
    )
    opens = plan.starts_at - visit.here.policy.opens_before_start
    return invitation_words.text(visit.house.settings, plan, invited, lead, opens)


def _sent(
    visit: Visit,
    known: Known,
    line: Line,
    state: str,
    problem: str = "",
    *,
    channel: str = MAIL,
) -> Sent:
    link = known.links.get(line.person_id)
    return Sent(
        session_id=visit.session_id,
        person_id=line.person_id,
        channel=channel,
        state=state,
        registrant_id=link.registrant_id if link is not None else "",
        plan_version=_plan(visit).version,
        at=visit.house.clock.now(),
        by=visit.person_id,
        problem=problem[:500],
    )


async def _note(visit: Visit, rows: Sequence[Sent]) -> None:
    await visit.house.store.write(lambda db: invitations.note(db, rows))
