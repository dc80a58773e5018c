"""The bench of two processes measures what it says, and leaves nothing behind."""

from pathlib import Path

import psycopg
import pytest

from app.bench import many
from app.bench.processes import BenchFailed
from app.clock import SystemClock
from tests.store.postgres import Server

pytestmark = pytest.mark.anyio


async def test_without_a_database_it_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(BenchFailed, match="--database"):
        await many.measure(tmp_path, None, 1.0, SystemClock())


async def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    nowhere = f"postgresql://postgres@/postgres?host={tmp_path}"
    with pytest.raises(BenchFailed, match="cannot be used"):
        await many.measure(tmp_path, nowhere, 1.0, SystemClock())


@pytest.mark.long
async def test_it_measures_and_drops_its_databases(
    server: Server, tmp_path: Path
) -> None:
    url = server.url("postgres").replace("+psycopg", "")
    figures = await many.measure(tmp_path, url, 5.0, SystemClock())

    assert [figure.unit for figure in figures] == [
        "sessions/s", "sessions/s", "", "events/s", "",
    ]  # fmt: skip
    assert all(figure.value > 0 for figure in figures)
    where = f"host={server.folder} user=postgres dbname=postgres"
    with psycopg.connect(where) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_database WHERE datname LIKE 'chaperone_bench%'"
        ).fetchone()
    assert left == (0,)
