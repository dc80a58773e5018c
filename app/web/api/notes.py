"""Session notes: a new version each time, and nothing anybody wrote is lost (S09)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request

from app.core.presses import NotesSaved
from app.store import notes, sessions
from app.store.notes import Notes
from app.web.access import Needs
from app.web.api.by import worker
from app.web.api.shapes import API, MOST, Entered, Id, Page, StrictRoute
from app.web.house import House, house_of

router = APIRouter(
    route_class=StrictRoute, tags=["notes"], prefix=API + "/sessions/{session_id}/notes"
)
READ, WRITE = Depends(Needs("notes:read")), Depends(Needs("notes:write"))


class NewNotes(Entered):
    """The whole text. ``version`` is the one it was written on top of, 0 for the first."""

    text: Annotated[str, Field(max_length=notes.LONGEST_NOTES)]
    version: Annotated[int, Field(ge=0, le=MOST)]
    by: Id


@router.get("", dependencies=[READ])
async def get_notes(request: Request, session_id: str) -> Notes:
    """The notes as they stand; version 0 before any."""
    house = house_of(request)

    def work(db: Connection) -> Notes:
        sessions.get(db, house.store, session_id)
        return notes.latest(db, house.store, session_id)

    found: Notes = await house.store.read(work)
    return found


@router.get("/versions", dependencies=[READ])
async def list_versions(request: Request, session_id: str) -> Page[Notes]:
    """Every version, oldest first."""
    house = house_of(request)

    def work(db: Connection) -> list[Notes]:
        sessions.get(db, house.store, session_id)
        return notes.versions(db, house.store, session_id)

    return Page(items=await house.store.read(work))


@router.put("", dependencies=[WRITE])
async def save_notes(request: Request, session_id: str, entered: NewNotes) -> Notes:
    """Save; 409 with both texts when somebody else saved meanwhile."""
    house = house_of(request)
    await worker(house, session_id, entered.by)
    now = house.clock.now()
    saved = await _save(house, session_id, entered, now)
    fact = NotesSaved(at=now, by=entered.by, version=saved.version)
    await house.engine.accept_press(session_id, fact)
    return saved


async def _save(
    house: House, session_id: str, entered: NewNotes, now: datetime
) -> Notes:
    saved: Notes = await house.store.write(
        lambda db: notes.save(
            db,
            house.store,
            session_id,
            entered.text,
            entered.by,
            on_version=entered.version,
            now=now,
        )
    )
    return saved
