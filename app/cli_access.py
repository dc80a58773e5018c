"""Commands about who may come in and who is told: tokens, links, people, contacts."""

import asyncio
import base64
import os
from typing import Annotated

import typer

from app.command import MISUSED, Ground, fail, opened
from app.core.names import plain
from app.engine.codes import code_sender
from app.main import mail_settings
from app.store import access_rows, accounts, contacts, people
from app.store.accounts import Account
from app.store.contacts import Contact
from app.store.people import Person
from app.web.access import SCOPES, Role
from app.web.letters import SendLetter, letter_sender
from app.web.pages import account_letters
from integrations.address import RefusedAddress, check_url
from integrations.base import PermanentFailure, PlatformFailure
from integrations.mail.message import BadAddress, check_address

token_app = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
contact_app = typer.Typer(help="Who hears of alarms.", no_args_is_help=True)
account_app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
person_app = typer.Typer(help="The first people, before anybody can sign in.")

ALL = 10_000
ROLES = ", ".join(Role)


# --- tokens -------------------------------------------------------------------------


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What it is for, to recognise it later.")],
    scope: Annotated[
        list[str], typer.Option(help="What it may do; repeat for more than one.")
    ],
) -> None:
    """Make an API token and show it once."""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        known = "\n".join(f"  {one}: {what}" for one, what in SCOPES.items())
        fail(f"There is no scope {', '.join(unknown)}. Choose from:\n{known}", MISUSED)
    if not name.strip():
        fail("Give the token a name, to recognise it later.", MISUSED)
    with opened() as ground, ground.store.unit() as db:
        made, text = access_rows.make_token(
            db, ground.store, name.strip()[:200], scope, ground.clock.now()
        )
    typer.echo(text)
    typer.echo(
        f"Token {made.id} may: {', '.join(made.scopes)}. It is not shown again.",
        err=True,
    )


@token_app.command("list")
def list_tokens() -> None:
    """Show every token, without its secret."""
    with opened() as ground, ground.store.unit() as db:
        found = access_rows.tokens_listed(db)
    if not found:
        typer.echo("There are no tokens.")
    for token in found:
        state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "in use"
        used = f"{token.last_used_at:%Y-%m-%d}" if token.last_used_at else "never"
        typer.echo(
            f"{token.id}  {state}, last used {used}  {token.name}: "
            f"{', '.join(token.scopes)}"
        )


@token_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="As `token list` shows it.")],
) -> None:
    """End a token; from now on it opens nothing."""
    with opened() as ground, ground.store.unit() as db:
        access_rows.revoke_token(db, token_id, ground.clock.now())
    typer.echo(f"Token {token_id} is revoked.")


# --- people -------------------------------------------------------------------------


@person_app.callback()
def _person() -> None:
    """Workers, as far as the command line needs them."""


@person_app.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="The name people call them by.")],
    email: Annotated[str, typer.Option(help="Their work address.")] = "",
    account: Annotated[
        str, typer.Option(help="Their user id on the meeting platform.")
    ] = "",
) -> None:
    """Enter a worker, so that somebody can sign in and enter everybody else."""
    if email:
        email = _mail(email)
    person = Person(kind="worker", name=name, email=email, platform_user_id=account)
    with opened() as ground, ground.store.unit() as db:
        made = people.add(db, ground.store, person, ground.clock.now())
    typer.echo(made.id)
    typer.echo(
        f"Entered. Next: chaperone sign-in-link --person {made.id} "
        "--role administrator",
        err=True,
    )


def sign_in_link(
    person: Annotated[str, typer.Option(help="A worker's id or name.")],
    role: Annotated[
        str, typer.Option(help=f"What they sign in as: {ROLES}.")
    ] = "worker",
) -> None:
    """Make a single-use link for a person to sign in with."""
    (its_role,) = _roles([role])
    with opened() as ground, ground.store.unit() as db:
        workers = people.listed(db, ground.store, kind="worker", limit=ALL)
        worker = _one(workers, person)
        text = access_rows.make_sign_in_link(
            db, ground.store, worker.id, its_role, ground.clock.now()
        )
    typer.echo(f"{ground.settings.base_url}/sign-in/{text}")
    minutes = access_rows.LINK_LASTS.total_seconds() / 60
    typer.echo(f"For {worker.id} only, once, within {minutes:.0f} minutes.", err=True)


def _roles(said: list[str]) -> list[str]:
    unknown = sorted(set(said) - set(Role))
    if unknown:
        fail(f"There is no role {', '.join(unknown)}. Choose from: {ROLES}.", MISUSED)
    return said


