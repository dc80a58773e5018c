"""Where somebody left a trace in one session: whose facts, and which words name them."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

ERASED = "[name erased]"
SHORTEST = 2  # One letter is no name to look for on its own.
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Words:
    """What names a person in a text. ``shared``: a name that somebody else there has too."""

    names: frozenset[str]
    whole: re.Pattern[str]
    single: re.Pattern[str]
    shared: bool = False

    def take_out(self, text: str) -> str:
        """The text without them."""
        return self.single.sub(ERASED, self.whole.sub(ERASED, text))

    def name(self, text: str) -> bool:
        """Whether the text, as a whole, is one of the names or addresses."""
        return text.strip().casefold() in self.names

    def occur(self, text: str) -> bool:
        """Whether one of them stands in it."""
        return bool(self.whole.search(text) or self.single.search(text))


def words_of(
    details: Mapping[str, str], others: Iterable[str], typed: Iterable[str] = ()
) -> Words:
    """The names and addresses of a person, less what others in the session share.

    Full names and addresses are found in any writing; a first name alone only as it is
    written, since many names are everyday words in small letters. ``typed``: what they
    called themselves in the room.
    """
    others = set(others)
    theirs = {part for name in others for part in _parts(name)} | others
    names = {details.get(field, "").strip() for field in ("name", "register_name")} - {
        ""
    }
    reach = {details.get(field, "").strip() for field in ("email", "phone")} - {""}
    own = {name for name in names if name not in theirs}
    parts = {part for name in names for part in _parts(name)} - theirs
    whole = own | reach | (set(typed) - theirs)
    return Words(
        frozenset(one.casefold() for one in own | reach),
        _any_of({one for one in whole if len(one.split()) > 1 or one in reach}, re.I),
        _any_of({one for one in whole | parts if len(one) >= SHORTEST}),
        shared=own != names,
    )


def _parts(name: str) -> list[str]:
    """The names in a name; "de" and "van" alone are none."""
    parts = re.split(r"[^\w'\u2019-]+", name)
    return [one for one in parts if len(one) >= SHORTEST and not one.islower()]


def _any_of(words: Collection[str], flags: int = 0) -> re.Pattern[str]:
    if not words:
        return _NEVER
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    found = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)", flags)


def in_json(words: Words) -> Callable[[bytes], bytes]:
    """Takes the words out of every text of a JSON document."""

    def change(plain: bytes) -> bytes:
        before = orjson.loads(plain)
        after = _walk(before, words.take_out)
        return plain if after == before else orjson.dumps(after)

    return change


def in_text(words: Words) -> Callable[[bytes], bytes]:
    """Takes the words out of a text."""
    return lambda plain: words.take_out(plain.decode()).encode()


def occurs(words: Words, plain: bytes) -> bool:
    """Whether a raw message names them."""
    try:
        found = orjson.loads(plain)
    except orjson.JSONDecodeError:
        return words.occur(plain.decode(errors="replace"))
    return any(words.occur(text) for text in _texts(found))


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walk(one, change) for one in value]
    if isinstance(value, dict):
        return {key: _walk(one, change) for key, one in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))


# --- whose facts ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as it lies in the log: its public half, and its personal half or {}."""

    ref: str
    kind: str
    room: tuple[str, str, str]
    public: Mapping[str, Any]
    personal: Mapping[str, Any]


def theirs(
    facts: Collection[Fact],
    person_id: str,
    account: str,
    registrants: Collection[str],
    words: Words,
) -> set[str]:
    """Refs of the facts about this person's own connections and registrations.

    Their own link, their account or a worker's word tells which connections were theirs;
    everything told of such a connection is then theirs. Whoever else typed their name
    lets go of that name alone.
    """
    links = {*registrants, *_issued(facts, person_id)}
    vouched = _vouched(facts, person_id)
    seats: set[tuple[str, ...]] = set()
    sure: set[str] = set()
    for fact in facts:
        if (
            fact.public.get("registrant_id", "") in links - {""}
            or (account and fact.public.get("platform_user_id") == account)
            or {fact.public.get("uuid", ""), _seat(fact)} & vouched
        ):
            sure.add(fact.ref)
            seats |= _seats(fact)
        elif any(words.name(str(text)) for text in _told(fact)):
            sure.add(fact.ref)
    return sure | {fact.ref for fact in facts if _seats(fact) & seats}


def _told(fact: Fact) -> Iterable[Any]:
    return (fact.personal.get(field, "") for field in ("name", "email", "phone"))


def _issued(facts: Iterable[Fact], person_id: str) -> set[str]:
    return {
        fact.public.get("registrant_id", "")
        for fact in facts
        if fact.kind == "LinkIssued" and fact.public.get("person_id") == person_id
    }


def _vouched(facts: Iterable[Fact], person_id: str) -> set[str]:
    who = {"ConnectionVouched": "person_id", "WorkerConfirmed": "by"}
    return {
        fact.public["connection"]
        for fact in facts
        if fact.kind in who and fact.public.get(who[fact.kind]) == person_id
    }


def _seat(fact: Fact) -> str:
    return f"seat:{fact.public.get('user_id', '')}"


def _seats(fact: Fact) -> set[tuple[str, ...]]:
    """What this fact calls its connection, in its own room."""
    return {
        (*fact.room, field, str(fact.public[field]))
        for field in ("uuid", "user_id")
        if fact.public.get(field)
    }
