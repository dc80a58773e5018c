"""Closing: clients out with proof, the debrief and its words, what has to follow; drafts."""

import pytest

from app.store import drafts, people
from app.web.access import Role
from tests.web.conftest import Front
from tests.web.reading import Browser, Page, signed_in

pytestmark = pytest.mark.anyio

WORDS = {
    "went_well": "Everybody spoke.",
    "change": "Start with <b>quiet</b> ones.",
    "staff": "=1+1",
}


async def closing(front: Front, anna: Browser) -> None:
    """The goodbye is said, Ben has gone by himself."""
    await front.evening.join("anna", "sam", "ben")
    await anna.press("live/confirm/close", "Close to clients")
    await front.evening.wait(10)


async def test_clients_are_out_when_the_room_shows_it_and_the_debrief_has_a_clock(
    front: Front,
) -> None:
    async with signed_in(front) as anna:
        await closing(front, anna)
        page = await anna.open("live")
        assert "1 still in the room" in page.words
        assert "Among yourselves" not in page.words

        await front.evening.leave("ben")
        await front.evening.wait(130)
        page = await anna.open("live")

    out = "All clients are out: the last one left at 18:50:10 , the room shows it."
    assert out in page.words
    assert "Among yourselves since 18:50:10 . 2 minutes" in page.words
    [clock] = [given for tag, given in page.tags if given.get("class") == "elapsed"]
    assert clock["data-since"] == "2026-11-17T18:50:10.000Z"


async def test_the_debrief_is_written_down_and_two_add_to_it(front: Front) -> None:
    async with signed_in(front) as anna, signed_in(front, "sam") as sam:
        await closing(front, anna)
        await front.evening.leave("ben")
        live = await sam.open("live")
        await anna.press("live", "The debrief is done", **WORDS)
        await sam.press(live, "The debrief is done", went_well="Ben stayed.")
        await sam.press("notes", "Add it", staff="I am fine.")
        notes, record = await anna.open("notes"), await anna.open("record")

    for page in (notes, record):
        assert "Everybody spoke. Ben stayed." in page.words
        assert "Start with <b>quiet</b> ones." in page.words
        assert "=1+1 I am fine." in page.words


async def agreed(browser: Browser, page: str = "notes", **changed: str) -> Page:
    entered = {
        "what": "Ask the school",
        "owner": browser.front.evening.people["sam"],
        "due": "2026-11-20",
    }
    return await browser.press(page, "Agreed", **entered | changed)


async def test_what_has_to_follow_has_an_owner_and_a_day(front: Front) -> None:
    async with signed_in(front) as anna, signed_in(front, "sam") as sam:
        page = await agreed(anna)
        assert "Ask the school : Sam Due Fri 20 Nov, 23:59 ." in page.words
        home = await sam.open("/")
        assert "Worries at school: Ask the school (Sam)" in home.words
        empty = await sam.press("notes", "Done", outcome=" ")
        assert "Write what came of it in a sentence." in empty.words
        page = await sam.press("notes", "Done", outcome="They have one.")

    assert "Nothing is open." in page.words
    assert "Ask the school : done 18:50 , Sam" in page.words


async def test_what_was_agreed_is_taken_back(front: Front) -> None:
    async with signed_in(front) as anna:
        await agreed(anna)
        page = await anna.press("notes", "Take it back")

    assert "Nothing is open." in page.words
    [task] = (await front.evening.state()).agreed.values()
    assert task.dropped


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"what": " "}, "Write what has to be done."),
        ({"owner": ""}, "Choose who does it."),
        ({"owner": "person-elsewhere"}, "Choose who does it."),
        ({"due": ""}, "Say by which day."),
        ({"due": "2026-02-30"}, "Enter a day such as"),
        ({"due": "2026-11-16"}, "Choose a day from today on, within a year."),
        ({"due": "2027-11-19"}, "Choose a day from today on, within a year."),
    ],
)
async def test_what_cannot_be_agreed_keeps_what_was_typed(
    front: Front, changed: dict[str, str], sentence: str
) -> None:
    async with signed_in(front) as anna:
        page = await agreed(anna, **changed)

    assert page.status == 422
    assert sentence in page.words
    assert page.form("Agreed").fields["what"] == changed.get("what", "Ask the school")
    assert not (await front.evening.state()).agreed


