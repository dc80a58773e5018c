"""When something is not shown: a plain sentence, and what to do now."""

from starlette.responses import Response

from app.web.pages import door
from app.web.pages.forms import BadForm, read_form
from app.web.pages.visit import Visit

SENTENCES = {
    400: "That could not be read. Go back and try again.",
    401: "Sign in first.",
    403: "You may not do this.",
    404: "There is no such page, or it is not yours to see.",
    405: "This page is only for looking at.",
    413: "That is too long. Shorten it and send it again.",
    415: "This page takes only its own forms.",
    500: "Something went wrong here. It was written down; please try again.",
    503: "The service is not ready just now. Nothing you sent was lost here; try again.",
}

# What somebody wrote, in whatever form: given back when nobody is signed in any more.
TYPED = ("text", "reason", "how", "said", "asked", "opinion", "about", "done")


async def page(visit: Visit, status: int, sentence: str = "") -> Response:
    """A page with one sentence; nothing of what was asked for shows in it."""
    sentence = sentence or SENTENCES.get(status, SENTENCES[500])
    visit.refusal = None
    return await visit.show("error.html", status, sentence=sentence, kept="")


async def nobody_signed_in(visit: Visit) -> Response:
    """The way in instead of the page. A text that was on its way is given back (S11)."""
    kept = ""
    if visit.request.method == "POST":
        from_form = await _typed(visit)
        kept = "\n\n".join(text for text in from_form.values() if text)
    return await door.form(visit, 401, kept)


async def _typed(visit: Visit) -> dict[str, str]:
    try:
        form = await read_form(visit.request)
    except BadForm:
        return {}
    return {k: v for k, v in form.items() if k in TYPED}
