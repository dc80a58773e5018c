"""``chaperone simulate``: evenings from seeds, in virtual time."""

from typing import Annotated

import typer


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many evenings.")] = 100,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show one evening line by line.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write a broken evening as a test.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes play them.")] = 1,
    core: Annotated[
        bool, typer.Option("--core", help="Only fold and decide, without a service.")
    ] = False,
) -> None:
    """Play evenings in which things break, and judge every promise."""
    from app.simulate import command

    if trace:
        raise typer.Exit(command.trace(seed))
    if core:
        raise typer.Exit(command.core(seed, count))
    raise typer.Exit(command.simulate(seed, count, jobs=jobs, write=write))
