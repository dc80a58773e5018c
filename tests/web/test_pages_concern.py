"""Sam raises a concern: kept while he writes, read by the safeguarding lead only."""

from datetime import timedelta

import pytest

from app.store import accounts, concerns, queue
from app.store.concerns import Concern
from app.web.access import Role
from tests.web.conftest import BASE, Front
from tests.web.reading import Browser, Page, signed_in

pytestmark = pytest.mark.anyio

SAFEGUARDING = Role.SAFEGUARDING_LEAD
RAISE = "Raise this concern"
WRITTEN = {
    "danger": "no",
    "about": "Ben",
    "text": "Ben had a bruise <b>here</b>.\n=1+1",
    "said": "“He did it again.”",
    "asked": "Tell me about it.",
    "opinion": "I think it is new.",
    "done": "Told Anna.",
}


def all_of(front: Front) -> list[Concern]:
    """Every concern that was raised."""
    store = front.evening.store
    with store.unit() as db:
        return concerns.raised(db, store, "nobody")


def drafts_of(front: Front, name: str) -> list[Concern]:
    store = front.evening.store
    with store.unit() as db:
        return concerns.drafts(db, store, front.evening.people[name])


async def test_a_concern_is_raised_and_people_are_alerted_at_once(
    front: Front,
) -> None:
    one = front.evening
    with one.store.unit() as db:
        accounts.invite(
            db,
            one.store,
            one.people["anna"],
            "anna@riverside.example",
            [str(SAFEGUARDING)],
            one.clock.now(),
        )
    async with signed_in(front, "sam") as sam:
        page = await sam.press("/concern", RAISE, **WRITTEN)
        assert "Your concern was raised" in page.words
        # What was written shows to nobody but the safeguarding lead, its author included.
        assert "bruise" not in page.words
        assert "bruise" not in (await sam.open("/concern")).answer.text
    await one.engine.step()

    assert sorted(letter.address for letter in one.letters) == [
        "anna@charity.example",
        "https://alarm0.example/",
        "https://alarm1.example/",
    ]
    [concern] = all_of(front)
    for letter in one.letters:
        assert letter.text == "A concern was raised in Chaperone."
        assert letter.session_id == ""
        said = f"{letter.text} {letter.what_to_do} {letter.key}"
        assert not any(word in said for word in ("Ben", "bruise", "Sam"))
    assert dict(concern.body) == {**WRITTEN, "noticed": "", "place": ""}
    assert concern.reporter_id == one.people["sam"]


async def test_the_alarm_is_repeated_until_a_named_person_takes_it(
    front: Front,
) -> None:
    one = front.evening
    async with signed_in(front, "sam") as sam:
        await sam.press("/concern", RAISE, **WRITTEN)
    await one.wait(61)
    assert len(one.letters) == 4
    async with signed_in(front, role=SAFEGUARDING) as anna:
        page = await anna.open("/concerns")
        assert "raised by Sam" in page.words
        assert "bruise" not in page.words
        page = await anna.open(f"/concerns/{all_of(front)[0].id}")
        assert "Ben had a bruise <b>here</b>." in page.words
        assert "Facts Ben had a bruise" in page.words
        assert "Exact words “He did it again.”" in page.words
        assert "Opinion I think it is new." in page.words
        page = await anna.press(page, "I take it")
        assert "Taken by Anna" in page.words
    await one.wait(180)
    assert len(one.letters) == 4


async def test_of_a_concern_and_its_alarm_there_are_both_or_neither(
    front: Front,
) -> None:
    store, now = front.evening.store, front.evening.clock.now()
    draft = Concern(
        id="concern-0123456789abcdef",
        reporter_id="person-1",
        body={"text": "Facts.", "danger": "no"},
    )
    with store.unit() as db:
        concerns.save_draft(db, store, draft, now)
        concerns.raise_concern(db, store, draft.id, [], now)
        concerns.raise_concern(db, store, draft.id, [], now)
        alarms = [row.key for row in queue.open_alarms(db)]
    assert alarms == ["concern:concern-0123456789abcdef"]


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ({"text": "  \u200b"}, "Write what you saw or heard, as facts."),
        ({"danger": ""}, "Say whether anybody is in danger now."),
        ({"danger": "maybe"}, "Say whether anybody is in danger now."),
        ({"about_worker": "person-x"}, "Choose a worker who is on the list."),
        ({"opinion": "x" * 20_001}, "Use at most 20000 characters"),
    ],
)
async def test_what_is_missing_is_told_and_what_was_written_stays(
    front: Front, missing: dict[str, str], told: str
) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.press("/concern", RAISE, **{**WRITTEN, **missing})
        assert page.status == 422
        assert told in page.words
        kept = page.form(RAISE).fields
        assert kept["said"] == WRITTEN["said"]
        page = await sam.send(page.form(RAISE), **{**WRITTEN, "about_worker": ""})
        assert "Your concern was raised" in page.words
    assert len(all_of(front)) == 1


