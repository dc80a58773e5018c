"""Everything that can be pressed or filled in is reached by Tab, and seen when it is."""

from collections.abc import Iterable
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from app.web.access import Role
from tests.browser.conftest import DESK, PHONE, Site, window
from tests.browser.test_office import PAGES as OFFICE
from tests.browser.test_office import office
from tests.browser.test_pages import OPEN_ALL, busy

__all__ = ["office"]

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

# The live page renews itself; test_alarms.py goes through it.
SESSION = (
    "",
    "/checklist",
    "/notes",
    "/attendance",
    "/record",
    "/invitations",
)
ROUND = (
    "/",
    "/people",
    "/people/new?kind=client",
    "/people/import",
    "/groups",
    "/groups/new",
    "/plan",
    "/records",
    "/records/register",
    "/records/layouts",
    "/concern",
    "/account",
    "/practise",
)

# Dates and times are several stops each.
# Of radio buttons one is reached by Tab and the others by arrows (HTML, sequential focus).
MARK = """
() => {
  const first = (one) => one.checked || ![...document.getElementsByName(one.name)].some(
    (other) => other.checked || other.compareDocumentPosition(one) & 4);
  const all = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((one) => !one.disabled)
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => one.type !== "radio" || first(one));
  window.reached = new Set();
  window.unseen = [];
  document.addEventListener("focusin", (event) => {
    const box = event.target.getBoundingClientRect();
    window.reached.add(event.target);
    if (box.bottom <= 0 || box.top >= innerHeight || !box.width) window.unseen.push(
      event.target.outerHTML.slice(0, 120));
  });
  window.wanted = all;
  document.activeElement?.blur();
  const stops = { date: 5, "datetime-local": 9, time: 4 };
  return all.reduce((sum, one) => sum + (stops[one.type] ?? 1), 0);
}
"""
TOLD = """
() => ({
  missed: window.wanted.filter((one) => !window.reached.has(one))
    .map((one) => one.outerHTML.slice(0, 120)),
  unseen: window.unseen,
})
"""


async def missed(page: Page, address: str) -> dict[str, Any]:
    """What Tab does not reach on this page, and what is not in sight when reached."""
    answer = await page.goto(address)
    assert answer is not None
    if answer.status == 403:
        return {}
    assert answer.status == 200, address
    await page.evaluate(OPEN_ALL)
    for _ in range(await page.evaluate(MARK) + 1):
        await page.keyboard.press("Tab")
    told: dict[str, Any] = await page.evaluate(TOLD)
    return {address: told} if any(told.values()) else {}


async def all_missed(page: Page, addresses: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for address in addresses:
        found |= await missed(page, address)
    return found


async def test_whoever_leads_reaches_all_of_it(chromium: Browser, site: Site) -> None:
    await busy(site.evening)
    paths = [site.session + path for path in SESSION]
    paths += [site.address + path for path in ROUND]
    async with window(chromium, site, size=PHONE, role=Role.SESSION_LEAD) as anna:
        assert await all_missed(anna.page, paths) == {}


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SAFEGUARDING_LEAD])
async def test_whoever_looks_after_it_does_too(
    chromium: Browser, office: Site, role: Role
) -> None:
    paths = [office.address + path for path in OFFICE.values()]
    paths += [office.address + path for path in ("/", "/accounts", "/concerns")]
    async with window(chromium, office, size=DESK, role=role) as ada:
        assert await all_missed(ada.page, paths) == {}
