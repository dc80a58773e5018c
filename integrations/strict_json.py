"""Signed JSON read strictly: one meaning only, whatever parser looks at it next.

Pure. Parsers disagree about doubled keys, NaN and numbers beyond a double (RFC 8259
§4 and §6 leave them open), so such text is refused; everything else is read leniently.
"""

import json
import math
import re
from typing import Any

import orjson

MAX_DEPTH = 64

# Outside strings a backslash is not JSON at all, so skipping `\x` is right everywhere.
_MARKS = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RefusedJson(ValueError):
    """Not JSON, or JSON that two parsers may read differently; `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise RefusedJson("duplicate_key")
    return made


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RefusedJson("non_finite")
    return number


def _constant(text: str) -> Any:
    raise RefusedJson("non_finite")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_constant=_constant
)


def read_object(body: bytes) -> tuple[dict[str, Any], bool]:
    """Read one JSON object; returns it and whether its bytes were proper UTF-8.

    Improper UTF-8 is read with U+FFFD in its place: a name cut in the middle of a
    letter must not cost the fact it came with. NUL and lone surrogates, which no
    database takes, become U+FFFD too. Raises RefusedJson.
    """
    plain = read_plain(body)
    return read_carefully(body) if plain is None else (plain, True)


def read_carefully(body: bytes) -> tuple[dict[str, Any], bool]:
    """What :func:`read_object` says, letter by letter."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(body)
    try:
        text, proper = body.decode(), True
    except UnicodeDecodeError:
        text, proper = body.decode(errors="replace"), False
    try:
        value = _DECODER.decode(text)
    except RefusedJson:
        raise
    except ValueError as error:
        raise RefusedJson("not_json") from error
    if not isinstance(value, dict):
        raise RefusedJson("not_an_object")
    # Only an escape can bring in what is not proper text.
    return (_storable(value) if "\\u" in text else value), proper


def read_plain(body: bytes) -> dict[str, Any] | None:
    """Read fast what is written plainly, as platforms do; None for all else.

    Written again it is the same bytes: no key was doubled, no number rounded, no letter
    replaced, so it has only this one meaning.
    """
    if b"\\u" in body or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        return None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if type(value) is dict and orjson.dumps(value) == body:
        return value
    return None


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value: sorted keys, no spaces, UTF-8."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # numbers beyond 64 bits
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()


def _check_depth(body: bytes) -> None:
    depth, inside = 0, False
    for mark in _MARKS.finditer(body):
        sign = mark.group()
        if sign == b'"':
            inside = not inside
        elif inside or sign[0] == 0x5C:
            continue
        elif sign in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise RefusedJson("too_deep")
        else:
            depth -= 1


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
