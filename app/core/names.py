"""Names as people typed them, made safe to look at and safe to write down.

What a name looks like is in :mod:`app.core.lookalikes`; both are offered here.
"""

import re
import unicodedata

from app.core.confusables import HIDDEN, MARKS, READ_AT_MOST, WHITE, skeleton
from app.core.lookalikes import (
    claims_role,
    looks_like,
    looks_like_phone,
    looks_like_recorder,
    resembles,
    same_name,
)

__all__ = [
    "CUT",
    "MARKER",
    "NO_NAME",
    "claims_role",
    "display",
    "looks_like",
    "looks_like_phone",
    "looks_like_recorder",
    "plain",
    "resembles",
    "same_name",
    "skeleton",
]

MARKER = "\u2423"
NO_NAME = "(no name)"
CUT = "\u2026"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_UNSEEN = re.compile(f"[{HIDDEN}]+")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


_PICTURE = "[\u00a9\u00ae\u203c\u2049\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_DRESS = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
# Arabic to Malayalam and Sinhala, Mongolian: there joiners are part of the spelling.
_JOINING = "[\u0620-\u06ff\u0750-\u077f\u0900-\u0dff\u1820-\u1878]"
_WALES_AND_OTHERS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f"
    for code in ("gbwls", "gbsct", "gbeng")
)
# One thing the eye sees at a time: a simplification of Unicode's grapheme clusters.
_CLUSTER = re.compile(
    f"(?P<white>[{WHITE}]+)"
    f"|(?P<hidden>[{HIDDEN}]+)"
    f"|(?P<flag>{_WALES_AND_OTHERS}|[\U0001f1e6-\U0001f1ff]{{2}})"
    f"|(?P<keycap>[0-9#*]\ufe0f?\u20e3)"
    f"|(?P<picture>{_PICTURE}{_DRESS}*(?:\u200d{_PICTURE}{_DRESS}*){{0,8}})"
    f"|(?P<joined>{_JOINING}[{MARKS}]{{0,4}}[\u200c\u200d](?=[{MARKS}]*{_JOINING}))"
    f"|(?P<letter>.[{MARKS}]{{0,4}})[{MARKS}]*",
    re.DOTALL,
)


def _clusters(name: str, limit: int, marker: str) -> tuple[list[str], bool]:
    """Return at most ``limit`` clusters and whether there were more."""
    found: list[str] = []
    for match in _CLUSTER.finditer(name[:READ_AT_MOST]):
        kind = match.lastgroup or "letter"
        here = match.group(kind)
        if kind == "white":
            here = " " if found and found[-1] != " " else ""
        elif kind == "hidden":
            here = marker
        elif not marker and kind in ("picture", "flag", "keycap"):
            here = _UNSEEN.sub("", here)
        if not here:
            continue
        if len(found) == limit:
            return found, here != " " or match.end() < len(name)
        found.append(here)
    return found, len(name) > READ_AT_MOST


def _written(name: str, limit: int, marker: str) -> str:
    found, more = _clusters(name, limit, marker)
    text = unicodedata.normalize("NFC", "".join(found)).strip()
    if not text.replace(marker or " ", "").strip():
        return NO_NAME
    return text + CUT if more else text


def display(name: str, limit: int = 120) -> str:
    """A name as staff see it: at most ``limit`` graphemes, nothing hidden, still text.

    Invisible characters show as one :data:`MARKER`, line breaks as a space, more than
    four marks on a letter are dropped, and text that runs right to left (or tried to
    turn its surroundings) is isolated, so that the line around it stays as it is. The
    result is not escaped: that is the template's work.
    """
    text = _written(name, limit, MARKER)
    turns = _BIDI.search(name[:READ_AT_MOST]) is not None
    if turns or any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return f"{_ISOLATE}{text}{_END_ISOLATE}"
    return text


def plain(name: str, limit: int = 120) -> str:
    """A name for a file, a mail or a log: printable, one line, no direction marks.

    Formula characters stay as they are: the exports know their own format's dangers.
    """
    return _written(name, limit, "")
