"""A damaged database is found before anybody relies on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.store import soundness
from app.store.database import open_engine
from app.store.migrate import migrate
from tests.damage import spoil


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path}/chaperone.sqlite3")
    migrate(made)
    yield made
    made.dispose()


def test_a_whole_one_is_let_through(engine: Engine) -> None:
    soundness.look_at_the_start(engine)
    assert soundness.found(engine) == ""


@pytest.mark.parametrize("table", ["sessions", "log", "contacts", "erasures"])
def test_a_lost_page_stops_the_start(engine: Engine, table: str) -> None:
    spoil(engine, table)
    with pytest.raises(soundness.Unsound, match=r"damaged.*chaperone restore"):
        soundness.look_at_the_start(engine)
    assert soundness.found(engine).startswith("Page ")


def test_a_large_file_is_looked_at_by_its_ends_only(
    engine: Engine,
) -> None:
    """A restart in the evening must not wait for a whole disk."""
    with engine.connect() as db:
        db.execute(text("CREATE TABLE elsewhere (id INTEGER)"))
        db.commit()
    spoil(engine, "elsewhere")
    size = Path(str(engine.url.database)).stat().st_size
    soundness.look_at_the_start(engine, size - 1)
    with pytest.raises(soundness.Unsound):
        soundness.look_at_the_start(engine, size)
    spoil(engine, "sessions")
    with pytest.raises(soundness.Unsound):
        soundness.look_at_the_start(engine, size - 1)


def test_a_store_in_memory_is_not_looked_through() -> None:
    made = open_engine("sqlite://")
    migrate(made)
    soundness.look_at_the_start(made)
    made.dispose()
