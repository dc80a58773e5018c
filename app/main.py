"""Composition root: settings in, service out. Nothing is built at import."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from sqlalchemy.engine import make_url

from app.backup.periodic import EVERY, Backups
from app.clock import Clock, SteadyClock, SystemClock
from app.config import Settings
from app.core.rules import RULES, Rule
from app.crypto import new_token
from app.engine.alarms import Alarms
from app.engine.codes import code_sender
from app.engine.disk import LOOK_EVERY, DiskRoom
from app.engine.footing import Footing
from app.engine.leases import EVERYTHING, Shared
from app.engine.loop import Engine
from app.engine.senders import senders
from app.engine.spool_file import SpoolFile
from app.engine.together import Together
from app.engine.upkeep import register
from app.store import soundness
from app.store.database import Store, open_engine
from app.store.lock import AlreadyRunning, DatabaseLock, Lock, LockFile
from app.store.migrate import migrate
from app.store.post import Post
from app.web.app import create_web
from app.web.letters import letter_sender
from app.web.pretending import Practice, Pretend
from app.web.webhooks import ShortRoad
from integrations import PLATFORMS
from integrations.base import Platform
from integrations.mail.settings import MailSettings
from integrations.oidc.provider import Provider
from integrations.oidc.settings import OidcSettings

MOST_BESIDE = 8  # processes with one data folder


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that runs together; a web server serves ``app``, and ``lane`` beside it."""

    settings: Settings
    clock: Clock
    store: Store
    engine: Engine
    platforms: Mapping[str, Platform]
    app: FastAPI
    lane: ShortRoad
    spool_lock: Lock | None = None


def open_store(settings: Settings) -> Store:
    """Connect, and bring the tables to this version."""
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database not in (None, ":memory:"):
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url)
    migrate(engine)
    return Store(engine, settings.keyring())


def _sound_store(settings: Settings) -> Store:
    """As :func:`open_store`, for the service. Raises Unsound, too."""
    store = open_store(settings)
    try:
        soundness.look_at_the_start(store.engine)
    except soundness.Unsound:
        store.close()
        raise
    return store


def lock_of(settings: Settings, *, shared: bool = False) -> Lock | None:
    """The lock of who serves the database, or must be alone with it; None in memory.

    ``shared``: a service, of which PostgreSQL has any number and SQLite one.
    """
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return DatabaseLock(url, shared=shared)
    if url.database is None:
        return None
    return LockFile(Path(f"{url.database}.lock"))


def spool_file_of(settings: Settings) -> SpoolFile | None:
    """The second durable place (I20); None for a database in memory."""
    path = settings.spool_file
    if path is None:
        url = make_url(settings.database_url.get_secret_value())
        if url.get_backend_name() != "sqlite":
            path = settings.data_dir / "chaperone.spool"
        elif url.database in (None, "", ":memory:"):
            return None
        else:
            path = Path(f"{url.database}.spool")
    return SpoolFile(path, settings.keyring())


def own_spool_file(settings: Settings) -> tuple[SpoolFile | None, Lock | None]:
    """The same, for this process alone: another that runs beside it has its own.

    A process that died left one that is free: the next to start takes it, with what is
    owed in it. Raises AlreadyRunning, OSError.
    """
    file = spool_file_of(settings)
    address = make_url(settings.database_url.get_secret_value())
    if file is None or address.get_backend_name() == "sqlite":
        return file, None
    free: list[tuple[Path, LockFile]] = []
    for number in range(1, MOST_BESIDE + 1):
        path = file.path if number == 1 else Path(f"{file.path}-{number}")
        lock = LockFile(Path(f"{path}.lock"))
        with suppress(AlreadyRunning):
            lock.take()
            free.append((path, lock))
    if not free:
        raise AlreadyRunning
    path, ours = max(free, key=lambda one: one[0].exists() and one[0].stat().st_size)
    for _path, lock in free:
        if lock is not ours:
            lock.release()
    return SpoolFile(path, settings.keyring()), ours


def shared_leases(settings: Settings, store: Store, clock: Clock) -> Shared | None:
    """What this process may be in charge of, beside others; None where it is alone."""
    if store.engine.dialect.name == "sqlite":
        return None
    process = new_token()
    lasts = timedelta(seconds=settings.lease_seconds)
    post = Post(store.engine.url, process)
    return Shared(store, clock, process, lasts, post)


def mail_settings(settings: Settings) -> MailSettings | None:
    """How to send mail, or None when no mail server is set."""
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    password = settings.smtp_password
    return MailSettings(
        host=settings.smtp_host,
        sender=settings.smtp_from,
        port=settings.smtp_port,
        security="plain"
        if settings.smtp_security == "none"
        else settings.smtp_security,
        sender_name=settings.organisation_name,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
    )


