"""Which version of the tables a database has, and bringing it to a named one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.store.migrate import HERE


def revision_of(db: Connection) -> str | None:
    """The revision of its tables; None where Chaperone has none."""
    return MigrationContext.configure(db).get_current_revision()


def knows(revision: str, migrations: Path = HERE) -> bool:
    """Whether this program can make tables of that revision."""
    script = ScriptDirectory(str(migrations))
    return any(one.revision == revision for one in script.walk_revisions())


def bring_to(db: Connection, revision: str, migrations: Path = HERE) -> None:
    """Run the migrations up to `revision` ("head": all) on an open transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = db
    command.upgrade(config, revision)
