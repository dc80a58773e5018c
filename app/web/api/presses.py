"""What a worker presses while a session runs, sent by a program on their behalf."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from app.core import presses as p
from app.core.presses import SessionEvent, Step
from app.store.ids import new_id
from app.store.people import text_faults
from app.web import presses
from app.web.access import Needs
from app.web.api.by import UNTAKEN, active_worker
from app.web.api.shapes import API, Entered, Id, Moment, StrictRoute, Text
from app.web.errors import Answer
from app.web.house import House, house_of

router = APIRouter(
    route_class=StrictRoute,
    tags=["presses"],
    prefix=API + "/sessions/{session_id}/presses",
    dependencies=[Depends(Needs("presses:write"))],
)


class Press(Entered):
    """``by`` is the worker who pressed. The same ``press_id`` again has one effect."""

    by: Id
    press_id: Annotated[str, Field(max_length=100)] = ""


class OnConnection(Press):
    """``connection``: its key in the roster."""

    connection: Id


class Ladder(OnConnection):
    """A step against one connection: the broken rule's number, or a reason.

    ``immediate``: removal for serious harm; the reason may follow within a day.
    """

    step: Literal["remind", "warn", "remove"]
    rule: Annotated[int, Field(ge=0, le=100)] = 0
    immediate: bool = False
    reason: Text = ""


class Reason(Press):
    """The reason of an immediate removal, given afterwards."""

    press_id: Id
    reason: Text


class Readmit(OnConnection):
    """Undo a removal."""

    person_id: Text = ""


class TakeBack(Press):
    """Which step was pressed in error: its ``press_id``."""

    step_id: Text


class Vouch(OnConnection):
    """Who it is and how you know; no ``person_id`` takes it back."""

    person_id: Text = ""
    how: Text = ""


class Spoken(Press):
    """Who heard the rules talked through: keys of connections."""

    heard: Annotated[list[Id], Field(max_length=500, default_factory=list)]


class Debrief(Press):
    """The debrief is over, or was skipped for a reason; a second one adds to the first.

    ``staff``: how the workers are.
    """

    skipped: bool = False
    reason: Text = ""
    went_well: Text = ""
    change: Text = ""
    staff: Text = ""


class Agreed(Press):
    """``owner`` (a worker of the session) does ``what`` by ``due_at``.

    The same ``task_id`` again changes it; ``dropped`` takes it back.
    """

    task_id: Annotated[str, Field(max_length=100)] = ""
    owner: Id
    due_at: Moment
    what: Text
    dropped: bool = False


class Task(Press):
    """``key`` of an action."""

    key: Id


class Ticked(Task):
    """An asked action is done, or cannot be done."""

    done: bool = True


class FollowedUp(Task):
    """What came of a follow-up."""

    outcome: Text


class Written(BaseModel):
    """The press is stored. ``again``: it had been stored before; nothing was added."""

    press_id: str
    again: bool = False


@router.post("/ladder", status_code=201)
async def ladder(request: Request, session_id: str, entered: Ladder) -> Written:
    """Remind, warn or remove (guidance T5)."""
    return await _write(
        request, session_id, entered, p.LadderPressed, step=Step(entered.step)
    )


@router.post("/reason", status_code=201)
async def reason(request: Request, session_id: str, entered: Reason) -> Written:
    """Give the reason that was still due."""
    return await _write(request, session_id, entered, p.ReasonGiven)


@router.post("/hold", status_code=201)
async def hold(request: Request, session_id: str, entered: OnConnection) -> Written:
    """Take a connection to the waiting room."""
    return await _write(request, session_id, entered, p.HoldPressed)


@router.post("/admit", status_code=201)
async def admit(request: Request, session_id: str, entered: OnConnection) -> Written:
    """Let a waiting connection in."""
    return await _write(request, session_id, entered, p.AdmitPressed)


@router.post("/readmit", status_code=201)
async def readmit(request: Request, session_id: str, entered: Readmit) -> Written:
    """Undo a removal: the person's own link works again."""
    return await _write(request, session_id, entered, p.Readmitted)


@router.post("/take-back", status_code=201)
async def take_back(request: Request, session_id: str, entered: TakeBack) -> Written:
    """Take a reminder or a warning back that was pressed in error (guidance T5)."""
    return await _write(request, session_id, entered, p.StepTakenBack)


@router.post("/vouch", status_code=201)
async def vouch(request: Request, session_id: str, entered: Vouch) -> Written:
    """Say who a connection is (guidance T4)."""
    return await _write(request, session_id, entered, p.ConnectionVouched)


