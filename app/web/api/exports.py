"""The records of a term as one file, for programs."""

import asyncio
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.exports import MEDIA_TYPES, TERM_EXPORTS, term_file_name
from app.store.access_rows import Token
from app.store.days import of_days
from app.web import frozen
from app.web.access import Needs
from app.web.api.by import UNTAKEN
from app.web.api.shapes import API, StrictRoute
from app.web.errors import Answer
from app.web.house import house_of

router = APIRouter(route_class=StrictRoute, tags=["record"], prefix=f"{API}/exports")
log = structlog.get_logger("chaperone")

LONGEST = timedelta(days=800)
MOST = 500
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}}
}


@router.get("/{suffix}", responses=_FILE)
async def export_term(
    request: Request,
    suffix: Literal["pdf", "docx", "xlsx", "csv", "json"],
    token: Annotated[Token, Depends(Needs("export:read"))],
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    group_id: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """All sessions that began on these days, confirmed or as drafts, in one file."""
    house, now = house_of(request), house_of(request).clock.now()
    if not timedelta(0) <= last - first <= LONGEST:
        raise Answer(422, UNTAKEN, fields={"to": "Choose two years at most, forwards."})
    found = await house.store.read(
        lambda db: of_days(db, house.store, first, last, group_id)
    )
    ids = [p.id for p in found if p.state != "cancelled" and p.starts_at <= now]
    if not ids:
        raise Answer(404, "There is no session in these days.")
    if len(ids) > MOST:
        raise Answer(422, UNTAKEN, fields={"to": f"{MOST} sessions at most."})
    records = [await frozen.to_export_by_id(house, one, now) for one in ids]
    log.info("exported many", token=token.id, kind=suffix, sessions=len(ids))
    body = await asyncio.to_thread(TERM_EXPORTS[suffix], records)
    name = term_file_name(records, suffix)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[suffix], headers=headers)
