"""What a setting may be: checks of one value, and of several together.

Checks of one value raise ValueError; app.config turns that into its sentence. Checks
of several yield whole sentences. No sentence repeats a value: it may be a secret.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from app.backup_key import public_key
from app.crypto import Keyring

PREFIX = "CHAPERONE_"
MAKE_A_KEY = "chaperone new-key"
# Zoom and Zoom for Government. Anything else needs CHAPERONE_ALLOW_TEST_HOSTS=1.
OFFICIAL_HOSTS = {
    "zoom_api_url": frozenset({"api.zoom.us", "api.zoomgov.com"}),
    "zoom_oauth_url": frozenset({"zoom.us", "zoomgov.com"}),
}
LONGEST_ROTATION = timedelta(hours=24)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GROUPS = {
    "Zoom": (
        "zoom_account_id",
        "zoom_client_id",
        "zoom_client_secret",
        "zoom_webhook_secret",
    ),
    "the sign-in provider": ("oidc_issuer", "oidc_client_id", "oidc_client_secret"),
    "the alarm webhook": ("alarm_webhook_url", "alarm_webhook_secret"),
    "backups": ("backup_folder", "backup_key"),
    "the mail server's sign-in": ("smtp_username", "smtp_password"),
    "the old Zoom token": (
        "zoom_webhook_secret_old",
        "zoom_webhook_secret_old_until",
    ),
}
_NEEDS = {
    "zoom_webhook_secret_old": "zoom_webhook_secret",
    "zoom_host_user": "zoom_account_id",
    "zoom_app_id": "zoom_account_id",
    "smtp_host": "smtp_from",
    "smtp_from": "smtp_host",
    "smtp_username": "smtp_host",
    "oidc_title": "oidc_issuer",
    "backup_days": "backup_folder",
}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


# --- from the environment to raw values -----------------------------------------


def gather(
    environ: Mapping[str, str], known: Collection[str], secrets: Collection[str]
) -> tuple[dict[str, str], list[str]]:
    """Raw values by setting, and the faults of names, files and empty secrets."""
    given: dict[str, str] = {}
    faults = list(_unknown(environ, known, secrets))
    for name in known:
        try:
            value = _value(environ, variable(name), name in secrets)
        except ValueError as fault:
            faults.append(str(fault))
        else:
            if value is not None:
                given[name] = value
    return given, faults


def _value(environ: Mapping[str, str], var: str, secret: bool) -> str | None:
    """One raw value; an empty one counts as not given, but for a secret as a fault."""
    value = environ.get(var)
    path = environ.get(f"{var}_FILE") if secret else None
    if path:
        if value:
            raise ValueError(f"{var} and {var}_FILE are both given: keep one of them.")
        value = _read(Path(path), f"{var}_FILE")
    if value is not None and not value.strip():
        if secret:
            raise ValueError(f"{var} is empty: give it a value or take it away.")
        return None
    return value


def _read(path: Path, var: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(
            f"{var} names a file that cannot be read ({why}): mend the path or its rights."
        ) from error


def _unknown(
    environ: Mapping[str, str], known: Collection[str], secrets: Collection[str]
) -> Iterator[str]:
    names = {variable(name) for name in known}
    names |= {f"{variable(name)}_FILE" for name in secrets}
    for var in sorted(environ):
        if var.startswith(PREFIX) and var not in names:
            near = difflib.get_close_matches(var, sorted(names), n=1)
            hint = f"did you mean {near[0]}?" if near else "take it away."
            yield f"{var} is not a setting: {hint}"


# --- several together -------------------------------------------------------------


def together(given: Mapping[str, str], now: datetime) -> list[str]:
    """Faults that only show when settings are looked at together."""
    return [
        *_half_groups(given),
        *_lonely(given),
        *_unofficial(given),
        *_open_mail(given),
        *_open_alarm(given),
        *_long_rotation(given, now),
    ]


def _half_groups(given: Mapping[str, str]) -> Iterator[str]:
    for title, group in _GROUPS.items():
        missing = [variable(name) for name in group if name not in given]
        if missing and len(missing) < len(group):
            yield (
                f"{' and '.join(missing)} must be given too: {title} needs "
                "the whole group, or none of it."
            )


def _lonely(given: Mapping[str, str]) -> Iterator[str]:
    for name, needed in _NEEDS.items():
        if name in given and needed not in given:
            yield f"{variable(name)} does nothing without {variable(needed)}: give both."


def _tests_allowed(given: Mapping[str, str]) -> bool:
    answer = given.get("allow_test_hosts", "").strip().lower()
    return answer in {"1", "true", "yes", "on", "t", "y"}


def _unofficial(given: Mapping[str, str]) -> Iterator[str]:
    if _tests_allowed(given):
        return
    for name, hosts in OFFICIAL_HOSTS.items():
        if name not in given:
            continue
        url = _split(given[name])
        if url is not None and (url.scheme != "https" or url.hostname not in hosts):
            yield (
                f"{variable(name)} is not an address of the platform: take it away, "
                f"or for tests set {variable('allow_test_hosts')}=1."
            )


def _open_mail(given: Mapping[str, str]) -> Iterator[str]:
    unprotected = given.get("smtp_security", "").strip().lower() == "none"
    if unprotected and given.get("smtp_host", "").strip() not in _LOOPBACK:
        yield (
            f"{variable('smtp_security')} may be none only when "
            f"{variable('smtp_host')} is this machine: use starttls or tls."
        )


def _open_alarm(given: Mapping[str, str]) -> Iterator[str]:
    url = _split(given.get("alarm_webhook_url", ""))
    if url is not None and url.scheme == "http" and not _tests_allowed(given):
        yield (
            f"{variable('alarm_webhook_url')} must begin with https://, or for tests "
            f"set {variable('allow_test_hosts')}=1."
        )


def _long_rotation(given: Mapping[str, str], now: datetime) -> Iterator[str]:
    name = "zoom_webhook_secret_old_until"
    try:
        until = moment(given[name])
    except (KeyError, ValueError):
        return  # not given, or told as a fault of its own
    if until > now + LONGEST_ROTATION:
        yield f"{variable(name)} is too far ahead: it must be at most 24 hours from now."


# --- one value ---------------------------------------------------------------------


def public_address(text: str) -> str:
    """https:// and a host (http:// for this machine), without a path."""
    url = _split(text)
    if url is None or url.path.strip("/") or url.query or url.fragment:
        raise ValueError("not a base address")
    if url.scheme != "https" and url.hostname not in _LOOPBACK:
        raise ValueError("not https")
    return f"{url.scheme}://{url.netloc.lower()}"