@router.post("/i-am-in", status_code=201)
async def i_am_in(request: Request, session_id: str, entered: OnConnection) -> Written:
    """This connection is the worker who pressed."""
    return await _write(request, session_id, entered, p.WorkerConfirmed)


@router.post("/accept-lead", status_code=201)
async def accept_lead(request: Request, session_id: str, entered: Press) -> Written:
    """Take over the lead (guidance S3)."""
    return await _write(request, session_id, entered, p.LeadAccepted)


@router.post("/rules-spoken", status_code=201)
async def rules_spoken(request: Request, session_id: str, entered: Spoken) -> Written:
    """The ground rules were talked through (guidance T3)."""
    return await _write(
        request, session_id, entered, p.RulesSpoken, heard=tuple(entered.heard)
    )


@router.post("/send-rules", status_code=201)
async def send_rules(request: Request, session_id: str, entered: Press) -> Written:
    """Send the ground rules again."""
    return await _write(request, session_id, entered, p.RulesRequested)


@router.post("/resume", status_code=201)
async def resume(request: Request, session_id: str, entered: Press) -> Written:
    """Go on after a safety clear."""
    return await _write(request, session_id, entered, p.SessionResumed)


@router.post("/closing", status_code=201)
async def closing(request: Request, session_id: str, entered: Press) -> Written:
    """Goodbye: clients out first, staff stay to debrief (guidance E1, E2)."""
    return await _write(request, session_id, entered, p.ClosingPressed)


@router.post("/end", status_code=201)
async def end(request: Request, session_id: str, entered: Press) -> Written:
    """End the meeting for everyone."""
    return await _write(request, session_id, entered, p.EndPressed)


@router.post("/debrief", status_code=201)
async def debrief(request: Request, session_id: str, entered: Debrief) -> Written:
    """Staff are done."""
    return await _write(request, session_id, entered, p.DebriefEnded)


@router.post("/close", status_code=201)
async def close(request: Request, session_id: str, entered: Press) -> Written:
    """The session is over; its links are dead from now on."""
    return await _write(request, session_id, entered, p.SessionClosed)


@router.post("/tick", status_code=201)
async def tick(request: Request, session_id: str, entered: Ticked) -> Written:
    """An asked action is done, or cannot be."""
    return await _write(request, session_id, entered, p.ActionTicked)


@router.post("/acknowledge", status_code=201)
async def acknowledge(request: Request, session_id: str, entered: Task) -> Written:
    """A named person takes an alarm."""
    return await _write(request, session_id, entered, p.AlarmAcknowledged)


@router.post("/agreed", status_code=201)
async def agreed(request: Request, session_id: str, entered: Agreed) -> Written:
    """Staff agreed on something to do: who, what, by when (guidance E2)."""
    task_id = entered.task_id or new_id("task")
    return await _write(request, session_id, entered, p.FollowUpAgreed, task_id=task_id)


@router.post("/follow-up", status_code=201)
async def follow_up(request: Request, session_id: str, entered: FollowedUp) -> Written:
    """A welfare call or another task was done."""
    return await _write(request, session_id, entered, p.FollowUpDone)


async def _write(
    request: Request,
    session_id: str,
    entered: Press,
    kind: type[SessionEvent],
    **more: Any,
) -> Written:
    """Check the press against what is so now, then store it; or say why not."""
    house = house_of(request)
    _check_texts(entered)
    await active_worker(house, entered.by)
    fields = {n: v for n, v in entered.model_dump().items() if n in _names(kind)} | more
    if "press_id" in _names(kind) and not entered.press_id:
        fields["press_id"] = new_id("press")
    fact = kind(at=house.clock.now(), **fields)
    press_id = str(fields.get("press_id", ""))
    return await _store(house, session_id, fact, press_id)


async def _store(
    house: House, session_id: str, fact: SessionEvent, press_id: str
) -> Written:
    session = await house.engine.state(session_id)
    if presses.repeated(session, fact):
        return Written(press_id=press_id, again=True)
    problem = presses.problem(session, fact)
    if problem:
        raise Answer(422, problem)
    await house.engine.accept_press(session_id, fact)
    return Written(press_id=press_id)


def _check_texts(entered: Press) -> None:
    texts = {n: v for n, v in entered.model_dump().items() if isinstance(v, str)}
    faults = text_faults(texts, 5_000)
    if faults:
        raise Answer(422, UNTAKEN, fields=faults)


def _names(kind: type[SessionEvent]) -> frozenset[str]:
    return frozenset(kind.__dataclass_fields__)
