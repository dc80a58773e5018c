"""The bench measures what it says: its bodies are Zoom's, its goals bite."""

import asyncio
import gzip
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bench import bodies, pages
from app.bench.figures import Figure, fsync_ms, median, report, share
from app.bench.intake import measure
from app.bench.load import Load
from app.bench.processes import BenchFailed, Part
from app.bench.visitor import Visitor, hear
from app.clock import SystemClock
from app.core.events import MeetingStarted, ParticipantJoined, ParticipantLeft
from integrations.base import Delivery
from integrations.zoom import webhook

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "at_least", "met"),
    [
        (0.59, True, False),
        (0.6, True, True),
        (0.61, True, True),
        (0.59, False, True),
        (0.6, False, True),
        (0.61, False, False),
    ],
)
def test_a_goal_holds_at_its_limit(value: float, at_least: bool, met: bool) -> None:
    figure = Figure("speed", value, "", 0.6, at_least=at_least)
    assert figure.met is met
    assert ("MISSED" in figure.told()) is not met
    assert report([figure]).endswith("Every goal is met." if met else "Missed: speed.")


def test_a_figure_without_a_goal_is_only_told() -> None:
    assert Figure("bare", 12_345.6, "requests/s").told() == "bare: 12,346 requests/s"


def test_medians_and_shares() -> None:
    assert median([5, 1, 100, 2, 3]) == 3
    assert share(range(1, 101), 0.99) == 100
    assert share([7.0], 0.99) == 7


def test_the_disk_is_asked(tmp_path: Path) -> None:
    assert fsync_ms(tmp_path, SystemClock(), times=3) > 0
    assert list(tmp_path.iterdir()) == []


def _understood(body: bytes) -> Delivery:
    late = webhook.verify(
        bodies.headers(body, NOW), body, secrets=(bodies.SECRET,), now=NOW
    )
    return webhook.parse(
        body, NOW, secret=bodies.SECRET, account_id=bodies.ACCOUNT, late=late
    )


def test_every_body_is_signed_distinct_and_understood() -> None:
    sent = [*bodies.opening(0, NOW)]
    sent += [bodies.coming_and_going(0, number, NOW) for number in range(600)]
    understood = [_understood(body) for body in sent]
    assert len({one.dedupe_key for one in understood}) == len(sent)
    assert not any(one.unknown or one.unreadable or one.look for one in understood)
    kinds = [type(one.events[0]) for one in understood]
    assert kinds[:3] == [MeetingStarted, ParticipantJoined, ParticipantJoined]
    assert kinds[3:] == [ParticipantJoined, ParticipantLeft] * 300


async def test_a_visitor_reads_pages_as_browsers_do() -> None:
    """A cookie, compressed and plain answers on one connection, a stream of events."""
    asked: list[bytes] = []
    small = gzip.compress(b"<p>hello</p>" * 9)
    answers = iter(
        (
            b"303 See Other\r\nset-cookie: chaperone=x; Path=/\r\ncontent-length: 0\r\n\r\n",
            b"200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s"
            % (len(small), small),
            b"404 Not Found\r\ncontent-length: 2\r\n\r\nno",
            b"200 OK\r\n\r\nevent: beat\n\nevent: version\n\n",
            b"200 OK\r\ncontent-length: 0\r\n\r\n",
        )
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 " + next(answers))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    visitor = Visitor(server.sockets[0].getsockname()[1])
    await visitor.enter("token")
    page = await visitor.get("/")
    with pytest.raises(BenchFailed, match="/gone answered 404"):
        await visitor.get("/gone")
    await hear(await visitor.listen("/events"), b"event: version")
    await visitor.close()
    server.close()

    assert (page.body, page.size) == (b"<p>hello</p>" * 9, len(small))
    assert [one.split(b" HTTP")[0] for one in asked] == [
        b"POST /sign-in/token",
        b"GET /",
        b"GET /gone",
        b"GET /events",
        b"GET /healthz",
    ]
    assert b"cookie: chaperone=x\r\n" in asked[1]


@pytest.mark.long
async def test_the_pages_are_measured(tmp_path: Path) -> None:
    figures = await pages.measure(tmp_path, SystemClock())
    assert [figure.unit for figure in figures] == ["ms", "ms", "ms", "kB"]
    assert all(figure.value > 0 for figure in figures)


async def test_the_load_counts_every_answer() -> None:
    """Two connections, five requests, one of them refused."""
    waiting = iter([b"204 No Content", b"401 Unauthorized", *[b"204 No Content"] * 3])

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while await reader.read(100):
            status = next(waiting)
            body = b"" if status.startswith(b"204") else b"no"
            length = b"content-length: %d\r\n" % len(body) if body else b""
            # In two pieces, as a network may bring it.
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + length)
            await writer.drain()
            writer.write(b"\r\n" + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        load = Load(iter([b"x"] * 5), connections=2, seconds=10)
        told = await load.run(server.sockets[0].getsockname()[1])
    assert told["statuses"] == {204: 4, 401: 1}
    assert 0 < told["p50"] <= told["p99"] <= told["max"]


async def test_a_part_that_ends_early_is_told() -> None:
    part = Part("load", {"nothing": "of use"})
    try:
        with pytest.raises(BenchFailed, match="ended before it was done"):
            part.heard()
    finally:
        part.stop()


async def test_a_short_round_of_intake_loses_nothing(tmp_path: Path) -> None:
    """The bench's own check: as many rows as events answered 204, all encrypted."""
    figures = {
        figure.name: figure
        for figure in await measure(tmp_path, 0.2, SystemClock(), rounds=1)
    }
    assert "all kept, bodies encrypted" in figures["durable intake"].note
    assert figures["durable intake against bare"].goal == 0.6
    assert figures["durable intake against the one that reads its JSON"].value > 0
    assert figures["intake p99 at 32 connections"].goal == 50
