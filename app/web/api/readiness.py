"""May it start? The checklist of a session, its ticks and its named exceptions."""

from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request

from app.core.checklist import Kind
from app.core.presses import ExceptionGiven, ItemTicked
from app.core.readiness import Card, Item, readiness
from app.store.people import text_faults
from app.web.access import Needs
from app.web.api.by import UNTAKEN, worker
from app.web.api.shapes import API, Entered, Id, StrictRoute, Text
from app.web.errors import Answer
from app.web.house import House, house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["readiness"])
READ, WRITE = Depends(Needs("sessions:read")), Depends(Needs("sessions:write"))


class Attested(BaseModel):
    """By whom and when; ``reason`` of an exception."""

    by: str
    at: datetime
    reason: str = ""


class ItemOut(BaseModel):
    """One line of the checklist. ``stops``: the session is not ready because of it."""

    id: str
    text: str
    clause: str
    kind: str
    weight: str
    result: str
    evidence: str
    checked_at: datetime | None
    how: str
    mend: str | None
    may_except: bool
    stops: bool
    exception: Attested | None
    ticked: Attested | None


class CardOut(BaseModel):
    """``verdict``: ready, ready with named exceptions, or not ready."""

    verdict: str
    at: datetime
    pack: str
    notes: list[str]
    items: list[ItemOut]


class Tick(Entered):
    """A worker attests the item, or takes it back."""

    by: Id
    ticked: bool = True
    note: Text = ""


class NewException(Entered):
    """A named exception with its reason, or its withdrawal."""

    by: Id
    reason: Text = ""
    withdrawn: bool = False


@router.get("/sessions/{session_id}/readiness", dependencies=[READ])
async def get_readiness(request: Request, session_id: str) -> CardOut:
    """May it start? Each item with its evidence, clause and how to mend it."""
    return _card(await _look(house_of(request), session_id))


@router.put("/sessions/{session_id}/ticks/{item}", dependencies=[WRITE])
async def tick(request: Request, session_id: str, item: str, entered: Tick) -> CardOut:
    """A worker says that this was done."""
    house = house_of(request)
    row = house.pack.item(item)
    if row is None or row.kind is not Kind.TICK:
        raise Answer(404, "There is no such item to tick.")
    _check_text("note", entered.note)
    await worker(house, session_id, entered.by)
    fact = ItemTicked(
        at=house.clock.now(),
        by=entered.by,
        item=item,
        ticked=entered.ticked,
        note=entered.note,
    )
    await house.engine.accept_press(session_id, fact)
    return _card(await _look(house, session_id))


@router.put("/sessions/{session_id}/exceptions/{item}", dependencies=[WRITE])
async def give_exception(
    request: Request, session_id: str, item: str, entered: NewException
) -> CardOut:
    """Go on in spite of an item: with a name and a reason, where the policy allows it."""
    house = house_of(request)
    line = (await _look(house, session_id)).item(item)
    if line is None:
        raise Answer(404, "There is no such item.")
    await worker(house, session_id, entered.by)
    _check_text("reason", entered.reason)
    if not entered.withdrawn:
        _check_exception(line, entered)
    fact = ExceptionGiven(
        at=house.clock.now(),
        by=entered.by,
        item=item,
        withdrawn=entered.withdrawn,
        reason=entered.reason,
    )
    await house.engine.accept_press(session_id, fact)
    return _card(await _look(house, session_id))


def _check_exception(line: Item, entered: NewException) -> None:
    if not line.may_except:
        raise Answer(422, "The policy allows no exception from this item.")
    if not entered.reason.strip():
        fields = {"reason": "Write the reason in a sentence."}
        raise Answer(422, UNTAKEN, fields=fields)


def _check_text(field: str, text: str) -> None:
    faults = text_faults({field: text}, 5_000)
    if faults:
        raise Answer(422, UNTAKEN, fields=faults)


async def _look(house: House, session_id: str) -> Card:
    session = await house.engine.state(session_id)
    return readiness(session, house.pack, house.clock.now())


def _card(card: Card) -> CardOut:
    return CardOut(
        verdict=card.verdict,
        at=card.at,
        pack=card.pack,
        notes=list(card.notes),
        items=[_item(item) for item in card.items],
    )


def _item(item: Item) -> ItemOut:
    given, ticked = item.exception, item.ticked
    return ItemOut(
        id=item.id,
        text=item.text,
        clause=item.clause,
        kind=item.kind,
        weight=item.weight,
        result=item.result,
        evidence=item.evidence,
        checked_at=item.checked_at,
        how=item.how,
        mend=item.mend,
        may_except=item.may_except,
        stops=item.stops,
        exception=Attested(by=given.by, at=given.at, reason=given.reason)
        if given
        else None,
        ticked=Attested(by=ticked.by, at=ticked.at) if ticked else None,
    )
