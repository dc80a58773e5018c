"""What processes tell one another arrives, and a broken line is mended."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from sqlalchemy.engine import make_url

from app.store.post import Post
from tests.store.postgres import Server

Word = tuple[str, str]
WITHIN = 20.0
Make = Callable[[str], tuple[Post, "SimpleQueue[Word]"]]


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    address = make_url(server.cleared())
    made: list[Post] = []

    def listening(process: str) -> tuple[Post, "SimpleQueue[Word]"]:
        post, heard = Post(address, process), SimpleQueue[Word]()
        made.append(post)
        post.listen(lambda what, which: heard.put((what, which)))
        assert heard.get(timeout=WITHIN) == ("all", "")  # it listens now
        return post, heard

    yield listening
    for post in made:
        post.close()


def test_the_others_hear_it_and_who_said_it_does_not(make: Make) -> None:
    (a, to_a), (b, to_b) = make("a"), make("b")

    a.send("wake", "session-1")
    b.send("letters", "")

    assert to_b.get(timeout=WITHIN) == ("wake", "session-1")
    assert to_a.get(timeout=WITHIN) == ("letters", "")
    assert to_a.empty()
    assert to_b.empty()


def test_after_a_broken_line_everything_is_looked_at(
    server: Server, make: Make
) -> None:
    (a, to_a), (b, to_b) = make("a"), make("b")
    a.send("wake", "session-1")
    assert to_b.get(timeout=WITHIN) == ("wake", "session-1")

    server.ask(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )

    for heard in (to_a, to_b):
        assert heard.get(timeout=WITHIN) == ("all", "")
    a.send("wake", "lost")  # its sending line is found broken: one word is lost
    while to_b.empty():
        a.send("wake", "session-2")
    assert to_b.get(timeout=WITHIN)[0] == "wake"
    b.send("letters", "")
    while to_a.empty():
        b.send("letters", "")
    assert to_a.get(timeout=WITHIN) == ("letters", "")