async def test_a_draft_is_kept_while_somebody_writes(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.open("/concern")
        form = page.form(RAISE)
        answer = await quietly(sam, page, text="Half a sen")
        assert (answer, len(drafts_of(front, "sam"))) == (204, 1)
        await quietly(sam, page, text="Half a sentence")
        [draft] = drafts_of(front, "sam")
        assert draft.body["text"] == "Half a sentence"

        again = await sam.open("/concern")
        assert "Your other drafts (1)" in again.words
        assert again.form(RAISE).fields["concern_id"] != form.fields["concern_id"]
        page = await sam.open(f"/concern?draft={draft.id}")
        assert page.form(RAISE).fields["text"] == "Half a sentence"
        page = await sam.press(page, RAISE, danger="yes")
        assert "Your concern was raised" in page.words
        # A window that was still open changes nothing of what was raised.
        assert await quietly(sam, again, concern_id=draft.id, text="Other") == 204
    assert drafts_of(front, "sam") == []
    assert all_of(front)[0].body["text"] == "Half a sentence"


async def quietly(browser: Browser, page: Page, **entered: str) -> int:
    """What static/draft.js sends."""
    fields = {**page.form(RAISE).fields, "quietly": "1", **entered}
    answer = await browser.client.post(
        "/concern/draft", data=fields, headers={"origin": BASE}
    )
    return answer.status_code


async def test_a_draft_is_its_authors_alone(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        await quietly(sam, await sam.open("/concern"), text="The words of Sam")
    [draft] = drafts_of(front, "sam")
    async with signed_in(front, role=SAFEGUARDING) as anna:
        for path in (
            f"/concern?draft={draft.id}",
            f"/concerns/{draft.id}",
            f"/concern/raised/{draft.id}",
            "/concerns",
        ):
            assert "The words of Sam" not in (await anna.open(path)).answer.text
        page = await anna.open("/concern")
        assert await quietly(anna, page, concern_id=draft.id, text="Mine") == 404
        form = page.form(RAISE)
        form.action = "/concern/discard"
        await anna.send(form, concern_id=draft.id)
    assert drafts_of(front, "sam")[0].body["text"] == "The words of Sam"
    async with signed_in(front, "sam") as sam:
        await sam.press(f"/concern?draft={draft.id}", "Throw it away")
    assert drafts_of(front, "sam") == []


async def test_a_concern_about_a_worker_is_kept_from_them(front: Front) -> None:
    """T10: Anna is the safeguarding lead, and it is about her."""
    one, anna_id = front.evening, front.evening.people["anna"]
    with one.store.unit() as db:
        roles, now = [str(SAFEGUARDING)], one.clock.now()
        accounts.invite(db, one.store, anna_id, "anna@riverside.example", roles, now)
    async with signed_in(front, "sam") as sam:
        await sam.press("/concern", RAISE, **WRITTEN, about_worker=anna_id)
    await one.engine.step()
    assert sorted(letter.address for letter in one.letters) == [
        "https://alarm0.example/",
        "https://alarm1.example/",
    ]
    [concern] = all_of(front)
    async with signed_in(front, role=SAFEGUARDING) as anna:
        assert concern.id not in (await anna.open("/concerns")).answer.text
        assert (await anna.open(f"/concerns/{concern.id}")).status == 404
        assert "concern waits" not in (await anna.open("/")).words
    async with signed_in(front, "sam", SAFEGUARDING) as other:
        page = await other.open(f"/concerns/{concern.id}")
        assert "Anna , who cannot read this" in page.words


@pytest.mark.parametrize("role", [Role.WORKER, Role.SESSION_LEAD, Role.ADMINISTRATOR])
async def test_nobody_else_reads_concerns(front: Front, role: Role) -> None:
    async with signed_in(front, "sam") as sam:
        await sam.press("/concern", RAISE, **WRITTEN)
    [concern] = all_of(front)
    async with signed_in(front, role=role) as anna:
        for path in ("/concerns", f"/concerns/{concern.id}"):
            page = await anna.open(path)
            assert page.status == 403
            assert "bruise" not in page.answer.text
        assert (await anna.open(f"/concern/raised/{concern.id}")).status == 404
        # But everybody may raise one, from every page.
        assert (await anna.open("/concern")).status == 200
        home = await anna.open("/")
        assert "/concern" in [given.get("href") for _, given in home.tags]


async def test_the_form_can_take_no_picture(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.open("/concern")
        kinds = {given.get("type") for tag, given in page.tags if tag == "input"}
        answer = await sam.client.post(
            "/concern", files={"picture": b"\x89PNG"}, headers={"origin": BASE}
        )
    assert "file" not in kinds
    assert answer.status_code == 415


async def test_from_a_session_it_says_which(front: Front) -> None:
    session_id = front.evening.session_id
    async with signed_in(front, "sam") as sam:
        live = await sam.open("live")
        link = f"/concern?session={session_id}"
        assert link in [given.get("href") for _, given in live.tags]
        await sam.press(link, RAISE, **WRITTEN)
        await sam.press("/concern?session=session-other", RAISE, **WRITTEN)
    found = {one.session_id for one in all_of(front)}
    assert found == {session_id, ""}
    async with signed_in(front, role=SAFEGUARDING) as anna:
        known = next(one for one in all_of(front) if one.session_id)
        assert "Worries at school" in (await anna.open(f"/concerns/{known.id}")).words


async def test_signed_out_in_between_the_words_are_given_back(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.open("/concern")
        front.evening.clock.advance(timedelta(minutes=16))
        answer = await sam.send(page.form(RAISE), **WRITTEN)
    assert answer.status == 401
    for name in ("text", "said", "opinion"):
        assert WRITTEN[name].split("\n")[0].replace("<b>", "") in (
            answer.words.replace("<b>", "")
        )
