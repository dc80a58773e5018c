"""Records, register, history and files of a term, as each role sees them."""

import asyncio
import csv
import io

import pytest

from app.store import sessions
from app.web.access import Role
from tests.exports.opened import opened
from tests.web.conftest import Front
from tests.web.reading import Browser, Page, signed_in
from tests.web.test_pages_after import an_evening

pytestmark = pytest.mark.anyio

TERM = "from=2026-09-01&to=2026-12-18"


async def held(front: Front) -> None:
    """The evening is over and the planned hour has begun."""
    await an_evening(front)
    await front.evening.wait(700)


async def done(browser: Browser, page: Page) -> Page:
    """Look again, as a person does, until the file is there."""
    path = str(page.answer.url.path)
    for _ in range(500):
        page = await browser.open(path)
        if "Going on" not in page.words:
            return page
        await asyncio.to_thread(bool)
    raise AssertionError(page.words)


async def test_a_session_that_has_begun_stands_in_the_list(front: Front) -> None:
    async with signed_in(front) as anna:
        before = await anna.open(f"/records?{TERM}")
        assert "Sessions (0)" in before.words
        await held(front)
        page = await anna.open(f"/records?{TERM}")
        assert "Sessions (1)" in page.words
        assert "! Not confirmed" in page.words
        assert "! No notes" in page.words
        await anna.press("notes", "Save the notes", text="A calm evening.")
        await anna.press("attendance", "Confirm the attendance")
        page = await anna.open(f"/records?{TERM}")
        assert "✓ Confirmed" in page.words
        assert "No notes" not in page.words


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ("", 1),
        ("&from=2026-11-17&to=2026-11-17", 1),
        ("&to=2026-11-16&from=2026-09-01", 0),
        ("&from=2026-11-18&to=2026-12-18", 0),
        ("&from=9999-12-31&to=9999-12-31", 0),
        ("&from=0001-01-01&to=0001-01-01", 0),
        ("&state=open", 1),
        ("&state=confirmed", 0),
        ("&state=without_notes", 1),
        ("&state=nonsense", 1),
        ("&group=group-nobody-knows", 0),
    ],
)
async def test_the_list_is_filtered(front: Front, chosen: str, count: int) -> None:
    await held(front)
    async with signed_in(front) as anna:
        page = await anna.open(f"/records?{chosen}")
    assert f"Sessions ({count})" in page.words


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("from=soon", "Enter a day, such as 2026-09-01."),
        ("from=2026-12-01&to=2026-11-01", "The last day is before the first."),
        ("from=2020-01-01&to=2026-11-01", "Choose two years at most."),
        ("to=%3Cscript%3E", "Enter a day, such as 2026-09-01."),
    ],
)
async def test_days_that_cannot_be_are_told(
    front: Front, chosen: str, sentence: str
) -> None:
    async with signed_in(front) as anna:
        for path in ("/records", "/records/register"):
            page = await anna.open(f"{path}?{chosen}")
            assert page.status == 422
            assert sentence in page.words
            assert "<script>" not in page.answer.text.replace("<script src", "")


@pytest.mark.parametrize("suffix", ["pdf", "docx", "xlsx", "csv", "json"])
async def test_a_term_is_one_file_made_while_one_may_leave(
    front: Front, suffix: str
) -> None:
    await held(front)
    async with signed_in(front, role=Role.SESSION_LEAD) as anna:
        await anna.press("notes", "Save the notes", text="A calm evening. =1+1")
        page = await anna.press(
            f"/records?{TERM}", "Make the file of 1 session", format=suffix
        )
        assert page.status == 200
        page = await done(anna, page)
        assert "✓ The file is written" in page.words
        listed = await anna.open("/records")
        assert f"{suffix.upper()}, 1 session" in listed.words
        file = await anna.client.get(f"{page.answer.url.path}/file")

    assert file.status_code == 200
    assert "2026-11-17-to-2026-11-17" in file.headers["content-disposition"]
    plain = suffix in ("csv", "json")
    text = file.text if plain else opened(suffix, file.content)
    assert "Ben" in text
    if suffix != "csv":
        assert "A calm evening. =1+1" in text


async def test_notes_written_after_it_was_confirmed_are_in_the_file(
    front: Front,
) -> None:
    await held(front)
    async with signed_in(front, role=Role.SESSION_LEAD) as anna:
        await anna.press("attendance", "Confirm the attendance")
        await anna.press("notes", "Save the notes", text="Written the day after.")
        page = await anna.press("/records", "Make the file", format="json")
        page = await done(anna, page)
        file = await anna.client.get(f"{page.answer.url.path}/file")

    [record] = file.json()["records"]
    assert record["standing"].startswith("confirmed ")
    assert record["notes_text"] == "Written the day after."
    assert record["notes"]["by"]["name"] == "Anna"


