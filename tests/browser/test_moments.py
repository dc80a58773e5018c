"""The moments that matter on the live page, seen and reached in a real browser."""

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site, window
from tests.browser.test_pages import busy, pictures

__all__ = ["pictures"]

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

FIVE_SECONDS = 5_000


async def looked_at(page: Page, folder: Path, name: str) -> None:
    """A picture for people, and axe for everybody."""
    await page.wait_for_load_state()
    await page.screenshot(path=folder / f"moment-{name}.png", full_page=True)
    results = await Axe().run(page)
    assert results.response["violations"] == [], name


async def test_the_page_follows_the_room_and_keeps_what_is_typed(
    chromium: Browser, site: Site
) -> None:
    await site.evening.join("anna", "ben")
    async with window(chromium, site) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await page.get_by_text("Remind, warn, remove").click()
        field = page.get_by_label("What happened")
        await field.fill("He shouted at Chlo")
        await field.press("ArrowLeft")

        await site.evening.join("sam")

        await expect(page.get_by_text("2 workers in")).to_be_visible(timeout=2_000)
        await expect(field).to_be_focused()
        await page.keyboard.type("e")
        assert await field.input_value() == "He shouted at Chleo"
        said = page.locator("#said")
        assert await said.get_attribute("role") == "status"
        await expect(said).to_contain_text("Workers in the room: 2.")


async def test_two_workers_see_the_same(chromium: Browser, site: Site) -> None:
    await site.evening.join("anna", "sam", "ben")
    async with (
        window(chromium, site) as anna,
        window(chromium, site, "sam") as sam,
    ):
        for one in (anna, sam):
            await one.page.goto(f"{site.session}/live")
        await anna.page.get_by_text("Remind, warn, remove").click()
        await anna.page.get_by_label("rule it is about").select_option("2")
        await anna.page.get_by_role("button", name="Remind Ben").click()
        await site.evening.engine.step()

        for one in (anna, sam):
            step = one.page.get_by_text("Remind, 18:50, pressed by Anna")
            await expect(step).to_be_visible(timeout=2_000)
            asked = one.page.get_by_text("Give a reminder", exact=True).first
            await expect(asked).to_be_visible(timeout=2_000)


async def test_a_lost_connection_is_shown_and_heals(
    chromium: Browser, site: Site
) -> None:
    await site.evening.join("anna", "ben")
    async with window(chromium, site) as anna:
        await anna.page.goto(f"{site.session}/live")
        lost = anna.page.get_by_text("Connection lost.")
        await expect(lost).to_be_hidden()

        await site.stop()
        await expect(lost).to_be_visible(timeout=FIVE_SECONDS)
        await site.start()
        await expect(lost).to_be_hidden(timeout=FIVE_SECONDS)
        await site.evening.join("sam")
        await expect(anna.page.get_by_text("2 workers in")).to_be_visible(timeout=2_000)


async def test_the_grace_counts_down_and_resume_is_offered(
    chromium: Browser, site: Site, pictures: Path
) -> None:
    await site.evening.join("anna", "ben", "chloe")
    async with window(chromium, site) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await site.evening.leave("anna")
        clock = page.locator(".count")
        await expect(clock).to_contain_text("seconds left")
        await expect(page.get_by_text("18:51:00")).to_be_visible()
        await looked_at(page, pictures, "grace")

        await site.evening.wait(70)
        await site.evening.ended()
        await expect(page.get_by_role("button", name="Resume")).to_be_visible()
        await looked_at(page, pictures, "resume")
        await page.get_by_role("button", name="Resume the session").click()
        await expect(page.get_by_role("button", name="Resume")).to_be_hidden()


async def test_closing_by_keyboard_alone(
    chromium: Browser, site: Site, pictures: Path
) -> None:
    await busy(site.evening)
    async with window(chromium, site) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await reach(page, "Close to clients…")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(
            "to clients?"
        )
        await reach(page, "Close to clients")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/live")
        await site.evening.engine.step()
        await expect(page.get_by_text("Closing since")).to_be_visible()
        await looked_at(page, pictures, "closing")

        await reach(page, "The debrief is done")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Debrief done")).to_be_visible()


async def test_the_checklist_by_keyboard_alone(
    chromium: Browser, site: Site, pictures: Path
) -> None:
    async with window(chromium, site) as anna:
        page = anna.page
        await page.goto(f"{site.session}/checklist")
        await page.keyboard.press("Tab")
        assert "Skip" in await page.evaluate("document.activeElement.textContent")
        await reach(page, "Tick: this is so")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/checklist#item-*")
        await expect(page.get_by_text("In order (38)")).to_be_visible()

        await reach(page, "Go on without this")
        await page.keyboard.press("Enter")
        await reach(page, "Give the exception")
        await page.keyboard.press("Enter")
        await expect(
            page.get_by_role("heading", name="That was not done")
        ).to_be_visible()
        assert (await page.title()).startswith("Error: ")
        await looked_at(page, pictures, "refused")


async def test_all_works_without_scripts(chromium: Browser, site: Site) -> None:
    await site.evening.join("anna", "ben")
    async with window(chromium, site, scripts=False) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await expect(page.get_by_text("1 worker in")).to_be_visible()
        await site.evening.join("sam")
        await page.get_by_role("link", name="Look again").click()
        await expect(page.get_by_text("2 workers in")).to_be_visible()
        await page.get_by_text("Remind, warn, remove").click()
        await page.get_by_role("button", name="Warn Ben").click()
        refused = "There has been no reminder in this session before a warning"
        rule = "Name the agreed rule that was broken"
        await expect(page.get_by_text(rule).first).to_be_visible()
        await page.get_by_label("What happened").fill("He shouted")
        await page.get_by_role("button", name="Warn Ben").click()
        await expect(page.get_by_text(refused).first).to_be_visible()
        assert await page.get_by_label("What happened").input_value() == "He shouted"


async def reach(page: Page, words: str) -> None:
    """Press Tab until what has the focus says this; it must be seen, too."""
    for _ in range(250):
        await page.keyboard.press("Tab")
        said = await page.evaluate("document.activeElement.textContent")
        if str(said).strip().startswith(words):
            seen = await page.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle"
            )
            assert seen == "solid", f"the focus on {words} is not seen"
            return
    raise AssertionError(f"{words} cannot be reached with the keyboard")
