"""One request of one person for one page: everything a page function is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.core.names import display
from app.core.presses import SessionEvent
from app.core.session import GroupSession
from app.store import people, queue
from app.store.access_rows import SignIn
from app.store.sessions import SessionPlan
from app.web import access
from app.web.access.roles import Permission, may
from app.web.house import House
from app.web.pages.desk import Desk
from app.web.pages.forms import BadForm, Refusal
from app.web.words import Zone, name_of

HOME_ZONE = "Europe/London"
CONTACTS_NEEDED = 2


@dataclass(slots=True)
class Visit:
    """``session`` and ``plan`` are set on the pages of one session; ``form`` on a POST.

    ``worker``: whether the visitor may press here (is on the list of workers).
    ``refusal``: what was wrong in the form that is shown again.
    """

    desk: Desk
    house: House
    request: Request
    now: datetime
    visitor: SignIn | None = None
    session: GroupSession | None = None
    plan: SessionPlan | None = None
    worker: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None
    _token: str = ""

    # --- what is known ----------------------------------------------------------------

    @property
    def person_id(self) -> str:
        """Who is signed in, "" for nobody."""
        return self.visitor.person_id if self.visitor is not None else ""

    @property
    def token(self) -> str:
        """What a form of this page proves its origin with, "" for nobody signed in."""
        if not self._token and self.visitor is not None:
            self._token = access.csrf_shown(self.visitor)
        return self._token

    @property
    def session_id(self) -> str:
        """The session of this page, "" on other pages."""
        return self.plan.id if self.plan is not None else ""

    @property
    def here(self) -> GroupSession:
        """The session of this page."""
        if self.session is None:
            raise BadForm(404, "There is no such page.")
        return self.session

    @property
    def planned(self) -> SessionPlan:
        """The plan of the session of this page."""
        if self.plan is None:
            raise BadForm(404, "There is no such page.")
        return self.plan

    @property
    def zone(self) -> Zone:
        """The zone in which this page tells times."""
        return Zone(self.plan.zone if self.plan is not None else HOME_ZONE)

    def may(self, what: str) -> bool:
        """Whether the visitor's role includes this permission, by its name."""
        return may(self.visitor, Permission[what])

    def name(self, person_id: str) -> str:
        """A person of this session as pages show them (not escaped)."""
        return name_of(self.here, person_id)

    def text(self, name: str, longest: int = 2_000) -> str:
        """A text of the form without blanks around it. Raises Refusal."""
        value = self.form.get(name, "").strip()
        faults = people.text_faults({name: value}, longest)
        if faults:
            raise Refusal(faults, self.form.get("form", ""))
        return value

    def typed(self, form: str, name: str, otherwise: str = "") -> str:
        """What was typed into a field of a form that is shown again; nothing is lost."""
        if self.refusal is not None and self.refusal.form == form:
            return self.form.get(name, otherwise)
        return otherwise

    def fault(self, form: str, name: str) -> str:
        """What is wrong with this field, "" for nothing."""
        if self.refusal is not None and self.refusal.form == form:
            return self.refusal.faults.get(name, "")
        return ""

    # --- doing ------------------------------------------------------------------------

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        """Read from the store."""
        return await self.house.store.read(work)

    async def press(self, *facts: SessionEvent) -> None:
        """Store what was pressed, and let the engine decide on it."""
        await self.house.engine.accept_press(self.session_id, *facts)

    async def again(self) -> None:
        """Take the state anew after something was pressed."""
        self.session = await self.house.engine.state(self.session_id)

    # --- answering --------------------------------------------------------------------

    async def show(self, template: str, status: int = 200, **known: Any) -> Response:
        """A page; 422 when it shows again a form that was refused."""
        context = await self._frame() | known
        if self.refusal is not None and status == 200:
            status = 422
        page = self.desk.templates.get_template(template)
        return HTMLResponse(page.render(context), status_code=status)

    async def _frame(self) -> dict[str, Any]:
        def look(db: Connection) -> tuple[int, str]:
            named = people.named(db, self.house.store, [self.person_id])
            return queue.confirmed_contacts(db), named.get(self.person_id, "")

        contacts, name = await self.read(look)
        return {
            "v": self,
            "z": self.zone,
            "now": self.now,
            "csrf": self.visitor.csrf if self.visitor is not None else "",
            "visitor_name": display(name) if self.visitor is not None else "",
            "organisation": self.house.settings.organisation_name,
            "accent": self.house.settings.accent_colour,
            "contacts": contacts,
            "contacts_needed": CONTACTS_NEEDED,
            "test_hosts": self.house.settings.allow_test_hosts,
            "refusal": self.refusal,
        }

    def go(self, path: str) -> Response:
        """Send the browser to another page of ours after a form (never elsewhere: S15)."""
        return RedirectResponse(path, status_code=303)


Shows = Callable[[Visit], Awaitable[Response]]
"""Shows a page. A POST gives a redirect through Visit.go, or raises Refusal."""
