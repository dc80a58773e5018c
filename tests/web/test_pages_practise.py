"""Practising (guidance T6): how to, from every page, for everybody who signs in."""

from datetime import timedelta

import pytest

from app.rehearse import scenes
from app.web.access import Role
from app.web.app import create_web
from app.web.pretending import (
    Move,
    MoveRefused,
    PracticeRefused,
    Pretended,
    PretendedCall,
)
from tests.conftest import BEFORE_THE_SESSION
from tests.web.conftest import Front, settings
from tests.web.reading import signed_in

pytestmark = pytest.mark.anyio


async def test_every_page_leads_there(front: Front) -> None:
    async with signed_in(front) as anna:
        for path in ("/", "checklist", "live", "notes", "/concern", "/practise"):
            links = [given.get("href") for _, given in (await anna.open(path)).tags]
            assert "/practise" in links, path


@pytest.mark.parametrize("role", [Role.WORKER, Role.SESSION_LEAD])
async def test_it_offers_only_what_the_role_may_do(front: Front, role: Role) -> None:
    async with signed_in(front, role=role) as anna:
        page = await anna.open("/practise")

    links = {given.get("href") for tag, given in page.tags if tag == "a"}
    assert ({"/groups/new", "/plan"} <= links) == (role is Role.SESSION_LEAD)
    assert "Resume the session" in page.words


async def test_the_evening_it_names_is_one_that_is_played(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.open("/practise")

    [scene] = [word for word in page.words.split() if word in scenes()]
    assert f"--scene {scene}" in page.words


async def test_nobody_who_is_not_signed_in_sees_it(front: Front) -> None:
    async with front.browser() as nobody:
        assert (await nobody.get("/practise")).status_code == 401


# --- here and now ---------------------------------------------------------------------


class Practices:
    """Begins one, or says why not."""

    def __init__(self, why: str = "") -> None:
        self.why = why
        self.begun = 0

    async def begin(self, _person_id: str) -> str:
        if self.why:
            raise PracticeRefused(self.why)
        self.begun += 1
        return "room.cookie"


class Pretending:
    """A pretended call in which Eve waits."""

    def __init__(self) -> None:
        self.moved: list[tuple[str, str]] = []
        self.left = False

    def shown(self) -> PretendedCall:
        at = BEFORE_THE_SESSION
        move = Move("admit", "U-eve", "Admit")
        return PretendedCall(
            running=True,
            waiting=[Pretended("<script>", "", (move,))],
            inside=[],
            moves=[Move("come", "ben", "Ben comes by an own link")],
            told=[(at, "=1+1 waits.")],
            alone=timedelta(seconds=12),
            session_id="session-1",
            ends_at=at,
        )

    def move(self, what: str, who: str) -> None:
        if what == "fly":
            raise MoveRefused("That is not something that can happen here.")
        self.moved.append((what, who))

    def leave(self) -> None:
        self.left = True


def practising(
    front: Front,
    practice: Practices | None = None,
    pretend: Pretending | None = None,
) -> None:
    one = front.evening
    front.app = create_web(
        settings(), one.engine, one.store, one.clock, practice=practice, pretend=pretend
    )


@pytest.mark.parametrize(
    ("minutes", "begins"), [(0, False), (84, False), (85, False), (86, True)]
)
async def test_it_begins_when_no_session_of_theirs_is_near(
    front: Front, minutes: int, begins: bool
) -> None:
    """Theirs is from 19:00 to 20:00; it is 18:50, and later 20:15."""
    practice = Practices()
    practising(front, practice)
    front.evening.clock.advance(timedelta(minutes=minutes))
    async with signed_in(front) as anna:
        page = await anna.press("/practise", "Begin to practise")
        kept = anna.client.cookies.get("__Host-chaperone-practice")

    assert practice.begun == int(begins)
    near = "A session of yours runs now or begins within 45 minutes."
    assert (near in page.words) is not begins
    assert kept == ("room.cookie" if begins else None)


async def test_when_others_practise_it_says_so(front: Front) -> None:
    practising(front, Practices("Others practise just now."))
    front.evening.clock.advance(timedelta(hours=2))
    async with signed_in(front) as anna:
        refused = await anna.press("/practise", "Begin to practise")

    assert (refused.status, "Others practise just now." in refused.words) == (422, True)


async def test_without_a_way_to_practise_it_is_not_offered(front: Front) -> None:
    async with signed_in(front) as anna:
        page = await anna.open("/practise")
        call = await anna.open("/practise/call")

    assert "Begin to practise" not in page.words
    assert call.status == 404


async def test_in_a_practice_every_page_says_so(front: Front) -> None:
    pretend = Pretending()
    practising(front, pretend=pretend)
    async with signed_in(front) as anna:
        for path in ("/", "live", "/people", "/practise/call"):
            page = await anna.open(path)
            assert "Practice. Nothing here is real" in page.words, path
            assert "Test mode" not in page.words
        assert "without a worker: 12 s" in page.words
        assert ("script", {}) not in page.tags
        await anna.press(page, "Admit <script>")
        assert pretend.moved == [("admit", "U-eve")]
        await anna.press(page, "Leave the practice")

    assert pretend.left
