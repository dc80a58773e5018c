"""Signing in and accounts in a real browser: for everybody, by keyboard, without scripts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, BrowserContext, Page

from app.clock import ManualClock
from app.store import accounts
from app.web.access import Role
from app.web.app import create_web
from integrations.oidc.provider import Provider
from integrations.oidc.settings import OidcSettings
from tests.browser.conftest import DESK, PHONE, Site
from tests.browser.test_html import checker as checker
from tests.browser.test_html import complaints
from tests.browser.test_pages import OPEN_ALL, TOO_WIDE
from tests.browser.test_pages import pictures as pictures
from tests.conftest import BEFORE_THE_SESSION
from tests.engine.room import evening
from tests.web.accounts_desk import PASSWORD, Mailbox, Office, mail, office
from tests.web.conftest import settings

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


THERE = Provider(
    OidcSettings(
        issuer="https://login.riverside.example",
        client_id="chaperone",
        client_secret="s",
        title="your Riverside account",
    )
)


def with_people(office: Office) -> Office:
    """Ada looks after Chaperone, Anna leads, Eve is invited."""
    office.account("ada", Role.WORKER, Role.ADMINISTRATOR)
    office.account("anna", Role.SESSION_LEAD)
    office.account("eve", password=None)
    return office


@pytest.fixture
async def riverside(site: Site) -> Office:
    """The site with mail, and a provider nobody goes to."""
    box, one = Mailbox(), site.evening
    site.app = create_web(
        settings(CHAPERONE_BASE_URL=site.address),
        one.engine,
        one.store,
        one.clock,
        send_letter=box.send,
        provider=THERE,
    )
    await site.stop()
    await site.start()
    return with_people(Office(one, site.app, {}, box))


@asynccontextmanager
async def window(
    chromium: Browser, size: dict[str, int], *, dark: bool = False, scripts: bool = True
) -> AsyncIterator[tuple[Page, list[str]]]:
    context: BrowserContext = await chromium.new_context(
        viewport={**size},  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(8_000)
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" else None,
    )
    yield page, complaints
    await context.close()


def invitation(riverside: Office, name: str) -> str:
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        account = accounts.by_email(db, store, mail(name))
        assert account is not None
        return accounts.new_link(db, store, account.id, accounts.INVITE, now)


async def enter(page: Page, site: Site, name: str) -> None:
    await page.goto(f"{site.address}/sign-in")
    await page.get_by_label("E-mail address").fill(mail(name))
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(f"{site.address}/")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_of_the_door_is_for_everybody(
    chromium: Browser,
    site: Site,
    riverside: Office,
    size: dict[str, int],
    dark: bool,
    pictures: Path,
) -> None:
    found: dict[str, list[str]] = {}
    shade = "dark" if dark else "light"

    async def look(name: str) -> None:
        # A click goes on when the next page begins to come, before its looks are there.
        await page.wait_for_load_state()
        await page.evaluate(OPEN_ALL)
        results = await Axe().run(page)
        found[name] = [
            f"{v['id']}: {v['nodes'][0]['html'][:200]}"
            for v in results.response["violations"]
        ]
        if await page.evaluate(TOO_WIDE):
            found[name].append("wider than the window")
        shot = pictures / f"door-{name}-{size['width']}-{shade}.png"
        await page.screenshot(path=shot, full_page=True)

    async with window(chromium, size, dark=dark) as (page, complaints):
        await page.goto(f"{site.address}/sign-in")
        await look("sign-in")
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await look("sign-in-refused")
        await page.goto(f"{site.address}/sign-in/forgotten")
        await look("forgotten")
        await page.get_by_label("E-mail address").fill(mail("sam"))
        await page.get_by_role("button", name="Send me the link").click()
        await look("forgotten-sent")
        await page.goto(f"{site.address}/password/{invitation(riverside, 'eve')}")
        await look("invitation")
        await page.get_by_label("Password", exact=True).fill("password1234")
        await page.get_by_role("button", name="Keep this password").click()
        await look("invitation-refused")
        await enter(page, site, "ada")
        await page.goto(f"{site.address}/account")
        await look("account")
        await page.get_by_role("button", name="Be here as administrator").click()
        await page.get_by_role("link", name="Accounts of everybody").click()
        await look("accounts")
        await page.get_by_role("button", name="Invite", exact=True).click()
        await look("accounts-refused")
        await page.get_by_label("A worker without an account").select_option(index=1)
        await page.get_by_label("Work address").fill(mail("sam"))
        await page.locator("#invite-worker").check()
        await page.get_by_role("button", name="Invite", exact=True).click()
        await look("invited")

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(found) == 10
    # The browser writes down each page that was answered with 401 or 422.
    assert [one for one in complaints if "status of 4" not in one] == []


async def test_a_password_is_shown_while_somebody_wants_to_see_it(
    chromium: Browser, site: Site, riverside: Office
) -> None:
    async with window(chromium, PHONE) as (page, _):
        await page.goto(f"{site.address}/sign-in")
        field = page.get_by_label("Password", exact=True)
        await field.fill(PASSWORD)
        button = page.get_by_role("button", name="Show what I type")
        assert await field.get_attribute("type") == "password"
        await button.click()
        assert await field.get_attribute("type") == "text"
        assert await button.get_attribute("aria-pressed") == "true"
        await button.click()
        assert await field.get_attribute("type") == "password"


async def test_by_keyboard_alone(
    chromium: Browser, site: Site, riverside: Office
) -> None:
    async with window(chromium, DESK) as (page, _):
        await page.goto(f"{site.address}/sign-in")
        await page.get_by_label("E-mail address").focus()
        await page.keyboard.type(mail("anna"))
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{site.address}/")
        assert "Worries at school" in await page.inner_text("main")


async def test_a_password_can_be_pasted(
    chromium: Browser, site: Site, riverside: Office
) -> None:
    """NCSC: password managers and long passwords need it."""
    async with window(chromium, DESK) as (page, _):
        await page.goto(f"{site.address}/sign-in")
        await page.get_by_label("E-mail address").fill(PASSWORD)
        await page.get_by_label("E-mail address").press("Control+a")
        await page.get_by_label("E-mail address").press("Control+c")
        await page.get_by_label("Password", exact=True).press("Control+v")
        pasted = await page.get_by_label("Password", exact=True).input_value()
        assert pasted == PASSWORD


async def test_without_scripts(
    chromium: Browser, site: Site, riverside: Office
) -> None:
    async with window(chromium, PHONE, scripts=False) as (page, _):
        link = f"{site.address}/password/{invitation(riverside, 'eve')}"
        await page.goto(link)
        assert not await page.get_by_role("button", name="Show what I type").count()
        for label in ("Password", "The same again"):
            await page.get_by_label(label, exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Keep this password").click()
        await page.wait_for_url(f"{site.address}/")
        await page.goto(f"{site.address}/account")
        await page.get_by_role("button", name="Sign out everywhere").click()
        assert "signed out everywhere" in await page.inner_text("main")
        await enter(page, site, "eve")


async def test_every_page_of_the_door_is_valid(checker: Path, tmp_path: Path) -> None:
    async with evening(ManualClock(BEFORE_THE_SESSION)) as one:
        texts = await texts_of(with_people(office(one, provider=THERE)))
    for name, text in texts.items():
        assert text.startswith("<!doctype html>"), name
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    paths = [str(tmp_path / f"{name}.html") for name in texts]

    assert await complaints(checker, paths) == []


async def texts_of(riverside: Office) -> dict[str, str]:
    """Every page of the door, as it is written."""
    texts: dict[str, str] = {}
    async with riverside.at() as eve:
        texts["sign-in"] = (await eve.open("/sign-in")).answer.text
        texts["refused"] = (await eve.press("/sign-in", "Sign in")).answer.text
        texts["forgotten"] = (await eve.open("/sign-in/forgotten")).answer.text
        page = await eve.press("/sign-in/forgotten", "Send me", email=mail("sam"))
        texts["sent"] = page.answer.text
        link = f"/password/{invitation(riverside, 'eve')}"
        texts["invitation"] = (await eve.open(link)).answer.text
        page = await eve.press(link, "Keep this password")
        texts["invitation-refused"] = page.answer.text
    async with riverside.signed_in("ada") as ada:
        texts["account"] = (await ada.open("/account")).answer.text
        await ada.press("/account", "Be here as administrator")
        texts["accounts"] = (await ada.open("/accounts")).answer.text
        texts["accounts-refused"] = (await ada.press("/accounts", "Invite")).answer.text
        page = await ada.press("/accounts", "Send a new invitation to Eve")
        texts["invited"] = page.answer.text
        page = await ada.press("/account", "Sign out everywhere")
        texts["out"] = page.answer.text
    return texts
