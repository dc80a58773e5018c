"""Post one alarm to the organisation's gateway, signed, and never inside a network.

The name is resolved once, every answer is checked, and the connection goes to a
checked address while TLS and the Host header keep the name. Redirects and the
environment's proxies are off, the answer is cut at 64 kB, and one deadline covers
the whole attempt. Posting the same alarm id again is safe: receivers remember ids.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from integrations.address import (
    CheckedUrl,
    RefusedAddress,
    check_addresses,
    check_url,
)
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import (
    AsyncBaseTransport,
    AsyncClient,
    ConnectError,
    HTTPError,
    Response,
    Timeout,
    TimeoutException,
)
from integrations.outgoing.retry import retry_after
from integrations.outgoing.settings import OutgoingTarget
from integrations.outgoing.sign import BadSecret, sign

MOST_ANSWER_BYTES = 64 * 1024
MOST_ADDRESSES = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_by_system(host: str, port: int) -> list[str]:
    """All addresses of a name, in the system's order. Raises OSError."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


async def post(
    target: OutgoingTarget,
    alarm_id: str,
    payload: Mapping[str, object],
    now: datetime,
    *,
    resolve: Resolve = resolve_by_system,
    transport: AsyncBaseTransport | None = None,
) -> None:
    """One attempt to deliver one alarm; returning means the gateway answered 2xx.

    `alarm_id` is the webhook-id: the same for every attempt of one message. `now` is
    the time of this attempt, aware. Raises TemporaryFailure (the same attempt may
    succeed later), PermanentFailure (somebody must change something first), and
    ValueError for a payload JSON cannot hold or an id without header-safe writing.
    """
    # ASCII, because a name may hold half a surrogate pair, and the alarm must go out.
    body = json.dumps(payload, separators=(",", ":"), allow_nan=False).encode("ascii")
    try:
        url = check_url(
            target.url, allow_test_hosts=target.allow_test_hosts, ports=target.ports
        )
        headers = sign(target.secrets, alarm_id, now, body) | {
            "content-type": "application/json",
            "host": url.authority,
            "user-agent": "Chaperone",
        }
        async with asyncio.timeout(target.deadline.total_seconds()):
            addresses = await _resolve(url, target, resolve)
            async with AsyncClient(
                transport=transport,
                verify=target.tls or True,
                trust_env=False,
                follow_redirects=False,
                timeout=_timeout(target.deadline, len(addresses)),
            ) as client:
                await _post_to_first(client, url, addresses, headers, body, now)
    except (RefusedAddress, BadSecret, HTTPError, OSError) as error:
        # OSError holds TimeoutError, which the deadline raises.
        raise _failure(error, target.deadline) from error


async def _resolve(
    url: CheckedUrl, target: OutgoingTarget, resolve: Resolve
) -> list[str]:
    answers = [url.host] if url.literal else await resolve(url.host, url.port)
    if not answers:
        raise TemporaryFailure(f"No name server knows {url.host} now.", None)
    checked = check_addresses(answers, allow_test_hosts=target.allow_test_hosts)
    return checked[:MOST_ADDRESSES]


def _timeout(deadline: timedelta, addresses: int) -> Timeout:
    # A dead first address (IPv6 without a route, often) leaves time for the next;
    # for everything else there is the one deadline.
    return Timeout(None, connect=deadline.total_seconds() / addresses)


async def _post_to_first(
    client: AsyncClient,
    url: CheckedUrl,
    addresses: list[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Try the next address only while no connection was made."""
    *others, last = addresses
    for address in others:
        try:
            return await _post_once(client, url, address, headers, body, now)
        except (ConnectError, TimeoutException):
            continue
    return await _post_once(client, url, last, headers, body, now)


async def _post_once(
    client: AsyncClient,
    url: CheckedUrl,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    async with client.stream(
        "POST",
        url.at(address),
        content=body,
        headers=headers,
        extensions={"sni_hostname": url.host},
    ) as answer:
        _judge(answer, now)
        size = 0
        # Raw, so that a small packed answer cannot unpack into a large one.
        async for piece in answer.aiter_raw():
            size += len(piece)
            if size > MOST_ANSWER_BYTES:
                raise PermanentFailure(
                    "The gateway answered with more than 64 kB.",
                    "Check that the address is the gateway's and not a web page's.",
                )


def _judge(answer: Response, now: datetime) -> None:
    """Only 2xx counts; 408, 425, 429 and 5xx may be different next time."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    said = f"The gateway answered {status}."
    if status in (408, 425, 429) or status >= 500:
        wait = retry_after(answer.headers.get("retry-after", ""), now)
        raise TemporaryFailure(said, wait)
    if 300 <= status < 400:
        fix = "Put the final address into the settings; redirects are not followed."
    elif status in (401, 403):
        fix = "Check that both sides hold the same secret and the clocks agree."
    elif status in (404, 405, 410):
        fix = "Check the address with whoever runs the gateway."
    else:
        fix = "Ask whoever runs the gateway why it does not take this message."
    raise PermanentFailure(said, fix)


def _failure(
    error: Exception, deadline: timedelta
) -> TemporaryFailure | PermanentFailure:
    if isinstance(error, RefusedAddress):
        return PermanentFailure(
            f"The outgoing webhook was not sent. {error.sentence}",
            "Put a public https address into the settings of the outgoing webhook.",
        )
    if isinstance(error, BadSecret):
        return PermanentFailure(
            f"The outgoing webhook was not sent. {error}",
            "Copy the secret from the gateway again; it begins with whsec_.",
        )
    if isinstance(error, (TimeoutError, TimeoutException)):
        return TemporaryFailure(
            "The gateway did not finish its answer in"
            f" {deadline.total_seconds():g} seconds.",
            None,
        )
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentFailure(
                f"The gateway's certificate is not good: {cause.verify_message}.",
                "Ask whoever runs the gateway for a valid certificate for its name.",
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, socket.gaierror):
        return TemporaryFailure("No name server knows the gateway's name now.", None)
    return TemporaryFailure("No connection to the gateway, or it broke.", None)
