"""From nothing to this version's tables, and not a column apart from the code."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from app.store import tables
from app.store.database import open_engine
from app.store.migrate import migrate


def test_the_migrations_make_exactly_the_tables_of_the_code(nowhere: str) -> None:
    assert tables.LogRow.__tablename__ == "log"
    engine = open_engine(nowhere)
    migrate(engine)
    with engine.connect() as db:
        context = MigrationContext.configure(db)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing_and_loses_nothing(nowhere: str) -> None:
    engine = open_engine(nowhere)
    migrate(engine)
    with engine.connect().execution_options(writing=True) as db, db.begin():
        db.execute(text("INSERT INTO periodic (name, last_at) VALUES ('kept', 1)"))
    before = {
        t: inspect(engine).get_columns(t) for t in inspect(engine).get_table_names()
    }

    migrate(engine)

    after = {
        t: inspect(engine).get_columns(t) for t in inspect(engine).get_table_names()
    }
    assert {t: [c["name"] for c in cs] for t, cs in before.items()} == {
        t: [c["name"] for c in cs] for t, cs in after.items()
    }
    with engine.connect() as db:
        assert db.execute(text("SELECT name FROM periodic")).scalars().all() == ["kept"]
    engine.dispose()


def test_a_migration_that_fails_half_way_leaves_no_trace(nowhere: str) -> None:
    """One transaction: a crash in it leaves the old version whole."""
    engine = open_engine(nowhere)
    with engine.connect().execution_options(writing=True) as db, db.begin():
        db.execute(text("CREATE TABLE sessions (id INTEGER)"))  # in the way

    with pytest.raises(Exception, match="already exists"):
        migrate(engine)

    assert inspect(engine).get_table_names() == ["sessions"]
    engine.dispose()
