"""Records, register, pictures, history and a term's file in a real browser."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, ViewportSize, expect
from sqlalchemy import Connection

from app.core.record_parts import Named, Record
from app.exports.record_json import record_json
from app.store import groups, notes, sessions
from app.web.access import Role
from tests.browser.conftest import DESK, PHONE, Site, window
from tests.browser.test_html import CHECKER, complaints
from tests.browser.test_pages import OPEN_ALL, TOO_WIDE
from tests.exports.test_exports import whole

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WEEKS = 9
LEAD = Role.SAFEGUARDING_LEAD


def record_of(site: Site, session_id: str, start: datetime, week: int) -> Record:
    """The evening everything happened in, of the people who are on the list here."""
    record, known = whole(), site.evening.people
    assert record.plan is not None
    rows = []
    for row in record.attendance:
        person = Named(known.get(row.person.id, row.person.id), row.person.name)
        away = row.person.id == "chloe" and week % 3 == 0
        flags = ("absent",) if away else row.flags
        joined = None if away else row.joined_at
        rows.append(replace(row, person=person, flags=flags, joined_at=joined))
    plan = replace(record.plan, starts_at=start, ends_at=start + timedelta(hours=1))
    return replace(
        record, session_id=session_id, version=1, plan=plan, attendance=tuple(rows)
    )


def freeze(site: Site, db: Connection, record: Record) -> None:
    assert record.plan is not None
    store, at = site.evening.store, record.plan.ends_at
    notes.freeze(db, store, record.session_id, lambda _: record_json(record), "x", at)


def a_term(site: Site) -> str:
    """Nine weeks before this evening, all confirmed but the last; the last one's id."""
    one = site.evening
    with one.store.unit() as db:
        [group] = groups.listed(db, one.store)
        last = ""
        for week in range(WEEKS, 0, -1):
            begins = datetime.fromisoformat("2026-11-17T19:00") - timedelta(weeks=week)
            times = sessions.times(
                begins,
                begins + timedelta(hours=1),
                "Europe/London",
                one.clock.now() - timedelta(weeks=week, hours=3),
            )
            people = one.people
            roster = (sessions.Rostered(person_id=people["anna"], role="lead"),)
            entered = {
                **times,
                "group_id": group.id,
                "platform": "zoom",
                "title": f"Week {week}"
                if week % 4
                else "<script>alert(1)</script> =1+1",
                "workers": roster,
                "clients": (people["ben"], people["chloe"], people["dev"]),
            }
            made = sessions.add(db, one.store, entered, ("zoom",), one.clock.now())
            record = record_of(site, made.id, made.starts_at, week)
            if week > 1:
                freeze(site, db, record)
            last = made.id
    return last


async def addresses(site: Site) -> dict[str, str]:
    """Every page of the records, by a short name."""
    a_term(site)
    one = site.evening
    await one.join("anna", "ben", "chloe")
    await one.wait(20)
    await one.leave("anna")
    await one.wait(20)
    await one.join("anna")
    return {
        "records": "/records",
        "records-none": "/records?from=2020-01-01&to=2020-02-01",
        "records-refused": "/records?from=soon",
        "register": "/records/register",
        "register-none": "/records/register?from=2020-01-01&to=2020-02-01",
        "picture": f"/sessions/{one.session_id}/record/picture",
        "layouts": "/records/layouts",
        "history": f"/people/{one.people['chloe']}/history",
    }


async def faults_of(page: Page, name: str) -> list[str]:
    """What axe finds, on a phone and a desk, light and dark. CHAPERONE_PICTURES: a look."""
    found: list[str] = []
    await page.wait_for_load_state()
    await page.evaluate(OPEN_ALL)
    for size, shade in product((PHONE, DESK), ("light", "dark")):
        window_size = ViewportSize(width=size["width"], height=size["height"])
        await page.set_viewport_size(window_size)
        await page.emulate_media(color_scheme=shade)  # type: ignore[arg-type]
        results = await Axe().run(page)
        where = f"{name} {size['width']} {shade}"
        found += [
            f"{where} {v['id']}: {v['nodes'][0]['html'][:200]}"
            for v in results.response["violations"]
        ]
        if await page.evaluate(TOO_WIDE):
            found.append(f"{where} wider than the window")
        if folder := os.environ.get("CHAPERONE_PICTURES"):
            shot = Path(folder) / f"{where.replace(' ', '-')}.png"
            await page.screenshot(path=shot, full_page=True)
    return found


async def test_every_page_is_for_everybody(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    found: list[str] = []
    files: list[str] = []
    paths = await addresses(site)
    async with window(chromium, site, role=LEAD) as anna:
        for name, path in paths.items():
            answer = await anna.page.goto(site.address + path)
            assert answer is not None
            (tmp_path / f"{name}.html").write_bytes(await answer.body())
            files.append(str(tmp_path / f"{name}.html"))
            found += await faults_of(anna.page, name)
        await anna.page.goto(f"{site.address}/records")
        await anna.page.get_by_role("button", name="Make the file").click()
        await expect(anna.page.get_by_role("heading", name="Ready")).to_be_visible()
        found += await faults_of(anna.page, "job")

    assert found == []
    assert [said for said in anna.complaints if "422" not in said] == []
    if CHECKER.exists():  # without it tests/browser/test_html.py skips, or fails in CI
        assert await complaints(CHECKER, files) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_term_is_saved_as_a_file(
    chromium: Browser, site: Site, tmp_path: Path, scripts: bool
) -> None:
    """Without scripts somebody presses "Look again"; with them the page does."""
    a_term(site)
    async with window(chromium, site, role=LEAD, scripts=scripts) as anna:
        await anna.page.goto(f"{site.address}/records")
        await anna.page.get_by_label("Kind of file").select_option("pdf")
        await anna.page.get_by_role("button", name="Make the file").click()
        ready = anna.page.get_by_role("heading", name="Ready")
        for _ in range(0 if scripts else 100):
            if await ready.is_visible():
                break
            await anna.page.get_by_role("link", name="Look again").click()
        await expect(ready).to_be_visible()
        async with anna.page.expect_download() as saving:
            await anna.page.get_by_role("link", name="Save records-").click()
        await (await saving.value).save_as(tmp_path / "term.pdf")

    assert (tmp_path / "term.pdf").read_bytes().startswith(b"%PDF-1.")
