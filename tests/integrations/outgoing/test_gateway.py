"""An alarm reaches a real HTTPS gateway, or is cut off in time (L03-L06, L09)."""

import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import PermanentFailure, TemporaryFailure
from integrations.outgoing.client import post, resolve_by_system
from integrations.outgoing.settings import OutgoingTarget
from integrations.outgoing.sign import secret_of, verify
from tests.integrations.certificates import Authority
from tests.integrations.outgoing.gateway import (
    Answer,
    gateway_on,
    in_drips,
    never,
    with_a_gigabyte,
    with_bytes,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC)
SECRET = secret_of(b"the charity and its SMS gateway.")
OLD_SECRET = secret_of(b"what they shared until yesterday")
ALARM = {"text": "No worker in the group since 19:04:10", "who": "Łucja \ud800 =1+1"}
NAME = "sms.gateway.example"

Resolve = Callable[[str, int], Awaitable[list[str]]]


def answers(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> list[str]:
        assert host == NAME
        return list(addresses)

    return resolve


HERE = answers("127.0.0.1")


def target(authority: Authority, port: int, **changes: object) -> OutgoingTarget:
    plain = OutgoingTarget(
        url=f"https://{NAME}:{port}/alarms?to=duty",
        secrets=(SECRET,),
        ports=frozenset({443, port}),
        allow_test_hosts=True,
        tls=authority.client(),
        deadline=timedelta(seconds=5),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


async def test_the_gateway_receives_and_verifies_the_alarm(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:
        await post(target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE)
    [request] = gateway.received
    assert verify([SECRET], request.headers, request.body, NOW) == "al_17"
    assert json.loads(request.body) == ALARM
    assert request.line == "POST /alarms?to=duty HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"{NAME}:{gateway.port}"
    assert gateway.names == [NAME]


async def test_a_repeat_carries_the_same_id_and_its_own_time(
    authority: Authority,
) -> None:
    later = NOW + timedelta(minutes=30)
    async with gateway_on(authority.server(NAME)) as gateway:
        here = target(authority, gateway.port)
        await post(here, "al_17", ALARM, NOW, resolve=HERE)
        await post(here, "al_17", ALARM, later, resolve=HERE)
    first, second = gateway.received
    assert first.body == second.body
    assert verify([SECRET], second.headers, second.body, later) == "al_17"
    assert first.headers["webhook-timestamp"] == "1794942250"
    assert second.headers["webhook-timestamp"] == "1794944050"


async def test_during_a_rotation_a_gateway_with_the_old_secret_still_believes(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:
        both = target(authority, gateway.port, secrets=(SECRET, OLD_SECRET))
        await post(both, "al_17", ALARM, NOW, resolve=HERE)
    [request] = gateway.received
    assert verify([OLD_SECRET], request.headers, request.body, NOW) == "al_17"


async def test_a_certificate_for_another_name_is_not_believed(
    authority: Authority,
) -> None:
    # The address itself is in the certificate: only the name counts.
    async with gateway_on(authority.server("evil.example", "127.0.0.1")) as gateway:
        with pytest.raises(PermanentFailure) as failure:
            await post(
                target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE
            )
    assert "certificate is not good" in str(failure.value)
    assert failure.value.fix.startswith("Ask whoever runs the gateway")
    assert gateway.received == []


async def test_a_certificate_of_an_unknown_authority_is_not_believed(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:
        unknowing = target(authority, gateway.port, tls=None)
        with pytest.raises(PermanentFailure, match="certificate is not good"):
            await post(unknowing, "al_17", ALARM, NOW, resolve=HERE)
    assert gateway.received == []


async def test_a_plain_http_gateway_on_this_machine_is_for_tests_only(
    authority: Authority,
) -> None:
    async with gateway_on(None) as gateway:
        plain = target(
            authority, gateway.port, url=f"http://127.0.0.1:{gateway.port}/alarms"
        )
        await post(plain, "al_17", ALARM, NOW)
        with pytest.raises(PermanentFailure, match="must begin with https"):
            await post(replace(plain, allow_test_hosts=False), "al_17", ALARM, NOW)
    assert [request.line for request in gateway.received] == ["POST /alarms HTTP/1.1"]


async def test_l03_a_name_that_leads_inside_at_connect_is_refused(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:
        strict = target(authority, gateway.port, allow_test_hosts=False)
        assert strict.faults() == ()
        with pytest.raises(PermanentFailure) as failure:
            await post(strict, "al_17", ALARM, NOW, resolve=HERE)
    assert "127.0.0.1, which is not on the public internet" in str(failure.value)
    assert gateway.connections == 0


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/", "https://10.0.0.1/", f"https://{NAME}/alarms"]
)
async def test_l04_a_redirect_is_not_followed(
    authority: Authority, location: str
) -> None:
    away = f"HTTP/1.1 307 Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    async with gateway_on(authority.server(NAME), with_bytes(away.encode())) as gateway:
        with pytest.raises(PermanentFailure) as failure:
            await post(
                target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE
            )
    assert str(failure.value) == "The gateway answered 307."
    assert "redirects are not followed" in failure.value.fix
    assert gateway.connections == 1


@pytest.mark.parametrize("answer", [in_drips, never])
async def test_l06_a_gateway_that_takes_for_ever_is_left_at_the_deadline(
    authority: Authority, answer: Answer
) -> None:
    async with gateway_on(authority.server(NAME), answer) as gateway:
        hurried = target(authority, gateway.port, deadline=timedelta(seconds=0.3))
        with pytest.raises(TemporaryFailure) as failure:
            await post(hurried, "al_17", ALARM, NOW, resolve=HERE)
    assert str(failure.value) == "The gateway did not finish its answer in 0.3 seconds."
    assert len(gateway.received) == 1
    assert gateway.written < 100


async def test_l06_a_name_server_that_takes_for_ever_counts_too(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:

        async def resolve(host: str, port: int) -> list[str]:
            await gateway.closing.wait()
            return []

        hurried = target(authority, gateway.port, deadline=timedelta(seconds=0.05))
        with pytest.raises(TemporaryFailure, match=r"in 0\.05 seconds"):
            await post(hurried, "al_17", ALARM, NOW, resolve=resolve)
    assert gateway.connections == 0


async def test_l06_a_gigabyte_is_cut_after_64_kilobytes(authority: Authority) -> None:
    async with gateway_on(authority.server(NAME), with_a_gigabyte) as gateway:
        with pytest.raises(PermanentFailure) as failure:
            await post(
                target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE
            )
    assert str(failure.value) == "The gateway answered with more than 64 kB."
    # What left our hands is bounded by the buffers between the two ends.
    assert gateway.written < 50_000_000


@pytest.mark.parametrize(
    ("size", "taken"), [(65535, True), (65536, True), (65537, False)]
)
async def test_l06_the_limit_of_an_answer_is_exact(
    authority: Authority, size: int, taken: bool
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    async with gateway_on(
        authority.server(NAME), with_bytes(head + b"." * size)
    ) as gateway:
        here = target(authority, gateway.port)
        if taken:
            await post(here, "al_17", ALARM, NOW, resolve=HERE)
        else:
            with pytest.raises(PermanentFailure, match="more than 64 kB"):
                await post(here, "al_17", ALARM, NOW, resolve=HERE)


async def test_l09_proxies_of_the_environment_are_ignored(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        gateway_on(None) as proxy,
        gateway_on(authority.server(NAME)) as gateway,
    ):
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        await post(target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE)
    assert (proxy.connections, len(gateway.received)) == (0, 1)


async def test_a_gateway_that_is_down_is_a_temporary_failure(
    authority: Authority,
) -> None:
    async with gateway_on(authority.server(NAME)) as gateway:
        here = target(authority, gateway.port)
    with pytest.raises(TemporaryFailure, match="No connection to the gateway"):
        await post(here, "al_17", ALARM, NOW, resolve=HERE)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"SSH-2.0\r\n"],
)
async def test_a_broken_answer_is_a_temporary_failure(
    authority: Authority, answer: bytes
) -> None:
    async with gateway_on(authority.server(NAME), with_bytes(answer)) as gateway:
        with pytest.raises(TemporaryFailure, match="or it broke"):
            await post(
                target(authority, gateway.port), "al_17", ALARM, NOW, resolve=HERE
            )


async def test_the_system_resolves_the_name_of_this_machine() -> None:
    assert "127.0.0.1" in await resolve_by_system("localhost", 443)


def test_tls_below_1_2_is_never_spoken(authority: Authority) -> None:
    assert authority.client().minimum_version >= ssl.TLSVersion.TLSv1_2
