"""Anna enters a group; its members agree their rules, and agree them anew."""

import pytest

from app.core.plan import HEADINGS
from app.store import groups
from app.web.access import Role
from tests.web.conftest import Front
from tests.web.reading import Browser, signed_in

pytestmark = pytest.mark.anyio

LEAD = Role.SESSION_LEAD
WORDS = {
    "confidentiality": "What is said here stays here.\n\n  A worker tells if harm. ",
    "respect": "One speaks.",
    "new_members": "We say our names.",
    "behaviour": "No recording <b>ever</b>.",
}


def the_group(front: Front) -> groups.Group:
    store = front.evening.store
    with store.unit() as db:
        return groups.listed(db, store)[0]


async def rules_page(anna: Browser, front: Front) -> str:
    return f"/groups/{the_group(front).id}/rules"


async def test_anna_enters_a_group_and_its_leads(front: Front) -> None:
    anna_id, sam_id = front.evening.people["anna"], front.evening.people["sam"]
    async with signed_in(front, role=LEAD) as anna:
        empty = await anna.press("/groups/new", "Save", name="  ")
        assert "Give the group a name." in empty.words
        page = await anna.press(
            "/groups/new", "Save", name="Walkers", **{f"lead_{anna_id}": "1"}
        )
        assert "Walkers" in page.words
        assert "None agreed yet." in page.words
        listed = await anna.open("/groups")
        assert "Walkers ! No ground rules yet" in listed.words
        change = page.answer.url.path + "/change"
        form = (await anna.open(change)).form("Save")
        form.fields.pop("under_18")
        page = await anna.send(form, **{f"lead_{sam_id}": "1"})
    assert "Adults" in page.words
    assert "Sam" in page.words


async def test_rules_are_agreed_in_versions(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        path = await rules_page(anna, front)
        page = await anna.press(
            path, "These rules are agreed", **WORDS, made_with="the group"
        )
        assert "Ground rules, version 2" in page.words
        assert "Made with the group ." in page.words
        assert "No recording <b>ever</b>." in page.words
        earlier = await anna.open(page.answer.url.path + "?version=1")
        assert "Our respect rule." in earlier.words
        assert "An earlier version." in earlier.words
    agreed = the_group(front).rules
    assert agreed.version == 2
    assert [(rule.heading, rule.text) for rule in agreed.rules] == [
        ("confidentiality", "What is said here stays here."),
        ("confidentiality", "A worker tells if harm."),
        ("respect", "One speaks."),
        ("new members", "We say our names."),
        ("behaviour", "No recording <b>ever</b>."),
    ]
    plan = (await front.evening.state()).plan
    assert plan is not None
    assert plan.ground_rules.version == 2


@pytest.mark.parametrize("heading", HEADINGS)
async def test_each_heading_wants_a_rule(front: Front, heading: str) -> None:
    field = heading.replace(" ", "_")
    async with signed_in(front, role=LEAD) as anna:
        path = await rules_page(anna, front)
        page = await anna.press(
            path, "These rules are agreed", **{**WORDS, field: " \n "}
        )
        assert page.status == 422
        assert "enter at least one rule" in page.words
        long = await anna.press(
            path, "These rules are agreed", **{**WORDS, field: "x" * 501}
        )
        assert "A rule has at most 500 characters." in long.words
        kept = page.form("These rules are agreed").fields
    assert {kept[name] for name in WORDS if name != field} == {
        WORDS[name] for name in WORDS if name != field
    }
    assert the_group(front).rules.version == 1


async def test_two_who_agree_at_once_lose_nothing(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        path = await rules_page(anna, front)
        page = await anna.open(path)
        await anna.press(path, "These rules are agreed", **WORDS)
        late = await anna.press(
            page,
            "These rules are agreed",
            **{**WORDS, "respect": "Mine."},
            key="k" * 16,
        )
        assert late.status == 422
        assert "Somebody agreed version 2 meanwhile." in late.words
        assert late.form("These rules are agreed").fields["respect"] == "Mine."


async def test_a_worker_reads_the_rules_and_changes_none(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.open(f"/groups/{the_group(front).id}")
        assert "Our respect rule." in page.words
        assert "Agree new rules" not in page.words
        assert (await sam.open(await rules_page(sam, front))).status == 403
        assert (await sam.open("/groups/nonsense")).status == 404
