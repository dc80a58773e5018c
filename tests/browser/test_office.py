"""The pages of whoever looks after Chaperone, in a real browser."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.store import contacts
from app.web.access import Role
from app.web.app import create_web
from tests.browser.conftest import Site, window
from tests.browser.test_html import CHECKER, complaints
from tests.browser.test_pages import OPEN_ALL, TOO_WIDE
from tests.browser.test_records import faults_of
from tests.web.accounts_desk import Mailbox
from tests.web.conftest import settings

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

POLICY = "/settings/policy"
PAGES = {
    "state": "/settings",
    "platforms": "/settings/platforms",
    "connect": "/settings/platforms/zoom",
    "mail": "/settings/mail",
    "contacts": "/contacts",
    "policy": POLICY,
}


async def an_evening_with_a_gap(site: Site) -> None:
    """The workers were away for forty seconds; it is over for three hours."""
    one = site.evening
    one.clock.advance(timedelta(minutes=12))
    await one.join("anna", "sam", "ben", "chloe")
    await one.wait(20)
    await one.leave("anna", "sam")
    await one.wait(40)
    await one.join("anna", "sam")
    await one.wait(20)
    await one.leave("ben", "chloe", "anna", "sam")
    await one.ended()
    one.clock.advance(timedelta(hours=3))


@pytest.fixture
async def office(site: Site) -> Site:
    """A service with mail, nobody to hear an alarm yet, and one evening behind it."""
    await an_evening_with_a_gap(site)
    one = site.evening
    with one.store.unit() as db:
        for known in contacts.listed(db, one.store):
            contacts.remove(db, known.id)

    async def send_code(_contact_id: str, _code: str) -> None:
        """It leaves."""

    given = settings(
        CHAPERONE_BASE_URL=site.address,
        CHAPERONE_SMTP_HOST="mail.riverside.example",
        CHAPERONE_SMTP_FROM="chaperone@riverside.example",
    )
    await site.stop()
    site.app = create_web(
        given,
        one.engine,
        one.store,
        one.clock,
        send_code=send_code,
        send_letter=Mailbox().send,
    )
    await site.start()
    return site


async def preview(page: Page, site: Site) -> None:
    await page.goto(site.address + POLICY)
    await page.get_by_label("Grace, in seconds").fill("30")
    await page.get_by_role("button", name="See what").click()
    await expect(page.get_by_text("would have ended")).to_be_visible()


async def less_safe(page: Page, site: Site) -> None:
    await page.goto(site.address + POLICY)
    await page.get_by_label("Grace, in seconds").fill("200")
    await page.get_by_role("button", name="See what").click()
    await page.get_by_role("button", name="Save as a new").click()
    await expect(page.locator("#errors")).to_be_visible()


async def refused(page: Page, site: Site) -> None:
    await page.goto(site.address + POLICY)
    await page.get_by_label("Grace, in seconds").fill("301")
    await page.get_by_role("button", name="Save as a new").click()
    await expect(page.locator("#errors")).to_be_visible()


async def code_sent(page: Page, site: Site) -> None:
    await page.goto(f"{site.address}/contacts")
    await page.get_by_label("Whose it is").fill("On duty <b>")
    await page.get_by_label("Address", exact=True).fill("duty@riverside.example")
    await page.get_by_role("button", name="Enter and send").click()
    await expect(page.get_by_text("on its way")).to_be_visible()


STEPS = (preview, less_safe, refused, code_sent)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SAFEGUARDING_LEAD])
async def test_every_page_is_for_everybody(
    chromium: Browser, office: Site, role: Role, tmp_path: Path
) -> None:
    """As they are opened, and after something was pressed."""
    found: list[str] = []
    files: list[str] = []
    async with window(chromium, office, role=role) as ada:
        for name, path in PAGES.items():
            answer = await ada.page.goto(office.address + path)
            assert answer is not None
            if answer.status == 403:
                continue
            (tmp_path / f"{name}.html").write_bytes(await answer.body())
            files.append(str(tmp_path / f"{name}.html"))
            found += await faults_of(ada.page, f"{role}-{name}")
        for step in STEPS:
            await step(ada.page, office)
            found += await faults_of(ada.page, f"{role}-{step.__name__}")
    assert found == []
    if CHECKER.exists():
        assert await complaints(CHECKER, files) == []


async def test_erasing_somebody_is_for_everybody(
    chromium: Browser, office: Site
) -> None:
    """Found from the person's page, seen, and typed, by keyboard alone."""
    found: list[str] = []
    ben = office.evening.people["ben"]
    role = Role.SAFEGUARDING_LEAD
    async with window(chromium, office, role=role) as lena:
        page = lena.page
        await page.goto(f"{office.address}/people/{ben}")
        await page.get_by_role("button", name="Takes no part any more").press("Enter")
        await page.get_by_role("link", name="Erase this person").press("Enter")
        await expect(page.get_by_role("heading", name="What goes")).to_be_visible()
        found += await faults_of(page, "erase")
        await page.get_by_label("Type the name").press_sequentially("Bem")
        await page.keyboard.press("Enter")
        await expect(page.locator("#errors")).to_be_visible()
        found += await faults_of(page, "erase-refused")
        await page.get_by_label("Type the name").fill("")
        await page.get_by_label("Type the name").press_sequentially("Ben")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Erased")).to_be_visible()
        found += await faults_of(page, "erased")
    assert found == []


async def test_at_four_hundred_per_cent_nothing_runs_out_of_the_window(
    chromium: Browser, office: Site
) -> None:
    async with window(
        chromium,
        office,
        size={"width": 320, "height": 256},
        role=Role.ADMINISTRATOR,
    ) as ada:
        for path in PAGES.values():
            await ada.page.goto(office.address + path)
            await ada.page.evaluate(OPEN_ALL)
            assert not await ada.page.evaluate(TOO_WIDE), path
