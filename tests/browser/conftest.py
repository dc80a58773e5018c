"""A real Chromium on the pages, served over HTTP on 127.0.0.1, with the engine behind."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from app.clock import ManualClock
from app.store import access_rows
from app.web.access import Role
from app.web.app import create_web
from tests.conftest import BEFORE_THE_SESSION
from tests.engine.room import Evening, evening
from tests.web.conftest import settings

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for all: the browser starts once."""
    return "asyncio"


@pytest.fixture(scope="session")
def installed() -> Path:
    """Where Chromium is; without it these tests are skipped, in CI they fail."""
    if not CHROMIUM.exists():
        sentence = "This machine has no Chromium (apt-get install chromium)."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return CHROMIUM


@pytest.fixture(scope="session")
async def chromium(anyio_backend: str, installed: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=installed, args=list(FLAGS), headless=True
        )
        yield browser
        await browser.close()


@dataclass
class Site:
    """The service on a port, and the evening behind it.

    ``listens``: where the service really is, when something stands in front of it.
    """

    evening: Evening
    app: FastAPI
    port: int
    listens: int = 0
    server: uvicorn.Server | None = None
    serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def session(self) -> str:
        return f"{self.address}/sessions/{self.evening.session_id}"

    async def start(self) -> None:
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=self.listens or self.port,
            log_level="critical",
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=0,
        )
        self.server = uvicorn.Server(config)
        self.serving = asyncio.create_task(self.server.serve())
        while not self.server.started:
            await asyncio.wait({self.serving}, timeout=0.02)

    async def stop(self) -> None:
        if self.server is None or self.serving is None:
            return
        self.server.should_exit = self.server.force_exit = True
        await self.serving
        self.server = None

    def way_in(self, name: str, role: Role = Role.WORKER) -> str:
        """A single-use link for this worker."""
        store, now = self.evening.store, self.evening.clock.now()
        with store.unit() as db:
            text = access_rows.make_sign_in_link(
                db, store, self.evening.people[name], role, now
            )
        return f"{self.address}/sign-in/{text}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def site(chromium: Browser) -> AsyncIterator[Site]:
    port = free_port()
    clock = ManualClock(BEFORE_THE_SESSION)
    async with evening(clock) as one:
        given = settings(CHAPERONE_BASE_URL=f"http://127.0.0.1:{port}")
        app = create_web(given, one.engine, one.store, clock)
        site = Site(one, app, port)
        await site.start()
        yield site
        await site.stop()


@dataclass
class Window:
    """Somebody's browser window; ``complaints``: what the browser wrote to its console."""

    page: Page
    context: BrowserContext
    complaints: list[str]


@asynccontextmanager
async def window(
    chromium: Browser,
    site: Site,
    name: str = "anna",
    *,
    size: dict[str, int] | None = None,
    dark: bool = False,
    scripts: bool = True,
    role: Role = Role.WORKER,
    witness: str = "",
) -> AsyncIterator[Window]:
    """This worker's window, signed in by pressing the button of their link.

    ``witness``: a script that watches what the browser is asked to do.
    """
    context = await chromium.new_context(
        viewport={**(size or PHONE)},  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    await context.add_init_script(witness)
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(site.way_in(name, role))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{site.address}/")
    yield Window(page, context, complaints)
    await context.close()
