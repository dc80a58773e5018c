"""A layout for the charity's own database: entered, used, changed, taken away."""

import csv
import io

import pytest

from app.store import people
from app.web.access import Role
from tests.web.conftest import Front
from tests.web.reading import signed_in
from tests.web.test_pages_exports import done, held

pytestmark = pytest.mark.anyio

LEAD = Role.SESSION_LEAD
EVE = "<script>alert(1)</script>"


async def test_a_layout_is_entered_used_changed_and_taken_away(front: Front) -> None:
    await held(front)
    one = front.evening
    with one.store.unit() as db:
        reference = {"reference": "C-17"}
        people.change(db, one.store, one.people["ben"], reference, one.clock.now())
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open("/records/layouts")
        assert page.form("Save").fields["head_0"] == "Client reference"
        page = await anna.press(
            page, "Save the layout", name=EVE, days="%d/%m/%Y", word_present="Attended"
        )
        assert "✓ Saved." in page.words
        assert "<script>alert" not in page.answer.text
        path = page.answer.url.path
        chosen = path.rpartition("/")[2]
        page = await anna.press("/records", "Make the file", format=chosen)
        page = await done(anna, page)
        file = await anna.client.get(f"{page.answer.url.path}/file")
        name = file.headers["content-disposition"]
        assert f'filename="attendance-{chosen}.csv"' in name
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert rows[1] == ["C-17", "Ben", "17/11/2026", "Attended", "1"]

        page = await anna.press(path, "Save the layout", head_0="Ref")
        assert page.form("Save").fields["head_0"] == "Ref"
        page = await anna.press(path, "Take this layout away")
        assert EVE not in page.words
        assert (await anna.open(path)).status == 404
        page = await anna.press("/records", "Make the file", format=chosen)
        assert "Choose what kind of file." in page.words


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"name": ""}, "Give it a name, such as that of the other program."),
        ({"head_1": "Client reference"}, "Two columns are called the same."),
        ({"field_0": "shoe_size"}, "Choose what stands in this column."),
        ({"head_0": "x" * 121}, "120"),
        ({"word_absent": "\x00"}, "word_absent"),
    ],
)
async def test_what_cannot_be_is_told_and_nothing_typed_is_lost(
    front: Front, entered: dict[str, str], sentence: str
) -> None:
    given = {"name": "Case system", "head_2": "Our day", **entered}
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press("/records/layouts", "Save the layout", **given)
        assert page.status == 422
        assert sentence in page.answer.text
        assert page.form("Save").fields["head_2"] == "Our day"
        assert "Case system" not in (await anna.open("/records/layouts")).words


async def test_layouts_are_for_who_exports_terms(front: Front) -> None:
    for role in (Role.WORKER, Role.ADMINISTRATOR):
        async with signed_in(front, role=role) as one:
            assert (await one.open("/records/layouts")).status == 403
            assert (await one.open("/records/layouts/x")).status == 403
    async with signed_in(front, role=LEAD) as anna:
        assert (await anna.open("/records/layouts/layout-nobody-knows")).status == 404
