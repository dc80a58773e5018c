"""The project as files: what the tests about the house and its documents read."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.config import project_root

ROOT = project_root()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LEFT_BEHIND = {"node_modules", "__pycache__", "data", "rehearsal-out", "build", "dist"}


def files(*tops: str, suffix: str = "") -> Iterator[Path]:
    """The project's own files below `tops`, without what tools leave behind."""
    for top in tops or (".",):
        for path in sorted((ROOT / top).rglob(f"*{suffix}")):
            parts = path.relative_to(ROOT).parts
            hidden = any(part.startswith(".") and part != ".ci" for part in parts)
            if (
                path.is_file()
                and not hidden
                and not LEFT_BEHIND & set(parts)
                and not any(part.endswith(".egg-info") for part in parts)
            ):
                yield path


def text(*parts: str) -> str:
    """A file of the project, by the parts of its path."""
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def tree(path: Path) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a Python file imports, `from a import b` as `a.b`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rows(document: str, head: str) -> list[list[str]]:
    """The rows of every table whose first heading is `head`, one list of cells each."""
    found: list[list[str]] = []
    inside = False
    for line in document.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[0] == head:
            inside = True
        elif inside and set("".join(cells)) - set("-: "):
            found.append(cells)
    return found


def firsts(document: str, head: str) -> list[str]:
    """The first cell of each row of those tables, without its marks."""
    return [cells[0].strip("`") for cells in rows(document, head)]
