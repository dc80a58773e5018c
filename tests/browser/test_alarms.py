"""An alarm is seen, heard and felt; a line that falls silent is told and heals."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Site, free_port, window
from tests.browser.test_moments import looked_at, reach
from tests.browser.test_pages import OPEN_ALL, TOO_WIDE, busy, pictures

__all__ = ["pictures"]

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

# What a loudspeaker and a motor would be told; Chromium runs the sound without either.
WITNESS = """
window.tones = 0; window.buzzes = [];
const begin = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) {
  document.documentElement.dataset.tones = String(window.tones += 1);
  return begin.apply(this, at);
};
navigator.vibrate = (pattern) => { window.buzzes.push(pattern); return true; };
"""
TURN_ON = "Turn on sound and vibration"
HEARD = "Alarms are heard and felt on this device."


async def number(page: Page, script: str) -> Any:
    return await page.evaluate(script)


async def tones(page: Page, wanted: str) -> None:
    """Wait until so many tones were begun."""
    count = re.compile(f"^{wanted}$")
    await expect(page.locator("html")).to_have_attribute("data-tones", count)


async def test_an_alarm_is_seen_heard_and_felt_until_somebody_takes_it(
    chromium: Browser, site: Site, pictures: Path
) -> None:
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, size=PHONE, witness=WITNESS) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await expect(page.get_by_text("but not heard on this device")).to_be_visible()
        await reach(page, TURN_ON)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text(HEARD)).to_be_visible()
        tried = await number(page, "window.tones")
        assert (tried, await number(page, "window.buzzes")) == (2, [150])
        await expect(page.locator("#alarm-bar")).to_be_hidden()

        await site.evening.leave("anna", "sam")
        bar = page.get_by_role("link", name="1 red alarm nobody has taken. Look")
        await expect(bar).to_be_visible()
        await expect(page.locator("#shout")).to_have_text(
            "Alarm. 1 red alarm nobody has taken."
        )
        await expect(page).to_have_title("✕ ALARM: 1 red alarm nobody has taken")
        await tones(page, "[1-9][0-9]")  # again and again, until it is taken
        assert [400, 150, 400] in await number(page, "window.buzzes")
        assert not await number(page, TOO_WIDE)
        await looked_at(page, pictures, "alarm")

        await page.get_by_role("button", name="I take it").first.click()
        await expect(page.locator("#alarm-bar")).to_be_hidden()
        await expect(page).to_have_title(re.compile("^Live"))
        assert await number(page, "window.tones") == 0


async def test_the_tap_is_remembered_on_this_device_and_nothing_else(
    chromium: Browser, site: Site
) -> None:
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, witness=WITNESS) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await page.get_by_role("button", name=TURN_ON).click()
        await page.goto(f"{site.session}/live")
        await expect(page.get_by_role("button", name="Turn sound off")).to_be_visible()
        kept = await number(page, "JSON.stringify(localStorage)")
        assert kept == '{"chaperone.alarm":"on"}'
        await page.get_by_role("heading", name="Live").click()
        await expect(page.get_by_text(HEARD)).to_be_visible()

        await page.get_by_role("button", name="Turn sound off").click()
        await expect(page.get_by_role("button", name=TURN_ON)).to_be_focused()
        assert await number(page, "JSON.stringify(localStorage)") == "{}"
        await site.evening.leave("anna", "sam")
        await expect(page.locator("#alarm-bar")).to_be_visible()
        assert await number(page, "window.tones") == 0
    assert anna.complaints == []


async def test_an_alarm_taken_by_the_other_worker_falls_silent_here(
    chromium: Browser, site: Site
) -> None:
    await site.evening.join("anna", "sam", "ben")
    async with (
        window(chromium, site, witness=WITNESS) as anna,
        window(chromium, site, "sam") as sam,
    ):
        for one in (anna, sam):
            await one.page.goto(f"{site.session}/live")
        await anna.page.get_by_role("button", name=TURN_ON).click()
        await site.evening.leave("anna", "sam")
        await expect(anna.page.locator("#alarm-bar")).to_be_visible()

        await sam.page.get_by_role("button", name="I take it").first.click()
        await site.evening.engine.step()
        await expect(anna.page.locator("#alarm-bar")).to_be_hidden()
        await expect(anna.page.locator("#shout")).to_be_empty()
        await expect(anna.page).to_have_title(re.compile("^Live"))


async def test_a_notice_without_names_comes_in_a_tab_nobody_looks_at(
    chromium: Browser, site: Site
) -> None:
    hidden = """
    window.told = [];
    window.Notification = class {
      static permission = "granted";
      constructor(title, more) { window.told.push([title, more.body, more.tag]); }
    };
    Object.defineProperty(document, "visibilityState", { get: () => window.away ?? "visible" });
    """
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, witness=WITNESS + hidden) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await page.get_by_role("button", name=TURN_ON).click()
        await number(page, "window.away = 'hidden'")
        await site.evening.leave("anna", "sam")
        await expect(page.locator("#shout")).not_to_be_empty()
        assert await number(page, "window.told") == [
            ["Chaperone", "1 red alarm nobody has taken", "chaperone-alarm"]
        ]
        await tones(page, "[1-9][0-9]?")


ACTIVE = """
navigator.serviceWorker.register("/static/notice.js").then((worker) => new Promise((done) => {
  if (worker.active) done(true);
  const coming = worker.installing ?? worker.waiting;
  coming?.addEventListener("statechange", () => worker.active && done(true));
}))
"""


async def test_on_a_telephone_the_notice_is_shown_by_a_worker(
    chromium: Browser, site: Site
) -> None:
    """Android's browsers refuse the constructor, and let a service worker do it."""
    phone = """
    window.told = new Promise((tell) => { window.tell = tell; });
    window.Notification = class {
      static permission = "granted";
      constructor() { throw new TypeError("Illegal constructor."); }
    };
    ServiceWorkerRegistration.prototype.showNotification = async function (title, more) {
      window.tell([title, more.body, more.tag, more.data, this.active.scriptURL]);
    };
    Object.defineProperty(document, "visibilityState", { get: () => window.away ?? "visible" });
    """
    await site.evening.join("anna", "sam", "ben")
    async with window(chromium, site, witness=WITNESS + phone) as anna:
        page = anna.page
        live = f"{site.session}/live"
        await page.goto(live)
        await page.get_by_role("button", name=TURN_ON).click()
        await number(page, ACTIVE)
        await number(page, "window.away = 'hidden'")
        await site.evening.leave("anna", "sam")
        words, script = (
            "1 red alarm nobody has taken",
            f"{site.address}/static/notice.js",
        )
        told = ["Chaperone", words, "chaperone-alarm", live, script]
        assert await number(page, "window.told") == told
    assert anna.complaints == []


