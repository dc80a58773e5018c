"""The attendance register of a term: a matrix, its numbers, and pictures with tables."""

from starlette.responses import Response

from app.core.names import display
from app.exports import MEDIA_TYPES
from app.exports.picture import attendance_bars, room_steps
from app.exports.register import register, register_csv
from app.web import frozen
from app.web.pages import exports_choice as choices
from app.web.pages.exports import look_for
from app.web.pages.exports_choice import chosen
from app.web.pages.forms import BadForm
from app.web.pages.visit import Visit
from app.web.words import Zone

AT_ONCE = 60


async def page(visit: Visit) -> Response:
    """``GET /records/register``."""
    choice, found, groups = await look_for(visit)
    shown = found[-AT_ONCE:]
    house, now = visit.house, visit.now
    records = [await frozen.to_export_by_id(house, x.plan.id, now) for x in shown]
    made = register(records)
    return await visit.show(
        "register.html",
        choice=choice,
        groups=groups,
        states=choices.STATES,
        register=made,
        bars=attendance_bars(made.evenings),
        zone=Zone,
        display=display,
        left_out=len(found) - len(shown),
    )


async def download(visit: Visit) -> Response:
    """``GET /records/register/csv``: the matrix as CSV."""
    choice = choices.choice_of(visit, visit.request.query_params)
    found = await visit.read(lambda db: chosen(db, visit, choice))
    if not found:
        raise BadForm(404, "There is no session in these days.")
    house, now = visit.house, visit.now
    records = [
        await frozen.to_export_by_id(house, one.plan.id, now)
        for one in found[-AT_ONCE:]
    ]
    name = f"register-{choice.first:%Y-%m-%d}-to-{choice.last:%Y-%m-%d}.csv"
    return Response(
        register_csv(records),
        headers={
            "Content-Type": MEDIA_TYPES["csv"],
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


async def picture(visit: Visit) -> Response:
    """``GET /sessions/{id}/record/picture``: workers and clients in the room over time."""
    record = await frozen.to_export(visit.house, visit.here, visit.now)
    return await visit.show(
        "register_picture.html", record=record, steps=room_steps(record)
    )
