"""``chaperone ...``: the commands. docs/commands.md lists them; a test compares the two."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from app import checkup, logs, serving
from app import main as composition
from app.cli_access import (
    account_app,
    contact_app,
    person_app,
    sign_in_link,
    token_app,
)
from app.cli_backup import backup, new_backup_key, restore
from app.cli_data import erase_person, hold_app, re_encrypt, show_retention
from app.cli_export import export
from app.cli_simulate import simulate
from app.clock import SystemClock
from app.command import (
    MISUSED,
    data_folder,
    fail,
    sentences,
    settings_or_exit,
)
from app.config import Settings, SettingsFault, load_settings
from app.crypto import new_key as make_key
from app.practice.hall import Hall
from app.store.lock import AlreadyRunning
from integrations import PLATFORMS

app = typer.Typer(
    help="Keeps online group sessions with young people safe, and writes the record.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(token_app, name="token")
app.add_typer(contact_app, name="contact")
app.add_typer(person_app, name="person")
app.add_typer(account_app, name="account")
app.command("sign-in-link")(sign_in_link)
app.command()(simulate)
app.command("new-backup-key")(new_backup_key)
app.command("backup")(backup)
app.command("restore")(restore)
app.add_typer(hold_app, name="hold")
app.command("erase-person")(erase_person)
app.command("retention")(show_retention)
app.command("export")(export)
app.command("re-encrypt")(re_encrypt)


def main() -> None:
    """Entry point of the ``chaperone`` script."""
    app()


@app.command()
def rehearse(
    exit_after: Annotated[
        bool, typer.Option("--exit", help="End instead of leaving the pages up.")
    ] = False,
    scene: Annotated[
        list[str] | None, typer.Option(help="Play this scene only; may be repeated.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Where the pages are; a free one if left out."
        ),
    ] = None,
) -> None:
    """Play whole evenings on a simulated room and check every promise."""
    from app.rehearse import rehearse as play
    from app.rehearse import scenes

    unknown = sorted(set(scene or ()) - set(scenes()))
    if unknown:
        known = ", ".join(scenes())
        fail(f"There is no scene {unknown[0]}; there are: {known}.", MISUSED)
    with sentences():
        if port is not None:
            serving.listen("127.0.0.1", port).close()
        raise typer.Exit(play(exit_after, list(scene or ()), port))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Run the service until it is told to stop."""
    settings = settings_or_exit()
    logs.set_up(settings.log_level)
    data_folder(settings)
    try:
        with (
            sentences(),
            _alone(settings),
            serving.listen(host, port) as listener,
        ):
            hall = Hall(settings.base_url)
            service = composition.build(settings, practice=hall)

            def goodbye() -> None:
                service.engine.let_pages_go()
                hall.let_go()

            typer.echo(
                f"Chaperone listens on {host}, port {port}, as {settings.base_url}."
            )
            started = serving.serve(
                hall.around(service.app),
                listener,
                service.lane,
                goodbye,
            )
    except AlreadyRunning as problem:
        fail(str(problem))
    if not started:
        fail("Chaperone did not start; the lines above say why.")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    lock = composition.lock_of(settings, shared=True)
    if lock is None:
        yield
        return
    lock.take()
    try:
        yield
    finally:
        lock.release()


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at settings, public address, webhooks, scopes and contacts; say how to mend."""
    logs.set_up("error")
    try:
        with sentences():
            findings = asyncio.run(_look())
    except SettingsFault as fault:
        findings = checkup.of_settings(fault)
    if as_json:
        typer.echo(json.dumps([finding.plain() for finding in findings], indent=2))
    else:
        typer.echo(checkup.told(findings))
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


async def _look() -> list[checkup.Finding]:
    settings, clock = load_settings(os.environ), SystemClock()
    data_folder(settings)
    with sentences():
        store = composition.open_store(settings)
    platforms = {
        entry.name: entry.build(settings, clock, None)
        for entry in PLATFORMS.values()
        if entry.is_on(settings)
    }
    try:
        return await checkup.check(settings, store, clock, platforms)
    finally:
        for platform in platforms.values():
            await platform.close()
        store.close()


@app.command("new-key")
def new_key() -> None:
    """Print a fresh CHAPERONE_SECRET_KEY."""
    typer.echo(make_key())


@app.command()
def bench(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="intake, settle, end, flood, storm, exports, pages, rooms or many."
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long each load lasts.")
    ] = 3.0,
    database: Annotated[
        str | None,
        typer.Option(help="For many: a PostgreSQL; databases are made and dropped."),
    ] = None,
) -> None:
    """Measure intake, settling and the way to the end call."""
    from app.bench import run

    raise typer.Exit(run(list(only or ()), seconds, database))


if __name__ == "__main__":
    main()
