"""Closing, debrief, notes and what has to follow, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import DESK, PHONE, Site, window
from tests.browser.test_html import CHECKER, complaints
from tests.browser.test_records import faults_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_the_close_is_for_everybody(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    """Every page of the close, at both sizes, light and dark; and its HTML."""
    found: list[str] = []
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, size=DESK) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live/confirm/close")
        await page.get_by_role("button", name="Close to clients").click()
        await site.evening.wait(5)
        await site.evening.leave("ben")
        await page.goto(f"{site.session}/live")
        await expect(page.locator(".elapsed")).to_contain_text("minutes")
        found += await faults_of(page, "debrief")
        await page.get_by_label("How was it for the young").fill("Ben spoke <b>")
        await page.get_by_role("button", name="The debrief is done").click()
        await page.goto(f"{site.session}/notes")
        await page.get_by_text("Agree on something").click()
        await page.get_by_label("What", exact=True).fill("Ask the school =1+1")
        await page.get_by_role("button", name="Agreed").click()
        await expect(page.get_by_text("Choose who does it.").first).to_be_visible()
        found += await faults_of(page, "agree-refused")
        await page.get_by_label("Who does it").select_option(label="Sam")
        await page.get_by_role("button", name="Agreed").click()
        await page.get_by_label("Notes", exact=True).fill("A good evening.")
        await expect(page.get_by_text("Draft kept at")).to_be_visible()
        answer = await page.goto(f"{site.session}/notes")
        assert answer is not None
        (tmp_path / "notes.html").write_bytes(await answer.body())
        found += await faults_of(page, "notes-after")

    assert found == []
    assert [said for said in anna.complaints if "422" not in said] == []
    if CHECKER.exists():
        assert await complaints(CHECKER, [str(tmp_path / "notes.html")]) == []


async def test_a_telephone_that_dies_in_the_debrief_loses_no_word(
    chromium: Browser, site: Site
) -> None:
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, size=PHONE) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live/confirm/close")
        await page.get_by_role("button", name="Close to clients").click()
        field = page.get_by_label("How is each of you?")
        await field.press_sequentially("Tired, but")
        await expect(page.locator("#debrief-told")).to_contain_text("Draft kept at")
        await site.evening.leave("ben")  # the page is drawn anew under the pen
        await expect(page.get_by_text("All clients are out")).to_be_visible()
        await expect(field).to_be_focused()
        await page.keyboard.type(" well")
        await page.goto(f"{site.address}/")  # and is left in the middle of a word
    async with window(chromium, site, size=DESK) as anna:
        await anna.page.goto(f"{site.session}/live")
        field = anna.page.get_by_label("How is each of you?")
        await expect(field).to_have_value("Tired, but well")
    assert anna.complaints == []
