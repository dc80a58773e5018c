"""One page before what cannot be undone: it says what will happen."""

from dataclasses import dataclass

from starlette.responses import Response

from app.web.pages.forms import BadForm
from app.web.pages.visit import Visit


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, what follows, and what the button says."""

    title: str
    follows: tuple[str, ...]
    button: str


QUESTIONS = {
    "end": Question(
        "End the call for everyone?",
        (
            "Everybody is put out of the call, workers too, so there is no debrief in it.",
            "It cannot be undone. To say goodbye to the group and stay for the debrief, "
            "choose “Close to clients” instead.",
        ),
        "End for everyone",
    ),
    "close": Question(
        "Close the session to clients?",
        (
            "Clients are taken out of the call and their links stop working.",
            "Workers stay in the call for the debrief.",
            "It cannot be undone.",
        ),
        "Close to clients",
    ),
    "closed": Question(
        "Close the session for good?",
        (
            "The call is ended if it still runs, and every link into it is dead.",
            "Notes and attendance can still be written. It cannot be undone.",
        ),
        "Close the session",
    ),
}


async def confirm(visit: Visit) -> Response:
    """``GET /sessions/{id}/live/confirm/{what}``."""
    what = visit.request.path_params["what"]
    question = QUESTIONS.get(what)
    if question is None:
        raise BadForm(404, "There is no such page.")
    return await visit.show("confirm.html", what=what, question=question)
