"""A request that came in one piece, read in one step instead of line by line.

Only what has one meaning for every reader is read here: a POST in HTTP/1.1 whose fields
are plain tokens, each said once, and whose body is all there (RFC 9112 §2-§6). Anything
else is left to the parser, untouched.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

Pair = tuple[bytes, bytes]

MOST_HEAD = 8 * 1024
MOST_LINES = 100

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = rb"[\t\x20-\x7e\x80-\xff]*"
_HEAD = re.compile(
    rb"POST (/[\x21-\x7e]*) HTTP/1\.1\r\n((?:%b:%b\r\n)+)\r\n" % (_TOKEN, _VALUE)
)
# What changes how long the message is, or what becomes of the connection.
_NOT_PLAIN = frozenset(
    (b"transfer-encoding", b"trailer", b"te", b"connection", b"upgrade", b"expect")
)


class Whole(NamedTuple):
    """``headers``: names in small letters, in the order they came."""

    url: bytes
    headers: Sequence[Pair]
    body: bytes


def read_whole(data: bytes) -> Whole | None:
    """The one request these bytes are, or None when they are not plainly just that."""
    head = _HEAD.match(data)
    if head is None or head.end() > MOST_HEAD:
        return None
    block = head[2]
    # The parser leaves blanks after a value on it; RFC 9110 §5.5 does not.
    if b" \r\n" in block or b"\t\r\n" in block:
        return None
    headers = []
    for line in block[:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.lstrip(b"\t ")))
    said = dict(headers)
    if len(said) != len(headers) or len(headers) > MOST_LINES:
        return None
    if not _NOT_PLAIN.isdisjoint(said):
        return None
    body = data[head.end() :]
    if said.get(b"content-length") != b"%d" % len(body):
        return None
    return Whole(head[1], headers, body)
