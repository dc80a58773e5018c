"""Tables as CSV that no spreadsheet runs as a formula (N10; RFC 4180).

UTF-8 *with* a byte order mark: without one, Excel opens the file in the machine's old
code page, and a Welsh or Polish name is destroyed; programs skip the mark with
``utf-8-sig``. Lines end in CR LF as the RFC says.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# What spreadsheets take for the beginning of a formula, also in full width; a cell that
# begins with space, tab, line end or a separator is looked at behind them, because some
# programs split or trim before they calculate.
_FORMULA = re.compile(r"^[\s;,|{\"'\u00a0]*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212]")
# A spreadsheet set to another separator splits a cell there: the rest is a cell too.
_INNER = re.compile(r"([;\t][\s\u00a0]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])")
_LEADING = re.compile(r"^[\t\r\n]")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def safe_cell(text: str) -> str:
    """The text so that it stays text: an apostrophe in front of what could calculate.

    Control characters and direction overrides are left out (N04, N12).
    """
    plain = _UNPRINTABLE.sub("", text)
    leads = _FORMULA.match(plain)
    plain = _INNER.sub(r"\1'", plain)
    if leads or _LEADING.match(plain):
        return f"'{plain}"
    return plain


def csv_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file: byte order mark, heads, rows; every cell made safe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(head) for head in heads])
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")
