"""The settings: one frozen object, read once from the environment, all faults at once.

Nothing is read at import. `load_settings(os.environ)` is the only door: it looks at
every variable whose name begins with CHAPERONE_, follows NAME_FILE for secrets, and
either gives a whole `Settings` or one `SettingsFault` with a sentence for each fault.
docs/settings.md holds `settings_table()`; a test compares the two.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

import app
from app import settings_checks as checks
from app.clock import Clock, SystemClock
from app.crypto import Keyring

PREFIX = checks.PREFIX

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Platform = Annotated[str, AfterValidator(checks.platform_address)]
Moment = Annotated[AwareDatetime, BeforeValidator(checks.moment)]
Lower = BeforeValidator(lambda text: text.lower() if isinstance(text, str) else text)


class SettingsFault(Exception):
    """The settings cannot be used. `faults` holds one plain sentence for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _setting(says: str, must_be: str, **more: Any) -> Any:
    """A field with its words: what it is for, and what a good value looks like."""
    return Field(description=says, json_schema_extra={"must_be": must_be}, **more)


class Settings(BaseModel):
    """What an administrator decides. Secrets do not show in `repr` or in faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[str, AfterValidator(checks.public_address)] = _setting(
        "The address people and platforms reach this service at.",
        "https:// and a host, without a path; http:// only for localhost",
    )
    secret_key: Annotated[SecretStr, AfterValidator(checks.keys)] = _setting(
        "Encrypts names, notes and raw messages. Several with commas while keys are "
        "changed: the first encrypts, all decrypt.",
        f"32 random bytes in base64url; make one with: {checks.MAKE_A_KEY}",
    )
    data_dir: Path = _setting(
        "The folder for the database, records and the lock file.",
        "a folder the service may write to",
        default=Path("data"),
    )
    database_url: Annotated[SecretStr, AfterValidator(checks.database)] = _setting(
        "The store. Left out, it is `chaperone.sqlite3` in the data folder.",
        "sqlite:///a/file or postgresql://user:password@host/name",
        default_factory=lambda known: SecretStr(
            f"sqlite:///{known.get('data_dir', 'data')}/chaperone.sqlite3"
        ),
    )
    spool_file: Path | None = _setting(
        "A second place for what the store does not take, best on another disk. Left out, "
        "it is beside the database.",
        "a file in a folder that is there and that the service may write to",
        default=None,
    )
    lease_seconds: Annotated[int, Field(ge=5, le=60)] = _setting(
        "On PostgreSQL with several processes: how long one that no longer answers stays "
        "in charge of its sessions.",
        "a number from 5 to 60, the same for every process",
        default=6,
    )
    organisation_name: Text = _setting(
        "The organisation's name on pages, mails and records.",
        "a name",
        default="Our organisation",
    )
    accent_colour: Annotated[str | None, AfterValidator(checks.colour)] = _setting(
        "The organisation's colour, for links and buttons; made darker or lighter where it "
        "could not be read.",
        "six hexadecimal digits after a #, as in #0b5a5e",
        default=None,
    )
    emergency_line: Text = _setting(
        "What a young person reads who needs help at once.",
        "one or two short sentences",
        default="In an emergency call 999. Childline is free, day and night: 0800 1111.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = (
        _setting(
            "How much is logged. Names, notes and chat never are.",
            "debug, info, warning or error",
            default="info",
        )
    )
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], BeforeValidator(checks.networks)
    ] = _setting(
        "Networks whose X-Forwarded-For and -Proto headers are believed.",
        "networks such as 10.0.0.0/8, with commas between; never all addresses",
        default=(),
    )
    allow_test_hosts: bool = _setting(
        "Lets platform addresses point at test servers. Shown red on every page.",
        "1 or 0",
        default=False,
    )
    zoom_account_id: Text | None = _setting(
        "Account id of the Server-to-Server OAuth app.",
        "the id as Zoom shows it",
        default=None,
    )
    zoom_client_id: Text | None = _setting(
        "Client id of that app.", "the id as Zoom shows it", default=None
    )
    zoom_client_secret: SecretStr | None = _setting(
        "Client secret of that app.", "the secret as Zoom shows it", default=None
    )
    zoom_webhook_secret: SecretStr | None = _setting(
        "Secret token of that app's event subscription: proves that a webhook is Zoom's.",
        "the token as Zoom shows it; never empty, or anybody could sign",
        default=None,
    )
    zoom_webhook_secret_old: SecretStr | None = _setting(
        "The token before the last change, still believed for a while.",
        "the old token",
        default=None,
    )
    zoom_webhook_secret_old_until: Moment | None = _setting(
        "When the old token stops being believed.",
        "a time with its zone, such as 2026-11-18T07:00Z, at most 24 hours ahead",
        default=None,
    )
    zoom_host_user: Text | None = _setting(
        "The licensed Zoom user under whom meetings are made.",
        "a Zoom user id or that user's e-mail address",
        default=None,
    )
    zoom_app_id: Text | None = _setting(
        "The app's id, for reading webhooks that were lost from Zoom's own log.",
        "the id as Zoom shows it",
        default=None,
    )
    zoom_room_chat: bool = _setting(
        "Posts the ground rules into the meeting's lasting chat. Off, because people can "
        "write to each other there when no worker is present.",
        "1 or 0",
        default=False,
    )
    zoom_api_url: Platform = _setting(
        "Where Zoom's API answers.",
        "an https:// address of Zoom itself, unless CHAPERONE_ALLOW_TEST_HOSTS=1",
        default="https://api.zoom.us/v2",
    )
    zoom_oauth_url: Platform = _setting(
        "Where Zoom gives out access tokens.",
        "an https:// address of Zoom itself, unless CHAPERONE_ALLOW_TEST_HOSTS=1",
        default="https://zoom.us/oauth/token",
    )
    smtp_host: Text | None = _setting(
        "The mail server for alarms and links.", "a host name", default=None
    )
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = _setting(
        "Its port.", "a number from 1 to 65535", default=587
    )
    smtp_security: Annotated[Literal["starttls", "tls", "none"], Lower] = _setting(
        "How the way to it is protected.",
        "starttls, tls, or none for a mail server on this machine",
        default="starttls",
    )
    smtp_username: Text | None = _setting(
        "Sign-in name at the mail server.", "a name", default=None
    )
    smtp_password: SecretStr | None = _setting(
        "Password at the mail server.", "a password", default=None
    )
    smtp_from: Annotated[str, AfterValidator(checks.mail_address)] | None = _setting(
        "The sender of mails.", "one e-mail address", default=None
    )
    oidc_issuer: Annotated[str, AfterValidator(checks.issuer)] | None = _setting(
        "The provider of the organisation's own accounts, for signing in with them.",
        "an https:// address exactly as the provider writes its issuer; for Entra ID "
        "https://login.microsoftonline.com/TENANT-ID/v2.0",
        default=None,
    )
    oidc_client_id: Text | None = _setting(
        "What the provider calls this service.",
        "the client (application) id as the provider shows it",
        default=None,
    )
    oidc_client_secret: SecretStr | None = _setting(
        "Proves this service to the provider.",
        "the client secret as the provider shows it",
        default=None,
    )
    oidc_title: Text = _setting(
        "What people call that account; it stands on the sign-in button.",
        "a few words",
        default="your organisation's account",
    )
    backup_folder: Path | None = _setting(
        "Where `serve` puts a backup every ten minutes; best on another disk.",
        "a folder the service may write to",
        default=None,
    )
    backup_key: Annotated[str, AfterValidator(checks.backup_key)] | None = _setting(
        "Closes backups. Only the restore key, which is kept elsewhere, opens them.",
        "the backup-key-... half of what `chaperone new-backup-key` prints",
        default=None,
    )
    backup_days: Annotated[int, Field(ge=1, le=90)] = _setting(
        "How many days backups are kept.", "a number from 1 to 90", default=35
    )
    alarm_webhook_url: (
        Annotated[SecretStr, AfterValidator(checks.alarm_address)] | None
    ) = _setting(
        "Where alarms are posted as well, for a text-message or chat gateway.",
        "an https:// address; http:// only with CHAPERONE_ALLOW_TEST_HOSTS=1",
        default=None,
    )
    alarm_webhook_secret: SecretStr | None = _setting(
        "Signs those posts (Standard Webhooks).",
        "the secret shared with the gateway, whsec_ and base64",
        default=None,
    )

    @property
    def has_zoom(self) -> bool:
        return self.zoom_webhook_secret is not None

    @property
    def has_mail(self) -> bool:
        return self.smtp_host is not None

    def keyring(self) -> Keyring:
        """The keys of `secret_key`, ready for use."""
        return Keyring.from_text(self.secret_key.get_secret_value())


SECRETS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if "SecretStr" in str(field.annotation)
)


def load_settings(environ: Mapping[str, str], clock: Clock | None = None) -> Settings:
    """Read and check every CHAPERONE_* variable of `environ`.

    Raises:
        SettingsFault: with a sentence for each fault, the variable's name and the fix.
    """
    now = (clock or SystemClock()).now()
    given, faults = checks.gather(environ, Settings.model_fields, SECRETS)
    faults += checks.together(given, now)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        wrong = dict.fromkeys(
            str(fault["loc"][0])
            for fault in error.errors()
            if fault["type"] != "default_factory_not_called"  # another field failed
        )
        told = " ".join(faults)
        faults += [
            _sentence(name, missing=name not in given)
            for name in wrong
            if name in given or checks.variable(name) not in told
        ]
        raise SettingsFault(faults) from None
    if faults:
        raise SettingsFault(faults)
    return settings


def project_root() -> Path:
    """The checkout this service runs from: home of templates, static and checklists."""
    return Path(app.__file__).resolve().parent.parent


def settings_table() -> str:
    """The table of docs/settings.md, one line for each setting."""
    lines = ["| variable | what it is for | what it must be | if left out |"]
    lines.append("|---|---|---|---|")
    for name, field in Settings.model_fields.items():
        file = " (or `_FILE`)" if name in SECRETS else ""
        lines.append(
            f"| `{checks.variable(name)}`{file} | {field.description} "
            f"| {_must_be(name)} | {_default(name)} |"
        )
    return "\n".join(lines)


def _sentence(name: str, *, missing: bool) -> str:
    problem = "is missing" if missing else "cannot be used"
    return f"{checks.variable(name)} {problem}: it must be {_must_be(name)}."


def _must_be(name: str) -> str:
    extra = Settings.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)  # noqa: S101 - `_setting` puts it there
    return str(extra["must_be"])


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.is_required():
        return "the service does not start"
    if field.default_factory is not None:
        return "`sqlite:///data/chaperone.sqlite3`"
    default = field.default
    if default is None or default == ():
        return "not used"
    return f"`{int(default)}`" if isinstance(default, bool) else f"`{default}`"
