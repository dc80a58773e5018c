"""Every page is valid HTML: the checker of the W3C validator finds no error."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.config import project_root
from tests.browser.test_pages import PAGES, busy
from tests.conftest import BEFORE_THE_SESSION
from tests.engine.room import evening
from tests.web.conftest import Front
from tests.web.reading import restarted, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

CHECKER = project_root() / "tests/browser/node_modules/vnu-jar/build/dist/vnu.jar"


@pytest.fixture
def checker() -> Path:
    if CHECKER.exists() and shutil.which("java"):
        return CHECKER
    sentence = "The HTML checker needs Java, and `make test` on a machine with npm."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


async def test_every_page_is_valid(checker: Path, tmp_path: Path) -> None:
    async with evening(ManualClock(BEFORE_THE_SESSION)) as one:
        front = restarted(Front(one, None, {}))  # type: ignore[arg-type]
        await busy(one)
        paths = await write_pages(front, tmp_path)

    assert await complaints(checker, paths) == []


async def complaints(checker: Path, paths: list[str]) -> list[str]:
    """What the checker finds in these files."""
    process = await asyncio.create_subprocess_exec(
        "java",
        "-jar",
        str(checker),
        "--errors-only",
        "--format",
        "json",
        *paths,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    return [
        f"{fault['url'].rpartition('/')[2]}:{fault.get('lastLine')} {fault['message']}"
        for fault in json.loads(told)["messages"]
    ]


async def write_pages(front: Front, folder: Path) -> list[str]:
    """Every page, one that was refused, and those nobody is signed in for."""
    texts: dict[str, str] = {}
    async with signed_in(front) as anna:
        for path in ("/", *PAGES):
            page = await anna.open(path.removeprefix("/") or path)
            texts[path.strip("/").replace("/", "-") or "overview"] = page.answer.text
        refused = await anna.press("live", "Remind Ben", step="warn", reason="x")
        texts["refused"] = refused.answer.text
        shown = await anna.press("checklist", "Show the link of Ben")
        texts["link"] = shown.answer.text
        page = await anna.open("notes")
        await anna.press(page, "Save the notes", text="One.")
        both = await anna.press(page, "Save the notes", text="Two.", key="k" * 16)
        texts["both"] = both.answer.text
        texts["out"] = (await anna.press("/", "Sign out")).answer.text
        texts["nobody"] = (await anna.open("live")).answer.text
        texts["sign-in"] = (await anna.open("/sign-in/x")).answer.text
    for name, text in texts.items():
        assert text.startswith("<!doctype html>"), name
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.html") for name in texts]
