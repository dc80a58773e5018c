"""The whole evening in a real browser: two workers, two windows, and Zoom behind it."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.story import WITHIN, Story, story_on

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


# --- the chapters -----------------------------------------------------------------


async def plan(story: Story, anna: Page) -> None:
    await anna.get_by_role("link", name="Plan a session").first.click()
    for label, value in (
        ("Day", "2026-11-17"),
        ("From", "19:00"),
        ("To", "20:00"),
        ("Purpose", "Getting through exams"),
        ("Title for workers", "Exams"),
        ("Parts with", "10 Welcome\n50 Talking"),
    ):
        await anna.get_by_label(label, exact=label in ("Day", "From", "To")).fill(value)
    await anna.get_by_label("Anna", exact=True).select_option("lead")
    await anna.get_by_label("Sam", exact=True).select_option("support")
    for label in ("Ben", "Chloe", "The risks of this", "Workers have the emergency"):
        await anna.get_by_label(label).check()
    await anna.get_by_role("button", name="Save, make the meeting").click()
    await anna.wait_for_url("**/invitations?saved=1")
    story.session = anna.url.split("/sessions/")[1].split("/")[0]
    [story.meeting] = story.world.meetings


async def check(story: Story, anna: Page) -> None:
    """Tick what only a person can know; excuse, by name, what is not known here."""
    await anna.get_by_role("link", name="Checklist").click()
    await anna.get_by_role("button", name="Check again now").click()
    for _ in range(30):
        open_ones = anna.locator("section:has(#open)")
        tick = open_ones.get_by_role("button", name="Tick: this is so").first
        if not await tick.is_visible():
            break
        await tick.click()
    for _ in range(10):
        red = anna.locator(".item.bad details:has(summary:text('Go on without this'))")
        if not await red.count():
            break
        await red.first.locator("summary").click()
        await red.first.get_by_label("Why it is safe").fill("Spoken about on Monday.")
        await red.first.get_by_role("button", name="Give the exception").click()
    ready = anna.get_by_role("heading", name="Ready")
    await expect(ready).to_be_visible()


async def ladder(story: Story, anna: Page, sam: Page) -> None:
    """Sam reminds, warns and removes; Anna's window shows each step as it happens."""
    ben = sam.locator("li.person", has=sam.get_by_role("heading", name="Ben"))
    theirs = anna.locator("li.person", has=anna.get_by_role("heading", name="Ben"))
    for step in ("Remind", "Warn", "Remove"):
        drawer = ben.locator("details", has=sam.get_by_text("Remind, warn, remove"))
        await drawer.locator("summary").click()
        await ben.get_by_label("rule it is about").select_option("2")
        await ben.get_by_role("button", name=f"{step} Ben", exact=True).click()
        await expect(theirs.get_by_text(f"{step}, 1")).to_be_visible(timeout=WITHIN)
        if step != "Remove":
            asked = "Give a reminder" if step == "Remind" else "Give a warning"
            card = anna.locator(
                "li.item", has=anna.get_by_role("heading", name=asked, exact=True)
            )
            await expect(card.get_by_text("Open Participants")).to_be_visible()
            await card.get_by_role("button", name="I have pressed it").click()
    for page in (anna, sam):
        gone = page.locator("section:has(#gone)")
        await expect(gone.get_by_role("heading", name="Ben")).to_be_visible()
        done = page.locator("ol.doings li", has_text="Take out of the room: Ben")
        await expect(done.get_by_text("Done and proved")).to_be_visible()
    assert [one.person.key for one in story.world.in_room(story.meeting)] == [
        "anna",
        "sam",
        "chloe",
    ]


async def close(story: Story, anna: Page, sam: Page) -> None:
    await anna.get_by_role("link", name="Close to clients").click()
    await anna.get_by_role("button", name="Close to clients").click()
    story.world.leave(story.meeting, "chloe")
    for page in (anna, sam):
        await expect(page.get_by_text("All clients are out")).to_be_visible()
    await sam.get_by_label("How was it for the young").fill("Chloe spoke a lot.")
    await anna.get_by_label("How is each of you?").fill("Tired.")
    await anna.get_by_role("button", name="The debrief is done").click()
    await expect(sam.get_by_text("Debrief done")).to_be_visible()
    await anna.get_by_role("link", name="Close the session").click()
    await anna.get_by_role("button", name="Close the session").click()
    await expect(sam.get_by_role("link", name="Write the notes")).to_be_visible()


async def afterwards(story: Story, anna: Page, sam: Page) -> None:
    """Both write; both texts stay. Then a task, the register, and the record as files."""
    for page, text in ((anna, "Exams."), (sam, "Ben was loud.")):
        await page.goto(f"{story.stage.base_url}/sessions/{story.session}/notes")
        await page.get_by_label("Notes", exact=True).fill(text)
    await anna.get_by_role("button", name="Save the notes").click()
    await expect(anna.get_by_text("Version 1, saved by")).to_be_visible()
    await sam.get_by_role("button", name="Save the notes").click()
    await expect(sam.get_by_label("Their text")).to_have_value("Exams.")
    await sam.get_by_label("Your text").fill("Exams. Ben was loud.")
    await sam.get_by_role("button", name="Save both together").click()
    await sam.get_by_text("Agree on something").click()
    await sam.get_by_label("What", exact=True).fill("Call Ben's school")
    await sam.get_by_label("Who does it").select_option(label="Sam")
    await sam.get_by_role("button", name="Agreed").click()
    await expect(sam.get_by_role("heading", name="Call Ben's school")).to_be_visible()
    await anna.get_by_role("link", name="Attendance", exact=True).click()
    await anna.get_by_role("button", name="Confirm the attendance").click()
    await anna.wait_for_url("**/record")


async def saved(anna: Page, kind: str, folder: Path) -> bytes:
    """The record as a file of this kind, as it lands on Anna's disk."""
    async with anna.expect_download() as coming:
        await anna.get_by_role("link", name=f"Download as {kind}").click()
    file = folder / f"record.{kind}"
    await (await coming.value).save_as(file)
    return file.read_bytes()


async def test_a_whole_evening_from_the_plan_to_the_files(
    chromium: Browser, tmp_path: Path
) -> None:
    async with story_on(tmp_path) as story:
        anna = await story.window(chromium, "anna", DESK)
        await plan(story, anna)
        await check(story, anna)
        sam = await story.window(chromium, "sam", PHONE)
        for page in (anna, sam):
            await page.goto(f"{story.stage.base_url}/sessions/{story.session}/live")
        await story.everybody_comes()
        for page in (anna, sam):
            await expect(page.get_by_text("2 workers in")).to_be_visible()
            await expect(page.get_by_text("2 others in")).to_be_visible()
        await ladder(story, anna, sam)
        await close(story, anna, sam)
        await afterwards(story, anna, sam)
        table = (await saved(anna, "CSV", tmp_path)).decode("utf-8-sig")
        paper = await saved(anna, "PDF", tmp_path)
        for page in (anna, sam):
            await page.context.close()

    assert paper.startswith(b"%PDF-1.")
    [ben] = [line for line in table.splitlines() if ",Ben," in line]
    assert "removed" in ben, table
