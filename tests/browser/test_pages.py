"""Every page in a real browser: for everybody, on a phone and a desk, light and dark."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser

from app.core.events import ParticipantJoined, ParticipantWaiting
from tests.browser.conftest import DESK, PHONE, Site, Window, window
from tests.engine.room import Evening
from tests.web.reading import comes

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PAGES = (
    "",
    "/checklist",
    "/live",
    "/live/confirm/end",
    "/live/confirm/close",
    "/notes",
    "/attendance",
    "/record",
)
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


async def busy(evening: Evening) -> None:
    """Everything the live page can show: a stranger, somebody at the door, no Sam."""
    await evening.join("anna", "ben", "chloe")
    await comes(evening, ParticipantJoined, "eve", "<script>alert(1)</script> =1+1")
    await comes(evening, ParticipantWaiting, "dev", "\u202eved \u200bDev")
    await evening.wait(20)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: CHAPERONE_PICTURES, to look at them."""
    folder = Path(os.environ.get("CHAPERONE_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_is_for_everybody(
    chromium: Browser, site: Site, size: dict[str, int], dark: bool, pictures: Path
) -> None:
    await busy(site.evening)
    found: dict[str, list[str]] = {}
    async with window(chromium, site, size=size, dark=dark) as anna:
        for path in ("front", *PAGES):
            address = f"{site.address}/" if path == "front" else site.session + path
            await anna.page.goto(address)
            for look in ("closed", "open"):
                if look == "open":
                    await anna.page.evaluate(OPEN_ALL)
                results = await Axe().run(anna.page)
                found[f"{path} {look}"] = [
                    f"{v['id']}: {v['nodes'][0]['html'][:200]}"
                    for v in results.response["violations"]
                ]
                if await anna.page.evaluate(TOO_WIDE):
                    found[f"{path} {look}"].append("wider than the window")
                name = path.strip("/").replace("/", "-") or "overview"
                shade = "dark" if dark else "light"
                shot = pictures / f"{name}-{look}-{size['width']}-{shade}.png"
                await anna.page.screenshot(path=shot, full_page=True)

    assert {page: faults for page, faults in found.items() if faults} == {}
    assert anna.complaints == []


SIDEWAYS = """[...document.querySelectorAll('.scroll')]
    .filter((one) => one.scrollWidth > one.clientWidth).length"""
LABELS = """[...document.querySelectorAll('tbody tr:first-child td')]
    .filter((cell) => cell.offsetHeight)
    .map((cell) => getComputedStyle(cell, '::before').content.split('"')[1])"""


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("/attendance", ["Part", "Came", "Left", "In the room", "Noted"]),
        ("/record", ["Part", "Came", "Minutes", "Noted"]),
    ],
)
async def test_on_a_phone_a_row_of_the_table_is_a_card_with_its_labels(
    chromium: Browser, site: Site, path: str, labels: list[str]
) -> None:
    await busy(site.evening)
    async with window(chromium, site, size=PHONE) as anna:
        await anna.page.goto(site.session + path)
        assert await anna.page.evaluate(SIDEWAYS) == 0
        assert await anna.page.evaluate(LABELS) == labels
        assert await heard(anna) >= {"table", "columnheader", "rowheader", "cell"}


async def heard(one: Window) -> set[str]:
    """The roles a screen reader meets on the page, as the browser works them out."""
    devtools = await one.context.new_cdp_session(one.page)
    tree = await devtools.send("Accessibility.getFullAXTree")
    return {str(node["role"]["value"]) for node in tree["nodes"] if not node["ignored"]}


async def test_the_overview_shows_its_title_once(chromium: Browser, site: Site) -> None:
    async with window(chromium, site) as anna:
        await anna.page.goto(site.session)
        title = await anna.page.get_by_role("heading", level=1).inner_text()
        assert (await anna.page.get_by_role("main").inner_text()).count(title) == 1


async def test_at_four_hundred_per_cent_nothing_runs_out_of_the_window(
    chromium: Browser, site: Site
) -> None:
    """S19: 1280 px at 400 % are 320 px; only tables scroll, in their own region."""
    await busy(site.evening)
    async with window(chromium, site, size={"width": 320, "height": 256}) as anna:
        for path in PAGES:
            await anna.page.goto(site.session + path)
            await anna.page.evaluate(OPEN_ALL)
            assert not await anna.page.evaluate(TOO_WIDE), path
