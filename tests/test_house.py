"""The rules of the house (CONTRIBUTING.md), checked by machine."""

import ast
import re
import shutil
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from importlinter import cli as importlinter

from app.config import project_root, settings_table

ROOT = project_root()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

# What the core may import: the standard library without I/O, time or chance, and
# pure libraries.
PURE = frozenset(
    re.findall(
        r"\w+",
        """
        abc base64 bisect collections contextlib csv dataclasses datetime decimal
        difflib enum functools hashlib heapq html io itertools json math operator re
        string textwrap tomllib types typing unicodedata zoneinfo rapidfuzz
        """,
    )
)
READS_TIME = re.compile(
    r"\b(datetime\.(now|utcnow|today)|date\.today|asyncio\.sleep"
    r"|time\.(time|time_ns|monotonic|perf_counter|sleep))\("
)
# Written in halves so that this file does not name what it forbids.
FOREIGN = re.compile(
    "|".join(
        [
            r"pypi\." + "org",
            "python" + "hosted",
            r"registry\.npm" + "js",
            "deb" + r"ian\.org/deb",
            "--extra-index" + "-url",
            r"(?<![\w.~])/(root|work|home)" + r"/\w",
        ]
    )
)


def files(*tops: str, suffix: str = "") -> Iterator[Path]:
    """The project's own files below `tops`, without what tools leave behind."""
    for top in tops or (".",):
        for path in sorted((ROOT / top).rglob(f"*{suffix}")):
            parts = path.relative_to(ROOT).parts
            hidden = any(part.startswith(".") and part != ".ci" for part in parts)
            if (
                path.is_file()
                and not hidden
                and not {"node_modules", "__pycache__", "data", "rehearsal-out"}
                & set(parts)
                and not any(part.endswith(".egg-info") for part in parts)
            ):
                yield path


def text(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a Python file imports, `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def table(document: str) -> list[str]:
    """The first cell of each line of the tables in a document, without its marks."""
    cells = re.findall(r"^\| ([^|]+?) \|", document, flags=re.MULTILINE)
    return [cell.strip("`") for cell in cells if set(cell) - {"-"}]


# --- imports go down only ------------------------------------------------------------


def test_the_floors_hold() -> None:
    config = str(ROOT / "pyproject.toml")
    assert importlinter.lint_imports(config_filename=config, no_cache=True) == 0


def test_every_room_stands_on_a_floor() -> None:
    [floors] = [
        contract
        for contract in PROJECT["tool"]["importlinter"]["contracts"]
        if contract["id"] == "floors"
    ]
    named = set(re.findall(r"app\.(\w+)", " ".join(floors["layers"])))
    rooms = {
        path.stem
        for path in (ROOT / "app").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert rooms - {"__init__"} <= named


def test_the_core_is_pure() -> None:
    core = list(files("app/core", suffix=".py"))
    assert core
    foreign = {
        f"{path.name}: {name}"
        for path in core
        for name in imports(path)
        if not name.startswith("app.core") and name.split(".")[0] not in PURE
    }
    assert foreign == set()


def test_platforms_do_not_know_one_another() -> None:
    folders = [
        path.name
        for path in (ROOT / "integrations").iterdir()
        if (path / "__init__.py").is_file()
    ]
    assert folders
    crossed = {
        f"{folder}/{path.name}: {name}"
        for folder in folders
        for path in files(f"integrations/{folder}", suffix=".py")
        for name in imports(path)
        for other in folders
        if other != folder and f"{name}.".startswith(f"integrations.{other}.")
    }
    assert crossed == set()


def test_the_rehearsal_knows_of_us_only_the_clock() -> None:
    """Or a mistake of ours would stand in the truth it is compared with."""
    ours = {
        f"{path.name}: {name}"
        for path in files("integrations/rehearsal", suffix=".py")
        for name in imports(path)
        if name.split(".")[0] == "app" and not name.startswith("app.clock.")
    }
    assert ours == set()


# --- what no file may hold -----------------------------------------------------------


def test_only_the_clock_reads_time() -> None:
    readers = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files("app", "integrations", suffix=".py")
        if path != ROOT / "app" / "clock.py"
        for found in [READS_TIME.search(path.read_text(encoding="utf-8"))]
        if found
    }
    assert readers == set()


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    places = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files()
        for found in [
            FOREIGN.search(path.read_text(encoding="utf-8", errors="replace"))
        ]
        if found
    }
    assert places == set()


