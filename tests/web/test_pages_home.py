"""The front page: what needs Anna now, what is late, and what a new house does first."""

from datetime import date, timedelta

import pytest

from app.core.presses import LadderPressed, NotesSaved, Step
from app.store import dossiers, people
from app.store.dossiers import Dossier
from app.web.access import Role
from tests.web.conftest import Front
from tests.web.reading import Page, signed_in

pytestmark = pytest.mark.anyio

LEAD = Role.SESSION_LEAD


def part(page: Page, title: str) -> str:
    """The words of one section, up to the next heading of the page."""
    words = page.words
    if title not in words:
        return ""
    rest = words.split(title, 1)[1]
    for following in ("Late (", "Needs you now (", " Today ", "There is no session"):
        rest = rest.split(following, 1)[0]
    return rest


async def test_before_the_session_it_says_what_stops_it(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.open("/")
    needed = part(page, "Needs you now (")
    assert "Worries at school is not ready:" in needed
    assert "(starts 19:00) Open the checklist" in needed
    assert "invitation" not in needed  # Anna is here as a worker: others invite
    assert "Late" not in page.words


async def test_who_plans_is_told_of_missing_invitations(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open("/")
        told = "Worries at school: 3 young people have no invitation yet."
        assert told in part(page, "Needs you now (")
        shown = await anna.press("invitations", "Show the text to hand over to Chloe")
        await anna.press(shown, "I have handed it over")
        page = await anna.open("/")
        assert "2 young people have no invitation yet." in page.words


async def test_notes_attendance_and_welfare_calls_are_asked_for_and_then_late(
    front: Front,
) -> None:
    one = front.evening
    await one.join("anna", "sam", "ben", "chloe")
    connections = [
        connection
        for instance in (await one.state()).instances.values()
        for connection in instance.connections.values()
    ]
    press = LadderPressed(
        at=one.clock.now(),
        by=one.people["anna"],
        press_id="press-1",
        step=Step.REMOVE,
        connection=next(c.key for c in connections if "ben" in c.key),
        immediate=True,
    )
    await one.engine.accept_press(one.session_id, press)
    await one.engine.step()
    await one.leave("ben")
    async with signed_in(front) as anna:
        page = await anna.open("/")
        needed = part(page, "Needs you now (")
        assert "Worries at school: find out how Ben is." in needed
        assert "why somebody was removed at once" in needed
    one.clock.advance(timedelta(minutes=20))
    async with signed_in(front) as anna:
        page = await anna.open("/")
        assert "find out how Ben is. (due" in part(page, "Late (")
    await one.leave("chloe", "sam", "anna")
    await one.ended()
    one.clock.advance(timedelta(hours=2))
    async with signed_in(front) as anna:
        page = await anna.open("/")
        assert "Notes of Worries at school. (due Wed 18 Nov, 20:00)" in (
            part(page, "Needs you now (")
        )
    one.clock.advance(timedelta(hours=24))
    async with signed_in(front) as anna:
        page = await anna.open("/")
        assert "Notes of Worries at school." in part(page, "Late (")
        saved = NotesSaved(at=one.clock.now(), by=one.people["anna"], version=1)
        await one.engine.accept_press(one.session_id, saved)
        page = await anna.open("/")
        assert "Attendance of Worries at school." in part(page, "Late (")
    one.clock.advance(timedelta(days=30))
    async with signed_in(front) as anna:
        assert "Attendance of Worries" not in (await anna.open("/")).words


@pytest.mark.parametrize(
    ("reviewed", "renew", "late"),
    [
        (date(2025, 11, 17), date(2026, 11, 17), False),
        (date(2025, 11, 16), date(2026, 11, 16), True),
    ],
    ids=["the last good day", "the day after"],
)
async def test_reviews_and_papers_that_ran_out(
    front: Front, reviewed: date, renew: date, late: bool
) -> None:
    one = front.evening
    now, ben, sam = one.clock.now(), one.people["ben"], one.people["sam"]
    with one.store.unit() as db:
        changes = {"high_risk": True, "risk_reviewed_on": reviewed}
        people.change(db, one.store, ben, changes, now)
        papers = Dossier(
            person_id=sam,
            disclosure="enhanced",
            disclosure_on=date(2023, 11, 16),
            disclosure_renew_on=renew,
            training_on=date(2026, 1, 1),
        )
        dossiers.keep(db, one.store, papers, now)
    async with signed_in(front, role=LEAD) as anna:
        told = part(await anna.open("/"), "Late (")
    assert ("Ben: the risk review is due." in told) is late
    assert ("Sam: disclosure check due again." in told) is late
    async with signed_in(front, "sam") as other:
        assert part(await other.open("/"), "Late (") == ""


async def test_a_safeguarding_lead_is_told_of_a_concern(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        written = {"text": "Facts.", "danger": "no"}
        await sam.press("/concern", "Raise this concern", **written)
        assert "A concern waits" not in (await sam.open("/")).words
    async with signed_in(front, role=Role.SAFEGUARDING_LEAD) as anna:
        page = await anna.open("/")
        needed = part(page, "Needs you now (")
        assert needed.split(")", 1)[1].strip().startswith("A concern waits")


async def test_an_administrator_sees_no_session_and_where_to_go(front: Front) -> None:
    async with signed_in(front, role=Role.ADMINISTRATOR) as anna:
        words = (await anna.open("/")).words
    assert "You look after Chaperone" in words
    assert "Worries" not in words


async def test_an_empty_house_says_what_comes_first(front: Front) -> None:
    one = front.evening
    now = one.clock.now()
    with one.store.unit() as db:
        gil = people.Person(kind="worker", name="Gil")
        one.people["gil"] = people.add(db, one.store, gil, now).id
    async with signed_in(front, "gil", LEAD) as gil_:
        page = await gil_.open("/")
        assert "Four steps to the first one:" in page.words
        assert "✓ Done At least two workers" in page.words
        links = [given.get("href") for tag, given in page.tags if tag == "a"]
        assert "/plan" in links
    async with signed_in(front, "gil") as worker:
        assert "Ask whoever planned it." in (await worker.open("/")).words
