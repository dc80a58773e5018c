"""Bring a database to this version's tables.

Migrations only add (tables, columns that may be left out, indexes), so that a process of
the version before goes on while a newer one starts (docs/operations.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app.store.on_postgresql import MIGRATING, OURS

HERE = Path(__file__).parent / "migrations"
PATIENCE = "10min"  # for another process that migrates


def migrate(engine: Engine) -> None:
    """Run every migration that is missing. Raises alembic errors.

    Several processes that start together wait for the first, which does it.
    """
    config = Config()
    config.set_main_option("script_location", str(HERE))
    with _one_at_a_time(engine):
        if _is_done(engine, config):
            return
        with engine.connect().execution_options(writing=True) as db, db.begin():
            if db.dialect.name != "sqlite":
                db.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            config.attributes["connection"] = db
            command.upgrade(config, "head")


def _is_done(engine: Engine, config: Config) -> bool:
    """Whether there is nothing to do, so that nobody's writing is held up."""
    heads = ScriptDirectory.from_config(config).get_heads()
    with engine.connect() as db, db.begin():
        return set(MigrationContext.configure(db).get_current_heads()) == set(heads)


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        yield  # The writing transaction is enough: it waits for the other.
        return
    with engine.connect() as waiting, waiting.begin():
        waiting.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        waiting.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OURS}, {MIGRATING})")
        yield
