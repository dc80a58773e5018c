"""The way in: a single-use link with one button, and the way out (assurance K02-K05)."""

from starlette.responses import RedirectResponse, Response

from app.store import access_rows
from app.web import access
from app.web.pages.visit import Visit

NO_LONGER = (
    "This sign-in link does not work: it was used already, or its time is over. Ask whoever "
    "looks after Chaperone for a new one."
)


async def button(visit: Visit) -> Response:
    """Looking never uses a link up: mail programs look too (K04)."""
    return await visit.show("sign_in.html")


async def enter(visit: Visit) -> Response:
    """Use the link up and open a session in this browser."""
    house, now = visit.house, visit.now
    text = visit.request.path_params["token"].rstrip(".)>,;")
    opened = None
    if len(text) <= 200:
        opened = await house.store.write(
            lambda db: access_rows.sign_in(db, house.store, text, now)
        )
    if opened is None and visit.visitor is not None:
        return visit.go("/")  # a second press of the button: they are in already
    if opened is None:
        raise access.wrong_try(house, visit.request, "sign_in", NO_LONGER, 401)
    place = access.safe_next(visit.request.query_params.get("next", "/"))
    answer = RedirectResponse(place, status_code=303)
    access.give_cookie(house, answer, opened[1])
    return answer


async def leave(visit: Visit) -> Response:
    """Sign out here; the cookie opens nothing any more."""
    visit.visitor = None
    answer = await visit.show("signed_out.html", everywhere=False)
    await access.sign_out(visit.request, answer)
    return answer