def colour(text: str | None) -> str | None:
    """``#rrggbb`` in small letters."""
    if text is None or re.fullmatch(r"#[0-9a-f]{6}", text.strip().lower()):
        return text and text.strip().lower()
    raise ValueError("not a colour")


def platform_address(text: str) -> str:
    url = _split(text)
    if url is None or url.query or url.fragment:
        raise ValueError("not an address")
    return text.strip().rstrip("/")


def issuer(text: str) -> str:
    """An issuer keeps its spelling: a slash at the end is part of it (Discovery §4.3)."""
    url = _split(text)
    if url is None or url.query or url.fragment or url.scheme != "https":
        raise ValueError("not an issuer")
    shared = url.path.strip("/").split("/")[0] in (
        "common",
        "organizations",
        "consumers",
    )
    if shared and (url.hostname or "").startswith("login."):
        raise ValueError("everybody's tenant")
    return text.strip()


def alarm_address(secret: SecretStr) -> SecretStr:
    if _split(secret.get_secret_value()) is None:
        raise ValueError("not an address")
    return SecretStr(secret.get_secret_value().strip())


def _split(text: str) -> SplitResult | None:
    """The parts of an http(s) address, or None; no user names or passwords in it."""
    try:
        url = urlsplit(text.strip())
        plain = (
            url.scheme in {"http", "https"} and url.hostname and "@" not in url.netloc
        )
        _ = url.port  # raises when it is no number
    except ValueError:
        return None
    return url if plain and not re.search(r"\s", text.strip()) else None


def keys(secret: SecretStr) -> SecretStr:
    Keyring.from_text(secret.get_secret_value())
    return secret


def database(secret: SecretStr) -> SecretStr:
    """A file for SQLite (memory would lose what was acknowledged), or PostgreSQL."""
    text = secret.get_secret_value().strip()
    scheme, found, rest = text.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and rest.strip("/"):
        if ":memory:" not in rest and "mode=memory" not in rest:
            return SecretStr(text)
    elif scheme in {"postgresql", "postgres", "postgresql+psycopg"} and found and rest:
        return SecretStr(f"postgresql+psycopg://{rest}")
    raise ValueError("not a database")


def backup_key(text: str) -> str:
    public_key(text)
    return text.strip()


def networks(
    value: str | Iterable[IPv4Network | IPv6Network],
) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks from text with commas; "all addresses" would let anybody forge theirs."""
    parts = [p.strip() for p in value.split(",")] if isinstance(value, str) else value
    found = tuple(ip_network(part) for part in parts)
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("all addresses")
    return found


def moment(value: str | datetime) -> datetime:
    """An instant in UTC, from ISO 8601 text with a zone."""
    at = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at.astimezone(UTC)


def mail_address(text: str) -> str:
    """One plain address; the mail integration checks it again when it writes."""
    if not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+", text.strip()):
        raise ValueError("not a mail address")
    return text.strip()
