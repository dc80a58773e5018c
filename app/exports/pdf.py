"""A paper as PDF: tagged, with title and language, made to PDF/UA-1 by typst.

typst runs inside this process, reads one template of ours and the text as JSON, and
fetches nothing: there is no package and no address in the template. It refuses to write
PDF/UA when no font has a character, so such characters stand as their Unicode numbers.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import typst

from app.exports.paper import Facts, Paper, Table

TEMPLATE = Path(__file__).with_name("paper.typ")
# Latin, Greek, Cyrillic and the usual marks: typst's own fonts have them all.
_KNOWN = re.compile(
    "[\n\t\x20-\x7e\xa1-\u017f\u0391-\u03a1\u03a3-\u03ce\u0410-\u044f]+"
)
_LONG = re.compile(r"\S{25,}")
NO_FONT = (
    "No font on this machine has some of the characters; they stand as their Unicode "
    "numbers, such as [U+738B]."
)


def pdf(paper: Paper) -> bytes:
    """The file; the same paper gives the same bytes on the same machine."""
    body = _plain(paper)
    missing = _missing(set(json.dumps(body, ensure_ascii=False)))
    if missing:
        body["foot"] = f"{body['foot']} {NO_FONT}"
        body = _spelt(body, missing)
    given = {"paper": json.dumps(_breakable(body), ensure_ascii=False)}
    return _set(TEMPLATE.read_bytes(), given, int(paper.at.timestamp()))


def _set(template: bytes, given: dict[str, str], at: int) -> bytes:
    compiler = typst.Compiler(
        template, root=TEMPLATE.parent, font_paths=_fonts(), sys_inputs=given
    )
    made = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=at)
    if not isinstance(made, bytes):
        raise TypeError("typst wrote no single file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """typst's own, then whatever the machine has for other scripts. Read once."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)


def _plain(paper: Paper) -> dict[str, Any]:
    sections = [
        {
            "level": section.level,
            "title": section.title,
            "blocks": [_block(block) for block in section.blocks],
        }
        for section in paper.sections
    ]
    return {"title": paper.title, "foot": paper.foot, "sections": sections}


def _block(block: Any) -> dict[str, Any]:
    if isinstance(block, Facts):
        return {"kind": "facts", "pairs": [list(pair) for pair in block.pairs]}
    if isinstance(block, Table):
        return {
            "kind": "table",
            "caption": block.caption,
            "heads": list(block.heads),
            "widths": list(block.widths),
            "rows": [list(row) for row in block.rows],
        }
    return {"kind": "prose", "paragraphs": list(block.paragraphs)}


# --- characters nobody has a font for -----------------------------------------------

_found: dict[str, bool] = {}
_PROBE = (
    b'#set text(font: "Libertinus Serif")\n#set document(title: "x")\n#sys.inputs.paper'
)


def _missing(characters: Iterable[str]) -> set[str]:
    strange = [c for c in characters if not _KNOWN.fullmatch(c)]
    _look([c for c in strange if c not in _found])
    return {c for c in strange if not _found[c]}


def _look(characters: list[str]) -> None:
    """Whether they can be set; halves are tried where not all of them can."""
    if not characters:
        return
    try:
        # Each on a letter of its own, as a mark would be; no ligature hides one.
        _set(_PROBE, {"paper": " ".join(f"a{c}" for c in characters)}, 0)
    except typst.TypstError:
        if len(characters) == 1:
            _found[characters[0]] = False
            return
        half = len(characters) // 2
        _look(characters[:half])
        _look(characters[half:])
    else:
        _found.update(dict.fromkeys(characters, True))


def _spelt(value: Any, missing: set[str]) -> Any:
    if isinstance(value, str):
        return "".join(f"[U+{ord(c):04X}]" if c in missing else c for c in value)
    return _each(value, lambda one: _spelt(one, missing))


def _breakable(value: Any) -> Any:
    """Words longer than a column may be broken: a zero-width space every 12 letters."""
    if isinstance(value, str):
        return _LONG.sub(lambda m: re.sub(r"(.{12})(?=.)", "\\1\u200b", m[0]), value)
    return _each(value, _breakable)


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, list):
        return [change(one) for one in value]
    if isinstance(value, dict):
        return {key: change(one) for key, one in value.items()}
    return value
