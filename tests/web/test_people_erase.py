"""Erase a person from their page: seen first, the name typed, and nowhere afterwards."""

import pickle
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.core.events import ParticipantJoined
from app.privacy import holds
from app.store import people
from app.web.access import Role
from tests.engine.room import seat
from tests.web.accounts_desk import Office, office
from tests.web.conftest import Front
from tests.web.reading import Browser

pytestmark = pytest.mark.anyio

BEN = "Zephyrin <b>=1+1"
NICK = "xX_zephyr_Xx"
BUTTON = "Erase for good"


@pytest.fixture
async def riverside(front: Front) -> Office:
    """Ben has a name nobody else has, was in the room, is remembered, and left for good."""
    one = office(front.evening)
    one.account("lena", Role.SAFEGUARDING_LEAD)
    evening, store = front.evening, front.evening.store
    with store.unit() as db:
        people.change(
            db,
            store,
            evening.people["ben"],
            {"name": BEN, "contact": "Zephyrin's mother"},
            evening.clock.now(),
        )
    await evening.engine.forget([evening.session_id])
    evening.clock.advance(timedelta(minutes=12))
    await evening.join("anna", "sam")
    place = replace(seat("ben"), name=NICK)
    evening.room.inside[place.uuid] = place
    await evening.tell(
        ParticipantJoined,
        uuid=place.uuid,
        user_id=place.user_id,
        registrant_id=place.registrant_id,
        platform_user_id=place.platform_user_id,
        name=NICK,
    )
    await evening.wait(5)
    return one


@pytest.fixture
async def lena(riverside: Office) -> AsyncIterator[Browser]:
    async with riverside.signed_in("lena") as browser:
        yield browser


def ben(riverside: Office) -> str:
    return f"/people/{riverside.evening.people['ben']}"


def leaves(riverside: Office, name: str = "ben") -> None:
    one = riverside.evening
    with one.store.unit() as db:
        people.deactivate(db, one.people[name], one.clock.now())


def remembered(riverside: Office) -> bytes:
    """Everything this process knows of its sessions."""
    held = riverside.evening.engine.sessions.all().values()
    return b"".join(
        pickle.dumps((one.session, {k: a.action for k, a in one.actions.items()}))
        for one in held
    )


async def told(riverside: Office, browser: Browser) -> str:
    """What the live page and the API say of the evening."""
    pages = [await browser.open(path) for path in ("live", "attendance", "/people")]
    async with riverside.program() as program:
        api = [
            await program.get(f"{riverside.session}/{part}")
            for part in ("roster", "timeline", "attendance", "record")
        ]
    return "\n".join([*(one.answer.text for one in pages), *(one.text for one in api)])


async def test_ben_is_nowhere_in_memory_on_the_live_page_and_in_the_api(
    riverside: Office, lena: Browser
) -> None:
    """Without a restart; the evening goes on."""
    before = await told(riverside, lena)
    assert "Zephyrin" in before
    assert NICK.encode() in remembered(riverside)
    assert b"Zephyrin" in remembered(riverside)

    # He leaves the room, or the next look into it would bring his nickname back.
    await riverside.evening.leave("ben")
    leaves(riverside)
    page = await lena.press(f"{ben(riverside)}/erase", BUTTON, name=BEN)
    assert (page.status, "✓ This person was erased" in page.words) == (200, True)

    assert b"Zephyrin" not in remembered(riverside)
    assert NICK.encode() not in remembered(riverside)
    after = await told(riverside, lena)
    assert "ephyr" not in after
    # The evening goes on: Anna and Sam are still known to be there.
    state = await riverside.evening.state()
    [room] = state.live()
    assert state.names[riverside.evening.people["anna"]] == "Anna"
    assert sum(bool(one.whereabouts().room) for one in room.connections.values()) == 2


