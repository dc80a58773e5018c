"""Commands about what is kept: erasing a person, terms, holds, changing the key."""

import asyncio
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from app.command import MISUSED, Ground, fail, opened
from app.main import lock_of
from app.privacy import erasure, holds, retention, sealed
from app.privacy.terms import Kind, Term
from app.store.lock import AlreadyRunning

hold_app = typer.Typer(
    help="What must not be deleted, whatever its term.", no_args_is_help=True
)

BY = "command line"
REVIEW_AFTER = timedelta(days=365)
TOLD_EVERY = 10_000


# --- erasing a person ---------------------------------------------------------------


def erase_person(
    person: Annotated[str, typer.Option(help="The person's id.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase; without it only look.")
    ] = False,
) -> None:
    """Erase what names or describes a person; say what stays, and why."""
    with opened() as ground:
        now = ground.clock.now()
        if not yes:
            _tell(erasure.preview(ground.store, person, now))
            typer.echo("Nothing is erased yet: add --yes to erase.")
            return
        _tell(asyncio.run(erasure.erase(ground.store, person, BY, now)))
    typer.echo("Erased.")


def _tell(made: erasure.Erased) -> None:
    for table, number in made.counts.items():
        typer.echo(f"{number:>7}  {table}")
    for one in made.stays:
        until = f" Until {one.until:%Y-%m-%d}." if one.until else ""
        many = f"{one.count} " if one.count else ""
        typer.echo(f"stays: {many}{one.what}. {one.why}{until}")


# --- terms --------------------------------------------------------------------------


def show_retention(
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look ahead to the end of this day."),
    ] = None,
) -> None:
    """Show what goes by its term, by kind and date; nothing is deleted."""
    with opened() as ground, ground.store.unit() as db:
        now = ground.clock.now()
        terms = retention.terms_of(db)
    when = datetime.combine(on.date(), time.max, UTC) if on else now
    by_kind: dict[Kind, list[Term]] = defaultdict(list)
    for term in terms:
        by_kind[term.kind].append(term)
    typer.echo(f"By the end of {when:%Y-%m-%d}:" if on else "Now:")
    for kind in Kind:
        _tell_kind(kind, by_kind[kind], when)
    typer.echo("What is due goes by itself within the hour while the service runs.")


def _tell_kind(kind: Kind, terms: list[Term], when: datetime) -> None:
    due = [one for one in terms if one.until < when and not one.on_hold]
    kept = [one for one in terms if one.until < when and one.on_hold]
    later = [one.until for one in terms if one.until >= when]
    oldest = f", the oldest since {due[0].until:%Y-%m-%d}" if due else ""
    held = f", {len(kept)} more on hold" if kept else ""
    coming = f"; next on {later[0]:%Y-%m-%d}, {len(later)} in all" if later else ""
    typer.echo(f"{len(due):>7}  {kind}{oldest}{held}{coming}")


# --- holds --------------------------------------------------------------------------


@hold_app.command("place")
def place_hold(
    reason: Annotated[str, typer.Option(help="Why it must be kept, in a sentence.")],
    person: Annotated[str, typer.Option(help="A person's id.")] = "",
    session: Annotated[str, typer.Option(help="A session's id.")] = "",
    review: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="When it is looked at again."),
    ] = None,
) -> None:
    """Keep a person with their sessions, or one session, until the hold is lifted."""
    if bool(person) == bool(session):
        fail("Give either --person or --session.", MISUSED)
    with opened() as ground, ground.store.unit() as db:
        now = ground.clock.now()
        made = holds.place(
            db,
            ground.store,
            holds.PERSON if person else holds.SESSION,
            person or session,
            reason=reason,
            by=BY,
            review_on=_day(review) or (now + REVIEW_AFTER).date(),
            now=now,
        )
    typer.echo(made.id)
    typer.echo(f"Kept; to be looked at again on {made.review_on}.", err=True)


def _day(given: datetime | None) -> date | None:
    return given.date() if given is not None else None


@hold_app.command("list")
def list_holds() -> None:
    """Show every hold in force and why."""
    with opened() as ground, ground.store.unit() as db:
        found = holds.listed(db, ground.store)
        today = ground.clock.now().date()
    if not found:
        typer.echo("Nothing is on hold.")
    for one in found:
        late = ", review overdue" if one.review_on < today else ""
        typer.echo(
            f"{one.id}  {one.subject_id}  since {one.placed_at:%Y-%m-%d}, "
            f"review on {one.review_on}{late}  {one.reason}"
        )


@hold_app.command("lift")
def lift_hold(
    hold_id: Annotated[str, typer.Argument(help="As `hold list` shows it.")],
) -> None:
    """Let the usual terms count again."""
    with opened() as ground, ground.store.unit() as db:
        holds.lift(db, hold_id, BY, ground.clock.now())
    typer.echo(f"{hold_id} is lifted.")


# --- changing the key ---------------------------------------------------------------


def re_encrypt() -> None:
    """Write everything that lies under an older key anew under the first one."""
    with opened() as ground:
        lock = lock_of(ground.settings)
        try:
            if lock is not None:
                lock.take()
        except AlreadyRunning:
            fail(
                "A service runs on this database. Stop it first: one that does not know "
                "the new key could not read what is written now."
            )
        try:
            _write_anew(ground)
        finally:
            if lock is not None:
                lock.release()


def _write_anew(ground: Ground) -> None:
    first, *older = ground.store.keys.key_ids
    done = sealed.re_encrypt(ground.store, ground.clock.now(), _progress)
    typer.echo(f"{done.values} values were written anew under key {first}.")
    if done.closed:
        fail(
            f"{done.closed} values are closed to every key of CHAPERONE_SECRET_KEY; they "
            "are as they were. Add the key they were written with after the others."
        )
    if older:
        typer.echo(
            "Nothing lies under the older ones any more: `chaperone check` says what to "
            "look at before you take them off."
        )


def _progress(column: str, done: int, of: int) -> None:
    if done == of or done % TOLD_EVERY < sealed.AT_ONCE:
        typer.echo(f"{column}: {done} of {of}")
