"""Notes, attendance and record, as Anna and Sam write them afterwards."""

import pytest

from tests.engine.room import seat
from tests.web.conftest import Front
from tests.web.reading import Browser, Page, signed_in

pytestmark = pytest.mark.anyio


async def an_evening(front: Front) -> None:
    """An hour with Ben, and it is over."""
    await front.evening.join("anna", "sam", "ben")
    await front.evening.wait(30)
    await front.evening.leave("ben")
    await front.evening.leave("anna", "sam")
    front.evening.room.started = False
    await front.evening.ended()


async def test_notes_are_kept_in_versions(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.press("notes", "Save the notes", text="We spoke of exams.")
        assert "✓ Saved. Version 1, saved by Anna , 18:50" in page.words
        page = await anna.press(page, "Save the notes", text="\r\n=1+1\r\nBen: fine.")
        assert "Version 2" in page.words
        assert page.form("Save the notes").fields["text"] == "\n=1+1\nBen: fine."
        again = await anna.open("record")

    assert "=1+1 Ben: fine." in again.words


async def test_two_who_write_at_once_get_both_texts(front: Front) -> None:
    """S09."""
    async with signed_in(front) as anna, signed_in(front, "sam") as sam:
        ours, theirs = await anna.open("notes"), await sam.open("notes")
        await anna.press(ours, "Save the notes", text="Anna saw <this>.")
        both = await sam.press(theirs, "Save the notes", text="Sam saw that.")
        assert both.status == 409
        assert "Anna saw <this>." in both.words
        assert both.form("Save both together").fields["text"] == "Sam saw that."
        saved = await sam.press(
            both, "Save both together", text="Anna saw <this>. Sam saw that."
        )

    assert "Version 2, saved by Sam" in saved.words


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_empty_notes_are_not_saved(front: Front, text: str) -> None:
    async with signed_in(front) as anna:
        page = await anna.press("notes", "Save the notes", text=text)
    assert page.status == 422
    assert (await front.evening.state()).notes_version == 0


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
async def test_a_strange_version_keeps_what_was_typed(
    front: Front, version: str
) -> None:
    async with signed_in(front) as anna:
        page = await anna.press("notes", "Save the notes", text="Hm.", version=version)
    assert page.status == 422
    assert page.form("Save the notes").fields["text"] == "Hm."


async def amended(anna: Browser, **entered: str) -> Page:
    """Correct Ben's line."""
    page = await anna.open("attendance")
    form = next(
        f for f in page.forms if f.fields.get("line", "").endswith(_ben(anna.front))
    )
    return await anna.send(form, **entered)


def _ben(front: Front) -> str:
    return front.evening.people["ben"]


async def test_the_table_is_drafted_corrected_and_confirmed(front: Front) -> None:
    await an_evening(front)
    async with signed_in(front) as anna:
        page = await anna.open("attendance")
        assert "Ben Client 18:50:00 18:50:30 30 seconds" in page.words
        page = await amended(anna, left="2026-11-17T18:50:20", reason="Clock <b>")
        assert "18:50:00 18:50:20 20 seconds" in page.words
        assert "Corrected by Anna , 18:50: Clock <b>" in page.words
        record = await anna.press(page, "Confirm the attendance")
        assert "Confirmed by Anna" in record.words
        assert "frozen as version 1" in record.words
        await front.evening.wait(1)
        page = await amended(anna, left="2026-11-17T18:50:10", reason="Again")
        assert "A line was corrected since." in page.words

    state = await front.evening.state()
    assert state.attendance_confirmed is not None
    assert state.attendance_confirmed[2] == 1


REFUSED = (
    ({"left": "2026-11-17T18:50:20", "reason": ""}, "Write why this is corrected."),
    ({"left": "yesterday", "reason": "x"}, "Enter a date and a time"),
    ({"left": "2026-11-17T18:40:00", "reason": "x"}, "The leaving lies before"),
    ({"left": "2026-11-17T20:50:00", "reason": "x"}, "has not come yet"),
    ({"left": "1970-01-01T00:00:00", "reason": "x"}, "not near this session"),
    ({"reason": "x"}, "Change at least one of the times"),
    ({"person": "person-nobody", "reason": "x"}, "Choose somebody from the list"),
)


@pytest.mark.parametrize(("entered", "told"), REFUSED, ids=[r[1] for r in REFUSED])
async def test_a_correction_that_cannot_be(
    front: Front, entered: dict[str, str], told: str
) -> None:
    await an_evening(front)
    async with signed_in(front) as anna:
        page = await amended(anna, **entered)
    assert page.status == 422
    assert told in page.words
    assert (await front.evening.state()).amendments == []


async def test_nobody_confirms_while_the_call_runs(front: Front) -> None:
    await an_evening(front)
    async with signed_in(front) as anna:
        form = (await anna.open("attendance")).form("Confirm the attendance")
        front.evening.room.instance = "uuid-2"
        await front.evening.join("anna")
        page = await anna.send(form)
        assert page.status == 422
        assert "Confirm the attendance" not in str([f.buttons for f in page.forms])
    assert seat("anna").name == "Anna"
    assert (await front.evening.state()).attendance_confirmed is None


@pytest.mark.parametrize(
    ("suffix", "kind", "begins"),
    [("csv", "text/csv", b"\xef\xbb\xbf"), ("json", "application/json", b"{")],
)
async def test_the_record_as_a_file(
    front: Front, suffix: str, kind: str, begins: bytes
) -> None:
    await an_evening(front)
    async with signed_in(front) as anna:
        link = f"{anna.session}/record/export/{suffix}"
        assert ("a", {"class": "button quiet", "href": link}) in (
            await anna.open("record")
        ).tags
        answer = await anna.client.get(link)
        assert (await anna.open("record/export/exe")).status == 404

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    told = answer.headers["content-disposition"]
    assert told.startswith('attachment; filename="')
    assert told.endswith(f'.{suffix}"')
    assert answer.content.startswith(begins)


async def test_the_record_says_that_nobody_was_left_alone(front: Front) -> None:
    await an_evening(front)
    async with signed_in(front) as anna:
        words = (await anna.open("record")).words
    assert "Last client out 18:50:30 Last worker out 18:50:30" in words
    assert "Ben came in." in words


async def test_a_closed_session_offers_nothing_that_is_over(front: Front) -> None:
    """I7: its links are dead, so no page offers to make or show one."""
    await an_evening(front)
    async with signed_in(front) as anna:
        before = await anna.open("checklist")
        assert before.form("Make missing links")
        await anna.press("live/confirm/closed", "Close the session")
        checklist = await anna.open("checklist")
        overview = await anna.open("")

    assert "The session is closed: its links are dead." in checklist.words
    offered = {button for form in checklist.forms for button in form.buttons}
    assert offered.isdisjoint({"Make missing links", "Show the link"})
    assert not any(button.startswith("Make a new link") for button in offered)
    assert "After the session Open the record" in overview.words


async def test_an_alarm_of_a_closed_session_asks_for_no_haste(front: Front) -> None:
    await front.evening.join("anna", "ben")
    await front.evening.leave("anna")
    async with signed_in(front) as anna:
        assert "Join the call now." in (await anna.open("live")).words
        await front.evening.ended()
        await anna.press("live/confirm/closed", "Close the session")
        page = await anna.open("live")

    assert "Join the call now." not in page.words
    assert "Take the alarm to say that you know of it." in page.words