def _mail(address: str) -> str:
    try:
        return check_address(address)
    except BadAddress:
        fail(f"{plain(address)} is no mail address. Give one with --email.", MISUSED)


def _one(workers: list[Person], said: str) -> Person:
    wanted = said.strip().casefold()
    found = [
        one for one in workers if wanted in (one.id.casefold(), one.name.casefold())
    ]
    if not found:
        fail(
            "No active worker has this id or name. Enter one with: "
            'chaperone person add "Name"'
        )
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        fail(f"Several workers have this name. Give an id: {ids}.")
    return found[0]


# --- accounts -----------------------------------------------------------------------


@account_app.command("invite")
def invite(
    person: Annotated[str, typer.Option(help="A worker's id or name.")],
    role: Annotated[
        list[str],
        typer.Option(help=f"What they may be here as: {ROLES}; repeat for more."),
    ] = ["worker"],  # noqa: B006 - typer reads it, nobody writes to it
    email: Annotated[
        str, typer.Option(help="Their work address; left out, the one on file.")
    ] = "",
    show: Annotated[
        bool, typer.Option(help="Print the link instead of sending it by mail.")
    ] = False,
) -> None:
    """Give a worker an account, or somebody who has one a new invitation."""
    roles = _roles(role)
    with opened() as ground:
        account, text = _invited(ground, person, roles, email)
        send = letter_sender(mail_settings(ground.settings), ground.clock)
        if send is None or show:
            typer.echo(account_letters.address(ground.settings, text))
            says = "Hand it over yourself; it works once, within 7 days."
        else:
            letter = account_letters.invitation(ground.settings, text)
            asyncio.run(_post(send, account.email, letter))
            says = "A mail with the link is on its way; it works once, within 7 days."
        typer.echo(f"{account.id}, {', '.join(account.roles)}. {says}", err=True)


async def _post(send: SendLetter, to: str, letter: tuple[str, str]) -> None:
    await send(to, *letter)


def _invited(
    ground: Ground, person: str, roles: list[str], email: str
) -> tuple[Account, str]:
    with ground.store.unit() as db:
        workers = people.listed(db, ground.store, kind="worker", limit=ALL)
        worker, now = _one(workers, person), ground.clock.now()
        known = accounts.of_person(db, ground.store, worker.id)
        if known is not None:
            kind = accounts.INVITE
            return known, accounts.new_link(db, ground.store, known.id, kind, now)
        if not email and not worker.email:
            fail("There is no mail address on file. Give one with --email.", MISUSED)
        address = _mail(email or worker.email)
        return accounts.invite(db, ground.store, worker.id, address, roles, now)


@account_app.command("list")
def list_accounts() -> None:
    """Show every account, what it may be used as, and whether it is open."""
    with opened() as ground, ground.store.unit() as db:
        found = accounts.listed(db, ground.store)
        is_open = {one.id: accounts.open_to(db, one) for one in found}
    if not found:
        typer.echo("There are no accounts.")
    for one in found:
        state = "open" if is_open[one.id] else "closed"
        typer.echo(f"{one.id}  {state}  {one.person_id}: {', '.join(one.roles)}")


@account_app.command("close")
def close_account(
    account_id: Annotated[str, typer.Argument(help="As `account list` shows it.")],
) -> None:
    """Let nobody in by an account any more; every browser is signed out."""
    with opened() as ground, ground.store.unit() as db:
        now = ground.clock.now()
        accounts.set_active(db, ground.store, account_id, False, now)
    typer.echo(f"{account_id} is closed.")


@account_app.command("open")
def open_account(
    account_id: Annotated[str, typer.Argument(help="As `account list` shows it.")],
) -> None:
    """Open an account again that was closed."""
    with opened() as ground, ground.store.unit() as db:
        now = ground.clock.now()
        accounts.set_active(db, ground.store, account_id, True, now)
    typer.echo(f"{account_id} is open.")


# --- alarm contacts -----------------------------------------------------------------


