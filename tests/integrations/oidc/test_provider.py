"""A worker signs in at a certified provider, and nobody else does (S16, S17)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.oidc.provider import Provider, SignInRefused
from integrations.oidc.settings import OidcSettings
from integrations.oidc.token import Identity
from tests.integrations.oidc.sign_in_provider import BACK_TO, Office, office

pytestmark = pytest.mark.anyio
NOW = SystemClock().now()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all: the provider starts once."""
    return "asyncio"


@pytest.fixture(scope="module")
async def riverside(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("provider")) as one:
        yield one


async def came_back(
    one: Office, person: str = "anna-7"
) -> tuple[Provider, dict[str, Any], dict[str, str]]:
    """Somebody went there and came back."""
    provider = Provider(one.settings)
    flow = await provider.begin(BACK_TO)
    return provider, flow, await one.walk(flow["auth_uri"], person)


async def refused(
    provider: Provider, flow: dict[str, Any], answer: dict[str, str]
) -> SignInRefused:
    with pytest.raises(SignInRefused) as told:
        await provider.finish(flow, answer, SystemClock().now())
    return told.value


async def test_anna_signs_in(riverside: Office) -> None:
    provider, flow, answer = await came_back(riverside)

    assert await provider.finish(flow, answer, SystemClock().now()) == Identity(
        issuer=riverside.settings.issuer,
        subject="anna-7",
        verified_email="anna@riverside.example",
    )
    for secured in (
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "nonce=",
    ):
        assert secured in flow["auth_uri"]
    assert flow["code_verifier"] not in flow["auth_uri"]


async def test_an_address_the_provider_did_not_prove_is_none(riverside: Office) -> None:
    """Eve wrote Anna's address into her own profile."""
    provider, flow, answer = await came_back(riverside, "eve-9")
    eve = await provider.finish(flow, answer, SystemClock().now())

    assert (eve.subject, eve.verified_email) == ("eve-9", "")


async def test_who_presses_cancel_is_not_signed_in(riverside: Office) -> None:
    told = await refused(*(await came_back(riverside, "")))

    assert (told.why, told.by_person) == ("access_denied", True)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": "another"}, "state"),
        ({"state": ""}, "state"),
        ({"iss": "https://evil.example"}, "issuer mix-up"),
        ({"code": "guessed"}, "invalid_grant"),
    ],
)
async def test_a_forged_answer_is_refused(
    riverside: Office, changed: dict[str, str], why: str
) -> None:
    provider, flow, answer = await came_back(riverside)

    assert (await refused(provider, flow, answer | changed)).why == why


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": ""}, "state"),
        ({"code_verifier": "v" * 43}, "invalid_grant"),
        ({"nonce": "another"}, "flow"),
    ],
)
async def test_another_browsers_flow_is_refused(
    riverside: Office, changed: dict[str, str], why: str
) -> None:
    provider, flow, answer = await came_back(riverside)

    assert (await refused(provider, flow | changed, answer)).why == why


async def test_a_code_counts_once(riverside: Office) -> None:
    provider, flow, answer = await came_back(riverside)
    await provider.finish(flow, answer, SystemClock().now())

    assert (await refused(provider, flow, answer)).why == "invalid_grant"


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(hours=2)])
async def test_a_clock_that_is_wrong_lets_nobody_in(
    riverside: Office, off: timedelta
) -> None:
    provider, flow, answer = await came_back(riverside)
    with pytest.raises(SignInRefused, match=r"token: (exp|iat)"):
        await provider.finish(flow, answer, SystemClock().now() + off)


@pytest.mark.parametrize("path", ["", "/a"])
async def test_an_issuer_may_have_no_path(path: str, tmp_path: Path) -> None:
    """Google's and Auth0's have none; msal alone would refuse them."""
    async with office(tmp_path, path) as one:
        provider, flow, answer = await came_back(one, "sam-3")
        sam = await provider.finish(flow, answer, SystemClock().now())

    assert (sam.issuer, sam.subject) == (one.settings.issuer, "sam-3")


# --- when the settings or the provider are wrong ------------------------------------


async def begins(settings: OidcSettings) -> str:
    with pytest.raises((PermanentFailure, TemporaryFailure)) as told:
        await Provider(settings).begin(BACK_TO)
    return f"{told.value} {getattr(told.value, 'fix', '')}"


async def test_a_wrong_issuer_is_named(riverside: Office) -> None:
    issuer = riverside.settings.issuer

    assert "has no description" in await begins(riverside.known_as(issuer=f"{issuer}x"))
    told = await begins(riverside.known_as(issuer=f"{issuer}/"))
    assert "calls itself something else" in told
    assert f"Set CHAPERONE_OIDC_ISSUER to {issuer} if" in told


async def test_a_wrong_secret_is_named(riverside: Office) -> None:
    _, flow, answer = await came_back(riverside)
    provider = Provider(riverside.known_as(client_secret="t" * 40))
    with pytest.raises(PermanentFailure) as told:
        await provider.finish(flow, answer, SystemClock().now())

    assert "CHAPERONE_OIDC_CLIENT_SECRET" in told.value.fix


async def test_only_a_certificate_that_is_believed_counts(
    riverside: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the environment says: msal's own client would follow it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    strange = OidcSettings(
        issuer=riverside.settings.issuer, client_id="chaperone", client_secret="s"
    )
    monkeypatch.delenv("SSL_CERT_FILE")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert "certificate is not good" in await begins(strange)
    await Provider(riverside.settings).check()


async def test_a_provider_that_is_down_is_told(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        provider, flow, answer = await came_back(one)
        await one.close()
        with pytest.raises(TemporaryFailure, match="did not answer"):
            await provider.finish(flow, answer, SystemClock().now())
        assert "did not answer" in await begins(one.settings)


async def test_an_address_without_https_is_never_asked() -> None:
    plain = OidcSettings(
        issuer="http://127.0.0.1:9/a", client_id="chaperone", client_secret="s"
    )

    assert "without https" in await begins(plain)
