"""Commands about backups: make one, make the keys, put one back."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.engine import URL, make_url

from app import backup_key, logs
from app.backup import erased, make
from app.backup import restore as back
from app.backup.envelope import Head, NotABackup, WrongKey
from app.backup.folder import AnotherRuns
from app.backup.load import Differs
from app.backup_key import BadBackupKey
from app.clock import SystemClock
from app.command import MISUSED, fail, sentences, settings_or_exit
from app.config import Settings
from app.main import lock_of
from app.store.lock import AlreadyRunning

_FORESEEN = (
    AlreadyRunning,
    AnotherRuns,
    Differs,
    NotABackup,
    WrongKey,
    back.CannotRestore,
    erased.BadList,
    make.NothingToBackUp,
)
GENTLY = 10  # setpriority(2): gives way to the service


def new_backup_key() -> None:
    """Print a backup key for the settings, and the restore key that opens its backups."""
    pair = backup_key.new_pair()
    typer.echo(pair.public)
    typer.echo(pair.private)
    typer.echo(
        "The first is CHAPERONE_BACKUP_KEY. The second opens the backups: print it on "
        "docs/restore.md, together with CHAPERONE_SECRET_KEY, and keep the page in a "
        "safe, not on this machine. Neither is shown again.",
        err=True,
    )


def backup(
    into: Annotated[
        Path | None,
        typer.Option("--folder", help="Instead of CHAPERONE_BACKUP_FOLDER."),
    ] = None,
    gently: Annotated[
        bool, typer.Option("--gently", help="Leave the processor to others.")
    ] = False,
) -> None:
    """Back the store up while the service runs, and try the backup out."""
    settings = settings_or_exit()
    folder = into or settings.backup_folder
    if folder is None or settings.backup_key is None:
        fail(
            "Set CHAPERONE_BACKUP_FOLDER and CHAPERONE_BACKUP_KEY first; "
            "`chaperone new-backup-key` makes the key.",
            MISUSED,
        )
    logs.set_up("error")
    if gently:
        os.nice(GENTLY)
    clock = SystemClock()
    with _said():
        made = make.make(
            _address(settings),
            settings.keyring(),
            folder,
            backup_key.public_key(settings.backup_key),
            clock,
        )
        gone = make.thin_out(folder, clock.now(), timedelta(days=settings.backup_days))
    typer.echo(
        f"Backed up and tried out: {made.path}\n"
        f"{made.rows:,} rows in {made.tables} tables, {made.size / 1e6:.1f} MB; written "
        f"in {made.took.total_seconds():.1f} s, restored on trial and compared in "
        f"{made.trial.total_seconds():.1f} s. {gone} older backups deleted."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key_file: Annotated[
        Path | None,
        typer.Option(help="A file with the restore key; asked for if left out."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put data that is there aside.")
    ] = False,
    without_list: Annotated[
        bool,
        typer.Option(
            "--without-erased-list", help="Although erased people may come back."
        ),
    ] = False,
    only_check: Annotated[
        bool,
        typer.Option("--only-check", help="Try it out; change nothing."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup back. Shows what it will do, and asks."""
    settings = settings_or_exit()
    logs.set_up("error")
    now = SystemClock().now()
    with _said():
        head = back.look(file, settings.keyring())
        people = _erased(settings, file, head, without_list or only_check)
        key = _restore_key(key_file)
        order = back.Order(file, key, _address(settings), settings.keyring(), now)
        if only_check:
            _try_out(order, head, settings.data_dir)
            return
        with _service_stopped(settings):
            if replace:
                people |= back.erased_in(order.address)
            order = back.Order(
                file, key, order.address, order.keys, now, replace, people
            )
            _show(settings, order, head)
            if not yes and not typer.confirm("Go on?"):
                fail("Nothing was changed.")
            done = back.restore(order)
            with suppress(OSError, erased.BadList):
                _keep_list(settings, people, now)
    _tell(done, head)


@contextmanager
def _said() -> Iterator[None]:
    """As app.command.sentences, with what backups can meet."""
    with sentences():
        try:
            yield
        except _FORESEEN as problem:
            fail(str(problem))


def _address(settings: Settings) -> URL:
    return make_url(settings.database_url.get_secret_value())


def _restore_key(path: Path | None) -> X25519PrivateKey:
    if path is not None:
        text = path.read_text(encoding="utf-8")
    else:
        text = typer.prompt("Restore key (it does not show)", hide_input=True, err=True)
    try:
        return backup_key.private_key(text)
    except BadBackupKey as problem:
        fail(f"This is no restore key. {problem}")


@contextmanager
def _service_stopped(settings: Settings) -> Iterator[None]:
    lock = lock_of(settings)
    if lock is not None:
        lock.take()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _erased(
    settings: Settings, file: Path, head: Head, without: bool
) -> dict[str, int]:
    folders = [file.resolve().parent]
    if settings.backup_folder is not None:
        folders.append(settings.backup_folder)
    found = back.to_erase_again(folders, settings.keyring(), head.made_at)
    if found is None and not without:
        fail(
            f"The list of erased people ({erased.NAME}) that belongs to this backup is not "
            "beside it: copy the newest one from the backup folder there. Without it "
            "people who were erased may come back; if it is lost, add "
            "--without-erased-list and erase them again by hand."
        )
    return found or {}


def _try_out(order: back.Order, head: Head, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=where) as place:
        address = make_url(f"sqlite:///{place}/trial.sqlite3")
        trial = back.Order(order.file, order.key, address, order.keys, order.now)
        done = back.restore(trial)
    typer.echo(
        f"This backup is good: made {head.made_at}, {done.rows:,} rows. The restore key "
        "and CHAPERONE_SECRET_KEY both open it. Nothing was changed."
    )


def _show(settings: Settings, order: back.Order, head: Head) -> None:
    used = back.may_fill(order)
    typer.echo(
        f"Backup:   {order.file.name}, made {head.made_at} by Chaperone {head.program}\n"
        f"Database: {order.address.render_as_string(hide_password=True)} "
        f"({'holds data' if used else 'empty'})\n"
        f"This will put the backup into the database"
        f"{', and the data that is there aside' if used else ''}. "
        f"{len(order.erased)} people on the list of the erased are erased again if they "
        f"come back. Everything entered after {head.made_at} is not in it.\n"
        f"Address:  {settings.base_url}"
    )


def _keep_list(settings: Settings, people: dict[str, int], now: datetime) -> None:
    """What the replaced database knew must outlive it."""
    if settings.backup_folder is not None and people:
        erased.add(settings.backup_folder, settings.keyring(), people, now)


def _tell(done: back.Restored, head: Head) -> None:
    typer.echo(f"Restored: {done.rows:,} rows, read back and compared.")
    if done.kept_as:
        typer.echo(f"The old data lies in {done.kept_as}. Delete it when all is well.")
    typer.echo(f"{done.erased} people were erased again.")
    if done.on_hold:
        typer.echo(
            "NOT erased again, because of a hold or as an alarm contact: "
            f"{', '.join(done.on_hold)}. Lift the hold, then erase them by hand."
        )
    typer.echo(
        "\nNext:\n"
        "1. chaperone check          every line should be well\n"
        "2. chaperone serve          (or start the container)\n"
        "3. Sign in: everybody was signed out. If nobody can: chaperone sign-in-link\n"
        f"4. Enter by hand what was written after {head.made_at}, and revoke tokens and\n"
        "   close accounts that were ended after it.\n"
        "5. For sessions that are live now: two workers in each call until the live page\n"
        "   shows the room."
    )
