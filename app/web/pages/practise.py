"""Practising before it counts: what to try, and how, without a young person (guidance T6)."""

from dataclasses import dataclass

from starlette.responses import Response

from app.web.pages.visit import Visit


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
    return await visit.show("practise.html", exercises=EXERCISES)
