"""A list of people brought in from a spreadsheet: looked at first, then all or nothing.

The list is text (CSV, or cells copied from a spreadsheet), so that it goes with the form
and nothing of it is kept before it is confirmed.
"""

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.tables import csv_table
from app.store import imports
from app.store.imports import Sheet
from app.store.refusals import Refused
from app.web.pages.forms import Refusal
from app.web.pages.people import download
from app.web.pages.visit import Visit

FORM = "import"
LONGEST = 400_000
EXAMPLE = (
    ("client", "Ben", "Benjamin Example", "C-17", "15", "", "", "Anna"),
    ("worker", "Anna", "", "S-2", "", "anna@charity.example", "", ""),
)


async def page(visit: Visit) -> Response:
    """``GET /people/import``."""
    return await _show(visit, None)


async def _show(visit: Visit, sheet: Sheet | None) -> Response:
    return await visit.show(
        "people_import.html",
        sheet=sheet,
        columns=imports.COLUMNS,
        longest=LONGEST,
        text=visit.form.get("text", ""),
    )


async def preview(visit: Visit) -> Response:
    """``POST /people/import/look``: what would be entered, and what is wrong with it."""
    return await _show(visit, await _read(visit))


async def enter(visit: Visit) -> Response:
    """``POST /people/import``: everybody on the list, or nobody."""
    sheet, store = await _read(visit), visit.house.store
    if sheet.faults:
        raise Refusal({"text": "Nobody was entered: look at the lines below."}, FORM)

    def work(db: Connection) -> list[str]:
        try:
            return imports.enter(db, store, sheet, visit.person_id, visit.now)
        except Refused as refused:  # somebody was entered or left meanwhile
            raise Refusal({"text": " ".join(refused.faults.values())}, FORM) from None

    for person_id in await store.write(work):
        await visit.house.engine.person_changed(person_id, visit.person_id)
    return visit.go("/people")


async def preview_again(visit: Visit) -> Response:
    """The list again, with what is wrong in it."""
    text = visit.form.get("text", "")
    sheet = (
        await _read(visit) if len(text.strip()) > 0 and len(text) <= LONGEST else None
    )
    return await _show(visit, sheet)


async def _read(visit: Visit) -> Sheet:
    text, store = visit.form.get("text", ""), visit.house.store
    if not text.strip():
        raise Refusal({"text": "Choose a file, or paste the list."}, FORM)
    if len(text) > LONGEST:
        sentence = "This list is too long. Bring it in in parts."
        raise Refusal({"text": sentence}, FORM)
    sheet: Sheet = await visit.read(lambda db: imports.read(db, store, text, visit.now))
    return sheet


async def example(visit: Visit) -> Response:
    """``GET /people/import/example``: a file to fill in."""
    width = len(imports.COLUMNS)
    rows = [(*line, *([""] * (width - len(line)))) for line in EXAMPLE]
    return download("people-example.csv", csv_table(tuple(imports.COLUMNS), rows))