def sign_in_provider(settings: Settings) -> Provider | None:
    """Where the organisation's own accounts sign in, or None when none is set."""
    issuer, client = settings.oidc_issuer, settings.oidc_client_id
    secret = settings.oidc_client_secret
    if issuer is None or client is None or secret is None:
        return None
    known = OidcSettings(
        issuer=issuer,
        client_id=client,
        client_secret=secret.get_secret_value(),
        title=settings.oidc_title,
    )
    return Provider(known)


def alias_domain(base_url: str) -> str:
    """Where clients' pseudonymous addresses live: our own host, when it has a name."""
    host = urlsplit(base_url).hostname or ""
    named = "." in host and not host.replace(".", "").isdigit()
    return host if named else "guests.chaperone.invalid"


def backups_of(
    settings: Settings, clock: Clock, engine: Engine, is_ours: Callable[[], bool]
) -> Backups | None:
    """What makes backups while the service runs, or None when no folder is set."""
    if settings.backup_folder is None:
        return None
    folder, cry = settings.backup_folder, engine.alarms.cry
    backups = Backups(folder, clock, cry, is_ours=is_ours)
    engine.add_job("backup", EVERY, backups.run, once=True)
    return backups


def disk_of(settings: Settings, store: Store, clock: Clock, engine: Engine) -> DiskRoom:
    """Who looks at the disks of the data and of the second file while the service runs."""
    folders = [settings.data_dir]
    database = store.engine.url
    if database.get_backend_name() == "sqlite" and database.database:
        folders.append(Path(database.database).parent)
    if (spool := spool_file_of(settings)) is not None:
        folders.append(spool.path.parent)
    disk = DiskRoom(folders, clock, engine.alarms.cry)
    engine.add_job("disk", LOOK_EVERY, disk.run)
    return disk


def engine_on(footing: Footing, settings: Settings) -> Engine:
    """The engine with its ways for alarms and its periodic work."""
    ways = senders(
        mail_settings(settings),
        settings.organisation_name,
        settings.base_url,
        settings.emergency_line,
        allow_test_hosts=settings.allow_test_hosts,
    )
    engine = Engine(footing, Alarms(footing, ways))
    register(footing, engine)
    return engine


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    rules: Sequence[tuple[str, Rule]] = RULES,
    practice: Practice | None = None,
    pretend: Pretend | None = None,
) -> Service:
    """Put the service together; nothing runs until the app's lifespan starts.

    ``practice``: people may practise from here. ``pretend``: this service is a practice.

    Raises Unsound for a database that is damaged.
    """
    clock = clock or SteadyClock(SystemClock())
    store = store or _sound_store(settings)
    platforms = {
        entry.name: entry.build(settings, clock, None)
        for entry in PLATFORMS.values()
        if entry.is_on(settings)
    }
    spool_file, spool_lock = own_spool_file(settings)
    leases = shared_leases(settings, store, clock)
    footing = Footing(
        store,
        clock,
        platforms,
        new_token,
        alias_domain=alias_domain(settings.base_url),
        rules=rules,
        spool_file=spool_file,
        leases=leases or EVERYTHING,
    )
    engine = engine_on(footing, settings)
    if leases is not None:
        Together(footing, leases, engine)
    send_code = code_sender(
        store,
        clock,
        mail_settings(settings),
        settings.organisation_name,
        allow_test_hosts=settings.allow_test_hosts,
    )
    web = create_web(
        settings,
        engine,
        store,
        clock,
        send_code=send_code,
        send_letter=letter_sender(mail_settings(settings), clock),
        provider=sign_in_provider(settings),
        backups=backups_of(settings, clock, engine, footing.leases.has_house),
        spool_file=footing.spool_file,
        disk=disk_of(settings, store, clock, engine),
        practice=practice,
        pretend=pretend,
    )
    lane = ShortRoad(web.state.house)
    service = Service(settings, clock, store, engine, platforms, web, lane, spool_lock)
    web.router.lifespan_context = lambda _app: _life(service)
    return service


@asynccontextmanager
async def _life(service: Service) -> AsyncIterator[None]:
    # Before the first webhook is taken: the engine has to know whose meetings they are.
    await service.engine.start()
    work = asyncio.create_task(service.engine.run())
    try:
        yield
    finally:
        await service.engine.stop()
        await work
        await asyncio.gather(
            *(platform.close() for platform in service.platforms.values()),
            return_exceptions=True,
        )
        service.store.close()
        if service.spool_lock is not None:
            service.spool_lock.release()


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application."""
    return build(settings).app
