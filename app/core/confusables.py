# ruff: noqa: RUF001
"""Letters that look like other letters, and the skeleton two look-alikes share.

The idea and most pairs are those of Unicode Technical Standard 39 (confusables),
https://www.unicode.org/reports/tr39/. Full-width, mathematical and circled letters are
not listed: compatibility decomposition (NFKD) already turns them into plain ones. Wider
than the standard on purpose: marks fall away and i, l, 1 and | are one letter, because
the question is what a tired worker can confuse, not what a browser can.
"""

import re
import unicodedata
from functools import lru_cache

READ_AT_MOST = 16_384
KEPT = 256

_LOOK_ALIKES = {
    "a": "⍺ɑαаΑАᎪᗅꓮᴀⲀⲁΛ∀@",
    "b": "ƄЬᏏᑲᖯΒВᏴᗷꓐвьъʙßβƀɓⲂ",
    "c": "ᴄϲⲥсꮯϹⲤСᏟꓚ¢ƈς",
    "d": "ԁᏧᑯꓒᎠꭰᗞᗪꓓᴅđɖɗðÐԀ",
    "e": "℮ꬲеҽ⋿ΕЕⴹᎬꓰᴇεɛєЄ€Ⲉэ",
    "f": "ꬵꞙẝքꞘϜᖴꓝғƒꜰſ",
    "g": "ɡᶃƍցԌᏀᏳꓖɢԍɠǥ",
    "h": "հһᏂΗⲎНᎻᕼꓧʜнħɦҺңӊ",
    "i": "˛⍳ıɪɩιͺіꙇӏꭵᎥΙІӀⵏᛁꓲƖǀⲒ∣⏽￨۱וןا١ł|ḷɨ¡",
    "j": "ϳјꞲͿЈᎫᒍꓙᴊȷɉյ",
    "k": "ΚⲔКᏦᛕꓗᴋкκқҝƙĸҡ",
    "l": "ⳐᏞᒪꓡʟɫℓɭլ",
    "m": "ΜϺⲘМᎷᗰᛖꓟᴍмӎɱ",
    "n": "ոռΝⲚꓠɴηпŋɲƞИи",
    "o": "ం೦൦๐໐၀۵ᴏᴑꬽοσⲟоჿօဝΟⲞОՕⵔଠꓳ〇ØøѲѳӨөɵסه٥๏°◯○●",
    "p": "⍴ρϱⲣрΡⲢРᏢᑭꓑᴘþÞƿ",
    "q": "ԛգզⵕԚʠ",
    "r": "ꭇꭈᴦⲅгꮁƦᎡᏒᖇꓣʀɾɼГяЯ",
    "s": "ꜱƽѕꮪЅՏᏕᏚꓢʂ§$",
    "t": "⊤⟙ΤⲦТᎢꓔᴛтτŧƭ†",
    "u": "ꞟᴜꭎꭒʋυս∪⋃Սሀᑌꓴʉцµ",
    "v": "∨⋁ᴠνѵꮩ۷ѴⴸᏙᐯꛟꓦ√",
    "w": "ɯᴡѡԝꮃԜᎳᏔꓪաшωШщ",
    "x": "᙮×⤫⤬⨯хᕁᕽ᙭╳ꞳΧⲬХⵝᚷꓫχⲭ✕✖❌ҳӽ",
    "y": "ɣᶌʏỿꭚγуүყΥϒⲨУҮᎩᎽꓬʎұ¥Ұ",
    "z": "ᴢꮓΖᏃꓜζʐȥƶʒзЗ",
    "ae": "æÆӕӔ",
    "oe": "œŒ",
    "3": "ꞫȜƷꝪⳌ",
    "4": "Ꮞ",
    "5": "Ƽ",
    "6": "ⳒбᏮ",
    "8": "ଃ৪੪ȣȢ",
    "9": "੧୨৭൭ꝮⳊ",
}

