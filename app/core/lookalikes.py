"""Whether a shown name copies somebody's, and what else a name gives away.

A likeness only ever raises a question: names are never identity (DESIGN §1, sentence 6).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from rapidfuzz.distance import OSA

from app.core.confusables import LETTERS_FOR_DIGITS, WORD, skeleton, squeeze

# By number of words: one slip from one first name often makes another (Isabelle).
_LONG_ENOUGH_TO_MISTYPE = {0: 10, 1: 10, 2: 8}
_LONG_ENOUGH_TO_HIDE_IN_A_WORD = 8
_LONG_ENOUGH_TO_SHORTEN = 3
_WORDS_THAT_MAY_SWAP = 3

# A surname can be one of these; so a whole name is compared with and without them.
_ROLE_WORDS = (
    "host cohost staff lead leader worker youthworker safeguarding dsl admin "
    "administrator moderator mod facilitator official manager organiser organizer "
    "supervisor coordinator"
)
_OTHER_DRESSING = (
    "co guest unverified external verified support standby team real the youth group "
    "session charity mr mrs ms miss mx dr sir prof she her hers he him his they them "
    "iphone ipad phone mobile laptop tablet pc mac android samsung galaxy device s me "
    "im i am is it here again back new second 2nd on from xx xxx xo"
)
_RECORDERS = (
    "otterpilot otterai fireflies firefliesai readai tldv fathom fathomai avoma "
    "sembly semblyai meetgeek airgram notta tactiq supernormal circleback bluedot "
    "trint noota laxis granola spinachai claap leexi scribbl wudpecker loopin "
    "happyscribe recallai meetrecord zoomaicompanion aicompanion gongio chorusai "
    "krispai jamieai grainai fellowai revai fredai nyotaai colibriai modjo salesloft "
    "equaltime copilot geminiai plaud plaudai notebooklm meetjamie"
)
_NOTING = (
    "notetaker notetakers notetaking notaker recorder recording recorderbot "
    "transcriber transcription transcript meetingnotes meetingassistant meetingbot "
    "notebot ainotes voiceassistant minutesbot captioner"
)
_POSSESSIVE = re.compile(r"'s\b")


def _skeletons(words: str) -> frozenset[str]:
    return frozenset(skeleton(word) for word in words.split())


ROLES = _skeletons(_ROLE_WORDS)
DRESSING = ROLES | _skeletons(_OTHER_DRESSING)
RECORDERS = _skeletons(_RECORDERS)
NOTING = _skeletons(_NOTING)


@dataclass(frozen=True, slots=True)
class _Form:
    """A name taken apart: all words, the words without dressing, and its spellings."""

    words: tuple[str, ...]
    core: tuple[str, ...]
    claims_role: bool
    spellings: frozenset[str]
    orders: frozenset[str]

    @property
    def joined(self) -> str:
        return "".join(self.core)


@lru_cache(maxsize=8192)
def _form(name: str) -> _Form:
    return _take_apart(squeeze(name))


@lru_cache(maxsize=8192)
def _take_apart(seen: str) -> _Form:
    # Twice, because some letters look like one thing as capitals and another small.
    ways = {skeleton(seen), skeleton(seen.casefold())}
    first = _words(skeleton(seen))
    core = tuple(w for w in first if w not in DRESSING and not _is_number(w)) or first
    spellings = {"".join(_words(way)) for way in ways}
    spellings |= {"".join(core), "".join(_no_number(word) for word in core)}
    spellings |= {"".join(core).translate(LETTERS_FOR_DIGITS)}
    spellings |= {spelling.replace("cl", "d") for spelling in spellings}
    orders = {order for way in ways for order in _orders(_words(way))}
    return _Form(
        words=first,
        core=core,
        claims_role=any(word in ROLES for word in first),
        spellings=frozenset(spellings - {""}) or frozenset({seen}),
        orders=frozenset(orders - {""}) or frozenset({seen}),
    )


def _words(flat: str) -> tuple[str, ...]:
    return tuple(WORD.findall(_POSSESSIVE.sub(" ", flat).replace("'", "")))


def _is_number(word: str) -> bool:
    return word.replace("l", "1").replace("o", "0").isdecimal()


def _no_number(word: str) -> str:
    return word.rstrip("0123456789") or word


def _orders(words: tuple[str, ...]) -> list[str]:
    if len(words) <= _WORDS_THAT_MAY_SWAP:
        return ["".join(order) for order in permutations(words)]
    turned = [words[n:] + words[:n] for n in range(len(words))]
    return ["".join(order) for order in (*turned, words[::-1])]


def _same(shown: _Form, other: _Form) -> bool:
    return not shown.spellings.isdisjoint(other.orders)


def _alike(shown: _Form, other: _Form) -> bool:
    if _same(shown, other) or _mistyped(shown, other):
        return True
    if len(other.words) > 1 and (
        set(other.words) <= set(shown.words)
        or _hidden_inside(shown, other)
        or _shortened(shown, other)
    ):
        return True
    return shown.claims_role and _part_of(shown, other)


def _mistyped(shown: _Form, other: _Form) -> bool:
    whole = "".join(other.words)
    if len(whole) < _LONG_ENOUGH_TO_MISTYPE[min(len(other.words), 2)]:
        return False
    turned = "".join(other.words[::-1])
    return any(
        OSA.distance(shown.joined, way, score_cutoff=1) <= 1 for way in (whole, turned)
    )


def _hidden_inside(shown: _Form, other: _Form) -> bool:
    places = (shown.joined, "".join(shown.words))
    return any(
        len(order) >= _LONG_ENOUGH_TO_HIDE_IN_A_WORD
        and any(order in place for place in places)
        for order in other.orders
    )


def _shortened(shown: _Form, other: _Form) -> bool:
    if len(shown.core) != len(other.words):
        return False
    pairs = list(zip(shown.core, other.words, strict=True))
    whole = [a for a, b in pairs if a == b and len(a) >= _LONG_ENOUGH_TO_SHORTEN]
    return bool(whole) and all(a == b or (len(a) == 1 and b[0] == a) for a, b in pairs)


def _part_of(shown: _Form, other: _Form) -> bool:
    return set(shown.core) <= set(other.words) and any(
        len(word) >= _LONG_ENOUGH_TO_SHORTEN for word in shown.core
    )


def looks_like(name: str, others: Mapping[str, str]) -> str:
    """The id of whoever's name this one copies or nearly copies, "" for nobody's.

    Seen through: look-alike letters of other scripts, hidden characters, marks, digits
    for letters, one slip of the keyboard in a long name, another order of words, a name
    inside a longer one, initials, emoji, and words such as ``(Host)`` or
    ``- Safeguarding lead``. A whole copy is found before a near one.
    """
    return _find(squeeze(name), tuple(others.items()))


@lru_cache(maxsize=8192)
def _find(seen: str, others: tuple[tuple[str, str], ...]) -> str:
    shown = _take_apart(seen)
    for test in (_same, _alike):
        for person_id, name in others:
            if seen and name and test(shown, _form(name)):
                return person_id
    return ""


def same_name(name: str, other: str) -> bool:
    """Whether two names are one to the eye, in any order of words."""
    return bool(name and other) and _same(_form(name), _form(other))


def resembles(shown: str, registered: str) -> bool:
    """Whether a shown name can pass for the registered one (guidance T2).

    Generous, because it only spares somebody a question: one word in common, or one
    word the beginning of the other (``Chlo`` and ``Chloe``), is enough.
    """
    if not shown or not registered:
        return False
    one, two = _form(shown), _form(registered)
    return _alike(one, two) or any(_begins(a, b) for a in one.core for b in two.words)


def _begins(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return short == long or (
        len(short) >= _LONG_ENOUGH_TO_SHORTEN and long.startswith(short)
    )


def claims_role(name: str) -> bool:
    """Whether a typed name says host, staff, lead and the like: text, and suspicious."""
    return bool(name) and _form(name).claims_role


def looks_like_recorder(name: str) -> bool:
    """Whether a name is that of a note-taking or recording product.

    Products named like a person or a thing (Fred, Jamie, Otter) count only together
    with a word that gives them away.
    """
    words = _words(skeleton(name))
    near = {
        "".join(words[first : first + count])
        for count in (1, 2, 3)
        for first in range(len(words))
    }
    return not near.isdisjoint(RECORDERS | NOTING)


_PHONE = re.compile(r"[+(]*[0-9*xX\u2022\u25cf.() /-]{5,30}")
_CALLER = re.compile(
    r"(call[ -]?in|dial[ -]?in|phone|telephone|pstn)[ _-]?(user|caller|guest)?"
    r"[ _-]?[0-9]{0,6}"
)


def looks_like_phone(name: str) -> bool:
    """Whether a name is a telephone number, masked or not, or ``Call-in User_1``.

    Anybody can type this: it is a word for the page, never what a caller is told by.
    """
    text = squeeze(name).casefold()
    if _CALLER.fullmatch(text):
        return True
    seen = sum(c in "0123456789*x\u2022\u25cf" for c in text)
    return (
        seen >= 4 and any(c.isdecimal() for c in text) and bool(_PHONE.fullmatch(text))
    )
