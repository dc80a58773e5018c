"""Read a page as a person does: its words, and its forms with what stands in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import httpx

from app.core.events import MeetingEvent, ParticipantJoined, ParticipantWaiting
from app.web.access import Role
from app.web.app import create_web
from tests.engine.room import Evening, seat
from tests.web.conftest import BASE, Front, settings

VOID = frozenset({"input", "meta", "link", "br"})


@dataclass
class Form:
    """A form of a page: where it goes, what it holds, what its buttons say."""

    action: str
    id: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """A page that was answered."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.answer = answer
        self.status = answer.status_code
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self._area = ""
        self._button = False
        self._in_form = False
        self.feed(answer.text)

    @property
    def words(self) -> str:
        """Every word shown, with single blanks."""
        return " ".join(" ".join(self._words).split())

    def form(self, words: str, nth: int = 0) -> Form:
        """The form with a button that says this."""
        found = [f for f in self.forms if any(words in b for b in f.buttons)]
        assert len(found) > nth, (words, [f.buttons for f in self.forms])
        return found[nth]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("id", "")))
            self._in_form = True
        if not self._in_form:
            return
        fields = self.forms[-1].fields
        ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if tag == "input" and "name" in given and ticked:
            fields[given["name"]] = given.get("value", "")
        elif tag in ("textarea", "select") and "name" in given:
            self._area = given["name"]
            fields[self._area] = ""
        elif tag == "option" and "selected" in given:
            fields[self._area] = given.get("value", "")
        elif tag == "button":
            self.forms[-1].buttons.append("")
            self._button = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._area = ""
        elif tag == "button":
            self._button = False
        elif tag == "form":
            self._in_form = False

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._button and self.forms:
            self.forms[-1].buttons[-1] += data
        elif self._area and self.lasttag == "textarea":
            self.forms[-1].fields[self._area] += data.removeprefix("\n")


@dataclass
class Browser:
    """Somebody's browser on the pages of the Tuesday group."""

    front: Front
    client: httpx.AsyncClient

    @property
    def session(self) -> str:
        return f"/sessions/{self.front.evening.session_id}"

    async def open(self, path: str) -> Page:
        """Look at a page; ``checklist`` and the like are pages of the session."""
        if not path.startswith("/"):
            path = f"{self.session}/{path}".rstrip("/")
        return Page(await self.client.get(path))

    async def send(self, form: Form, **entered: str) -> Page:
        """Press its button; a redirect is followed, as browsers do."""
        answer = await self.client.post(
            form.action, data={**form.fields, **entered}, headers={"origin": BASE}
        )
        await self.front.evening.engine.step()
        if answer.status_code == 303:
            answer = await self.client.get(answer.headers["location"])
        return Page(answer)

    async def press(self, page: Page | str, words: str, **entered: str) -> Page:
        """Open a page and press the button that says this."""
        if isinstance(page, str):
            page = await self.open(page)
        return await self.send(page.form(words), **entered)


@asynccontextmanager
async def signed_in(
    front: Front, name: str = "anna", role: Role = Role.WORKER
) -> AsyncIterator[Browser]:
    """This person's browser, signed in by a single-use link."""
    async with front.browser() as client:
        answer = await client.post(front.sign_in_link(name, role))
        assert answer.status_code == 303
        yield Browser(front, client)


async def comes(
    evening: Evening,
    kind: type[ParticipantJoined | ParticipantWaiting],
    key: str,
    name: str,
) -> None:
    """Somebody comes under a name of their own choice."""
    place = replace(seat(key), name=name)
    if kind is ParticipantJoined:
        evening.room.inside[place.uuid] = place

    def event(**fields: Any) -> MeetingEvent:
        return kind(**{**fields, **asdict(place)})

    event.__name__ = kind.__name__
    await evening.tell(event)
    await evening.engine.step()


def restarted(front: Front, **changed: str) -> Front:
    """A new process on the same store, perhaps with other settings."""
    one = front.evening
    app = create_web(settings(**changed), one.engine, one.store, one.clock)
    return Front(one, app, {})
