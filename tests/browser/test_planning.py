"""Anna plans in a real browser: every page for everybody, by keyboard, without scripts."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, expect

from app.store import concerns, groups, people, sessions
from app.web.access import Role
from tests.browser.conftest import DESK, PHONE, Site, window
from tests.browser.test_html import CHECKER, complaints
from tests.browser.test_pages import OPEN_ALL, TOO_WIDE

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LEAD = Role.SESSION_LEAD
EVE = "<script>alert(1)</script> =1+1"


def addresses(site: Site) -> dict[str, str]:
    """Every page about people, groups, plans and concerns, by a short name."""
    one = site.evening
    with one.store.unit() as db:
        [group] = groups.listed(db, one.store)
        eve = people.Person(kind="client", name=EVE)
        people.add(db, one.store, eve, one.clock.now())
        concern = "concern-0123456789abcdef"
        draft = concerns.Concern(
            id=concern,
            reporter_id=one.people["sam"],
            body={"text": f"Facts about {EVE}.\nMore.", "danger": "yes"},
        )
        concerns.save_draft(db, one.store, draft, one.clock.now())
        concerns.raise_concern(db, one.store, concern, [], one.clock.now())
    ben, sam = one.people["ben"], one.people["sam"]
    return {
        "home": "/",
        "people": "/people",
        "client": f"/people/{ben}",
        "worker": f"/people/{sam}",
        "client-change": f"/people/{ben}/change",
        "worker-change": f"/people/{sam}/change",
        "client-new": "/people/new?kind=client",
        "import": "/people/import",
        "groups": "/groups",
        "group": f"/groups/{group.id}",
        "group-new": "/groups/new",
        "group-rules": f"/groups/{group.id}/rules",
        "plan": "/plan",
        "plan-change": f"/sessions/{one.session_id}/plan",
        "cancel": f"/sessions/{one.session_id}/cancel",
        "invitations": f"/sessions/{one.session_id}/invitations",
        "concern": "/concern",
        "practise": "/practise",
        "concerns": "/concerns",
        "concern-read": f"/concerns/{concern}",
    }


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
    found: dict[str, list[str]] = {}
    async with window(
        chromium, site, size=size, dark=dark, role=Role.SAFEGUARDING_LEAD
    ) as anna:
        for name, path in addresses(site).items():
            await anna.page.goto(site.address + path)
            await anna.page.evaluate(OPEN_ALL)
            results = await Axe().run(anna.page)
            found[name] = [
                f"{v['id']}: {v['nodes'][0]['html'][:200]}"
                for v in results.response["violations"]
            ]
            if await anna.page.evaluate(TOO_WIDE):
                found[name].append("wider than the window")
            shade = "dark" if dark else "light"
            shot = pictures / f"{name}-{size['width']}-{shade}.png"
            await anna.page.screenshot(path=shot, full_page=True)

    assert {page: faults for page, faults in found.items() if faults} == {}
    assert anna.complaints == []


async def test_at_four_hundred_per_cent_nothing_runs_out_of_the_window(
    chromium: Browser, site: Site
) -> None:
    size = {"width": 320, "height": 256}
    async with window(chromium, site, size=size, role=Role.SAFEGUARDING_LEAD) as anna:
        wide = []
        for name, path in addresses(site).items():
            await anna.page.goto(site.address + path)
            await anna.page.evaluate(OPEN_ALL)
            if await anna.page.evaluate(TOO_WIDE):
                wide.append(name)
    assert wide == []


async def test_the_html_is_valid(chromium: Browser, site: Site, tmp_path: Path) -> None:
    if not CHECKER.exists():
        pytest.skip("The HTML checker is not installed (`make test`).")
    files = []
    async with window(chromium, site, role=Role.SAFEGUARDING_LEAD) as anna:
        for name, path in addresses(site).items():
            answer = await anna.page.goto(site.address + path)
            assert answer is not None
            assert answer.status == 200, name
            file = tmp_path / f"{name}.html"
            file.write_bytes(await answer.body())
            files.append(str(file))
    assert await complaints(CHECKER, files) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_session_is_planned_and_handed_over(
    chromium: Browser, site: Site, scripts: bool
) -> None:
    async with window(chromium, site, role=LEAD, scripts=scripts) as anna:
        page = anna.page
        await page.get_by_role("link", name="Plan a session").first.click()
        await page.get_by_role("link", name="Copy the last session").click()
        await expect(page.get_by_label("Day", exact=True)).to_have_value("2026-11-24")
        await page.get_by_label("Purpose").fill("Getting through exams")
        await page.get_by_label("Parts with").fill("10 Welcome\n90 Talking")
        await page.get_by_role("button", name="Save, make the meeting").click()
        await page.get_by_role("link", name="The parts take 100 minutes").click()
        assert await page.evaluate("document.activeElement.id || location.hash") in (
            "plan-parts",
            "#plan-parts",
        )
        await page.get_by_label("Parts with").fill("10 Welcome\n50 Talking")
        await page.get_by_role("button", name="Save, make the meeting").click()
        await page.wait_for_url("**/invitations?saved=1")
        await page.get_by_role(
            "button", name="Show the text to hand over to Chloe"
        ).click()
        text = await page.get_by_label("The whole text").input_value()
        assert "https://x/chloe" in text
        await page.get_by_role("button", name="I have handed it over").click()
        await expect(page.get_by_text("✓ Handed over")).to_be_visible()
    with site.evening.store.unit() as db:
        assert len(sessions.listed(db, site.evening.store)) == 2
    # The refused form is the only thing the browser remarked on.
    assert [told for told in anna.complaints if "422" not in told] == []


async def test_a_file_is_read_into_the_list(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,kind\nGil,client\n,client\n", encoding="utf-8")
    async with window(chromium, site, role=LEAD) as anna:
        page = anna.page
        await page.goto(f"{site.address}/people/import")
        await page.get_by_label("A CSV file").set_input_files(file)
        await page.get_by_role("button", name="Look at the list").click()
        await expect(page.get_by_text("Nobody was entered")).to_be_visible()
        await page.get_by_label("The list").fill("name,kind\nGil,client\n")
        await page.get_by_role("button", name="Look at the list").click()
        await page.get_by_role("button", name="Enter this person").click()
        await expect(page.get_by_role("link", name="Gil")).to_be_visible()
    assert anna.complaints == []


async def test_what_is_written_of_a_concern_is_kept_by_itself(
    chromium: Browser, site: Site
) -> None:
    """Sam's telephone dies in the middle of a sentence."""
    async with window(chromium, site, "sam") as sam:
        page = sam.page
        await page.get_by_role("link", name="Raise a concern").click()
        await page.get_by_label("Facts:").press_sequentially("Ben said that he")
        await expect(page.get_by_text("Draft kept at")).to_be_visible()
    async with window(chromium, site, "sam") as sam:
        page = sam.page
        await page.get_by_role("link", name="Raise a concern").click()
        await page.get_by_text("Your other drafts (1)").click()
        await page.get_by_role("link", name="Go on with the draft").click()
        await expect(page.get_by_label("Facts:")).to_have_value("Ben said that he")
        await page.get_by_label("No", exact=True).check()
        await page.get_by_role("button", name="Raise this concern").click()
        await expect(
            page.get_by_role("heading", name="Your concern was raised")
        ).to_be_visible()
    assert sam.complaints == []


