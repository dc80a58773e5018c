"""Where a post really goes, and what each answer of the gateway means."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.address import RefusedAddress, check_url
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.http import ConnectError, MockTransport, Request, Response
from integrations.outgoing.client import post
from integrations.outgoing.settings import OutgoingTarget
from integrations.outgoing.sign import secret_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC)
TARGET = OutgoingTarget(
    url="https://sms.gateway.example/alarms",
    secrets=(secret_of(b"the charity and its SMS gateway."),),
)
ALARM = {"text": "No worker in the group since 19:04:10"}
PUBLIC = "93.184.216.34"


class Names:
    """A name server that gives the next answer each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


class Wire:
    """Remembers every request and answers with one status."""

    def __init__(
        self, status: int = 204, headers: dict[str, str] | None = None
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.requests: list[Request] = []
        self.dead: set[str] = set()

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.requests]

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if request.url.host in self.dead:
            raise ConnectError("no route")
        return Response(self.status, headers=self.headers, content=_nothing())


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def send(
    wire: Wire,
    names: Callable[[str, int], Awaitable[list[str]]],
    target: OutgoingTarget = TARGET,
) -> None:
    await post(
        target, "al_17", ALARM, NOW, resolve=names, transport=MockTransport(wire)
    )


async def test_l03_the_connection_goes_to_the_checked_address() -> None:
    wire, names = Wire(), Names([PUBLIC], ["10.0.0.1"])
    await send(wire, names)
    [request] = wire.requests
    assert str(request.url) == f"https://{PUBLIC}/alarms"
    assert request.headers.get_list("host") == ["sms.gateway.example"]
    assert request.extensions["sni_hostname"] == "sms.gateway.example"
    # Asked once: there is no second answer that could differ from the checked one.
    assert names.asked == [("sms.gateway.example", 443)]
    with pytest.raises(PermanentFailure, match=r"10\.0\.0\.1, which is not"):
        await send(wire, names)
    assert len(wire.requests) == 1


async def test_l02_one_inside_address_among_the_answers_refuses_all() -> None:
    wire = Wire()
    with pytest.raises(PermanentFailure) as failure:
        await send(wire, Names([PUBLIC, "169.254.169.254"]))
    assert "public https address" in failure.value.fix
    assert wire.requests == []


async def test_an_address_in_the_url_is_not_looked_up() -> None:
    wire, names = Wire(), Names()
    await send(wire, names, replace(TARGET, url=f"https://{PUBLIC}/alarms"))
    assert (wire.hosts, names.asked) == ([PUBLIC], [])


async def test_a_dead_address_gives_way_to_the_next_one() -> None:
    wire = Wire()
    wire.dead = {"2606:2800::1"}
    await send(wire, Names(["2606:2800::1", PUBLIC]))
    assert wire.hosts == ["2606:2800::1", PUBLIC]


async def test_a_refusal_of_one_address_is_not_asked_of_the_next() -> None:
    wire = Wire(status=503)
    with pytest.raises(TemporaryFailure):
        await send(wire, Names([PUBLIC, "93.184.216.35"]))
    assert wire.hosts == [PUBLIC]


async def test_no_more_than_four_addresses_are_tried() -> None:
    wire = Wire()
    many = [f"93.184.216.{last}" for last in range(1, 7)]
    wire.dead = set(many)
    with pytest.raises(TemporaryFailure, match="No connection"):
        await send(wire, Names(many))
    assert wire.hosts == many[:4]


async def test_an_unknown_name_is_a_temporary_failure() -> None:
    async def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    for names in (fail, Names([])):
        with pytest.raises(TemporaryFailure, match="No name server knows"):
            await send(Wire(), names)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_means_delivered(status: int) -> None:
    await send(Wire(status), Names([PUBLIC]))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_that_may_change_is_temporary(status: int) -> None:
    with pytest.raises(TemporaryFailure) as failure:
        await send(Wire(status, {"retry-after": "120"}), Names([PUBLIC]))
    assert str(failure.value) == f"The gateway answered {status}."
    assert failure.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        (300, "final address"),
        (302, "final address"),
        (401, "same secret"),
        (403, "same secret"),
        (404, "Check the address"),
        (410, "Check the address"),
        (400, "why it does not take"),
        (422, "why it does not take"),
    ],
)
async def test_an_answer_that_will_not_change_says_what_to_do(
    status: int, fix: str
) -> None:
    with pytest.raises(PermanentFailure) as failure:
        await send(Wire(status), Names([PUBLIC]))
    assert str(failure.value) == f"The gateway answered {status}."
    assert fix in failure.value.fix


async def test_an_empty_secret_sends_nothing() -> None:
    wire = Wire()
    for secrets in ((), ("",), ("whsec_",)):
        with pytest.raises(PermanentFailure) as failure:
            await send(wire, Names([PUBLIC]), replace(TARGET, secrets=secrets))
        assert "whsec_" in failure.value.fix
    assert wire.requests == []


async def test_a_payload_json_cannot_hold_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="JSON"):
        await post(TARGET, "al_17", {"n": float("nan")}, NOW, resolve=Names([PUBLIC]))


def test_the_settings_name_every_fault_at_once() -> None:
    bad = replace(TARGET, url="http://sms.gateway.example/", secrets=("whsec_", "!"))
    assert bad.faults() == (
        "The address must begin with https://.",
        "The secret of the outgoing webhook is empty.",
        "The secret of the outgoing webhook is not base64.",
    )
    none = replace(TARGET, secrets=())
    assert none.faults() == ("The outgoing webhook has no secret.",)
    assert TARGET.faults() == ()


def test_neither_secret_nor_path_is_in_the_repr() -> None:
    shown = repr(replace(TARGET, url="https://sms.gateway.example/hooks/s3cret"))
    assert "s3cret" not in shown
    assert "whsec_" not in shown


@given(st.text(max_size=40))
def test_whatever_passes_the_check_is_sent_to_the_checked_address(path: str) -> None:
    try:
        url = check_url(f"https://sms.gateway.example/{path}")
    except RefusedAddress:
        return
    for address in (PUBLIC, "2606:2800::1"):
        assert Request("POST", url.at(address)).url.host == address
