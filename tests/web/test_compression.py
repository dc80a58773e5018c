"""Pages and files go out small; what must not wait, or is small already, as it is."""

import pytest

from app.web.shell import AS_THEY_ARE
from tests.web.conftest import Front
from tests.web.reading import Page, signed_in

pytestmark = pytest.mark.anyio

GZIP = {"accept-encoding": "gzip"}
PLAIN = {"accept-encoding": "identity"}


async def test_a_page_is_compressed_for_who_can_read_it(front: Front) -> None:
    async with signed_in(front) as anna:
        path = f"{anna.session}/live"
        small = await anna.client.get(path, headers=GZIP)
        whole = await anna.client.get(path, headers=PLAIN)
        style = await anna.client.get("/static/chaperone.css", headers=GZIP)

    for answer in (small, style):
        assert answer.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in answer.headers["vary"].lower()
        assert int(answer.headers["content-length"]) < len(answer.content) / 2
    assert "content-encoding" not in whole.headers
    assert Page(small).words == Page(whole).words


async def test_a_file_that_is_small_already_goes_as_it_is(front: Front) -> None:
    await front.evening.join("anna", "ben")
    async with signed_in(front) as anna:
        record = f"{anna.session}/record/export"
        kinds = ("pdf", "xlsx", "docx", "json")
        answers = {
            kind: await anna.client.get(f"{record}/{kind}", headers=GZIP)
            for kind in kinds
        }

    packed = {k: a.headers.get("content-encoding") for k, a in answers.items()}
    assert packed == {"pdf": None, "xlsx": None, "docx": None, "json": "gzip"}
    assert "text/event-stream" in AS_THEY_ARE


async def test_a_token_stands_in_no_page_twice_the_same(front: Front) -> None:
    """Compressed, a secret that stands still could be told from the length of pages."""
    async with signed_in(front) as anna:
        shown = [
            {f.fields["csrf"] for f in (await anna.open("/account")).forms}
            for _ in range(3)
        ]

    assert [len(one) for one in shown] == [1, 1, 1]
    assert len(set.union(*shown)) == 3
