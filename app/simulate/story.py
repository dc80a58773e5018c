"""A found failure becomes a file that is played for ever: tests/regressions/*.json."""

import json
import re
from pathlib import Path
from typing import Any

from app.config import project_root
from app.simulate.scenario import Scenario, read

FOLDER = Path("tests") / "regressions"


def file_of(scenario: Scenario, clause: str) -> str:
    """A name that says what broke and where it came from."""
    words = re.sub(r"[^a-z0-9]+", "_", clause.casefold()).strip("_")
    return f"{words}_seed_{scenario.seed}.json"


def written(
    scenario: Scenario, clause: str, said: str, folder: Path | None = None
) -> Path:
    """Write the story; returns the file. `said` is what broke, in a sentence."""
    place = folder if folder is not None else project_root() / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    path = place / file_of(scenario, clause)
    story = f'{{\n"breaks": {json.dumps(clause)},\n"said": {json.dumps(said)},\n"evening":\n'
    path.write_text(f"{story}{scenario.text()}}}\n", encoding="utf-8")
    return path


def load(path: Path) -> tuple[Scenario, dict[str, Any]]:
    """(the evening, what is said about it)."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    return read(plain.pop("evening")), plain
