"""The buttons of the live page: each writes one fact down, or says why it may not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from app.core import presses as p
from app.core.ladder import NOT_ROSTERED, target_of
from app.core.presses import SessionEvent, Step
from app.core.rooms import rooms
from app.web.pages import drafts, follow_ups, notes, room
from app.web.pages.entered import Fields
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.visit import Visit
from app.web.presses import problem, repeated

FOR_STAFF = frozenset({"take"})
"""What a safeguarding lead who is not on the list may press as well."""

MOST_AHEAD = timedelta(days=366)

FIELD = {"ladder": "reason", "reason": "reason", "vouch": "how", "debrief": "reason"}
FIELD |= {"followed-up": "outcome", "agree": "what"}
KEPT = frozenset({"debrief"})
"""Forms of the live page whose drafts are kept."""


async def press(visit: Visit) -> Response:
    """``POST /sessions/{id}/live/{press}``."""
    name = visit.request.path_params["press"]
    make = PRESSES.get(name)
    if make is None:
        raise BadForm(404, "There is no such button.")
    if not visit.worker and name not in FOR_STAFF:
        raise BadForm(403, NOT_ROSTERED)
    fact = make(visit)
    if not repeated(visit.here, fact):
        sentence = problem(visit.here, fact)
        if sentence:
            raise Refusal({FIELD.get(name, ""): sentence}, visit.form.get("form", ""))
        await visit.press(fact)
    if name in KEPT:
        await drafts.used(visit, name)
    place = "notes" if visit.form.get("back") == "notes" else "live"
    return visit.go(f"/sessions/{visit.session_id}/{place}")


async def back(visit: Visit) -> Response:
    """The page a refused press came from, with what was typed."""
    if visit.form.get("back") == "notes":
        return await notes.page(visit)
    return await room.page(visit)


def _by(visit: Visit) -> dict[str, Any]:
    return {"at": visit.now, "by": visit.person_id}


def _on(visit: Visit) -> dict[str, Any]:
    return {**_by(visit), "connection": visit.text("connection", 300)}


def _press_id(visit: Visit) -> str:
    # From the form's own key: a second press is the same press, after a restart too.
    return f"press-{visit.form.get('key', '')}"


# --- people -----------------------------------------------------------------------


def _ladder(visit: Visit) -> SessionEvent:
    step, rule = visit.text("step", 10), visit.text("rule", 4) or "0"
    if step not in list(Step) or not rule.isdecimal():
        raise BadForm(400, "Choose remind, warn or remove.")
    return p.LadderPressed(
        **_on(visit),
        press_id=_press_id(visit),
        step=Step(step),
        rule=int(rule),
        immediate=visit.text("immediate", 3) == "yes",
        reason=visit.text("reason"),
    )


def _reason(visit: Visit) -> SessionEvent:
    return p.ReasonGiven(
        **_by(visit), press_id=visit.text("press_id", 100), reason=visit.text("reason")
    )


def _readmit(visit: Visit) -> SessionEvent:
    on = _on(visit)
    target = target_of(visit.here, on["connection"])
    person_id = target.person_id if target is not None else ""
    return p.Readmitted(**on, press_id=_press_id(visit), person_id=person_id)


def _take_back(visit: Visit) -> SessionEvent:
    step_id = visit.text("step", 100)
    return p.StepTakenBack(**_by(visit), press_id=_press_id(visit), step_id=step_id)


def _hold(visit: Visit) -> SessionEvent:
    return p.HoldPressed(**_on(visit), press_id=_press_id(visit))


def _admit(visit: Visit) -> SessionEvent:
    return p.AdmitPressed(**_on(visit), press_id=_press_id(visit))


def _vouch(visit: Visit) -> SessionEvent:
    person_id = visit.text("person", 80)
    if not person_id and visit.text("back", 3) != "yes":
        raise Refusal({"person": "Choose who it is."}, visit.form.get("form", ""))
    return p.ConnectionVouched(**_on(visit), person_id=person_id, how=visit.text("how"))


def _i_am_in(visit: Visit) -> SessionEvent:
    return p.WorkerConfirmed(**_on(visit))


# --- the session ------------------------------------------------------------------


def _spoken(visit: Visit) -> SessionEvent:
    heard = tuple(
        person.connection.key
        for room in rooms(visit.here)
        for person in room.people
        if not person.standing.is_worker
    )
    return p.RulesSpoken(**_by(visit), heard=heard)


def _end(visit: Visit) -> SessionEvent:
    return p.EndPressed(**_by(visit), press_id=_press_id(visit))


def _debrief(visit: Visit) -> SessionEvent:
    return p.DebriefEnded(
        **_by(visit),
        skipped=visit.text("skipped", 3) == "yes",
        reason=visit.text("reason"),
        went_well=visit.text("went_well"),
        change=visit.text("change"),
        staff=visit.text("staff"),
    )


def _agree(visit: Visit) -> SessionEvent:
    fields = Fields(visit, visit.form.get("form", ""))
    what, owner = visit.text("what", 500), visit.text("owner", 80)
    day = fields.day("due", needed="Say by which day.")
    if not what:
        fields.faults["what"] = "Write what has to be done."
    if owner not in dict(follow_ups.owners(visit)):
        fields.faults["owner"] = "Choose who does it."
    today = visit.zone.local(visit.now).date()
    if day is not None and not today <= day <= today + MOST_AHEAD:
        fields.faults["due"] = "Choose a day from today on, within a year."
    fields.settle()
    due_at = visit.zone.entered(f"{day}T23:59:00")
    return p.FollowUpAgreed(
        **_by(visit), task_id=_press_id(visit), owner=owner, due_at=due_at, what=what
    )


def _drop_agreed(visit: Visit) -> SessionEvent:
    agreed = visit.here.agreed.get(visit.text("task", 100))
    if agreed is None:
        raise BadForm(404, "There is no such follow-up.")
    return replace(agreed, **_by(visit), dropped=True)


# --- what the bot asked -----------------------------------------------------------


def _take(visit: Visit) -> SessionEvent:
    return p.AlarmAcknowledged(**_by(visit), key=visit.text("action", 500))


def _done(visit: Visit) -> SessionEvent:
    done = visit.text("done", 3) != "no"
    return p.ActionTicked(**_by(visit), key=visit.text("action", 500), done=done)


def _followed_up(visit: Visit) -> SessionEvent:
    return p.FollowUpDone(
        **_by(visit), key=visit.text("action", 500), outcome=visit.text("outcome")
    )


PRESSES: Mapping[str, Callable[[Visit], SessionEvent]] = {
    "ladder": _ladder,
    "reason": _reason,
    "readmit": _readmit,
    "take-back": _take_back,
    "hold": _hold,
    "admit": _admit,
    "vouch": _vouch,
    "i-am-in": _i_am_in,
    "lead": lambda visit: p.LeadAccepted(**_by(visit)),
    "spoken": _spoken,
    "rules-again": lambda visit: p.RulesRequested(**_by(visit)),
    "resume": lambda visit: p.SessionResumed(**_by(visit)),
    "close": lambda visit: p.ClosingPressed(**_by(visit)),
    "end": _end,
    "closed": lambda visit: p.SessionClosed(**_by(visit)),
    "debrief": _debrief,
    "agree": _agree,
    "agree-no-more": _drop_agreed,
    "take": _take,
    "done": _done,
    "followed-up": _followed_up,
}
