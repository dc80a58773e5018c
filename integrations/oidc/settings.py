"""What signing in at a provider needs."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

# Entra ID's own hosts: there a person is (tenant, oid), and `sub` differs for each app
# (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
ENTRA_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
    }
)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One provider, and what it calls this service.

    ``issuer``: exactly as the provider writes it in its own discovery document.
    ``title``: what people call it. ``tls`` replaces the usual certificate authorities.
    ``deadline`` covers one call.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    title: str = "your organisation's account"
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    deadline: timedelta = timedelta(seconds=5)

    @property
    def entra(self) -> bool:
        """Whether the provider is Microsoft Entra ID."""
        return urlsplit(self.issuer).hostname in ENTRA_HOSTS
