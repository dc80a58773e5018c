"""A change that makes sessions less safe says so before it is saved, and in which way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.checklist import FIXED
from app.core.policy import Mode, Policy, Weight
from app.store import policies
from app.web.app import read_pack
from app.web.pages import policy_parts
from app.web.pages.policy_fields import Field, Number
from app.web.pages.policy_safety import LESS, MORE, NEITHER, less_safe
from tests.web.accounts_desk import Office
from tests.web.reading import Browser, Page

pytestmark = pytest.mark.anyio

PATH, SAVE = "/settings/policy", "Save as a new version"
SHIPPED = Policy()
PACK = read_pack()
SAYS = "This makes sessions less safe"


def told(before: Policy, after: Policy) -> list[str]:
    return less_safe(before, after, PACK)


# --- what is less safe --------------------------------------------------------------


def test_of_each_number_it_is_known_which_way_is_less_safe() -> None:
    sides = [*MORE, *LESS, *NEITHER]
    assert sorted(sides) == sorted(one.name for one in policy_parts.fields())


@pytest.mark.parametrize("field", list(policy_parts.fields()), ids=lambda one: one.name)
def test_one_way_is_told_and_the_other_is_not(field: Field) -> None:
    """One unit up and one down, or on and off."""
    now = getattr(SHIPPED, field.name)
    if isinstance(field, Number):
        step = timedelta(seconds=1) if isinstance(now, timedelta) else 1
        up, down = now + step, now - step
    else:
        up, down = True, False
    higher = told(replace(SHIPPED, **{field.name: down}), _with(field, up))
    lower = told(replace(SHIPPED, **{field.name: up}), _with(field, down))
    assert any(MORE.get(field.name, "-") in one for one in higher) == (
        field.name in MORE
    )
    assert any(LESS.get(field.name, "-") in one for one in lower) == (
        field.name in LESS
    )
    if field.name in MORE:
        assert lower == []
    if field.name in LESS:
        assert higher == []


def _with(field: Field, value: object) -> Policy:
    return replace(SHIPPED, **{field.name: value})  # type: ignore[arg-type]


def test_a_longer_grace_is_told_in_the_seconds_of_the_promise() -> None:
    longer = replace(SHIPPED, grace=timedelta(seconds=200))
    assert told(SHIPPED, longer) == [
        "In the worst case a young person is without a worker for 220 seconds instead of "
        "80 seconds; longer where Chaperone cannot look into the room.",
        "Grace: 200 seconds instead of 60 seconds. Young people may be without a worker "
        "for longer.",
    ]
    assert told(longer, SHIPPED) == []


def test_from_act_to_ask_and_to_watch() -> None:
    def doing(mode: Mode) -> Policy:
        return replace(SHIPPED, modes={"remove_participant": mode})

    assert told(SHIPPED, doing(Mode.ASK)) == [
        "Take out of the room: a worker is asked to do it, and may be busy."
    ]
    assert told(doing(Mode.ASK), doing(Mode.WATCH)) == [
        "Take out of the room: it is only written down; nobody is asked and nothing is "
        "done."
    ]
    assert told(doing(Mode.WATCH), SHIPPED) == []
    # Nobody is ever let in unasked.
    nobody = replace(SHIPPED, modes={"admit_participant": Mode.WATCH})
    assert told(SHIPPED, nobody) == []


def test_from_block_to_warn_and_to_inform() -> None:
    def weighing(weight: Weight) -> Policy:
        return replace(SHIPPED, weights={"purpose": weight})

    assert told(SHIPPED, weighing(Weight.WARN)) == [
        "“The session has a clear purpose”: somebody may let the session go on without "
        "it, by name and reason."
    ]
    assert told(weighing(Weight.WARN), weighing(Weight.INFORM)) == [
        "“The session has a clear purpose”: the session starts without it, and nobody "
        "has to say why."
    ]
    assert told(weighing(Weight.INFORM), SHIPPED) == []
    # What is fixed stays, whatever stands in a version.
    fixed = replace(SHIPPED, weights=dict.fromkeys(FIXED, Weight.INFORM))
    assert told(SHIPPED, fixed) == []


# --- before it is saved -------------------------------------------------------------


async def save(browser: Browser, **entered: str) -> Page:
    return await browser.press(PATH, SAVE, **{"reason": "The board asked.", **entered})


def made(riverside: Office) -> int:
    store = riverside.evening.store
    with store.unit() as db:
        return policies.newest(db, store).number


async def test_nothing_becomes_less_safe_that_nobody_has_read(
    riverside: Office, ada: Browser
) -> None:
    page = await save(ada, grace="61", mode_hold_participant="ask")
    assert page.status == 422
    assert "read how, and tick that you want it." in page.words
    assert "Grace: 61 seconds instead of 60 seconds." in page.words
    assert "Take to the waiting room: a worker is asked" in page.words
    fields = page.form(SAVE).fields
    assert (fields["grace"], fields["reason"]) == ("61", "The board asked.")
    assert made(riverside) == 1

    page = await ada.press(page, SAVE, less_safe="1", key="k" * 16)
    assert "Version 2 is in force." in page.words
    assert made(riverside) == 2


async def test_what_is_safer_needs_no_tick(riverside: Office, ada: Browser) -> None:
    page = await save(ada, grace="59")
    assert SAYS not in page.words
    assert made(riverside) == 2


async def test_it_is_compared_with_what_is_in_force_not_with_what_was_shipped(
    riverside: Office, ada: Browser
) -> None:
    await save(ada, grace="30")
    assert SAYS in (await save(ada, grace="60")).words
    assert made(riverside) == 2


async def preview(browser: Browser, **entered: str) -> Page:
    form = (await browser.open(PATH)).form("See what would have changed")
    form.action = f"{PATH}/preview"
    return await browser.send(form, **entered)


async def test_the_preview_says_it_and_saves_it_only_with_the_tick(
    riverside: Office, ada: Browser
) -> None:
    page = await preview(ada, grace="90", reason="Lines are bad here.")
    assert SAYS in page.words
    assert "Grace: 90 seconds instead of 60 seconds." in page.words
    # Refused, it is still the preview, with everything in it.
    refused = await ada.press(page, SAVE)
    assert (refused.status, "What would have changed" in refused.words) == (422, True)
    assert refused.form(SAVE).fields["reason"] == "Lines are bad here."
    assert made(riverside) == 1
    await ada.press(refused, SAVE, less_safe="1", key="k" * 16)
    assert made(riverside) == 2


async def test_the_preview_of_something_safer_says_that_too(
    riverside: Office, ada: Browser
) -> None:
    page = await preview(ada, workers_needed="3")
    assert SAYS not in page.words
    assert "Nothing of this makes sessions less safe" in page.words


async def test_who_was_slower_is_led_back_to_the_policy(
    riverside: Office, ada: Browser
) -> None:
    page = await preview(ada, grace="50", reason="Mine.")
    await save(ada, grace="40")
    slower = await ada.press(page, SAVE, key="k" * 16)
    assert "Somebody made version 2 meanwhile." in slower.words
    assert slower.form(SAVE).fields["grace"] == "50"
    assert "Version 2 is in force." in slower.words
