"""Practising (guidance T6): how to, from every page, for everybody who signs in."""

import pytest

from app.rehearse import scenes
from app.web.access import Role
from tests.web.conftest import Front
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
