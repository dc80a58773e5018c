"""64 shards of sessions, claimed for a while, shared fairly, and who was refused."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import InternalError

from app.checkup.company import NOBODY_RUNS, processes
from app.crypto import Keyring
from app.store import leases
from app.store.database import InlineDoor, Store, open_engine
from app.store.leases import HOUSE, NAMES, LeaseLost, Turn, shard_of
from tests.many.conftest import LASTS
from tests.store.postgres import Server

pytestmark = pytest.mark.anyio

Take = Callable[[str], Turn]


@pytest.fixture
def store(server: Server) -> Iterator[Store]:
    engine = open_engine(server.cleared())
    store = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))
    yield store
    store.close()


@pytest.fixture
def take(store: Store) -> Take:
    def turn(process: str) -> Turn:
        with store.unit() as db:
            return leases.take_turn(db, process, LASTS)

    return turn


async def findings(store: Store) -> list[tuple[str, str]]:
    return [(one.state, one.sentence) for one in await processes(store)]


async def test_the_check_says_who_shares(store: Store, take: Take) -> None:
    assert await findings(store) == [("ok", NOBODY_RUNS)]
    take("a")
    assert await findings(store) == [("ok", "One has all sessions.")]
    take("b")
    take("a")
    [(state, sentence)] = await findings(store)
    assert (state, sentence[:38]) == ("warn", "2 serve this database; of 32 of 64 sha")
    take("b")
    assert await findings(store) == [("ok", "2 share the sessions.")]


def run_out(store: Store, process: str) -> None:
    """The time of a killed process is over."""
    with store.unit() as db:
        db.execute(
            text("UPDATE leases SET expires_at = 1 WHERE owner = :name"),
            {"name": process},
        )


def shards(turn: Turn) -> set[str]:
    return set(turn.held) - {HOUSE}


def test_every_session_has_its_shard_in_every_version() -> None:
    """A process of the version before has to find the same one."""
    assert [shard_of(f"session-{n}") for n in range(4)] == EXPECTED
    assert len({shard_of(f"session-{n}") for n in range(1000)}) == 64


EXPECTED = ["shard-56", "shard-46", "shard-20", "shard-02"]


def test_who_is_alone_has_everything_under_the_first_number(take: Take) -> None:
    assert take("a").held == dict.fromkeys((*NAMES, HOUSE), 1)
    assert take("a") == Turn(dict.fromkeys((*NAMES, HOUSE), 1), processes=1)


def test_processes_that_come_and_go_share_fairly(store: Store, take: Take) -> None:
    take("a")
    assert take("b") == Turn({}, processes=2)
    assert take("a").given_up == 32
    assert len(shards(take("b"))) == 32

    take("c")  # 22 each at the most
    assert take("a").given_up == 10
    assert take("b").given_up == 10
    third = take("c")
    assert len(shards(third)) == 20
    held = [take(name) for name in "abc"]
    assert [len(shards(one)) for one in held] == [22, 22, 20]
    assert set.union(*map(shards, held)) == set(NAMES)
    assert [HOUSE in one.held for one in held] == [True, False, False]

    with store.unit() as db:
        leases.give_back(db, "a")
    later = take("b")
    assert (len(shards(later)), HOUSE in later.held) == (32, True)
    assert len(shards(take("c"))) == 32


def test_a_busy_shard_is_given_up_last(store: Store, take: Take) -> None:
    take("a")
    take("b")
    with store.unit() as db:
        turn = leases.take_turn(db, "a", LASTS, busy={"shard-00", "shard-01"})
    assert {"shard-00", "shard-01"} <= set(turn.held)


def test_the_number_grows_with_each_claim_and_not_with_a_renewal(
    store: Store, take: Take
) -> None:
    take("a")
    take("a")
    run_out(store, "a")
    assert take("a").held["shard-07"] == 1  # late, and nobody came in between
    run_out(store, "a")

    assert set(take("b").held.values()) == {2}
    run_out(store, "b")
    assert set(take("a").held.values()) == {3}


def test_only_the_newest_claim_may_write(store: Store, take: Take) -> None:
    take("a")
    with store.unit() as db:
        leases.check(db, "shard-07", "a", 1)
    run_out(store, "a")
    take("b")
    for process, fence in (("a", 1), ("a", 2), ("b", 1)):
        with store.unit() as db, pytest.raises(LeaseLost) as lost:
            leases.check(db, "shard-07", process, fence)
        assert lost.value.refused
    with store.unit() as db:
        leases.check(db, "shard-07", "b", 2)


def test_a_process_that_died_long_ago_is_forgotten(store: Store, take: Take) -> None:
    take("a")
    run_out(store, "a")
    take("b")

    with store.engine.connect() as db:
        names = db.execute(text("SELECT name FROM leases WHERE name LIKE 'proc%'"))
        assert list(names.scalars()) == ["process:b"]


def test_who_is_frozen_while_it_writes_does_not_hold_the_others_up(
    store: Store,
) -> None:
    """The database ends it (idle_in_transaction_session_timeout) before a lease is over."""
    frozen = store.engine.connect().execution_options(writing=True)
    transaction = frozen.begin()

    def note(db: Connection) -> None:
        db.execute(text("INSERT INTO periodic (name, last_at) VALUES ('b', 1)"))

    with store.unit() as db:  # waits, and not for the ten seconds it would
        note(db)
    with pytest.raises(InternalError, match="idle-in-transaction"):
        note(frozen)
    transaction.close()
    frozen.close()
