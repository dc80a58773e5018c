"""The public address: does its name lead here, and is its certificate good?"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.checkup.finding import Finding
from app.checkup.outside import Outside
from app.clock import Clock
from app.config import Settings
from integrations.address import RefusedAddress, check_addresses

RENEW_WITHIN = timedelta(days=14)
_SELF_SIGNED = {18, 19}  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ..._IN_CHAIN
_EXPIRED = 10


async def address(settings: Settings, clock: Clock, outside: Outside) -> list[Finding]:
    """Name and certificate of ``base_url``, as this machine sees them."""
    url = urlsplit(settings.base_url)
    host = url.hostname or ""
    if url.scheme != "https":
        return [
            Finding(
                name,
                "ok",
                f"Not looked at: {host} is this machine only, so no platform reaches it.",
            )
            for name in ("name", "certificate")
        ]
    port = url.port or 443
    try:
        async with asyncio.timeout(outside.deadline.total_seconds()):
            addresses = await outside.resolve(host, port)
    except (OSError, TimeoutError):
        addresses = []
    if not addresses:
        return [
            Finding(
                "name",
                "fault",
                f"No name server knows {host}.",
                f"Enter {host} where the organisation's domain is kept, or correct "
                "CHAPERONE_BASE_URL.",
            )
        ]
    return [
        _name(settings, host, addresses),
        await _certificate(host, port, addresses, clock, outside),
    ]


def _name(settings: Settings, host: str, addresses: Sequence[str]) -> Finding:
    try:
        check_addresses(addresses, allow_test_hosts=settings.allow_test_hosts)
    except RefusedAddress as refused:
        return Finding(
            "name",
            "warn",
            f"{host}: {refused.sentence}",
            "If this machine asks an inside name server, ask from outside too: platforms "
            "send webhooks from the public internet.",
        )
    return Finding("name", "ok", f"{host} leads to {', '.join(addresses)}.")


async def _certificate(
    host: str, port: int, addresses: Sequence[str], clock: Clock, outside: Outside
) -> Finding:
    try:
        async with asyncio.timeout(outside.deadline.total_seconds()):
            certificate = await _shake_hands(host, port, addresses, outside)
    except ssl.SSLCertVerificationError as problem:
        return _bad_certificate(host, problem)
    except (OSError, TimeoutError) as problem:
        what = "in time" if isinstance(problem, TimeoutError) else "with TLS"
        return Finding(
            "certificate",
            "fault",
            f"{host} does not answer {what} on port {port}.",
            "See that the reverse proxy runs and that the firewall lets this port in. "
            "If only this machine cannot reach it, look from outside.",
        )
    ends_at = datetime.fromtimestamp(
        ssl.cert_time_to_seconds(certificate["notAfter"]), UTC
    )
    left = ends_at - clock.now()
    if left < RENEW_WITHIN:
        return Finding(
            "certificate",
            "warn",
            f"The certificate of {host} ends in {max(left.days, 0)} days.",
            "Renew it, and see why it does not renew itself.",
        )
    return Finding(
        "certificate", "ok", f"{host} has a good certificate for {left.days} days."
    )


async def _shake_hands(
    host: str, port: int, addresses: Sequence[str], outside: Outside
) -> Mapping[str, Any]:
    problem: OSError | None = None
    for one in addresses:
        try:
            _, writer = await asyncio.open_connection(
                one, port, ssl=outside.tls, server_hostname=host
            )
        except ssl.SSLError:
            raise
        except OSError as failed:
            problem = failed
            continue
        found: Mapping[str, Any] = writer.get_extra_info("peercert")
        writer.transport.abort()
        return found
    raise problem or OSError("no address")


def _bad_certificate(host: str, problem: ssl.SSLCertVerificationError) -> Finding:
    if problem.verify_code in _SELF_SIGNED:
        return Finding(
            "certificate",
            "fault",
            f"The certificate of {host} is signed by nobody known; platforms refuse it.",
            "Get one from a public authority (Let's Encrypt costs nothing), and serve "
            "its whole chain.",
        )
    if problem.verify_code == _EXPIRED:
        return Finding(
            "certificate",
            "fault",
            f"The certificate of {host} is out of date; platforms refuse it.",
            "Renew it now.",
        )
    return Finding(
        "certificate",
        "fault",
        f"The certificate of {host} is not good: {problem.verify_message}.",
        f"Serve a certificate for {host} with its whole chain (fullchain, not cert).",
    )
