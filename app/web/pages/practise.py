"""Practising before it counts: what to try, and how, without a young person (guidance T6)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from app.store import sessions
from app.web import access
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.visit import Visit
from app.web.pretending import LASTS, MoveRefused, PracticeRefused, Pretend

CALL = "/practise/call"
COOKIE = "chaperone-practice"
FORM = "practice"
NEAR = timedelta(minutes=45)
AFTER = timedelta(minutes=15)
TOO_NEAR = (
    "A session of yours runs now or begins within 45 minutes. While you practise you see "
    "nothing real, so practise before or after it."
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """What somebody in the call does, and what the others then see and press."""

    name: str
    do: str
    then: str


EXERCISES = (
    Exercise(
        "Letting in",
        "The third person opens a link of their own and waits.",
        "They show under “Waiting”. Let them in; the page says when the room shows it.",
    ),
    Exercise(
        "A stranger",
        "The third person comes again without a link, under your name.",
        "An alarm says that the name is copied. They are never counted as a worker; within "
        "seconds they are put out, or you are told where to press. Take the alarm.",
    ),
    Exercise(
        "Remind, warn, remove",
        "The third person breaks a ground rule.",
        "Take the three steps. Say the words you are given. Then “Undo: let back in”.",
    ),
    Exercise(
        "A lost connection",
        "Both workers leave for half a minute.",
        "The time runs, both telephones ring. Come back before it is up. Once, let it run "
        "out: the call ends. Come back and press “Resume the session”.",
    ),
    Exercise(
        "Blind",
        "Switch your telephone to flight mode, with the live page open.",
        "Within five seconds it says that the connection is lost. Switch back: it heals.",
    ),
    Exercise(
        "The close",
        "Say goodbye.",
        "“Close to clients”, the debrief, “Close the session”, notes, attendance.",
    ),
)


async def page(visit: Visit) -> Response:
    """``GET /practise``."""
    if visit.house.pretend is not None and visit.refusal is None:
        return visit.go(CALL)
    return await visit.show(
        "practise.html",
        exercises=EXERCISES,
        here=visit.house.practice is not None and may_learn(visit),
        over=visit.request.query_params.get("over", ""),
    )


def may_learn(visit: Visit) -> bool:
    """Whoever presses in sessions practises; an administrator sees no session."""
    return visit.may("PRESS")


async def begin(visit: Visit) -> Response:
    """``POST /practise/begin``."""
    practice = visit.house.practice
    if practice is None or not may_learn(visit):
        raise BadForm(404, "There is no such page.")
    near = await visit.read(lambda db: _near(db, visit))
    if near:
        raise Refusal({"": near}, FORM)
    try:
        cookie = await practice.begin(visit.person_id)
    except PracticeRefused as refused:
        raise Refusal({"": str(refused)}, FORM) from None
    answer = visit.go(CALL)
    access.set_cookie(visit.house, answer, COOKIE, cookie, LASTS)
    return answer


def _near(db: Connection, visit: Visit) -> str:
    """A real session of theirs that runs or begins soon: their eyes belong there."""
    near = sessions.listed(
        db, visit.house.store, since=visit.now - AFTER, until=visit.now + NEAR
    )
    is_near = any(
        one.person_id == visit.person_id and plan.state != "cancelled"
        for plan in near
        for one in plan.workers
    )
    return TOO_NEAR if is_near else ""


# --- in the practice itself ---------------------------------------------------------------


def _pretend(visit: Visit) -> Pretend:
    pretend = visit.house.pretend
    if pretend is None:
        raise BadForm(404, "There is no such page.")
    return pretend


async def call(visit: Visit) -> Response:
    """``GET /practise/call``: the pretended call, as the platform's window shows it."""
    return await visit.show("practise_call.html", call=_pretend(visit).shown())


async def move(visit: Visit) -> Response:
    """``POST /practise/call``: something happens in it."""
    pretend = _pretend(visit)
    try:
        pretend.move(visit.text("what", 20), visit.text("who", 100))
    except MoveRefused as refused:
        raise Refusal({"": str(refused)}, FORM) from None
    return visit.go(CALL)


async def leave(visit: Visit) -> Response:
    """``POST /practise/leave``: back to what is real; the practice is forgotten."""
    _pretend(visit).leave()
    answer = visit.go("/practise?over=1")
    access.drop_cookie(visit.house, answer, COOKIE)
    return answer