async def test_a_file_is_for_who_asked_alone(front: Front) -> None:
    await held(front)
    async with (
        signed_in(front, role=Role.SESSION_LEAD) as anna,
        signed_in(front, "sam", role=Role.SAFEGUARDING_LEAD) as sam,
    ):
        page = await anna.press("/records", "Make the file", format="csv")
        page = await done(anna, page)
        path = page.answer.url.path
        assert (await sam.open(path)).status == 404
        assert (await sam.client.get(f"{path}/file")).status_code == 404
        assert (await anna.client.get(f"{path}/file")).status_code == 200


async def test_what_cannot_be_exported_is_told_in_a_sentence(front: Front) -> None:
    await held(front)
    async with signed_in(front, role=Role.SESSION_LEAD) as anna:
        page = await anna.press("/records", "Make the file", format="exe")
        assert (page.status, "Choose what kind of file." in page.words) == (422, True)
        form = (await anna.open("/records")).form("Make the file")
        page = await anna.send(
            form, format="pdf", to="2026-09-02", **{"from": "2026-09-01"}
        )
        assert page.status == 422
        assert "There is no session to export in these days." in page.words


async def test_who_may_not_export_a_term_is_refused(front: Front) -> None:
    """A worker exports one session; an administrator sees no content at all."""
    await held(front)
    async with signed_in(front) as anna:
        page = await anna.open("/records")
        assert "as one file" not in page.words
        assert (await anna.open("/records/register/csv")).status == 403
        assert (await anna.open("/records/exports/x")).status == 403
        answer = await anna.client.get(f"{anna.session}/record/export/pdf")
        assert answer.content.startswith(b"%PDF-1.")
    async with signed_in(front, role=Role.ADMINISTRATOR) as administrator:
        for path in (
            "/records",
            "/records/register",
            "/records/register/csv",
            f"/people/{front.evening.people['ben']}/history",
        ):
            assert (await administrator.open(path)).status == 403, path
        for path in ("record/picture", "record/export/csv"):
            assert (await administrator.open(path)).status == 404, path


async def test_others_sessions_are_in_no_list_file_or_history(front: Front) -> None:
    """S05: Sam is on the list of workers no more, and leads no group."""
    await held(front)
    one = front.evening
    with one.store.unit() as db:
        roster = (sessions.Rostered(person_id=one.people["anna"], role="lead"),)
        sessions.change(db, one.store, one.session_id, {"workers": roster}, ("zoom",))
    ben = one.people["ben"]
    async with signed_in(front, "sam", role=Role.SESSION_LEAD) as sam:
        assert "Sessions (0)" in (await sam.open("/records")).words
        assert "No session of yours" in (await sam.open("/records/register")).words
        assert (await sam.open("/records/register/csv")).status == 404
        history = await sam.open(f"/people/{ben}/history")
        assert "No session in these days that you may see" in history.words
    async with signed_in(front, "sam", role=Role.SAFEGUARDING_LEAD) as sam:
        assert "Sessions (1)" in (await sam.open("/records")).words


async def test_the_register_shows_who_came_and_how_many(front: Front) -> None:
    await held(front)
    async with signed_in(front, role=Role.SESSION_LEAD) as anna:
        page = await anna.open(f"/records/register?{TERM}")
        file = await anna.client.get(f"/records/register/csv?{TERM}")

    assert tuple(
        tag for tag in ("svg", "rect", "table") if any(t == tag for t, _ in page.tags)
    ) == ("svg", "rect", "table")
    assert "Tuesday 17 November 2026 Worries at school" in page.words
    assert "Dev client 0 of 1 absent" in page.words
    rows = {r[1]: r[2:] for r in csv.reader(io.StringIO(file.text))}
    assert rows["Dev"] == ["client", "0", "1", "absent"]
    assert (
        "register-2026-09-01-to-2026-12-18.csv" in file.headers["content-disposition"]
    )


async def test_the_room_over_time_has_a_picture_and_a_table(front: Front) -> None:
    async with signed_in(front) as anna:
        empty = await anna.open("record/picture")
        assert "Nobody was in the room yet." in empty.words
        await front.evening.join("anna", "ben")
        await front.evening.wait(5)
        await front.evening.leave("anna")
        await front.evening.wait(5)
        await front.evening.join("anna")
        await front.evening.wait(5)
        page = await anna.open("record/picture")

    assert "0 1 ✕ Clients without a worker" in page.words
    assert {"polyline", "rect"} <= {tag for tag, _ in page.tags}


async def test_a_persons_history_is_their_sessions(front: Front) -> None:
    await held(front)
    ben, dev = front.evening.people["ben"], front.evening.people["dev"]
    async with signed_in(front) as anna:
        page = await anna.open(f"/people/{ben}/history")
        assert "Came to 1 of 1 session" in page.words
        assert "Worries at school" in page.words
        page = await anna.open(f"/people/{dev}/history?{TERM}")
        assert "Came to 0 of 1 session" in page.words
        assert (await anna.open("/people/nobody/history")).status == 404