async def test_a_program_that_erases_empties_the_memory_too(riverside: Office) -> None:
    await riverside.evening.leave("ben")
    async with riverside.program("people:write") as program:
        answer = await program.post(f"/api/v1{ben(riverside)}/erase")
    assert answer.status_code == 200
    assert "memory" not in {one["what"] for one in answer.json()["stays"]}
    assert b"ephyr" not in remembered(riverside)


async def test_what_goes_and_what_stays_is_seen_before(
    riverside: Office, lena: Browser
) -> None:
    leaves(riverside)
    page = await lena.open(ben(riverside))
    assert "Erase this person" in page.words
    page = await lena.open(f"{ben(riverside)}/erase")
    for words in (
        "Nothing of this has been done yet",
        "Name, contacts, notes about them: what was entered on their page 1",
        "What they typed, and where a sentence about the room names them 1",
        "Facts of the log",
        "it shows why somebody was removed or a room was ended",
        "Concerns, if there are any, stay word for word",
    ):
        assert words in page.words
    assert "Zephyrin <b>" not in page.answer.text
    # Looking changes nothing.
    assert NICK.encode() in remembered(riverside)
    assert "Zephyrin" in (await lena.open("/people")).words


@pytest.mark.parametrize(
    "typed", ["", "Zephyrin", "ben", "x" * 201, "Zephyrin <b>=1+2"]
)
async def test_without_the_right_name_nothing_is_erased(
    riverside: Office, lena: Browser, typed: str
) -> None:
    leaves(riverside)
    page = await lena.press(f"{ben(riverside)}/erase", BUTTON, name=typed)
    assert page.status == 422
    assert "nothing was erased. Type it again." in page.words
    assert page.form(BUTTON).fields["name"] == typed
    assert "Zephyrin" in (await lena.open("/people")).words


async def test_capitals_and_blanks_of_the_typed_name_do_not_matter(
    riverside: Office, lena: Browser
) -> None:
    leaves(riverside)
    page = await lena.press(
        f"{ben(riverside)}/erase", BUTTON, name="  zephyrin   <B>=1+1 "
    )
    assert "✓ This person was erased" in page.words
    # A second time, from an old window: said, and nothing is done.
    again = await lena.open(f"{ben(riverside)}/erase")
    assert BUTTON not in again.words


async def test_who_still_takes_part_leaves_first(
    riverside: Office, lena: Browser
) -> None:
    page = await lena.open(f"{ben(riverside)}/erase")
    assert "They still take part." in page.words
    assert BUTTON not in page.words
    form = (await lena.open("/")).form("Sign out")
    form.action = f"{ben(riverside)}/erase"
    form.fields |= {"form": "erase", "key": "k" * 16}
    forged = await lena.send(form, name=BEN)
    assert (forged.status, "They still take part." in forged.words) == (422, True)
    assert b"Zephyrin" in remembered(riverside)


async def test_nobody_on_hold_is_erased(riverside: Office, lena: Browser) -> None:
    one = riverside.evening
    with one.store.unit() as db:
        holds.place(
            db,
            one.store,
            holds.PERSON,
            one.people["ben"],
            reason="A claim.",
            by="lena",
            review_on=date(2027, 1, 1),
            now=one.clock.now(),
        )
    leaves(riverside)
    page = await lena.open(f"{ben(riverside)}/erase")
    assert "This person is on hold: nothing is erased" in page.words
    assert BUTTON not in page.words


@pytest.mark.parametrize("role", [Role.WORKER, Role.SESSION_LEAD, Role.ADMINISTRATOR])
async def test_nobody_else_erases(riverside: Office, role: Role) -> None:
    riverside.account("sam", role)
    leaves(riverside)
    async with riverside.signed_in("sam") as sam:
        assert (await sam.open(f"{ben(riverside)}/erase")).status == 403
        form = (await sam.open("/")).form("Sign out")
        form.action = f"{ben(riverside)}/erase"
        assert (await sam.send(form, name=BEN)).status == 403
    assert b"Zephyrin" in remembered(riverside)
