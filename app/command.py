"""What every command stands on: settings, an open store, one plain sentence on failure.

Exit codes: 0 done; 1 it could not be done, or was found wanting; 2 the settings cannot be
used, or the command was not written rightly.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import typer
from alembic.util import CommandError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app import logs
from app.clock import Clock, SystemClock
from app.config import Settings, SettingsFault, load_settings
from app.crypto import CannotDecrypt
from app.main import open_store
from app.store import soundness
from app.store.database import Store
from app.store.refusals import Refused, Stale, Unknown
from integrations.base import PermanentFailure, PlatformFailure

FAILED = 1
MISUSED = 2


@dataclass(frozen=True, slots=True)
class Ground:
    """Settings, store and clock of a command."""

    settings: Settings
    store: Store
    clock: Clock


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Say why on standard error, and leave."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def settings_or_exit() -> Settings:
    """The settings; or all their faults at once, and exit 2."""
    try:
        return load_settings(os.environ)
    except SettingsFault as fault:
        typer.echo("Chaperone cannot start. Mend these settings:", err=True)
        for sentence in fault.faults:
            typer.echo(f"- {sentence}", err=True)
        typer.echo("Each setting is explained in docs/settings.md.", err=True)
        raise typer.Exit(MISUSED) from None


def data_folder(settings: Settings) -> None:
    """Make the folder of the database; or say that it cannot be used, and leave."""
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
    if why:
        fail(
            f"The data folder {folder} cannot be used ({why}): give it to the account "
            "that Chaperone runs as, or name another in CHAPERONE_DATA_DIR."
        )


@contextmanager
def sentences() -> Iterator[None]:
    """Turn every failure that is foreseen into one sentence and exit 1."""
    try:
        yield
    except Refused as refused:
        fail("\n".join(refused.faults.values()))
    except (Unknown, Stale) as problem:
        fail(str(problem))
    except PermanentFailure as problem:
        fail(f"{problem} {problem.fix}".strip())
    except PlatformFailure as problem:
        fail(f"{problem} Try again in a moment.")
    except CannotDecrypt:
        fail(
            "The database was written with another CHAPERONE_SECRET_KEY: add that key "
            "after the new one, with a comma between."
        )
    except CommandError:
        fail(
            "The database belongs to a newer Chaperone than this one: install that "
            "version, or use another database."
        )
    except SQLAlchemyError as problem:
        fail(soundness.sentence(problem))
    except soundness.Unsound as problem:
        fail(str(problem))
    except OSError as problem:
        what = f" {problem.filename}" if problem.filename else ""
        fail(f"That did not work ({problem.strerror or problem}){what}.")


@contextmanager
def opened(clock: Clock | None = None) -> Iterator[Ground]:
    """Settings and store, for a command that comes and goes beside a running service."""
    settings = settings_or_exit()
    logs.set_up("error")
    data_folder(settings)
    with sentences():
        store = open_store(settings)
        try:
            yield Ground(settings, store, clock or SystemClock())
        finally:
            store.close()
