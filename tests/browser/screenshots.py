"""Pictures of the pages for the documents: ``make screenshots``.

``python -m tests.browser.screenshots FOLDER``: the same evening as the whole story, at
390 pixels, what a telephone shows at a time.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import CHROMIUM, FLAGS, PHONE
from tests.browser.story import Story, story_on
from tests.browser.test_whole_story import check, plan

LARGEST = 1_000_000
# True of this evening, of no real one.
TEST_MODE = "document.querySelector('[aria-label=\"Test mode\"]')?.remove()"


async def keep(page: Page, folder: Path, name: str, *, at: str = "") -> None:
    """What stands in the window now, from the element `at` on."""
    await page.evaluate(TEST_MODE)
    if at:
        await page.locator(at).evaluate("(one) => one.scrollIntoView()")
    await page.screenshot(path=folder / f"{name}.png", scale="css")


async def before(story: Story, page: Page, folder: Path) -> None:
    await keep(page, folder, "home")
    await page.get_by_role("link", name="Plan a session").first.click()
    await keep(page, folder, "plan")
    await page.get_by_role("link", name="Home", exact=True).click()
    await plan(story, page)
    await keep(page, folder, "invitations")
    await check(story, page)
    await page.goto(f"{story.stage.base_url}/sessions/{story.session}/checklist")
    await keep(page, folder, "checklist", at="main")


async def while_it_runs(story: Story, page: Page, folder: Path) -> None:
    await page.goto(f"{story.stage.base_url}/sessions/{story.session}/live")
    await story.everybody_comes()
    await expect(page.get_by_text("2 others in")).to_be_visible()
    await page.get_by_text("Remind, warn, remove").first.click()
    await keep(page, folder, "live", at="#main")
    await keep(page, folder, "ladder", at="#here")
    for worker in ("sam", "anna"):
        story.world.leave(story.meeting, worker)
    await expect(page.locator(".grace")).to_be_visible()
    await keep(page, folder, "alarm", at="#main")
    story.world.arrive(story.meeting, "anna")
    story.world.arrive(story.meeting, "sam")
    await expect(page.get_by_text("2 workers in")).to_be_visible()
    while await page.get_by_role("button", name="I take it").count():
        await page.get_by_role("button", name="I take it").first.click()


async def after(story: Story, page: Page, folder: Path) -> None:
    await page.get_by_role("link", name="Close to clients").click()
    await page.get_by_role("button", name="Close to clients").click()
    for client in ("ben", "chloe"):
        story.world.leave(story.meeting, client)
    await expect(page.get_by_text("All clients are out")).to_be_visible()
    await keep(page, folder, "debrief", at="#session")
    await page.get_by_role("button", name="The debrief is done").click()
    for name in ("notes", "attendance", "record"):
        await page.goto(f"{story.stage.base_url}/sessions/{story.session}/{name}")
        await keep(page, folder, name)


async def take(folder: Path, chromium: Browser) -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as store:
        async with story_on(Path(store)) as story:
            page = await story.window(chromium, "anna", PHONE)
            await before(story, page, folder)
            await while_it_runs(story, page, folder)
            await after(story, page, folder)
            await page.context.close()


async def walk(folder: Path) -> None:
    """Start Chromium and take them."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), headless=True
        )
        await take(folder, browser)
        await browser.close()


def main(folder: Path) -> None:
    """Raises ValueError when they have become too large for the documents."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(walk(folder))
    size = sum(one.stat().st_size for one in folder.glob("*.png"))
    if size > LARGEST:
        raise ValueError(f"The pictures have {size} bytes; {LARGEST} are enough.")
    sys.stdout.write(f"{folder}: {size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