@dataclass
class Line:
    """A line to the service that can fall silent without being cut."""

    to: int
    silent: bool = False
    alive: set[asyncio.Event] = field(default_factory=set)
    pumps: set[asyncio.Future[None]] = field(default_factory=set)

    def falls_silent(self) -> None:
        self.silent = True
        for works in self.alive:
            works.clear()
        self.alive.clear()

    async def carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        works = asyncio.Event()
        if not self.silent:
            works.set()
            self.alive.add(works)
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        both = {
            asyncio.ensure_future(self.pump(reader, back, works)),
            asyncio.ensure_future(self.pump(there, writer, works)),
        }
        self.pumps |= both
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await self.cut(both)
        for end in (writer, back):
            end.close()

    async def cut(self, pumps: Set[asyncio.Future[None]]) -> None:
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self.pumps -= set(pumps)

    async def pump(
        self, reader: StreamReader, writer: StreamWriter, works: asyncio.Event
    ) -> None:
        while part := await reader.read(65536):
            await works.wait()
            writer.write(part)
            await writer.drain()
        await works.wait()  # that the other side has gone is not told either


@asynccontextmanager
async def line_to(site: Site) -> AsyncIterator[Line]:
    await site.stop()
    site.listens = free_port()
    await site.start()
    line = Line(site.listens)
    server = await asyncio.start_server(line.carry, "127.0.0.1", site.port)
    try:
        yield line
    finally:
        server.close()
        await line.cut(set(line.pumps))


async def test_a_line_that_falls_silent_is_told_and_heals(
    chromium: Browser, site: Site
) -> None:
    """A phone changes networks: nothing is cut, and nothing comes any more."""
    await site.evening.join("anna", "ben")
    async with line_to(site) as line, window(chromium, site) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await page.get_by_text("Remind, warn, remove").click()
        await page.get_by_label("What happened").fill("He shouted")
        lost = page.get_by_text("Connection lost.")
        await expect(lost).to_be_hidden()

        line.falls_silent()
        # Somebody looks at the page just then: what it asks is never answered.
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(lost).to_be_visible(timeout=5_000)
        await expect(page).to_have_title("✕ Connection lost")
        await site.evening.join("sam")
        line.silent = False
        await expect(page.get_by_text("2 workers in")).to_be_visible(timeout=25_000)
        await expect(lost).to_be_hidden(timeout=5_000)
        await expect(page.get_by_label("What happened")).to_have_value("He shouted")


EVERY = """() => [...document.querySelectorAll('main a, main button, main summary, main '
  + 'textarea, main select, main input:not([type=hidden])')]
  .filter((one) => one.checkVisibility()).length"""
# 2 lists: what was focused and is covered by the bar, what shows no outline.
AROUND = """() => {
  const one = document.activeElement;
  if (!one.closest('main')) return null;
  const bar = document.querySelector('.tops').getBoundingClientRect();
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  one.dataset.reached = 'yes';
  const name = `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
  return [name, box.bottom > bar.bottom, style.outlineStyle === 'solid'];
}"""
REACHED = "() => document.querySelectorAll('main [data-reached]').length"


async def test_every_button_is_reached_by_keyboard_and_seen_under_the_alarm(
    chromium: Browser, site: Site
) -> None:
    """WCAG 2.2: 2.1.1, 2.4.7, 2.4.11, on a phone, with the alarm on top of the page."""
    await busy(site.evening)
    await site.evening.leave("anna")
    async with window(chromium, site, size=PHONE) as anna:
        page = anna.page
        await page.goto(f"{site.session}/live")
        await expect(page.locator("#alarm-bar")).to_be_visible()
        await page.evaluate(OPEN_ALL)
        wanted = await number(page, EVERY)
        seen = []
        await page.locator("#main").focus()
        for key in ("Tab", "Shift+Tab"):
            for _ in range(wanted + 5):
                await page.keyboard.press(key)
                seen.append(await number(page, AROUND))
        reached = await number(page, REACHED)

    told = [one for one in seen if one is not None]
    assert [name for name, clear, _ in told if not clear] == []
    assert [name for name, _, outlined in told if not outlined] == []
    assert reached == wanted
    assert wanted > 25
