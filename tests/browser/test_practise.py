"""Practising in the running service: a real process behind the real pages."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page

from app.practice.hall import Hall
from app.web.app import create_web
from tests.browser.conftest import DESK, PHONE, Site, free_port, window
from tests.browser.test_pages import TOO_WIDE
from tests.web.conftest import settings

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def practising(site: Site) -> AsyncIterator[Site]:
    """The same evening, served as `chaperone serve` does: with a way to practise."""
    await site.stop()
    site.port = free_port()
    site.evening.clock.advance(timedelta(hours=3))  # Anna's own session is long over
    given = settings(CHAPERONE_BASE_URL=site.address)
    hall, one = Hall(site.address), site.evening
    app = create_web(given, one.engine, one.store, one.clock, practice=hall)
    site.app = hall.around(app)  # type: ignore[assignment]
    await site.start()
    yield site
    await hall.close()


async def faults(page: Page) -> list[str]:
    found = [v["id"] for v in (await Axe().run(page)).response["violations"]]
    if await page.evaluate(TOO_WIDE):
        found.append("wider than the window")
    return found


async def press(page: Page, words: str) -> None:
    """By keyboard alone: to the button, and Enter."""
    await page.get_by_role("button", name=words).first.focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_a_practice_is_for_everybody(chromium: Browser, practising: Site) -> None:
    async with window(chromium, practising, size=PHONE) as anna:
        page, seen = anna.page, list[str]()
        await page.goto(f"{practising.address}/practise")
        seen += await faults(page)
        await press(page, "Begin to practise")
        for words in (
            "Join the call",
            "Sam joins",
            "Ben comes",
            "Chloe comes",
            "Admit Ben",
        ):
            await press(page, words)
        seen += await faults(page)
        await page.set_viewport_size(DESK)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme="dark")
        seen += await faults(page)

        await page.get_by_role("link", name="the live page").click()
        await page.get_by_text("2 workers in").wait_for()
        seen += await faults(page)
        await page.get_by_role("link", name="The pretended call").click()
        for words in ("Sam's connection is lost", "Your connection is lost"):
            await press(page, words)
        await page.get_by_role("link", name="the live page").click()
        await page.get_by_text("No worker with young people").wait_for()
        await press(page, "Leave the practice")
        await page.get_by_text("The practice is over").wait_for()

        assert await page.get_by_text("Nothing here is real").count() == 0
        assert seen == []
        assert anna.complaints == []
