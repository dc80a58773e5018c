"""Everything outside: meeting platforms, mail, the signed outgoing webhook, the rehearsal.

``PLATFORMS`` is the one list; register by hand, no discovery. A platform's own code is
imported when it is built, so that a service without Zoom never loads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.clock import Clock
    from integrations.base import Guide, Platform
    from integrations.http import AsyncClient


class Secret(Protocol):
    """A value that does not show by accident."""

    def get_secret_value(self) -> str: ...


class PlatformSettings(Protocol):
    """What the platforms need of ``app.config.Settings``."""

    @property
    def allow_test_hosts(self) -> bool: ...
    @property
    def zoom_account_id(self) -> str | None: ...
    @property
    def zoom_client_id(self) -> str | None: ...
    @property
    def zoom_client_secret(self) -> Secret | None: ...
    @property
    def zoom_webhook_secret(self) -> Secret | None: ...
    @property
    def zoom_webhook_secret_old(self) -> Secret | None: ...
    @property
    def zoom_webhook_secret_old_until(self) -> datetime | None: ...
    @property
    def zoom_host_user(self) -> str | None: ...
    @property
    def zoom_app_id(self) -> str | None: ...
    @property
    def zoom_room_chat(self) -> bool: ...
    @property
    def zoom_api_url(self) -> str: ...
    @property
    def zoom_oauth_url(self) -> str: ...


Build = Callable[["PlatformSettings", "Clock", "AsyncClient | None"], "Platform"]
MakeGuide = Callable[["PlatformSettings", "Clock", "AsyncClient | None"], "Guide"]


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """A platform the house knows. ``name`` is in addresses, ``title`` is for people.

    ``is_on``: these settings switch it on. ``build`` raises ValueError for settings
    that cannot be used, such as an empty webhook secret; ``http`` None: a client of
    its own. ``guide``: the way to connect it, also before it is on; None without one.
    """

    name: str
    title: str
    is_on: Callable[[PlatformSettings], bool]
    build: Build
    guide: MakeGuide | None = None


def _build_zoom(
    settings: PlatformSettings, clock: "Clock", http: "AsyncClient | None" = None
) -> "Platform":
    from integrations.zoom.build import build

    return build(settings, clock, http)


def _zoom_guide(
    settings: PlatformSettings, clock: "Clock", http: "AsyncClient | None" = None
) -> "Guide":
    from integrations.zoom.guide import ZoomGuide

    return ZoomGuide(settings, clock, http)


def _zoom_is_on(settings: PlatformSettings) -> bool:
    return settings.zoom_webhook_secret is not None


PLATFORMS: Mapping[str, PlatformEntry] = {
    entry.name: entry
    for entry in (PlatformEntry("zoom", "Zoom", _zoom_is_on, _build_zoom, _zoom_guide),)
}
