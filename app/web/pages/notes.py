"""Session notes. Two people may write at once: both texts are shown, none is lost (S09)."""

from datetime import datetime

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.presses import NotesSaved
from app.store import drafts, notes
from app.web.pages import drafts as kept
from app.web.pages import follow_ups
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit

FORM = "notes"


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/notes``."""

    def look(db: Connection) -> tuple[notes.Notes, list[tuple[str, datetime]]]:
        saved = notes.latest(db, visit.house.store, visit.session_id)
        writing = drafts.others(db, visit.session_id, visit.person_id, FORM)
        return saved, writing

    saved, writing = await visit.read(look)
    draft = await kept.mine(visit, FORM)
    text = draft.fields.get("text", saved.text)
    version = draft.fields.get("version", str(saved.version))
    return await visit.show(
        "notes.html",
        saved=saved,
        draft=draft,
        writing=[(visit.name(who), at) for who, at in writing],
        author=visit.name(saved.author) if saved.author else "",
        text=visit.typed(FORM, "text", text),
        on_version=visit.typed(FORM, "version", version),
        longest=notes.LONGEST_NOTES,
        just_saved="saved" in visit.request.query_params,
        debrief=visit.here.debrief,
        debriefed_by=visit.name(visit.here.debrief.by) if visit.here.debrief else "",
        **follow_ups.known(visit),
    )


async def save(visit: Visit) -> Response:
    """Keep a new version, or show both texts when somebody was faster."""
    text, version = visit.form.get("text", ""), visit.form.get("version", "")
    if not version.isdecimal() or len(version) > 9:
        raise Refusal({"": "Open the page again; your text is still here."}, FORM)
    if not text.strip():
        raise Refusal({"text": "Write something, or leave this page."}, FORM)
    store, me, now = visit.house.store, visit.person_id, visit.now
    try:
        saved = await store.write(
            lambda db: notes.save(
                db,
                store,
                visit.session_id,
                text,
                me,
                on_version=int(version),
                now=now,
            )
        )
    except notes.StaleNotes as stale:
        raise BothTexts(stale) from stale
    await kept.used(visit, FORM)
    if saved.version > visit.here.notes_version:
        await visit.press(NotesSaved(at=now, by=me, version=saved.version))
    return visit.go(f"/sessions/{visit.session_id}/notes?saved=1")


class BothTexts(Refusal):
    """Somebody else saved first; the page shows theirs beside what was typed."""

    def __init__(self, stale: notes.StaleNotes) -> None:
        sentence = (
            "Somebody else saved these notes while you were writing. Nothing is lost: "
            "both texts are below. Bring them together and save."
        )
        super().__init__({"text": sentence}, FORM)
        self.stale = stale


async def page_or_both(visit: Visit) -> Response:
    """The form again, with both texts where somebody was faster."""
    refusal = visit.refusal
    if not isinstance(refusal, BothTexts):
        return await page(visit)
    stored = refusal.stale.stored
    return await visit.show(
        "notes_both.html",
        409,
        stored=stored,
        author=visit.name(stored.author),
        text=refusal.stale.typed,
        longest=notes.LONGEST_NOTES,
    )
