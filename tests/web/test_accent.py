"""The organisation's own colour: theirs where it can be read, nearly theirs elsewhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import project_root
from app.web.accent import (
    BLACK,
    DARK,
    ENOUGH,
    LIGHT,
    WHITE,
    contrast,
    ink,
    readable,
    style,
)
from app.web.app import create_web
from tests.web.conftest import Front, settings
from tests.web.reading import signed_in

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_any_colour_can_be_read_everywhere(accent: str) -> None:
    """WCAG 2.2, 1.4.3: text on every ground of a page, and words on a button."""
    for grounds, towards in ((LIGHT, BLACK), (DARK, WHITE)):
        found = readable(accent, grounds, towards)
        assert min(contrast(found, ground) for ground in grounds) >= ENOUGH
        assert contrast(found, ink(found)) >= ENOUGH


@pytest.mark.parametrize(
    ("accent", "light", "dark"),
    [
        ("#0b5a5e", "#0b5a5e", "#6a9a9d"),  # kept where it can be read
        ("#000000", "#000000", "#919191"),
        ("#ffffff", "#6b6b6b", "#ffffff"),
        ("#ffcc00", "#826800", "#ffcc00"),
    ],
)
def test_a_colour_is_changed_no_more_than_it_must(
    accent: str, light: str, dark: str
) -> None:
    assert (readable(accent, LIGHT, BLACK), readable(accent, DARK, WHITE)) == (
        light,
        dark,
    )


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast(BLACK, WHITE) == contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == 1


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    css = (project_root() / "static" / "chaperone.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark", 1)[0], css.split("dark) {")[1]
    names = ("paper", "card", "good-bg", "wait-bg", "bad-bg", "calm-bg")
    for text, grounds in ((light, LIGHT), (dark.split("*, *::before")[0], DARK)):
        found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text))
        assert tuple(found[name] for name in names) == grounds


@pytest.mark.anyio
async def test_pages_take_it_when_it_is_set(front: Front) -> None:
    one = front.evening
    async with signed_in(front) as anna:
        before = await anna.open("/")
        empty = (await anna.client.get("/accent.css")).text
    given_colour = settings(CHAPERONE_ACCENT_COLOUR="#B3005E")
    front.app = create_web(given_colour, one.engine, one.store, one.clock)
    async with signed_in(front) as anna:
        page = await anna.open("/")
        sheet = await anna.client.get("/accent.css")

    link = ("link", {"rel": "stylesheet", "href": "/accent.css"})
    assert (link in before.tags, link in page.tags, empty) == (False, True, "")
    assert sheet.text == style("#b3005e")
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("wrong", ["red", "#12345", "#12345g", "#000;} body{"])
def test_what_is_no_colour_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(Exception, match="CHAPERONE_ACCENT_COLOUR"):
        settings(CHAPERONE_ACCENT_COLOUR=wrong)
