"""What an organisation tells us about its Zoom account, checked when it is built."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

API_URL = "https://api.zoom.us/v2"
OAUTH_URL = "https://zoom.us/oauth/token"

# Calls a second for each of Zoom's rate labels, all apps of the account together. A
# Pro plan's figures; HEAVY is used where a live list exists, and that is Business.
RATES: Mapping[str, float] = {"LIGHT": 30, "MEDIUM": 20, "HEAVY": 40}

# Regional hosts look like api-us.zoom.us.
_ZOOM_HOST = re.compile(r"(?:(?:api|api-[a-z0-9]{1,20})\.)?zoom\.us")


class RefusedHost(ValueError):
    """An address that is not Zoom's, and test hosts are not allowed."""


def check_host(url: str, *, allow_test_hosts: bool = False) -> str:
    """Return the address without a slash at its end, or raise RefusedHost."""
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    host = parts.hostname or ""
    ours = parts.scheme == "https" and parts.netloc in (host, f"{host}:443")
    if plain and ours and _ZOOM_HOST.fullmatch(host):
        return url.rstrip("/")
    if allow_test_hosts and plain and host and parts.scheme in ("http", "https"):
        return url.rstrip("/")
    raise RefusedHost(f"{host or 'The address'} is not a host of Zoom's.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomSettings:
    """One Server-to-Server OAuth app and what it may do.

    `webhook_secrets`: the current secret token, then the one it replaces, which is
    believed until `old_secret_until` (None: as long as it is listed). `host_user`:
    id or address of the user under whom meetings are made. `room_chat`: post the
    ground rules into the meeting's lasting chat (off: members could write to each
    other without a worker). `deadline`: for one call, everything included.
    `heavy_a_day`: of the account's daily HEAVY calls, how many are ours.

    Raises ValueError when something needed is empty or an address is not Zoom's.
    """

    account_id: str
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    old_secret_until: datetime | None = None
    api_url: str = API_URL
    oauth_url: str = OAUTH_URL
    host_user: str = ""
    app_id: str = ""
    room_chat: bool = False
    allow_test_hosts: bool = False
    deadline: timedelta = timedelta(seconds=5)
    rates: Mapping[str, float] = field(default_factory=lambda: dict(RATES))
    heavy_a_day: int = 30_000

    def __post_init__(self) -> None:
        for name in ("account_id", "client_id", "client_secret"):
            if not getattr(self, name):
                raise ValueError(f"Zoom's {name} is empty")
        if not self.webhook_secrets or not all(self.webhook_secrets):
            raise ValueError("an empty webhook secret would let anybody sign")
        if set(self.rates) != set(RATES) or min(self.rates.values()) <= 0:
            raise ValueError("Zoom's rates need a figure for each label")
        for url in (self.api_url, self.oauth_url):
            check_host(url, allow_test_hosts=self.allow_test_hosts)

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """The secret tokens believed now."""
        if self.old_secret_until is not None and now >= self.old_secret_until:
            return self.webhook_secrets[:1]
        return self.webhook_secrets
