"""Bring a database to this version's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

HERE = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run every migration that is missing. Raises alembic errors."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    with engine.connect().execution_options(writing=True) as db, db.begin():
        config.attributes["connection"] = db
        command.upgrade(config, "head")
