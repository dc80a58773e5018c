"""Run a certified provider (npm oidc-provider) and walk through it as a browser does."""

import asyncio
import json
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from integrations.oidc.settings import OidcSettings
from tests.integrations.certificates import new_authority

HERE = Path(__file__).parent
BACK_TO = "https://chaperone.example/sign-in/organisation/back"

# Anna's provider says her address is proved; Eve wrote Anna's address into her profile.
PEOPLE = {
    "anna-7": {"email": "anna@riverside.example", "email_verified": True},
    "sam-3": {"email": "sam@riverside.example", "email_verified": True},
    "eve-9": {"email": "anna@riverside.example", "email_verified": False},
}


def node() -> str:
    """Where node is; without it and its package these tests are skipped, in CI they fail."""
    found = shutil.which("node")
    if found and (HERE / "node_modules" / "oidc-provider").is_dir():
        return found
    sentence = "The sign-in provider needs node, and `make test` on a machine with npm."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass(frozen=True)
class Office:
    """The provider, and how this service is known there."""

    settings: OidcSettings
    trust: ssl.SSLContext
    process: asyncio.subprocess.Process

    def known_as(self, **changed: str) -> OidcSettings:
        """The settings with something changed."""
        return replace(self.settings, **changed)  # type: ignore[arg-type]

    async def walk(self, address: str, person: str) -> dict[str, str]:
        """Sign in there as this person ("" presses cancel): the query that comes back."""
        async with httpx.AsyncClient(verify=self.trust, trust_env=False) as browser:
            for _ in range(8):
                if "/interaction/" in address:
                    address = f"{address}?as={person}"
                answer = await browser.get(address)
                assert answer.status_code in (302, 303), answer.text[:500]
                address = str(answer.url.join(answer.headers["location"]))
                if address.startswith(BACK_TO):
                    return dict(parse_qsl(urlsplit(address).query))
        raise AssertionError("The provider leads in circles.")

    async def close(self) -> None:
        """Take it off the air."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def office(
    folder: Path, path: str = "/realms/riverside", back_to: str = BACK_TO
) -> AsyncIterator[Office]:
    """A provider on 127.0.0.1 with a certificate of its own authority."""
    program = node()
    authority = new_authority(folder)
    authority.server("127.0.0.1")
    known = OidcSettings(issuer="", client_id="chaperone", client_secret="s" * 40)
    told = {
        "path": path,
        "people": PEOPLE,
        "clients": [
            {
                "client_id": known.client_id,
                "client_secret": known.client_secret,
                "redirect_uris": [back_to],
            }
        ],
    }
    (folder / "clients.json").write_text(json.dumps(told))
    process = await asyncio.create_subprocess_exec(
        program,
        str(HERE / "provider.mjs"),
        str(folder / "127.0.0.1.pem"),
        str(folder / "clients.json"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"NODE_NO_WARNINGS": "1", "PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    port = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
    trust = authority.client()
    settings = replace(known, issuer=f"https://127.0.0.1:{port}{path}", tls=trust)
    one = Office(settings, trust, process)
    try:
        yield one
    finally:
        await one.close()
