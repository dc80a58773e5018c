"""What a way to a page is: its address, who may take it, what happens on the way."""

from dataclasses import dataclass
from enum import Enum

from app.web.access import Permission
from app.web.pages.visit import Shows


class For(Enum):
    """Who may open a page."""

    ANYBODY = "the way in"
    SIGNED_IN = "anybody signed in"
    PART = "whoever may see the session"
    WORKERS = "workers of the session"


@dataclass(frozen=True, slots=True)
class Page:
    """One way to one page.

    ``back``: the page that shows a refused form again. ``once``: the same form twice has
    one effect; its answer is then a redirect. ``needs``: what the visitor's role must
    include. ``token``: a form before anybody is signed in, with the token given with it.
    """

    method: str
    path: str
    answer: Shows
    who: For
    back: Shows | None = None
    once: bool = True
    needs: Permission | None = None
    token: bool = False


def looks(
    path: str, answer: Shows, needs: Permission, who: For = For.SIGNED_IN
) -> Page:
    """A page to look at, for roles that include ``needs``."""
    return Page("GET", path, answer, who, needs=needs)


def sends(
    path: str,
    answer: Shows,
    back: Shows | None,
    needs: Permission,
    who: For = For.SIGNED_IN,
    *,
    once: bool = True,
) -> Page:
    """A form for roles that include ``needs``; refused, it is shown again by ``back``."""
    return Page("POST", path, answer, who, back, once, needs)
