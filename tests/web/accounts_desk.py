"""The front door with a mailbox behind it, and people who have accounts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from app.store import accounts, people
from app.store.passwords import hash_password
from app.store.people import Person
from app.web.access import Role
from app.web.app import create_web
from integrations.base import PlatformFailure
from integrations.oidc.provider import Provider
from tests.engine.room import Evening
from tests.web.conftest import BASE, Front, settings
from tests.web.reading import Browser, Form, Page

PASSWORD = "kettle moss ninety"
_KEPT = hash_password(PASSWORD)


@dataclass
class Letter:
    to: str
    subject: str
    text: str
    ics: str | None = None

    @property
    def link(self) -> str:
        """The path of the one link in it."""
        [found] = re.findall(rf"{BASE}(/\S+)", self.text)
        return str(found)


@dataclass
class Mailbox:
    """Takes every letter, or fails as a mail server does."""

    letters: list[Letter] = field(default_factory=list)
    failure: PlatformFailure | None = None

    async def send(
        self, to: str, subject: str, text: str, *, ics: str | None = None
    ) -> None:
        if self.failure is not None:
            raise self.failure
        self.letters.append(Letter(to, subject, text, ics))


@dataclass
class Office(Front):
    """A front door with mail."""

    mailbox: Mailbox

    def account(self, name: str, *roles: Role, password: str | None = PASSWORD) -> str:
        """Somebody gets an account; an address of their own name. Returns its id."""
        one, store, now = self.evening, self.evening.store, self.evening.clock.now()
        with store.unit() as db:
            if name not in one.people:
                worker = Person(kind="worker", name=name.capitalize())
                one.people[name] = people.add(db, store, worker, now).id
            made, _ = accounts.invite(
                db, store, one.people[name], mail(name), roles or (Role.WORKER,), now
            )
            if password is not None:
                kept = _KEPT if password == PASSWORD else hash_password(password)
                accounts.set_password(db, store, made.id, kept, now)
                accounts.use_links(db, made.id, now)
        return made.id

    @asynccontextmanager
    async def at(self, address: str = "192.0.2.1") -> AsyncIterator[Browser]:
        """A browser nobody is signed in with, at this network address."""
        async with self.browser(client=(address, 1)) as client:
            yield Browser(self, client)

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator[Browser]:
        """This person's browser, signed in with the password."""
        async with self.at() as browser:
            page = await enter(browser, name)
            assert page.status == 200, page.words
            yield browser


def mail(name: str) -> str:
    return f"{name}@riverside.example"


def office(
    one: Evening, *, mails: bool = True, provider: Provider | None = None
) -> Office:
    """The service on this evening's store."""
    box = Mailbox()
    app = create_web(
        settings(),
        one.engine,
        one.store,
        one.clock,
        send_letter=box.send if mails else None,
        provider=provider,
    )
    return Office(one, app, {}, box)


async def enter(
    browser: Browser, name: str, password: str = PASSWORD, **more: str
) -> Page:
    """Type an address and a password into the form, and press."""
    form = (await browser.open("/sign-in")).form("Sign in")
    return await browser.send(form, email=mail(name), password=password, **more)


async def post(browser: Browser, form: Form, **entered: str) -> httpx.Response:
    """Press without following the redirect."""
    return await browser.client.post(
        form.action, data={**form.fields, **entered}, headers={"origin": BASE}
    )


def cookie(browser: Browser) -> str:
    """The secret this browser holds."""
    return browser.client.cookies.get("__Host-chaperone") or ""
