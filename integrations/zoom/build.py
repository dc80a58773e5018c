"""From the service's settings to a Zoom account."""

from app.clock import Clock
from integrations import PlatformSettings, Secret
from integrations.http import AsyncClient
from integrations.zoom.account import ZoomSettings
from integrations.zoom.client import Zoom


def account_of(settings: PlatformSettings) -> ZoomSettings:
    """Raises ValueError for settings that are missing or lead elsewhere than Zoom."""
    current, old = settings.zoom_webhook_secret, settings.zoom_webhook_secret_old
    until = settings.zoom_webhook_secret_old_until
    secrets = (_text(current), _text(old)) if old and until else (_text(current),)
    return ZoomSettings(
        account_id=settings.zoom_account_id or "",
        client_id=settings.zoom_client_id or "",
        client_secret=_text(settings.zoom_client_secret),
        webhook_secrets=secrets,
        old_secret_until=until,
        api_url=settings.zoom_api_url,
        oauth_url=settings.zoom_oauth_url,
        host_user=settings.zoom_host_user or "",
        app_id=settings.zoom_app_id or "",
        room_chat=settings.zoom_room_chat,
        allow_test_hosts=settings.allow_test_hosts,
    )


def build(
    settings: PlatformSettings, clock: Clock, http: AsyncClient | None = None
) -> Zoom:
    """Raises ValueError as `account_of` does."""
    return Zoom(account_of(settings), http, clock)


def _text(secret: Secret | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