@contact_app.command("add")
def add_contact(
    mail: Annotated[str, typer.Option(help="A mail address.")] = "",
    webhook: Annotated[
        str, typer.Option(help="An https:// address of a text or chat gateway.")
    ] = "",
    label: Annotated[str, typer.Option(help="Whose it is.")] = "",
    secret: Annotated[
        str, typer.Option(help="The webhook's secret (whsec_...); made if left out.")
    ] = "",
) -> None:
    """Enter an alarm contact and send a code there."""
    if bool(mail) == bool(webhook):
        fail("Give either --mail or --webhook.", MISUSED)
    channel = "mail" if mail else "webhook"
    with opened() as ground:
        if webhook:
            secret = _secret(ground, webhook, secret)
        contact = Contact(
            channel=channel, address=mail or webhook, secret=secret, label=label
        )
        contact_id, code = _keep(ground, contact)
        try:
            asyncio.run(_send(ground, contact_id, code))
        except PermanentFailure:
            with ground.store.unit() as db:
                contacts.remove(db, contact_id)
            typer.echo("No code could be sent, so the contact is not kept.", err=True)
            raise
        except PlatformFailure:
            typer.echo(contact_id)
            _tell_secret(webhook, secret)
            typer.echo(
                f"The contact is kept; no code went there yet. Then: chaperone contact "
                f"code {contact_id}",
                err=True,
            )
            raise
    typer.echo(contact_id)
    _tell_secret(webhook, secret)
    typer.echo(
        f"A code is on its way. Then: chaperone contact confirm {contact_id} CODE",
        err=True,
    )


def _tell_secret(webhook: str, secret: str) -> None:
    if webhook:
        typer.echo(f"Secret to check the signature with: {secret}", err=True)


def _secret(ground: Ground, webhook: str, secret: str) -> str:
    settings = ground.settings
    try:
        check_url(webhook, allow_test_hosts=settings.allow_test_hosts)
    except RefusedAddress as refused:
        fail(refused.sentence)
    known, its_secret = settings.alarm_webhook_url, settings.alarm_webhook_secret
    if not secret and known and its_secret and known.get_secret_value() == webhook:
        return its_secret.get_secret_value()
    return secret or "whsec_" + base64.b64encode(os.urandom(32)).decode()


def _keep(ground: Ground, contact: Contact) -> tuple[str, str]:
    with ground.store.unit() as db:
        there = contacts.listed(db, ground.store)
        if any(
            (c.channel, c.address) == (contact.channel, contact.address) for c in there
        ):
            fail("This address is a contact already; the second one must be another.")
        return contacts.add(
            db,
            ground.store,
            contact,
            ground.clock.now(),
            allow_test_hosts=ground.settings.allow_test_hosts,
        )


async def _send(ground: Ground, contact_id: str, code: str) -> None:
    settings = ground.settings
    send = code_sender(
        ground.store,
        ground.clock,
        mail_settings(settings),
        settings.organisation_name,
        allow_test_hosts=settings.allow_test_hosts,
    )
    await send(contact_id, code)


@contact_app.command("code")
def new_code(
    contact_id: Annotated[str, typer.Argument(help="As `contact list` shows it.")],
) -> None:
    """Send another code; the earlier one no longer works."""
    with opened() as ground:
        with ground.store.unit() as db:
            code = contacts.new_code(db, ground.store, contact_id)
        asyncio.run(_send(ground, contact_id, code))
    typer.echo("A new code is on its way.")


@contact_app.command("confirm")
def confirm_contact(
    contact_id: Annotated[str, typer.Argument(help="As `contact list` shows it.")],
    code: Annotated[str, typer.Argument(help="The code that arrived there.")],
) -> None:
    """Give the code back that arrived; from then on alarms go there."""
    with opened() as ground, ground.store.unit() as db:
        right = contacts.confirm(db, ground.store, contact_id, code, ground.clock.now())
        confirmed = len(contacts.listed(db, ground.store, confirmed_only=True))
    if not right:
        fail("That is not the code that was sent.")
    typer.echo(f"Confirmed. {confirmed} of at least 2 contacts are confirmed.")


@contact_app.command("list")
def list_contacts() -> None:
    """Show every contact, and whether it is confirmed."""
    with opened() as ground, ground.store.unit() as db:
        found = contacts.listed(db, ground.store)
    if not found:
        typer.echo("There are no alarm contacts; two are needed.")
    for contact in found:
        state = "confirmed" if contact.confirmed_at else "not confirmed"
        label = f"  {contact.label}" if contact.label else ""
        typer.echo(f"{contact.id}  {contact.channel}  {state}{label}")


@contact_app.command("remove")
def remove_contact(
    contact_id: Annotated[str, typer.Argument(help="As `contact list` shows it.")],
) -> None:
    """Take a contact off the list; no alarm goes there any more."""
    with opened() as ground, ground.store.unit() as db:
        contacts.remove(db, contact_id)
    typer.echo(f"{contact_id} is taken off the list.")
