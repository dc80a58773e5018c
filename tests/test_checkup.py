"""What `chaperone check` sees of the world, and what it says about it."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from app import checkup
from app.backup.folder import name_of
from app.backup_key import new_pair
from app.checkup import Finding, Outside, Reached
from app.checkup.address import address
from app.checkup.machine import (
    alarm_contacts,
    backups,
    damage,
    disk,
    durable_store,
    mail,
    sign_in,
    spool,
)
from app.checkup.platforms import meeting_platforms
from app.clock import Clock, ManualClock, SystemClock
from app.config import Settings, SettingsFault, load_settings
from app.core.events import MeetingRef, MeetingStarted
from app.crypto import Keyring, new_key
from app.main import open_store
from app.store import contacts, log
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from integrations.base import PermanentFailure, Scopes, TemporaryFailure
from integrations.http import ConnectError
from integrations.mail.settings import MailSettings
from integrations.oidc.provider import Provider
from tests.damage import spoil
from tests.engine.room import Room, RoomPlatform
from tests.integrations.certificates import Authority, new_authority

pytestmark = pytest.mark.anyio

NOW = SystemClock().now()
HOST = "chaperone.charity.example"
GB = 10**9


def settings(folder: Path, **more: str) -> Settings:
    environ = {
        "CHAPERONE_BASE_URL": f"https://{HOST}",
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(folder),
        "CHAPERONE_ZOOM_ACCOUNT_ID": "account",
        "CHAPERONE_ZOOM_CLIENT_ID": "client",
        "CHAPERONE_ZOOM_CLIENT_SECRET": "secret",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET": "webhook-secret",
        "CHAPERONE_ZOOM_HOST_USER": "anna@charity.example",
    }
    return load_settings({**environ, **more}, ManualClock(NOW))


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
def store(here: Settings) -> Iterator[Store]:
    opened = open_store(here)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


async def at_home(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


async def on_time(_url: str, clock: Clock) -> Reached:
    return Reached(clock.now(), clock.now(), clock.now().replace(microsecond=0))


async def taken(_server: MailSettings) -> None:
    """The mail server takes our sign-in."""


def outside(**more: object) -> Outside:
    """A world in which everything is well, but for what is given."""
    well = Outside(
        resolve=at_home,
        reach=on_time,
        try_mail=taken,
        free_bytes=lambda _folder: 5 * GB,
        deadline=timedelta(seconds=5),
    )
    return replace(well, **more)  # type: ignore[arg-type]


# --- this machine ---------------------------------------------------------------------


async def test_a_store_on_a_file_keeps_what_it_takes(store: Store) -> None:
    assert await durable_store(store) == [
        Finding("store", "ok", "It takes writes, and keeps them in a power cut.")
    ]


async def test_a_store_in_memory_does_not() -> None:
    engine = open_engine("sqlite://")
    migrate(engine)
    lossy = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))
    [found] = await durable_store(lossy)
    lossy.close()
    assert found.state == "fault"
    assert "journal_mode is memory" in found.sentence


async def test_a_store_that_takes_no_write_is_a_fault(store: Store) -> None:
    with store.unit() as db:
        db.exec_driver_sql("DROP TABLE periodic")
    [found] = await durable_store(store)
    assert found.state == "fault"
    assert "takes no write" in found.sentence
    assert found.fix


@pytest.mark.parametrize(
    ("free", "state"), [(GB - 1, "warn"), (GB, "ok"), (GB + 1, "ok")]
)
async def test_the_disk_has_a_least(
    here: Settings, store: Store, free: int, state: str
) -> None:
    [found] = await disk(here, store, outside(free_bytes=lambda _folder: free))
    assert found.state == state


@pytest.mark.parametrize(
    ("confirmed", "second", "state"),
    [
        (0, "mail", "fault"),
        (1, "webhook", "fault"),
        (2, "mail", "warn"),
        (2, "webhook", "ok"),
    ],
)
async def test_two_contacts_must_have_answered(
    store: Store, confirmed: int, second: str, state: str
) -> None:
    ways = [
        contacts.Contact(channel="mail", address="c0@x.example"),
        contacts.Contact(channel="mail", address="c1@x.example")
        if second == "mail"
        else contacts.Contact(
            channel="webhook", address="https://x.example", secret="whsec_" + "A" * 32
        ),
    ]
    with store.unit() as db:
        for number, contact in enumerate(ways):
            made, code = contacts.add(db, store, contact, NOW)
            if number < confirmed:
                contacts.confirm(db, store, made, code, NOW)
    [found] = await alarm_contacts(store)
    assert (found.state, found.sentence.split()[0]) == (state, str(confirmed))


# --- what is kept besides --------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "state"), [(0, "ok"), (30, "ok"), (31, "fault"), (60 * 24, "fault")]
)
async def test_the_newest_backup_is_young(
    tmp_path: Path, minutes: int, state: str
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    clock = ManualClock(NOW.replace(microsecond=0))
    for age in (minutes, minutes + 60):
        made_at = clock.now() - timedelta(minutes=age)
        (folder / name_of(made_at)).touch()
    [found] = await backups(with_backups(tmp_path, folder), clock)
    assert (found.name, found.state) == ("backups", state)
    assert f"{minutes} minutes old" in found.sentence


async def test_no_backup_at_all_is_told(
    here: Settings, tmp_path: Path, clock: ManualClock
) -> None:
    folder = tmp_path / "backups"
    [found] = await backups(with_backups(tmp_path, folder), clock)
    assert (found.state, "cannot be read" in found.sentence) == ("fault", True)
    folder.mkdir()
    (folder / ".unfinished-1").touch()
    [found] = await backups(with_backups(tmp_path, folder), clock)
    assert (found.state, found.sentence) == ("fault", "There is no good backup.")
    [found] = await backups(here, clock)
    assert (found.state, "makes none" in found.sentence) == ("warn", True)


def with_backups(tmp_path: Path, folder: Path) -> Settings:
    key = new_pair().public
    return settings(
        tmp_path, CHAPERONE_BACKUP_FOLDER=str(folder), CHAPERONE_BACKUP_KEY=key
    )


async def test_the_second_file_can_be_written(tmp_path: Path) -> None:
    well = settings(tmp_path, CHAPERONE_SPOOL_FILE=str(tmp_path / "spool"))
    [found] = await spool(well)
    assert (found.name, found.state) == ("second file", "ok")
    # Nothing is left behind by trying.
    assert os.listdir(tmp_path) == []

    missing = settings(tmp_path, CHAPERONE_SPOOL_FILE=str(tmp_path / "no" / "spool"))
    [found] = await spool(missing)
    assert (found.state, "cannot be written" in found.sentence) == ("fault", True)

    (tmp_path / "spool").mkdir()
    [found] = await spool(well)
    assert (found.state, "Is a directory" in found.sentence) == ("fault", True)


async def test_a_damaged_database_is_the_one_thing_that_is_told(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    assert await damage(store) == []
    spoil(store.engine, "sessions")
    found = await checkup.check(here, store, clock, {}, outside())
    assert [(one.name, one.state) for one in found] == [
        ("settings", "ok"),
        ("store", "fault"),
    ]
    assert "damaged" in found[1].sentence
    assert "chaperone restore" in found[1].fix


# --- mail -----------------------------------------------------------------------------


async def test_mail_is_signed_in_to_and_not_sent(tmp_path: Path) -> None:
    tried: list[MailSettings] = []

    async def remember(server: MailSettings) -> None:
        tried.append(server)

    there = settings(
        tmp_path,
        CHAPERONE_SMTP_HOST="mail.charity.example",
        CHAPERONE_SMTP_FROM="bot@charity.example",
    )
    [found] = await mail(there, outside(try_mail=remember))
    assert found.state == "ok"
    assert [server.host for server in tried] == ["mail.charity.example"]


async def test_a_refused_sign_in_says_how_to_mend_it(tmp_path: Path) -> None:
    async def refuse(_server: MailSettings) -> None:
        raise PermanentFailure("The mail server refused the password.", "Make another.")

    there = settings(
        tmp_path,
        CHAPERONE_SMTP_HOST="mail.charity.example",
        CHAPERONE_SMTP_FROM="bot@charity.example",
    )
    assert await mail(there, outside(try_mail=refuse)) == [
        Finding(
            "mail", "fault", "The mail server refused the password.", "Make another."
        )
    ]


async def test_no_mail_server_is_only_a_warning(here: Settings) -> None:
    [found] = await mail(here, outside())
    assert found.state == "warn"


# --- the organisation's own sign-in ---------------------------------------------------

OIDC = {
    "CHAPERONE_OIDC_ISSUER": "https://login.charity.example",
    "CHAPERONE_OIDC_CLIENT_ID": "chaperone",
    "CHAPERONE_OIDC_CLIENT_SECRET": "secret",
}


async def test_the_sign_in_provider_is_asked_who_it_is(tmp_path: Path) -> None:
    asked: list[str] = []

    async def remember(provider: Provider) -> None:
        asked.append(provider.settings.issuer)

    there = settings(tmp_path, **OIDC)
    [found] = await sign_in(there, outside(try_provider=remember))
    assert found.state == "ok"
    assert asked == ["https://login.charity.example"]


async def test_a_wrong_issuer_says_how_to_mend_it(tmp_path: Path) -> None:
    async def refuse(_provider: Provider) -> None:
        raise PermanentFailure("It calls itself something else.", "Set the other.")

    there = settings(tmp_path, **OIDC)
    assert await sign_in(there, outside(try_provider=refuse)) == [
        Finding("sign-in", "fault", "It calls itself something else.", "Set the other.")
    ]


async def test_without_a_provider_nothing_is_missing(here: Settings) -> None:
    assert await sign_in(here, outside()) == []


# --- the public address ---------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def public(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """The port of something that answers with this certificate, or says nothing."""
    open_lines: list[asyncio.StreamWriter] = []

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_lines.append(writer)
        with suppress(ConnectionError):  # whoever looks hangs up without a word
            await reader.read()

    server = await asyncio.start_server(wait, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in open_lines:
            writer.transport.abort()


async def look(
    folder: Path, port: int, clock: Clock, seen: Outside
) -> tuple[Finding, Finding]:
    there = settings(folder, CHAPERONE_BASE_URL=f"https://{HOST}:{port}")
    name, certificate = await address(there, clock, seen)
    return name, certificate


@pytest.mark.parametrize(
    ("left", "state"),
    [(timedelta(days=14), "ok"), (timedelta(days=14, seconds=-1), "warn")],
)
async def test_a_certificate_is_renewed_two_weeks_before_its_end(
    tmp_path: Path, authority: Authority, left: timedelta, state: str
) -> None:
    tls = authority.server(HOST)
    seen = outside(tls=authority.client())
    async with public(tls) as port:
        ends_at = await _end_of(port, authority)
        _, found = await look(tmp_path, port, ManualClock(ends_at - left), seen)
    assert (found.name, found.state) == ("certificate", state)


async def _end_of(port: int, authority: Authority) -> datetime:
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=authority.client(), server_hostname=HOST
    )
    found = writer.get_extra_info("peercert")["notAfter"]
    writer.transport.abort()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(found), NOW.tzinfo)


async def test_a_certificate_nobody_signed_is_a_fault(
    tmp_path: Path, authority: Authority, clock: ManualClock
) -> None:
    lonely = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    lonely.load_cert_chain(_self_signed(tmp_path))
    async with public(lonely) as port:
        _, found = await look(tmp_path, port, clock, outside(tls=authority.client()))
    assert found.state == "fault"
    assert "signed by nobody known" in found.sentence


def _self_signed(folder: Path) -> Path:
    made = new_authority(folder)
    path = folder / "self-signed.pem"
    path.write_bytes(
        made.certificate.public_bytes(serialization.Encoding.PEM)
        + made.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


async def test_a_certificate_of_another_name_is_a_fault(
    tmp_path: Path, authority: Authority, clock: ManualClock
) -> None:
    tls = authority.server("other.example")
    async with public(tls) as port:
        _, found = await look(tmp_path, port, clock, outside(tls=authority.client()))
    assert found.state == "fault"
    assert HOST in found.fix


async def test_who_takes_the_line_and_says_nothing_is_not_waited_for(
    tmp_path: Path, authority: Authority, clock: ManualClock
) -> None:
    seen = outside(tls=authority.client(), deadline=timedelta(seconds=0.2))
    async with public(None) as port:
        _, found = await look(tmp_path, port, clock, seen)
    assert found.state == "fault"
    assert "in time" in found.sentence


async def test_a_closed_port_is_a_fault(
    tmp_path: Path, authority: Authority, clock: ManualClock
) -> None:
    async with public(authority.server(HOST)) as port:
        pass
    _, found = await look(tmp_path, port, clock, outside(tls=authority.client()))
    assert (found.state, f"port {port}" in found.sentence) == ("fault", True)


async def test_a_name_nobody_knows_is_one_fault(
    here: Settings, clock: ManualClock
) -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    [found] = await address(here, clock, outside(resolve=nowhere))
    assert (found.name, found.state) == ("name", "fault")
    assert found.sentence == f"No name server knows {HOST}."


async def test_a_name_inside_a_network_is_a_warning(
    tmp_path: Path, authority: Authority, clock: ManualClock
) -> None:
    async with public(authority.server(HOST)) as port:
        name, _ = await look(tmp_path, port, clock, outside(tls=authority.client()))
    assert (name.name, name.state) == ("name", "warn")


async def test_this_machine_alone_is_not_looked_at(
    tmp_path: Path, clock: ManualClock
) -> None:
    there = settings(tmp_path, CHAPERONE_BASE_URL="http://localhost:8000")
    found = await address(there, clock, outside())
    assert [(one.name, one.state) for one in found] == [
        ("name", "ok"),
        ("certificate", "ok"),
    ]
    assert all("this machine only" in one.sentence for one in found)


# --- platforms ------------------------------------------------------------------------


class Checked(RoomPlatform):
    """A platform whose permissions the test owns."""

    scopes: Scopes | Exception = Scopes(granted=("a",), missing=())

    async def check_scopes(self) -> Scopes:
        if isinstance(self.scopes, Exception):
            raise self.scopes
        return self.scopes


async def states(
    here: Settings,
    store: Store,
    clock: ManualClock,
    *,
    scopes: Scopes | Exception | None = None,
    seen: Outside | None = None,
) -> dict[str, tuple[str, str]]:
    platform = Checked(Room(), clock)
    if scopes is not None:
        platform.scopes = scopes
    found = await meeting_platforms(
        here, store, clock, {"zoom": platform}, seen or outside()
    )
    return {one.name.removeprefix("zoom: "): (one.state, one.sentence) for one in found}


def _webhook(store: Store, at: datetime) -> None:
    meeting = MeetingRef(platform="zoom", meeting_id="1", instance="uuid")
    fact = MeetingStarted(meeting=meeting, at=at, heard_at=at)
    came = log.entry(store, fact, f"ref-{at}.0", at)
    with store.unit() as db:
        log.add(
            db, [log.delivered(came, f"ref-{at}", "meeting.started", None, late=False)]
        )


@pytest.mark.parametrize(
    ("age", "state"),
    [(timedelta(days=7), "ok"), (timedelta(days=7, seconds=1), "warn")],
)
async def test_webhooks_that_stopped_coming_are_told(
    here: Settings, store: Store, clock: ManualClock, age: timedelta, state: str
) -> None:
    _webhook(store, NOW - age)
    assert (await states(here, store, clock))["webhooks"][0] == state


async def test_webhooks_that_never_came_are_told(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    state, sentence = (await states(here, store, clock))["webhooks"]
    assert (state, sentence) == ("warn", "Room has not sent an event yet.")
    with store.unit() as db:
        log.count(db, "refused:zoom:sig_wrong", NOW)
    _, sentence = (await states(here, store, clock))["webhooks"]
    assert sentence == "Events come in Room's name, but none with the right secret."


@pytest.mark.parametrize(
    ("off", "state"),
    [
        (timedelta(seconds=-2), "ok"),
        (timedelta(seconds=-2, milliseconds=-1), "warn"),
        (timedelta(0), "ok"),
        (timedelta(seconds=2), "ok"),
        (timedelta(seconds=2, milliseconds=1), "warn"),
    ],
)
async def test_two_clocks_may_be_two_seconds_apart(
    here: Settings, store: Store, clock: ManualClock, off: timedelta, state: str
) -> None:
    async def theirs(_url: str, clock: Clock) -> Reached:
        # A Date header of whole seconds stands for its middle.
        date = clock.now() + off - timedelta(milliseconds=500)
        return Reached(clock.now(), clock.now(), date)

    found = await states(here, store, clock, seen=outside(reach=theirs))
    assert found["clock"][0] == state


async def test_an_answer_that_took_long_says_nothing_about_clocks(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    async def slow(_url: str, clock: Clock) -> Reached:
        asked = clock.now()
        return Reached(
            asked, asked + timedelta(seconds=8), asked + timedelta(seconds=5)
        )

    found = await states(here, store, clock, seen=outside(reach=slow))
    assert found["clock"][0] == "ok"


async def test_a_platform_that_cannot_be_reached_is_a_fault(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    async def nowhere(_url: str, _clock: Clock) -> Reached:
        raise ConnectError("refused")

    found = await states(here, store, clock, seen=outside(reach=nowhere))
    assert found["reachable"][0] == "fault"
    assert "api.zoom.us" in found["reachable"][1]
    assert "clock" not in found


@pytest.mark.parametrize(
    ("scopes", "state", "said"),
    [
        (Scopes(granted=("a",), missing=("meeting:end",)), "fault", "meeting:end"),
        (
            Scopes(granted=("a",), missing=(), optional_missing=("report",)),
            "warn",
            "report",
        ),
        (PermanentFailure("Zoom refused us.", "Copy the secret."), "fault", "refused"),
        (TemporaryFailure("Zoom does not answer."), "fault", "does not answer"),
    ],
)
async def test_permissions_are_told_by_name(
    here: Settings,
    store: Store,
    clock: ManualClock,
    scopes: Scopes | Exception,
    state: str,
    said: str,
) -> None:
    found = await states(here, store, clock, scopes=scopes)
    assert found["permissions"][0] == state
    assert said in found["permissions"][1]
    assert ("host" in found) == (state != "fault")


async def test_a_service_without_a_platform_is_a_fault(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    [found] = await meeting_platforms(here, store, clock, {}, outside())
    assert (found.name, found.state) == ("platform", "fault")


# --- the whole ------------------------------------------------------------------------


async def test_whatever_is_not_well_comes_with_its_fix(
    here: Settings, store: Store, clock: ManualClock
) -> None:
    platform = Checked(Room(), clock)
    found = await checkup.check(here, store, clock, {"zoom": platform}, outside())
    assert [one.name for one in found if one.state != "ok" and not one.fix] == []
    assert [one.name for one in found if one.state == "ok" and one.fix] == []


def test_the_last_line_sums_up() -> None:
    well = Finding("a", "ok", "Good.")
    odd = Finding("b", "warn", "Odd.", "Look.")
    bad = Finding("c", "fault", "Bad.", "Mend.")

    def last(found: Sequence[Finding]) -> str:
        return checkup.told(found).splitlines()[-1]

    assert last([well]) == "All is well."
    assert last([well, odd]) == "Nothing is broken; 1 to look at."
    assert last([well, odd, bad]) == "1 to mend before the next session."
    assert "FAULT  c: Bad.\n       To mend it: Mend." in checkup.told([bad])


def test_faults_of_the_settings_are_findings() -> None:
    found = checkup.of_settings(SettingsFault(["One.", "Two."]))
    assert [(one.state, one.sentence) for one in found] == [
        ("fault", "One."),
        ("fault", "Two."),
    ]
