"""This machine: settings, store, disk; and the ways an alarm leaves it."""

import asyncio
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.backup.folder import listed
from app.backup.periodic import LOOK, TOO_OLD
from app.checkup.finding import Finding, failed
from app.checkup.outside import Outside
from app.clock import Clock
from app.config import Settings
from app.engine.disk import LEAST
from app.main import mail_settings, sign_in_provider, spool_file_of
from app.store import soundness
from app.store.database import Store
from app.store.plans import contact_channels, contacts_confirmed
from integrations.base import PlatformFailure


async def usable_settings(settings: Settings) -> list[Finding]:
    """Always usable by now; test hosts are for tests."""
    if settings.allow_test_hosts:
        return [
            Finding(
                "settings",
                "warn",
                "Platform addresses may point at test servers.",
                "Take CHAPERONE_ALLOW_TEST_HOSTS away on a machine that real people use.",
            )
        ]
    return [Finding("settings", "ok", "All settings can be used.")]


async def durable_store(store: Store) -> list[Finding]:
    """Whether it takes a write and flushes it (read back from the database)."""
    try:
        await asyncio.to_thread(store.writable)
        unsafe = await store.read(_not_durable)
    except (SQLAlchemyError, OSError) as problem:
        return [
            Finding(
                "store",
                "fault",
                f"The database takes no write ({type(problem).__name__}).",
                "See that it runs, that its folder belongs to the service, and that the "
                "disk is neither full nor read-only.",
            )
        ]
    if unsafe:
        return [
            Finding(
                "store",
                "fault",
                f"What is stored may be lost in a power cut: {unsafe}.",
                "On PostgreSQL set fsync and synchronous_commit to on; SQLite is set by "
                "Chaperone itself, so its file must lie on a local disk.",
            )
        ]
    return [Finding("store", "ok", "It takes writes, and keeps them in a power cut.")]


def _not_durable(db: Connection) -> str:
    """Settings that are not what durability needs, "" when all are."""
    if db.dialect.name == "sqlite":
        mode = str(db.execute(text("PRAGMA journal_mode")).scalar())
        flush = int(db.execute(text("PRAGMA synchronous")).scalar() or 0)
        wrong = [] if mode == "wal" else [f"journal_mode is {mode}"]
        if flush < 2:
            wrong.append(f"synchronous is {flush}")
        return " and ".join(wrong)
    found = {
        name: str(db.execute(text(f"SHOW {name}")).scalar())
        for name in ("fsync", "synchronous_commit")
    }
    return " and ".join(
        f"{name} is {value}" for name, value in found.items() if value == "off"
    )


async def damage(store: Store) -> list[Finding]:
    """Read the whole database; nothing when it is whole."""
    why = await asyncio.to_thread(soundness.found, store.engine)
    if not why:
        return []
    return [
        Finding(
            "store",
            "fault",
            f"The database is damaged ({why}). Nothing else was looked at.",
            "Stop the service and put the last good backup back: chaperone restore "
            "--replace (docs/restore.md).",
        )
    ]


async def spool(settings: Settings) -> list[Finding]:
    """Whether the second durable place can be written (I20)."""
    file = spool_file_of(settings)
    if file is None:
        return []
    trouble = await asyncio.to_thread(file.trouble)
    if trouble:
        return [
            Finding(
                "second file",
                "fault",
                trouble,
                "Give its folder to the account that Chaperone runs as, or name another "
                "in CHAPERONE_SPOOL_FILE.",
            )
        ]
    return [Finding("second file", "ok", "It takes what the store does not.")]


async def backups(settings: Settings, clock: Clock) -> list[Finding]:
    """Whether there is a good backup, and a young one."""
    folder = settings.backup_folder
    if folder is None:
        return [
            Finding(
                "backups",
                "warn",
                "This service makes none by itself.",
                "Set CHAPERONE_BACKUP_FOLDER and CHAPERONE_BACKUP_KEY, or see that "
                "something else copies the database.",
            )
        ]
    try:
        kept = await asyncio.to_thread(listed, folder)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        return [
            Finding(
                "backups",
                "fault",
                f"{folder} cannot be read ({why}).",
                "Make it, and give it to the account that Chaperone runs as.",
            )
        ]
    if not kept:
        return [Finding("backups", "fault", "There is no good backup.", LOOK)]
    age = clock.now() - kept[-1].at
    minutes = age // timedelta(minutes=1)
    sentence = f"The last good one is {minutes} minutes old."
    if age > TOO_OLD:
        return [
            Finding("backups", "fault", sentence, f"Is the service running? {LOOK}")
        ]
    return [Finding("backups", "ok", sentence)]


async def disk(settings: Settings, store: Store, outside: Outside) -> list[Finding]:
    """Room for the records to come."""
    database = store.engine.url
    folder = settings.data_dir
    if database.get_backend_name() == "sqlite" and database.database:
        folder = Path(database.database).parent
    free = outside.free_bytes(folder)
    if free < LEAST:
        return [
            Finding(
                "disk",
                "warn",
                f"{free / 10**6:.0f} MB are free where the data lies.",
                "Make room: a full disk takes no more records. 1 GB is the least.",
            )
        ]
    return [Finding("disk", "ok", f"{free / 10**9:.0f} GB are free.")]


async def alarm_contacts(store: Store) -> list[Finding]:
    """Two confirmed ones, or an alarm may reach nobody."""
    confirmed: int = await store.read(contacts_confirmed)
    ways: int = await store.read(contact_channels)
    if confirmed < 2:
        return [
            Finding(
                "alarm contacts",
                "fault",
                f"{confirmed} of 2 are confirmed, so an alarm may reach nobody.",
                "chaperone contact add --mail ADDRESS, then chaperone contact confirm.",
            )
        ]
    if ways < 2:
        return [
            Finding(
                "alarm contacts",
                "warn",
                f"{confirmed} are confirmed, all by the same way: if it fails, all are silent.",
                "Let one hear by mail and one by a gateway for text messages "
                "(chaperone contact add --webhook ADDRESS).",
            )
        ]
    return [Finding("alarm contacts", "ok", f"{confirmed} are confirmed.")]


async def mail(settings: Settings, outside: Outside) -> list[Finding]:
    """Sign in at the mail server; send nothing."""
    server = mail_settings(settings)
    if server is None:
        return [
            Finding(
                "mail",
                "warn",
                "No mail server is set, so alarms and links do not go by mail.",
                "Set CHAPERONE_SMTP_HOST and CHAPERONE_SMTP_FROM.",
            )
        ]
    try:
        await outside.try_mail(server)
    except PlatformFailure as failure:
        return [failed("mail", failure)]
    return [
        Finding("mail", "ok", f"{server.host} takes our sign-in; no mail was sent.")
    ]


async def sign_in(settings: Settings, outside: Outside) -> list[Finding]:
    """Ask the organisation's sign-in provider who it is; nobody is signed in."""
    provider = sign_in_provider(settings)
    if provider is None:
        return []
    try:
        await outside.try_provider(provider)
    except PlatformFailure as failure:
        return [failed("sign-in", failure)]
    return [Finding("sign-in", "ok", f"{provider.settings.issuer} describes itself.")]
