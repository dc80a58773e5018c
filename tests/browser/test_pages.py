"""Every page in a real browser: for everybody, on a phone and a desk, light and dark."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser

from app.core.events import ParticipantJoined, ParticipantWaiting
from tests.browser.conftest import DESK, PHONE, Site, window
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