async def test_a_lost_connection_is_told_while_somebody_writes(
    chromium: Browser, site: Site
) -> None:
    async with window(chromium, site, "sam") as sam:
        page = sam.page
        await page.goto(f"{site.address}/concern")
        await sam.context.set_offline(True)
        await page.get_by_label("Facts:").press_sequentially("Ben")
        await expect(page.get_by_text("the draft is not kept yet")).to_be_visible()
        await sam.context.set_offline(False)
        await expect(page.get_by_text("Draft kept at")).to_be_visible(timeout=9_000)
    store = site.evening.store
    with store.unit() as db:
        [draft] = concerns.drafts(db, store, site.evening.people["sam"])
    assert draft.body["text"] == "Ben"


async def test_what_was_refused_is_for_everybody_too(
    chromium: Browser, site: Site, pictures: Path
) -> None:
    """Error summaries, faults at fields, a list with faults: nothing wrong for axe."""
    found: dict[str, list[str]] = {}
    async with window(chromium, site, role=LEAD) as anna:
        for name, path, button in (
            ("plan", "/plan", "Save the plan only"),
            ("person", "/people/new?kind=client", "Save"),
            ("rules", addresses(site)["group-rules"], "These rules are agreed"),
            ("concern", "/concern", "Raise this concern"),
            ("import", "/people/import", "Look at the list"),
        ):
            page = anna.page
            await page.goto(site.address + path)
            for area in await page.get_by_role("textbox").all():
                await area.fill("name,age\n<b>,x" if name == "import" else "")
            await page.get_by_role("button", name=button).click()
            await page.wait_for_load_state()
            assert (await page.title()).startswith("Error:") or name == "import"
            results = await Axe().run(page)
            found[name] = [v["id"] for v in results.response["violations"]]
            if await page.evaluate(TOO_WIDE):
                found[name].append("wider than the window")
            await page.screenshot(path=pictures / f"refused-{name}.png", full_page=True)
    assert {page: faults for page, faults in found.items() if faults} == {}