# Scripts hardly any font shows, by code point: an attacker's tool knows them too.
_RARE = {
    "a": "102a0 16f40",
    "b": "10282 102a1 10301",
    "c": "102a2 10302 10415 1043d 1051c 118e9 118f2 1f74c",
    "e": "10286 118a6 118ae",
    "f": "10287 102a5 10525 118a2 118c2 1d213",
    "h": "102cf",
    "i": "118c3",
    "k": "10518",
    "l": "1028a 10309 10320 1041b 10526 118a3 118b2 16f16 16f28 1d22a 1e8c7 7ca",
    "m": "102b0 10311",
    "n": "10513",
    "o": "10292 102ab 10404 1042c 104c2 104ea 10516 114d0 118b5 118c8 118d7 118e0 "
    "7c0 c82 d02 d20 12d0 6be 6c1 6d5",
    "p": "10295",
    "r": "104b4 16f35 1d216",
    "s": "10296 10420 10448 118c1 16f3a",
    "t": "10297 102b1 10315 118bc 16f0a 1f768",
    "u": "104ce 104f6 118b8 118d8 16f42",
    "v": "1051d 11706 118a0 118c0 16f08 1d20d 5d8",
    "w": "1170a 1170e 1170f 118e6 118ef",
    "x": "10290 102b4 10317 10322 10527 118ec",
    "y": "102b2 118a4 118dc 16f43",
    "z": "102f5 118a9 118c4 118e5",
}

# Emoji made of letters have no decomposition: (first, letters in a row).
_LETTER_ROWS = (0x1F150, 0x1F170, 0x1F1E6)


def _table() -> dict[int, str]:
    table = {ord(one): plain for plain, group in _LOOK_ALIKES.items() for one in group}
    for plain, points in _RARE.items():
        table.update({int(point, 16): plain for point in points.split()})
    for first in _LETTER_ROWS:
        table.update({first + n: chr(ord("a") + n) for n in range(26)})
    return table


_TABLE = _table()
_ONE_STROKE = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})
_APOSTROPHES = dict.fromkeys(map(ord, "‘’ʼ`´′＇"), "'")
LETTERS_FOR_DIGITS = str.maketrans("345789", "eastbg")

HIDDEN = (
    "\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u0600-\u0605"
    "\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
WHITE = (
    "\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)


def _ranges(points: list[int]) -> str:
    text, start, last = "", -2, -2
    for point in [*points, 0x110000]:
        if point == last + 1:
            last = point
            continue
        if start >= 0:
            text += f"{chr(start)}-{chr(last)}"
        start = last = point
    return text


# The standard library has no word for "mark" in patterns; no marks lie beyond.
MARKS = _ranges(
    [
        n
        for n in range(0x300, 0x1F000)
        if unicodedata.category(chr(n))[0] == "M" and not 0xFE00 <= n <= 0xFE0F
    ]
)
# Marks on Latin, Greek, Cyrillic, Hebrew and Arabic letters. Those of Indic scripts are
# vowels, without which two different names would be one.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    "\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_FALLS_AWAY = re.compile(f"[{HIDDEN}{_MARKS}]+")
_SPACES = re.compile(f"[{WHITE}]+")
WORD = re.compile(rf"[^\W_](?:[^\W_]|[{MARKS}])*")
"""A word with its vowel signs, which `\\w` leaves out."""


def squeeze(name: str) -> str:
    """The visible letters of a name: no marks, nothing hidden, at most ``KEPT`` long.

    Linear in the length, so that 64 kB of combining marks cost nothing.
    """
    seen = _FALLS_AWAY.sub("", name[:READ_AT_MOST])
    return _SPACES.sub(" ", seen).strip()[:KEPT]


def skeleton(name: str) -> str:
    """What is left of a name when look-alike letters are one: equal means confusable.

    Words stay apart by single spaces. Two honest names may share a skeleton, so it is
    good for raising a question and never for saying who somebody is.
    """
    return _skeleton(squeeze(name))


@lru_cache(maxsize=8192)
def _skeleton(seen: str) -> str:
    flat = unicodedata.normalize("NFKD", seen.translate(_TABLE))
    flat = _strip(flat).translate(_TABLE)
    flat = unicodedata.normalize("NFKD", flat.casefold())
    flat = _strip(flat).translate(_TABLE)
    flat = "".join(_digit(c) for c in flat) if not flat.isascii() else flat
    flat = _SPACES.sub(" ", flat).translate(_APOSTROPHES)
    flat = flat.replace("rn", "m").replace("vv", "w")
    return WORD.sub(_letters_for_digits, flat).translate(_ONE_STROKE).strip()


def _strip(text: str) -> str:
    return _FALLS_AWAY.sub("", text)


def _digit(char: str) -> str:
    number = unicodedata.decimal(char, None)
    return char if number is None else str(number)


def _letters_for_digits(word: "re.Match[str]") -> str:
    text = word.group()
    body = text.rstrip("0123456789")
    if not body or body.isalpha():
        return text
    return body.translate(LETTERS_FOR_DIGITS) + text[len(body) :]
