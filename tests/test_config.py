"""Settings: everything wrong is told at once, and no secret is ever repeated."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import config
from app.cli import app
from app.clock import ManualClock
from app.config import Settings, SettingsFault, load_settings
from app.settings_checks import MAKE_A_KEY

KEY = "A" * 43  # 32 bytes of zero in base64url
SECRETS = {
    "CHAPERONE_SECRET_KEY": KEY,
    "CHAPERONE_ZOOM_CLIENT_SECRET": "client-canary",
    "CHAPERONE_ZOOM_WEBHOOK_SECRET": "webhook-canary",
    "CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD": "old-canary",
    "CHAPERONE_SMTP_PASSWORD": "mail-canary",
    "CHAPERONE_OIDC_CLIENT_SECRET": "oidc-canary",
    "CHAPERONE_DATABASE_URL": "postgresql://anna:store-canary@127.0.0.1/chaperone",
    "CHAPERONE_ALARM_WEBHOOK_URL": "https://sms.example.org/gateway-canary",
    "CHAPERONE_ALARM_WEBHOOK_SECRET": "whsec_YWxhcm0tY2FuYXJ5",
}
LEAST = {
    "CHAPERONE_BASE_URL": "https://chaperone.example.org",
    "CHAPERONE_SECRET_KEY": KEY,
}
ZOOM = {
    "CHAPERONE_ZOOM_ACCOUNT_ID": "acc",
    "CHAPERONE_ZOOM_CLIENT_ID": "cli",
    "CHAPERONE_ZOOM_CLIENT_SECRET": "client-canary",
    "CHAPERONE_ZOOM_WEBHOOK_SECRET": "webhook-canary",
}
MAIL = {
    "CHAPERONE_SMTP_HOST": "mail.example.org",
    "CHAPERONE_SMTP_FROM": "group@example.org",
}

OIDC = {
    "CHAPERONE_OIDC_CLIENT_ID": "chaperone",
    "CHAPERONE_OIDC_CLIENT_SECRET": "oidc-canary",
}


def load(clock: ManualClock, *parts: Mapping[str, str], **more: str) -> Settings:
    """Settings from the least that starts, `parts`, and CHAPERONE_* of `more`."""
    environ = dict(LEAST)
    for part in parts:
        environ |= part
    environ |= {f"CHAPERONE_{name}": value for name, value in more.items()}
    return load_settings(environ, clock)


def faults(clock: ManualClock, *parts: Mapping[str, str], **more: str) -> list[str]:
    with pytest.raises(SettingsFault) as caught:
        load(clock, *parts, **more)
    return caught.value.faults


def test_two_settings_are_enough_to_start(clock: ManualClock) -> None:
    settings = load(clock)
    assert settings.base_url == "https://chaperone.example.org"
    assert (
        settings.database_url.get_secret_value() == "sqlite:///data/chaperone.sqlite3"
    )
    assert settings.zoom_api_url == "https://api.zoom.us/v2"
    assert settings.zoom_oauth_url == "https://zoom.us/oauth/token"
    assert "999" in settings.emergency_line
    assert "0800 1111" in settings.emergency_line
    assert not settings.has_zoom
    assert not settings.has_mail
    assert not settings.allow_test_hosts
    assert settings.keyring().key_ids


def test_nothing_else_in_the_environment_is_looked_at(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAPERONE_LOG_LEVEL", "debug")
    assert load(clock, {"LOG_LEVEL": "debug"}).log_level == "info"


def test_settings_do_not_change(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(clock).base_url = "https://elsewhere.example.org"  # type: ignore[misc]


def test_an_empty_environment_names_both_missing_settings() -> None:
    with pytest.raises(SettingsFault) as caught:
        load_settings({})
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "CHAPERONE_BASE_URL is missing",
        "CHAPERONE_SECRET_KEY is missing",
    ]
    assert "chaperone new-key" in caught.value.faults[1]


def test_the_printed_way_to_make_a_key_makes_a_key(clock: ManualClock) -> None:
    """The command stands in a fault; a person copies it at the worst moment."""
    printed = CliRunner().invoke(app, MAKE_A_KEY.split()[1:]).stdout.strip()
    assert load(clock, SECRET_KEY=printed).keyring().key_ids


def test_all_faults_are_told_at_once(clock: ManualClock) -> None:
    told = faults(
        clock,
        ZOOM,
        BASE_URL="http://chaperone.example.org",
        SECRET_KEY="too-short",
        ZOOM_WEBHOOK_SECRET="",
        ZOOM_API_URL="https://zoom.example.org/v2",
        SMTP_HOST="mail.example.org",
        SMTP_PORT="70000",
        LOG_LEVL="debug",
        TRUSTED_PROXIES="everyone",
    )
    assert sorted(told) == [
        "CHAPERONE_BASE_URL cannot be used: it must be https:// and a host, without a "
        "path; http:// only for localhost.",
        "CHAPERONE_LOG_LEVL is not a setting: did you mean CHAPERONE_LOG_LEVEL?",
        "CHAPERONE_SECRET_KEY cannot be used: it must be 32 random bytes in base64url; "
        f"make one with: {MAKE_A_KEY}.",
        "CHAPERONE_SMTP_HOST does nothing without CHAPERONE_SMTP_FROM: give both.",
        "CHAPERONE_SMTP_PORT cannot be used: it must be a number from 1 to 65535.",
        "CHAPERONE_TRUSTED_PROXIES cannot be used: it must be networks such as "
        "10.0.0.0/8, with commas between; never all addresses.",
        "CHAPERONE_ZOOM_API_URL is not an address of the platform: take it away, or "
        "for tests set CHAPERONE_ALLOW_TEST_HOSTS=1.",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET is empty: give it a value or take it away.",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET must be given too: Zoom needs the whole group, "
        "or none of it.",
    ]
    with pytest.raises(SettingsFault) as caught:
        load(clock, SECRET_KEY="too-short")
    assert str(caught.value) == caught.value.faults[0]
    assert "too-short" not in str(caught.value)


# --- addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Chaperone.example.org/", "https://chaperone.example.org"),
        ("https://chaperone.example.org:8443", "https://chaperone.example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_base_addresses_that_may_be(clock: ManualClock, given: str, kept: str) -> None:
    assert load(clock, BASE_URL=given).base_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "chaperone.example.org",
        "http://chaperone.example.org",
        "http://localhost.example.org",
        "https://chaperone.example.org/app",
        "https://chaperone.example.org?x=1",
        "https://chaperone.example.org#top",
        "https://anna:pw@chaperone.example.org",
        "https://chaperone.example.org:port",
        "https://chaperone .example.org",
        "https://",
        "ftp://chaperone.example.org",
        "javascript:alert(1)",
        "https://[::1",
    ],
)
def test_base_addresses_that_may_not_be(clock: ManualClock, given: str) -> None:
    assert [fault.split(" ")[0] for fault in faults(clock, BASE_URL=given)] == [
        "CHAPERONE_BASE_URL"
    ]


@pytest.mark.parametrize(
    "given",
    [
        "https://login.riverside.example",
        "https://riverside.eu.auth0.example/",
        "https://login.microsoftonline.com/1111-2222/v2.0",
    ],
)
def test_an_issuer_keeps_its_spelling(clock: ManualClock, given: str) -> None:
    assert load(clock, OIDC, OIDC_ISSUER=given).oidc_issuer == given


@pytest.mark.parametrize(
    "given",
    [
        "http://login.riverside.example",
        "login.riverside.example",
        "https://login.riverside.example/?x=1",
        "https://login.riverside.example/#top",
        "https://anna:pw@login.riverside.example",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "https://login.microsoftonline.us/consumers/v2.0",
    ],
)
def test_issuers_that_may_not_be(clock: ManualClock, given: str) -> None:
    """Everybody has an account in the tenants that all of Entra ID shares."""
    [fault] = faults(clock, OIDC, OIDC_ISSUER=given)
    assert fault.startswith("CHAPERONE_OIDC_ISSUER cannot be used: it must be an https")


def test_a_sign_in_provider_needs_all_three(clock: ManualClock) -> None:
    [half] = faults(clock, OIDC_ISSUER="https://login.riverside.example")
    assert half.startswith(
        "CHAPERONE_OIDC_CLIENT_ID and CHAPERONE_OIDC_CLIENT_SECRET must be given too"
    )
    [lonely] = faults(clock, OIDC_TITLE="Riverside")
    assert "does nothing without CHAPERONE_OIDC_ISSUER" in lonely


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ZOOM_API_URL", "https://api.zoom.us.example.org/v2"),
        ("ZOOM_API_URL", "http://api.zoom.us/v2"),
        ("ZOOM_API_URL", "http://127.0.0.1:9000/v2"),
        ("ZOOM_OAUTH_URL", "https://api.zoom.us/oauth/token"),
        ("ZOOM_OAUTH_URL", "https://example.org/https://zoom.us/oauth/token"),
    ],
)
def test_platform_addresses_are_the_platforms_own(
    clock: ManualClock, name: str, given: str
) -> None:
    [fault] = faults(clock, **{name: given})
    assert fault.startswith(f"CHAPERONE_{name} is not an address of the platform")
    [still] = faults(clock, ALLOW_TEST_HOSTS="0", **{name: given})
    assert still == fault
    allowed = load(clock, ALLOW_TEST_HOSTS="1", **{name: given})
    assert allowed.allow_test_hosts
    assert getattr(allowed, name.lower()) == given


def test_zoom_for_government_is_zoom_too(clock: ManualClock) -> None:
    settings = load(
        clock,
        ZOOM_API_URL="https://api.zoomgov.com/v2/",
        ZOOM_OAUTH_URL="https://zoomgov.com/oauth/token",
    )
    assert settings.zoom_api_url == "https://api.zoomgov.com/v2"


def test_no_address_at_all_is_a_fault_even_for_tests(clock: ManualClock) -> None:
    [fault] = faults(clock, ALLOW_TEST_HOSTS="1", ZOOM_API_URL="api.zoom.us")
    assert fault.startswith("CHAPERONE_ZOOM_API_URL cannot be used")


# --- groups -----------------------------------------------------------------------


@pytest.mark.parametrize("left_out", ZOOM)
def test_a_half_filled_zoom_group_is_a_fault(clock: ManualClock, left_out: str) -> None:
    rest = {name: value for name, value in ZOOM.items() if name != left_out}
    assert faults(clock, rest) == [
        f"{left_out} must be given too: Zoom needs the whole group, or none of it."
    ]


def test_the_whole_zoom_group_switches_zoom_on(clock: ManualClock) -> None:
    settings = load(clock, ZOOM, ZOOM_HOST_USER="host@example.org")
    assert settings.has_zoom
    assert settings.zoom_host_user == "host@example.org"


def test_a_host_user_without_zoom_is_a_fault(clock: ManualClock) -> None:
    assert faults(clock, ZOOM_HOST_USER="host@example.org") == [
        "CHAPERONE_ZOOM_HOST_USER does nothing without CHAPERONE_ZOOM_ACCOUNT_ID: "
        "give both."
    ]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_an_empty_webhook_secret_is_a_fault(
    clock: ManualClock, blank: str, tmp_path: Path
) -> None:
    """With an empty key anybody could sign."""
    [fault, group] = faults(clock, ZOOM, ZOOM_WEBHOOK_SECRET=blank)
    assert fault.startswith("CHAPERONE_ZOOM_WEBHOOK_SECRET is empty")
    assert "whole group" in group
    file = tmp_path / "secret"
    file.write_text(blank)
    rest = {key: value for key, value in ZOOM.items() if "WEBHOOK" not in key}
    assert [fault, group] == faults(clock, rest, ZOOM_WEBHOOK_SECRET_FILE=str(file))


def test_an_empty_ordinary_setting_counts_as_left_out(clock: ManualClock) -> None:
    assert load(clock, LOG_LEVEL="", ORGANISATION_NAME=" ") == load(clock)


# --- the old Zoom token -------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "fits"),
    [
        (timedelta(hours=24) - timedelta(seconds=1), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24) + timedelta(seconds=1), False),
        (timedelta(days=-1), True),  # a restart after the change must still start
    ],
)
def test_an_old_token_is_believed_for_a_day_at_most(
    clock: ManualClock, ahead: timedelta, fits: bool
) -> None:
    old = {
        "CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD": "old-canary",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD_UNTIL": (clock.now() + ahead).isoformat(),
    }
    if fits:
        until = load(clock, ZOOM, old).zoom_webhook_secret_old_until
        assert until == clock.now() + ahead
    else:
        [fault] = faults(clock, ZOOM, old)
        assert "at most 24 hours" in fault


@pytest.mark.parametrize("until", ["2026-11-17T19:00", "tomorrow", "1"])
def test_a_time_without_a_zone_is_no_time(clock: ManualClock, until: str) -> None:
    [fault] = faults(
        clock,
        ZOOM,
        ZOOM_WEBHOOK_SECRET_OLD="old-canary",
        ZOOM_WEBHOOK_SECRET_OLD_UNTIL=until,
    )
    assert fault.startswith("CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD_UNTIL cannot be used")


def test_an_old_token_needs_its_end_and_the_end_its_token(clock: ManualClock) -> None:
    [no_end] = faults(clock, ZOOM, ZOOM_WEBHOOK_SECRET_OLD="old-canary")
    assert no_end.startswith("CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD_UNTIL must be given")
    [no_token] = faults(clock, ZOOM, ZOOM_WEBHOOK_SECRET_OLD_UNTIL="2026-11-17T19:00Z")
    assert no_token.startswith("CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD must be given")


# --- mail, alarms, store, proxies ------------------------------------------------------


def test_mail_is_protected_unless_it_stays_on_this_machine(clock: ManualClock) -> None:
    assert load(clock, MAIL).smtp_security == "starttls"
    here = load(clock, MAIL, SMTP_HOST="127.0.0.1", SMTP_SECURITY="none")
    assert here.smtp_security == "none"
    assert here.has_mail
    [fault] = faults(clock, MAIL, SMTP_SECURITY="None")
    assert "use starttls or tls" in fault


@pytest.mark.parametrize("port", ["0", "65536", "smtp", "-1", "25.5"])
def test_a_port_is_a_number_from_1_to_65535(clock: ManualClock, port: str) -> None:
    [fault] = faults(clock, MAIL, SMTP_PORT=port)
    assert fault.endswith("it must be a number from 1 to 65535.")
    assert load(clock, MAIL, SMTP_PORT="1").smtp_port == 1
    assert load(clock, MAIL, SMTP_PORT="65535").smtp_port == 65535


@pytest.mark.parametrize(
    "address", ["group", "a@b@c", "Group <a@example.org>", "a@x.org\nBcc: b@x.org"]
)
def test_a_sender_is_one_plain_address(clock: ManualClock, address: str) -> None:
    [fault] = faults(clock, MAIL, SMTP_FROM=address)
    assert fault.startswith("CHAPERONE_SMTP_FROM cannot be used")


def test_a_sign_in_at_the_mail_server_is_whole(clock: ManualClock) -> None:
    [fault] = faults(clock, MAIL, SMTP_USERNAME="anna")
    assert fault.startswith("CHAPERONE_SMTP_PASSWORD must be given too")


def test_alarms_are_posted_over_tls_and_signed(clock: ManualClock) -> None:
    secret = {"CHAPERONE_ALARM_WEBHOOK_SECRET": "whsec_YWxhcm0tY2FuYXJ5"}
    load(clock, secret, ALARM_WEBHOOK_URL="https://sms.example.org/k")
    [fault] = faults(clock, secret, ALARM_WEBHOOK_URL="http://sms.example.org/k")
    assert "must begin with https://" in fault
    load(
        clock,
        secret,
        ALARM_WEBHOOK_URL="http://127.0.0.1:9/k",
        ALLOW_TEST_HOSTS="1",
    )
    [unsigned] = faults(clock, ALARM_WEBHOOK_URL="https://sms.example.org/k")
    assert unsigned.startswith("CHAPERONE_ALARM_WEBHOOK_SECRET must be given too")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sqlite:////srv/chaperone/store.sqlite3", None),
        ("sqlite:///store.sqlite3", None),
        ("postgresql://anna@db/chaperone", "postgresql+psycopg://anna@db/chaperone"),
        ("postgres://anna@db/chaperone", "postgresql+psycopg://anna@db/chaperone"),
        ("postgresql+psycopg://db/chaperone", None),
    ],
)
def test_stores_that_keep_what_they_took(
    clock: ManualClock, given: str, kept: str | None
) -> None:
    settings = load(clock, DATABASE_URL=given)
    assert settings.database_url.get_secret_value() == (kept or given)


@pytest.mark.parametrize(
    "given",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "mysql://db/chaperone",
        "postgresql:",
        "chaperone.sqlite3",
    ],
)
def test_stores_that_would_not(clock: ManualClock, given: str) -> None:
    [fault] = faults(clock, DATABASE_URL=given)
    assert fault.startswith("CHAPERONE_DATABASE_URL cannot be used")


def test_the_store_lies_in_the_data_folder(clock: ManualClock) -> None:
    settings = load(clock, DATA_DIR="/srv/chaperone")
    assert (
        settings.database_url.get_secret_value()
        == "sqlite:////srv/chaperone/chaperone.sqlite3"
    )


def test_trusted_proxies_are_networks_and_never_everybody(clock: ManualClock) -> None:
    settings = load(clock, TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7, 2001:db8::/32")
    assert settings.trusted_proxies == (
        ip_network("10.0.0.0/8"),
        ip_network("192.0.2.7/32"),
        ip_network("2001:db8::/32"),
    )
    for bad in ("0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/8,", "proxy"):
        assert len(faults(clock, TRUSTED_PROXIES=bad)) == 1


# --- secrets ---------------------------------------------------------------------------


def test_no_secret_shows(clock: ManualClock) -> None:
    settings = load(
        clock,
        ZOOM,
        MAIL,
        SECRETS,
        OIDC,
        OIDC_ISSUER="https://login.riverside.example",
        SMTP_USERNAME="anna",
        ZOOM_WEBHOOK_SECRET_OLD_UNTIL="2026-11-17T19:00Z",
    )
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.keyring()!r}"
    assert "canary" not in shown
    assert KEY not in shown
    assert "whsec" not in shown


def test_every_secret_may_lie_in_a_file(clock: ManualClock, tmp_path: Path) -> None:
    environ = dict(MAIL) | ZOOM | OIDC | {"CHAPERONE_SMTP_USERNAME": "anna"}
    environ["CHAPERONE_OIDC_ISSUER"] = "https://login.riverside.example"
    environ["CHAPERONE_ZOOM_WEBHOOK_SECRET_OLD_UNTIL"] = "2026-11-17T19:00Z"
    in_files = dict(environ)
    for name, value in SECRETS.items():
        file = tmp_path / name
        file.write_text(value + "\n")
        in_files.pop(name, None)
        in_files[f"{name}_FILE"] = str(file)
    base = {"CHAPERONE_BASE_URL": LEAST["CHAPERONE_BASE_URL"]}
    from_files = load_settings(base | in_files, clock)
    assert from_files == load(clock, environ, SECRETS)
    assert {name.lower().removeprefix("chaperone_") for name in SECRETS} == set(
        config.SECRETS
    )


def unreadable(folder: Path) -> Iterator[Path]:
    yield folder / "nowhere"
    yield folder
    binary = folder / "binary"
    binary.write_bytes(b"\xff\xfe")
    yield binary


def test_a_secret_file_that_cannot_be_read_is_told(
    clock: ManualClock, tmp_path: Path
) -> None:
    rest = {key: value for key, value in ZOOM.items() if "CLIENT_SECRET" not in key}
    for path in unreadable(tmp_path):
        told = faults(clock, rest, ZOOM_CLIENT_SECRET_FILE=str(path))
        assert (
            "CHAPERONE_ZOOM_CLIENT_SECRET_FILE names a file that cannot be" in told[0]
        )


def test_a_secret_given_twice_is_told(clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    assert faults(clock, SECRET_KEY_FILE=str(file)) == [
        "CHAPERONE_SECRET_KEY and CHAPERONE_SECRET_KEY_FILE are both given: "
        "keep one of them."
    ]


def test_only_secrets_are_read_from_files(clock: ManualClock) -> None:
    [fault] = faults(clock, SMTP_HOST_FILE="/etc/hostname")
    assert fault.startswith("CHAPERONE_SMTP_HOST_FILE is not a setting: did you mean")


def test_a_name_like_nothing_known_is_told(clock: ManualClock) -> None:
    assert faults(clock, QQQQQQQQQQQQQQQQQQQQQ="1") == [
        "CHAPERONE_QQQQQQQQQQQQQQQQQQQQQ is not a setting: take it away."
    ]


# --- where things are -------------------------------------------------------------------


def test_the_project_finds_its_own_folders() -> None:
    assert (config.project_root() / "pyproject.toml").is_file()
