"""What is read in one step is what the parser reads; everything else is left to it."""

from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.serving.whole import MOST_HEAD, MOST_LINES, Pair, Whole, read_whole

BODY = b'{"event":"meeting.ended"}'
PLAIN = (
    b"POST /webhooks/zoom HTTP/1.1\r\n"
    b"Host: chaperone.example\r\n"
    b"x-zm-signature:v0=12ab\r\n"
    b"Content-Type: \t application/json; charset=utf-8\r\n"
    b"Content-Length: 25\r\n\r\n"
)


class _Parsed:
    """One message as the parser tells it."""

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.headers: list[Pair] = []
        self.body = b""
        self.complete = 0
        parser: Any = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method()
        self.version = parser.get_http_version()
        self.keep_alive = parser.should_keep_alive()
        self.upgrade = parser.should_upgrade()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def test_a_plain_request_is_read() -> None:
    assert read_whole(PLAIN + BODY) == Whole(
        url=b"/webhooks/zoom",
        headers=[
            (b"host", b"chaperone.example"),
            (b"x-zm-signature", b"v0=12ab"),
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", b"25"),
        ],
        body=BODY,
    )


def _with(line: bytes) -> bytes:
    return PLAIN.replace(b"Host:", line + b"\r\nHost:") + BODY


@pytest.mark.parametrize(
    "data",
    [
        PLAIN + BODY[:-1],
        PLAIN + BODY + b" ",
        PLAIN + BODY + PLAIN + BODY,
        PLAIN,
        PLAIN[:-2],
        b"",
        b"\r\n" + PLAIN + BODY,
        PLAIN.replace(b"POST", b"PUT") + BODY,
        PLAIN.replace(b"POST", b"post") + BODY,
        PLAIN.replace(b"1.1", b"1.0") + BODY,
        PLAIN.replace(b"/webhooks", b"http://chaperone.example/webhooks") + BODY,
        PLAIN.replace(b"/zoom ", b"/zoom  ") + BODY,
        PLAIN.replace(b"/zoom ", b"/zo\x00om ") + BODY,
        PLAIN.replace(b"25", b"025") + BODY,
        PLAIN.replace(b"25", b"+25") + BODY,
        PLAIN.replace(b"25", b"25, 25") + BODY,
        PLAIN.replace(b"Host: ", b"Host : ") + BODY,
        PLAIN.replace(b"Host: ", b" Host: ") + BODY,
        PLAIN.replace(b"Host: ", b": ") + BODY,
        PLAIN.replace(b"v0=12ab\r\n", b"v0=12ab\n") + BODY,
        PLAIN.replace(b"v0=12ab", b"v0=\r12ab") + BODY,
        PLAIN.replace(b"v0=12ab", b"v0=\r\n 12ab") + BODY,
        PLAIN.replace(b"v0=12ab", b"v0=\x0012ab") + BODY,
        PLAIN.replace(b"v0=12ab", b"v0=\x7f12ab") + BODY,
        _with(b"x-a: b "),
        _with(b"x-a: b\t"),
        _with(b"x-a: "),
        _with(b"content-length: 25"),
        _with(b"host: elsewhere.example"),
        _with(b"Transfer-Encoding: chunked"),
        _with(b"Connection: keep-alive"),
        _with(b"Connection: close"),
        _with(b"Upgrade: h2c"),
        _with(b"Expect: 100-continue"),
        _with(b"TE: trailers"),
        _with(b"Trailer: x"),
    ],
)
def test_what_is_not_plainly_one_request_is_left_to_the_parser(data: bytes) -> None:
    assert read_whole(data) is None


@pytest.mark.parametrize(("size", "read"), [(-1, True), (0, True), (1, False)])
def test_a_head_has_its_limit(size: int, read: bool) -> None:
    room = MOST_HEAD - len(PLAIN) - len(b"x: \r\n") + size
    assert (read_whole(_with(b"x: " + b"a" * room)) is not None) is read


@pytest.mark.parametrize(("more", "read"), [(-1, True), (0, True), (1, False)])
def test_lines_have_their_limit(more: int, read: bool) -> None:
    lines = [b"x-%d: a" % number for number in range(MOST_LINES - 4 + more)]
    assert (read_whole(_with(b"\r\n".join(lines))) is not None) is read


_NAMES = st.sampled_from(
    [b"Host", b"x-a", b"content-length", b"transfer-encoding", b"x a", b"", b"x\xe9"]
)
_VALUES = st.one_of(
    st.sampled_from([b"25", b"chunked", b"a\r\n b", b"a\rb", b"\xff", b"a\tb", b""]),
    st.binary(max_size=8),
)
_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
_LINES = st.lists(
    st.tuples(_NAMES, st.sampled_from([b":", b": ", b" :", b""]), _VALUES, _ENDS),
    max_size=4,
)


@given(
    st.sampled_from(
        [b"POST /a HTTP/1.1", b"POST /a?b=%20#c HTTP/1.1", b"GET / HTTP/1.1"]
    ),
    _LINES,
    st.binary(max_size=6),
)
@example(b"POST /a HTTP/1.1", [(b"content-length", b":", b" 3", b"\r\n")], b"abc")
def test_what_is_read_is_what_the_parser_reads(
    first: bytes, lines: list[tuple[bytes, ...]], body: bytes
) -> None:
    length = b"content-length: %d\r\n" % len(body)
    for head in (b"", length):
        data = first + b"\r\n" + head + b"".join(map(b"".join, lines)) + b"\r\n" + body
        read = read_whole(data)
        if read is None:
            continue
        parsed = _Parsed(data)
        assert (parsed.url, parsed.headers, parsed.body) == read
        assert (parsed.method, parsed.version) == (b"POST", "1.1")
        assert (parsed.complete, parsed.keep_alive, parsed.upgrade) == (1, True, False)
