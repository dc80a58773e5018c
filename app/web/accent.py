"""One accent colour an organisation sets, made readable wherever it is used.

A colour somebody likes may be too pale for text. It is darkened on light pages and
lightened on dark ones until it stands out as WCAG 2.2 asks of text (1.4.3: 4.5 to 1).
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from app.web.access import open_to_all
from app.web.house import house_of

ENOUGH = 4.5
# Every ground of static/chaperone.css on which a link or a button may stand.
LIGHT = ("#fbf9f5", "#ffffff", "#e6f3e9", "#fdf1d8", "#fdebea", "#f0ece4")
DARK = ("#171614", "#211f1c", "#17301e", "#35270b", "#401416", "#2c2a26")
BLACK, WHITE = "#000000", "#ffffff"

Rgb = tuple[int, int, int]


def style(accent: str) -> str:
    """The style sheet for this colour (``#rrggbb``)."""
    light, dark = readable(accent, LIGHT, BLACK), readable(accent, DARK, WHITE)
    return (
        f":root {{ --accent: {light}; --accent-ink: {ink(light)}; }}\n"
        "@media (prefers-color-scheme: dark) { "
        f":root {{ --accent: {dark}; --accent-ink: {ink(dark)}; }} }}\n"
    )


def readable(accent: str, grounds: Iterable[str], towards: str) -> str:
    """The nearest to it, on the way to black or white, that can be read on all of them."""
    grounds = tuple(grounds)
    for step in range(101):
        found = _mixed(accent, towards, step / 100)
        if all(contrast(found, ground) >= ENOUGH for ground in grounds):
            return found
    return towards


def ink(ground: str) -> str:
    """Black or white, whichever is read better on it."""
    return max((WHITE, BLACK), key=lambda one: contrast(one, ground))


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(colour: str, towards: str, share: float) -> str:
    parts = zip(_rgb(colour), _rgb(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


@open_to_all("a colour, the same for everybody")
async def sheet(request: Request) -> Response:
    """``GET /accent.css``: empty where no colour is set."""
    accent = house_of(request).settings.accent_colour
    return Response(style(accent) if accent else "", media_type="text/css")
