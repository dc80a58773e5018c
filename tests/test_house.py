"""The rules of the house (CONTRIBUTING.md), checked by machine."""

import ast
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from importlinter import cli as importlinter

from tests.tree import PROJECT, ROOT, files, imports, text, tree

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


# --- imports go down only ------------------------------------------------------------


def test_the_floors_hold() -> None:
    config = str(ROOT / "pyproject.toml")
    assert importlinter.lint_imports(config_filename=config, no_cache=True) == 0


def contract(name: str) -> dict[str, Any]:
    """One contract of import-linter, by its id."""
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    [found] = [one for one in contracts if one["id"] == name]
    return dict(found)


def rooms(top: str) -> set[str]:
    """The modules directly below a package, as dotted names."""
    return {
        f"{top}.{path.stem}"
        for path in (ROOT / top).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {f"{top}.__init__"}


def test_every_room_stands_on_a_floor() -> None:
    """Brackets are for what does not exist yet."""
    layers = " ".join(contract("floors")["layers"])
    named = set(re.findall(r"app\.\w+", layers))
    bracketed = set(re.findall(r"\((app\.\w+)\)", layers))
    assert rooms("app") == named - bracketed


def test_the_rehearsal_is_kept_from_everything_but_clock_and_http() -> None:
    ours = rooms("app") | rooms("integrations")
    may = {"app.clock", "integrations.http", "integrations.rehearsal"}
    assert set(contract("rehearsal")["forbidden_modules"]) == ours - may


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


def test_every_library_that_is_imported_is_asked_for() -> None:
    """Not only brought along by another one, which may drop it."""

    def asked(names: list[str]) -> set[str]:
        bare = {re.split(r"[\[;<>= ]", name)[0] for name in names}
        called = {"pyjwt": "jwt", "python-docx": "docx", "pyyaml": "yaml"}
        return {called.get(name, name.replace("-", "_")) for name in bare}

    def used(*tops: str) -> set[str]:
        found = {
            name.split(".")[0]
            for path in files(*tops, suffix=".py")
            for name in imports(path)
        }
        return found - set(sys.stdlib_module_names) - {"app", "integrations", "tests"}

    service = asked(PROJECT["project"]["dependencies"])
    dev = asked(PROJECT["dependency-groups"]["dev"]) | {"importlinter"}
    assert used("app", "integrations") - service == set()
    assert used("tests") - service - dev == set()


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


LINES = 400  # the middle of the road is 250 (CONTRIBUTING.md)
FUNCTION_LINES = 65  # the middle of the road is 40


def test_no_file_grows_without_end() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path in files("app", "integrations", suffix=".py")
        if len(path.read_text(encoding="utf-8").splitlines()) > LINES
        and "migrations" not in path.parts
    }
    assert long == set()


def test_no_function_grows_without_end() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files("app", "integrations", suffix=".py")
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
        and "migrations" not in path.parts
    }
    assert long == set()


def test_the_templates_are_those_that_are_used() -> None:
    """By a page, or by a template that is."""
    whole = "".join(
        path.read_text(encoding="utf-8")
        for path in [*files("app", suffix=".py"), *files("templates")]
    )
    named = set(re.findall(r"\"(\w+\.html)\"", whole))
    assert named == {path.name for path in files("templates")}


def test_every_module_says_what_it_is_for() -> None:
    silent = {
        str(path.relative_to(ROOT))
        for path in files("app", "integrations", suffix=".py")
        if path.stat().st_size and not ast.get_docstring(tree(path))
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


@pytest.mark.parametrize("folder", ["browser", "integrations/oidc"])
def test_the_npm_locks_name_no_address(folder: str) -> None:
    assert '"resolved"' not in text("tests", folder, "package-lock.json")


def test_the_image_takes_every_folder_the_program_reads() -> None:
    folders = {"app", "integrations", "checklists", "templates", "static"}
    copied = set(re.findall(r"^COPY (\w+) \1$", text("Dockerfile"), re.MULTILINE))
    let_in = set(re.findall(r"^!(\w+)$", text(".dockerignore"), re.MULTILINE))
    assert copied == folders
    assert folders <= let_in


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
