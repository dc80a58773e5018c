"""What somebody types is kept on the server while they type, so that nothing is lost (S11)."""

from collections.abc import Mapping

from starlette.responses import Response

from app.store import drafts, notes
from app.store.drafts import Draft
from app.web.pages.forms import BadForm
from app.web.pages.visit import Visit

FORMS: Mapping[str, tuple[str, ...]] = {
    "notes": ("text", "version"),
    "debrief": ("went_well", "change", "staff"),
}
"""The forms that are kept, and which of their fields."""

PAGES = {"notes": "notes", "debrief": "live"}


async def keep(visit: Visit) -> Response:
    """``POST /sessions/{id}/draft/{form}``: by itself, or by the button.

    ``discard``: throw it away instead.
    """
    form = visit.request.path_params["form"]
    if form not in FORMS:
        raise BadForm(404, "There is no such page.")
    store, session_id, me = visit.house.store, visit.session_id, visit.person_id
    if visit.form.get("discard") == "yes":
        await store.write(lambda db: drafts.drop(db, session_id, me, form))
        return visit.go(f"/sessions/{session_id}/{PAGES[form]}")
    fields = {name: visit.form.get(name, "") for name in FORMS[form]}
    kept = Draft(session_id=session_id, person_id=me, form=form, fields=fields)
    await store.write(
        lambda db: drafts.keep(db, store, kept, notes.LONGEST_NOTES, visit.now)
    )
    if visit.form.get("quietly") == "1":
        return Response(status_code=204)
    return visit.go(f"/sessions/{session_id}/{PAGES[form]}?kept=1")


async def mine(visit: Visit, form: str) -> Draft:
    """The visitor's own draft of a form; one without fields when there is none."""
    found: Draft = await visit.read(
        lambda db: drafts.own(
            db, visit.house.store, visit.session_id, visit.person_id, form
        )
    )
    return found


async def used(visit: Visit, form: str) -> None:
    """What it held was saved."""
    await visit.house.store.write(
        lambda db: drafts.drop(db, visit.session_id, visit.person_id, form)
    )