def test_no_name_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "service"}
    named = {
        str(path.relative_to(ROOT))
        for path in files("app", "integrations", "tests", "templates")
        for part in path.relative_to(ROOT).with_suffix("").parts
        if empty & set(re.split(r"[_\-]", part.lower()))
    }
    assert named == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = {
        str(path.relative_to(ROOT))
        for path in files("app", "integrations", suffix=".py")
        if path.stat().st_size
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert silent == set()


@pytest.mark.parametrize(
    ("forbidden", "why"),
    [
        (r"\|\s*safe\b", "would show what a person typed as HTML"),
        (r"autoescape\s+false", "would show what a person typed as HTML"),
        (r"<script(?![^>]*\ssrc=)", "the content policy allows no inline script"),
        (r"\son[a-z]+\s*=\s*[\"']", "the content policy allows no inline handler"),
        (r"\sstyle\s*=\s*[\"']", "the content policy allows no inline style"),
    ],
)
def test_templates_stay_safe(forbidden: str, why: str) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in files("templates")
        if re.search(forbidden, path.read_text(encoding="utf-8"))
    }
    assert found == set(), why


# --- documents say what is -----------------------------------------------------------


def test_every_setting_stands_in_the_documents() -> None:
    assert settings_table() in text("docs", "settings.md"), (
        f"docs/settings.md must hold this table:\n{settings_table()}"
    )


def test_every_library_has_its_reason() -> None:
    def bare(requirements: list[str]) -> list[str]:
        return sorted(re.split(r"[\[;<>= ]", line)[0] for line in requirements)

    service, tests = text("docs", "libraries.md").split("## For tests")
    reasons = [name for name in table(service) if name != "library"]
    assert reasons == bare(PROJECT["project"]["dependencies"])
    reasons = [name for name in table(tests) if name != "library"]
    assert reasons == bare(PROJECT["dependency-groups"]["dev"])


def test_links_between_documents_lead_somewhere() -> None:
    broken = {
        f"{path.relative_to(ROOT)}: {target}"
        for path in files(suffix=".md")
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    }
    assert broken == set()


# --- the way in ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_the_lock_has_a_hash_for_every_library_and_no_address(name: str) -> None:
    lock = text("requirements", name)
    entries = [entry.split("\n") for entry in re.split(r"\n(?=\w)", lock.strip())]
    assert [head for head, *hashes in entries if not hashes] == []
    assert [
        line
        for head, *hashes in entries
        for line in (head, *hashes)
        if not re.fullmatch(
            r"[\w.\-]+==[\w.]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        )
    ] == []
    locked = {head.split("==")[0] for head, *_ in entries}
    wanted = PROJECT["project"]["dependencies"]
    assert {re.split(r"[\[;<>= ]", line)[0] for line in wanted} <= locked


def test_the_browser_lock_names_no_address() -> None:
    assert '"resolved"' not in text("tests", "browser", "package-lock.json")


def test_a_bare_machine_is_told_what_it_lacks(tmp_path: Path) -> None:
    """No git, no Python: the Makefile's first step names both and the way out."""
    for tool in ("bash", "dirname"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    script = ROOT / "requirements" / "install"
    told = subprocess.run(
        [str(tmp_path / "bash"), str(script), "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "lacks: git python3 python3-venv" in told.stderr
    assert "apt-get install git make python3-venv ca-certificates" in told.stderr


def test_no_test_leaves_this_machine() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 443))
