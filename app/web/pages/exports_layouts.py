"""Layouts: the columns and words of the charity's own database, entered once."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.record_parts import Record
from app.exports.layouts import (
    DAYS,
    FIELDS,
    MOST_COLUMNS,
    STATUSES,
    WHO,
    layout_csv,
    layout_faults,
)
from app.store import layouts, people
from app.store.layouts import Column, Layout
from app.store.refusals import Refused
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit

FORM = "layout"
SPARE = 6
USUAL = Layout(
    name="",
    columns=(
        Column("Client reference", "reference"),
        Column("Client name", "name"),
        Column("Session date", "date"),
        Column("Attendance", "status"),
        Column("Minutes", "minutes_present"),
    ),
)


async def page(visit: Visit) -> Response:
    """``GET /records/layouts``: those there are, and a form for a new one."""
    found = await visit.read(lambda db: layouts.listed(db, visit.house.store))
    return await _form(visit, USUAL, found)


async def change_form(visit: Visit) -> Response:
    """``GET /records/layouts/{layout_id}``."""
    layout_id = visit.request.path_params["layout_id"]
    one = await visit.read(lambda db: layouts.get(db, visit.house.store, layout_id))
    return await _form(visit, one, [])


async def _form(visit: Visit, one: Layout, found: Sequence[Layout]) -> Response:
    lines = min(len(one.columns) + SPARE, MOST_COLUMNS)
    return await visit.show(
        "exports_layouts.html",
        one=one,
        found=found,
        lines=range(lines),
        fields=FIELDS,
        who=WHO,
        days=DAYS,
        statuses=STATUSES,
        saved="saved" in visit.request.query_params,
    )


async def save(visit: Visit) -> Response:
    """``POST /records/layouts`` and ``POST /records/layouts/{layout_id}``."""
    entered = _entered(visit)
    faults = layout_faults(entered)
    if faults:
        raise Refusal(faults, FORM)
    store, now = visit.house.store, visit.now
    try:
        made = await store.write(lambda db: layouts.save(db, store, entered, now))
    except Refused as refused:
        raise Refusal(refused.faults, FORM) from refused
    return visit.go(f"/records/layouts/{made.id}?saved=1")


async def remove(visit: Visit) -> Response:
    """``POST /records/layouts/{layout_id}/remove``."""
    layout_id = visit.request.path_params["layout_id"]
    await visit.house.store.write(lambda db: layouts.remove(db, layout_id))
    return visit.go("/records/layouts")


def _entered(visit: Visit) -> Layout:
    """The lines with a heading; a line without one is no column."""
    columns = []
    for number in range(MOST_COLUMNS):
        head = visit.text(f"head_{number}", layouts.LONGEST)
        if head:
            chosen = visit.text(f"field_{number}", layouts.LONGEST)
            text = visit.text(f"text_{number}", layouts.LONGEST)
            columns.append(Column(head, chosen, text if chosen == "fixed" else ""))
    words = {
        status: visit.text(word_field(status), layouts.LONGEST) for status in STATUSES
    }
    return Layout(
        id=visit.request.path_params.get("layout_id", ""),
        name=visit.text("name", layouts.LONGEST),
        columns=tuple(columns),
        who=visit.text("who", 40),
        days=visit.text("days", 40),
        words={status: word for status, word in words.items() if word},
    )


def word_field(status: str) -> str:
    """The field of the form for their word."""
    return f"word_{status.replace(' ', '_')}"


class InLayout:
    """Writes records in a layout; knows the references that are on file now."""

    def __init__(self, layout: Layout, known: Mapping[str, Mapping[str, str]]) -> None:
        self._layout = layout
        self._known = known

    def name(self, _records: Sequence[Record]) -> str:
        """The name of the file: the layout's id, never what somebody typed (N13)."""
        return f"attendance-{self._layout.id}.csv"

    def write(self, records: Sequence[Record]) -> bytes:
        """The file."""
        return layout_csv(self._layout, records, self._known)


def in_layout(db: Connection, visit: Visit, layout_id: str) -> InLayout:
    """What writes that layout. Raises Unknown."""
    store = visit.house.store
    layout = layouts.get(db, store, layout_id)
    found = people.listed(db, store, active_only=False, limit=10_000)
    known = {
        one.id: {"reference": one.reference, "register_name": one.register_name}
        for one in found
    }
    return InLayout(layout, known)