@pytest.mark.parametrize("day", ["2026-11-17", "2027-11-18"])
async def test_the_first_and_the_last_day_that_can_be_agreed(
    front: Front, day: str
) -> None:
    async with signed_in(front) as anna:
        assert (await agreed(anna, due=day)).status == 200


async def test_a_draft_is_its_writers_alone_until_it_is_saved(front: Front) -> None:
    """S11: Anna's telephone dies; she goes on at her desk."""
    async with signed_in(front) as anna, signed_in(front, "sam") as sam:
        page = await anna.open("notes")
        form = page.form("Save the notes")
        quiet = {**form.fields, "text": "We spoke of =1+1", "quietly": "1"}
        kept = await anna.client.post(
            f"{anna.session}/draft/notes",
            data=quiet,
            headers={"origin": "https://chaperone.example"},
        )
        assert kept.status_code == 204
        theirs = await sam.open("notes")
        assert "Anna is writing as well, last 18:50 ." in theirs.words
        assert "=1+1" not in theirs.answer.text
        await sam.press(theirs, "Save the notes", text="Sam's text.")

        again = await anna.open("notes")
        assert again.form("Save the notes").fields["text"] == "We spoke of =1+1"
        both = await anna.press(again, "Save the notes")
        assert both.status == 409
        assert "Sam's text." in both.words
        saved = await anna.press(both, "Save both together")
        assert "This is your draft" not in saved.words

    assert left(front, "anna") is None


async def test_a_draft_is_kept_by_a_button_and_thrown_away(front: Front) -> None:
    """Without scripts as well."""
    async with signed_in(front) as anna:
        form = (await anna.open("notes")).form("Keep as a draft")
        form.action = f"{anna.session}/draft/notes"
        page = await anna.send(form, text="Half a")
        assert "This is your draft of 18:50 ." in page.words
        page = await anna.press(page, "Throw it away")
        assert page.form("Save the notes").fields["text"] == ""

    assert left(front, "anna") is None


def left(front: Front, name: str) -> str | None:
    """What this person's draft of the notes says."""
    one = front.evening
    with one.store.unit() as db:
        found = drafts.own(db, one.store, one.session_id, one.people[name], "notes")
    return found.fields.get("text")


async def test_what_was_typed_in_the_debrief_comes_back(front: Front) -> None:
    async with signed_in(front) as anna:
        await closing(front, anna)
        form = (await anna.open("live")).form("The debrief is done")
        form.action = f"{anna.session}/draft/debrief"
        page = await anna.send(form, **WORDS)
        fields = page.form("The debrief is done").fields
        assert {name: fields[name] for name in WORDS} == WORDS


async def test_no_draft_of_a_form_there_is_not_nor_by_who_only_looks(
    front: Front,
) -> None:
    async with signed_in(front) as anna:
        form = (await anna.open("notes")).form("Save the notes")
        form.action = f"{anna.session}/draft/elsewhere"
        assert (await anna.send(form, text="x")).status == 404
        form.action = f"{anna.session}/draft/notes"
        assert (await anna.send(form, text="x" * 100_001)).status == 422
    one = front.evening
    with one.store.unit() as db:
        noor = people.Person(kind="worker", name="Noor")
        one.people["noor"] = people.add(db, one.store, noor, one.clock.now()).id
    async with signed_in(front, "noor", Role.SAFEGUARDING_LEAD) as lead:
        form = (await lead.open("notes")).form("Sign out")
        form.action = f"{lead.session}/draft/notes"
        form.fields |= {"key": "k" * 20}
        assert (await lead.send(form, text="x")).status == 403

    assert left(front, "anna") is None
