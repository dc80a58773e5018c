"""Plan a series: so many single sessions with one plan, all of them or none."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request

from app.core.series import FEWEST, MOST, Every, series
from app.store import sessions
from app.store.local_time import zone_of
from app.store.refusals import Refused
from app.store.sessions import SessionPlan
from app.web.api.sessions import WRITE, NewSession, columns
from app.web.api.shapes import API, IsoDate, Page, StrictRoute
from app.web.house import house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["sessions"])


class NewSeries(NewSession):
    """A plan, and on which days: ``starts_at`` and ``ends_at`` are those of the first.

    Each session starts at the same local time of ``zone``, also after a change of the
    clocks. ``count`` sessions are made; a day in ``skip`` is made up for at the end.
    """

    every: Literal["day", "week", "fortnight"]
    count: Annotated[int, Field(ge=FEWEST, le=MOST)]
    skip: Annotated[list[IsoDate], Field(max_length=400, default_factory=list)]


@router.post("/sessions/series", status_code=201, dependencies=[WRITE])
async def add_series(request: Request, entered: NewSeries) -> Page[SessionPlan]:
    """Plan a series: single sessions `every` day, week or fortnight, all or none."""
    house = house_of(request)
    now = house.clock.now()
    fields = columns(entered.given("every", "count", "skip"))
    planned = [{**fields, **when} for when in _times(entered, now)]

    def work(db: Connection) -> list[SessionPlan]:
        return [
            sessions.add(db, house.store, one, house.platforms, now) for one in planned
        ]

    made: list[SessionPlan] = await house.store.write(work)
    for one in made:
        await house.engine.plan_changed(one.id)
    return Page(items=made)


def _times(entered: NewSeries, now: datetime) -> Iterator[dict[str, Any]]:
    """The time columns of each session. Raises Refused, which names the day."""
    try:
        starts = _local(entered, entered.starts_at)
        lasts = _local(entered, entered.ends_at) - starts
        days = series(starts, Every(entered.every), entered.count, entered.skip)
        spans = [(day, day + lasts) for day in days]
    except OverflowError as error:
        sentence = "Enter a day within five years from now."
        raise Refused({"starts_at": sentence}) from error
    for start, end in spans:
        try:
            yield sessions.times(start, end, entered.zone, now, entered.hour)
        except Refused as refused:
            day = f"{start:%Y-%m-%d}"
            named = {k: f"{day}: {v}" for k, v in refused.faults.items()}
            raise Refused(named) from refused


def _local(entered: NewSeries, at: datetime) -> datetime:
    """As the clock on the wall of the zone shows it."""
    zone = zone_of(entered.zone)
    if at.tzinfo is None:
        return at
    return at.astimezone(zone).replace(tzinfo=None)
