"""PDF, DOCX and XLSX opened by other programs, with everything Eve may call herself."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import timedelta

import docx
import openpyxl  # type: ignore[import-untyped]
import pytest
from pypdf.generic import DictionaryObject, PdfObject, StreamObject

from app.core.record_parts import Named, Record
from app.exports import EXPORTS, TERM_EXPORTS, term_file_name
from app.exports.paper import legible, session_paper, spell, term_paper
from app.exports.pdf import NO_FONT, pdf
from tests.core.name_corpus import crowd, look_alikes
from tests.exports.opened import opened, pdf_of, root_of, tags
from tests.exports.test_exports import EMPTY, whole

HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://x?"&A1)',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "{=1+1}",
    "\uff1d1",
    ";=1",
    "<script>alert(1)</script>",
    '"><img src=http://169.254.169.254/ onerror=x>',
    "{{7*7}}${7*7}{% raw %}",
    '#read("/etc/passwd")',
    '#eval("1+1") $x$ *b* _i_ `c` @ref <label> // no // /* no */ \\u{41}',
    '#import "@preview/x:1.0.0": *',
    "file:///etc/passwd",
    "]]><w:instrText>DATE</w:instrText>",
    "a\x00b\x07c\x1bd\x7fe",
    "half \ud83d a pair",
    "\u202edoow\u202c \u2066x",
    "../../etc/passwd",
    "\ufeff\ufffe\uffff",
    "x" * 120,
    "\u738b\u82b3",
    "\U0001f98a",
)


def called(*names: str) -> Record:
    """The evening's record with these names, one to a row."""
    record = whole()
    row = record.attendance[3]
    rows = [
        replace(row, line=f"l{n}", person=Named(f"p{n}", name), shown=(name,))
        for n, name in enumerate(names)
    ]
    return replace(record, attendance=tuple(rows), notes_text="\n".join(names))


def dict_of(node: PdfObject) -> DictionaryObject:
    found = node.get_object()
    assert isinstance(found, DictionaryObject)
    return found


def stream_of(node: PdfObject) -> bytes:
    found = node.get_object()
    assert isinstance(found, StreamObject)
    return found.get_data()


def squeezed(text: str) -> str:
    """Without what a line break in a cell brings or takes."""
    return re.sub(r"[\s\u200b]+", "", text)


def test_the_pdf_is_made_for_screen_readers() -> None:
    written = EXPORTS["pdf"](whole())
    reader, found = pdf_of(written), tags(written)
    root = root_of(written)

    title = "Session record: Tuesday group, Tuesday 17 November 2026"
    assert reader.metadata is not None
    assert (reader.metadata.title, str(root["/Lang"])) == (title, "en-GB")
    assert dict_of(root["/MarkInfo"])["/Marked"]
    assert dict_of(root["/ViewerPreferences"])["/DisplayDocTitle"]
    assert b"pdfuaid:part>1<" in stream_of(root["/Metadata"])
    assert found[:3] == ["Document", "Title", "H1"]
    assert (found.count("H1"), found.count("Table")) == (8, 5)
    # Each table has a caption and heads that are heads.
    assert (found.count("Caption"), found.count("THead")) == (5, 5)
    assert found.count("TH") == 7 + 6 + 4 + 5 + 3
    assert len(reader.outline) == 8


def test_a_pdf_holds_no_link_no_script_no_file_and_no_address() -> None:
    written = EXPORTS["pdf"](called(*HOSTILE))
    reader, root = pdf_of(written), root_of(written)

    assert not {"/AA", "/AcroForm", "/Names", "/OpenAction"} & set(root)
    assert [page for page in reader.pages if "/Annots" in page] == []


@pytest.mark.parametrize("suffix", ["pdf", "docx", "xlsx"])
def test_everything_anybody_typed_stays_text(suffix: str) -> None:
    record = called(*HOSTILE)
    if suffix == "pdf":
        reader = pdf_of(EXPORTS["pdf"](record))
        text = "".join(page.extract_text() for page in reader.pages)
    else:
        text = opened(suffix, EXPORTS[suffix](record))
    read = squeezed(text)

    lost = []
    for name in HOSTILE:
        shown = squeezed(legible(name))
        numbers = "".join(c if c < "\u3000" else f"[U+{ord(c):04X}]" for c in shown)
        if shown not in read and numbers not in read:
            lost.append(name)
    assert lost == []
    assert "root:" not in read


def test_every_honest_name_and_every_copy_can_be_printed() -> None:
    names = [*crowd(150, 7), *(copy for _, copy in look_alikes(150, 7))]
    record = called(*names)

    written = {suffix: EXPORTS[suffix](record) for suffix in EXPORTS}

    reader = pdf_of(written["pdf"])
    pages = squeezed("".join(page.extract_text() for page in reader.pages))
    plain = [name for name in names if name.isascii()]
    assert len(plain) > 30
    assert [name for name in plain if squeezed(name) not in pages] == []
    whole_text = opened("docx", written["docx"])
    assert [n for n in names if " ".join(legible(n).split()) not in whole_text] == []


def test_letters_no_font_has_stand_as_their_numbers_and_the_paper_says_so() -> None:
    """PDF/UA allows no character without a glyph: a name must not stop an export."""
    strange = called("Ben \u0378\U000f1234")

    text = "".join(p.extract_text() for p in pdf_of(EXPORTS["pdf"](strange)).pages)

    assert "Ben[U+0378][U+F1234]" in squeezed(text)
    assert squeezed(NO_FONT) in squeezed(text)


def test_no_cell_of_a_workbook_is_a_formula_or_a_link() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(EXPORTS["xlsx"](called(*HOSTILE))), rich_text=True
    )
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]

    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert all(cell.hyperlink is None for cell in cells)
    heads = {sheet.title: sheet.max_row for sheet in book}
    assert heads["Attendance"] == 1 + len(HOSTILE)


def test_a_cell_takes_what_excel_allows_and_the_rest_goes_on_below() -> None:
    long = replace(whole(), notes_text="x" * 32_767 + "end")

    sheet = openpyxl.load_workbook(io.BytesIO(EXPORTS["xlsx"](long)))["Notes"]

    assert [len(str(row[3].value)) for row in sheet.iter_rows(min_row=2)] == [32_767, 3]


def test_a_word_file_holds_no_field_and_no_outside_part() -> None:
    with zipfile.ZipFile(io.BytesIO(EXPORTS["docx"](called(*HOSTILE)))) as packed:
        body = packed.read("word/document.xml")
        links = b"".join(packed.read(n) for n in packed.namelist() if "rels" in n)

    assert b"instrText>" not in body.replace(b"&lt;w:instrText&gt;", b"")
    assert b"fldSimple" not in body
    assert b"External" not in links


def test_a_word_file_has_headings_heads_title_and_language() -> None:
    written = EXPORTS["docx"](whole())
    document = docx.Document(io.BytesIO(written))

    levels = [p.style.name for p in document.paragraphs if p.style is not None]
    assert levels.count("Heading 1") == 8
    assert levels[0] == "Title"
    about = document.core_properties
    assert (about.language, about.author) == ("en-GB", "Chaperone")
    with zipfile.ZipFile(io.BytesIO(written)) as packed:
        assert packed.read("word/document.xml").count(b"w:tblHeader") == 5
        assert b"en-US" not in packed.read("word/styles.xml")


# --- several sessions in one file ---------------------------------------------------


def term() -> list[Record]:
    """The evening, and the same a week later."""
    first = whole()
    assert first.plan is not None
    week = timedelta(days=7)
    plan = replace(
        first.plan,
        starts_at=first.plan.starts_at + week,
        ends_at=first.plan.ends_at + week,
    )
    return [first, replace(first, session_id="session-2", plan=plan)]


@pytest.mark.parametrize("suffix", sorted(TERM_EXPORTS))
def test_a_term_is_one_file_with_every_session(suffix: str) -> None:
    written = TERM_EXPORTS[suffix](term())

    plain = suffix in ("csv", "json")
    text = written.decode("utf-8-sig") if plain else opened(suffix, written)
    assert "session-2" in text or "24 November 2026" in text
    assert written == TERM_EXPORTS[suffix](term())


def test_every_format_can_hold_a_term() -> None:
    assert list(TERM_EXPORTS) == list(EXPORTS)


def test_a_term_as_csv_is_the_sessions_one_after_the_other() -> None:
    one, other = term()
    rows = list(csv.reader(io.StringIO(TERM_EXPORTS["csv"]([one, other]).decode())))

    assert len(rows) == 1 + len(one.attendance) + len(other.attendance)
    assert [row[0] for row in rows[-2:]] == ["session-2", "session-2"]


def test_a_term_as_json_is_a_list_of_records() -> None:
    written = json.loads(TERM_EXPORTS["json"](term()))

    assert written["format"] == "chaperone.records/1"
    assert written["records"] == [json.loads(EXPORTS["json"](one)) for one in term()]
    half = replace(EMPTY, session_id="half \ud83d a pair")
    [one] = json.loads(TERM_EXPORTS["json"]([half]))["records"]
    assert one["session_id"] == "half ? a pair"


def test_a_term_is_named_by_its_days() -> None:
    assert term_file_name(term(), "pdf") == "records-2026-11-17-to-2026-11-24.pdf"
    assert term_file_name(term(), "csv").startswith("attendance-2026-11-17-to-")
    with pytest.raises(KeyError):
        term_file_name(term(), "exe")


def test_an_empty_record_is_a_paper_too() -> None:
    for suffix in ("pdf", "docx", "xlsx"):
        assert EXPORTS[suffix](EMPTY)
    assert (
        session_paper(EMPTY).title
        == "Session record: Group session, Tuesday 17 November 2026"
    )
    assert pdf(term_paper([EMPTY]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (-600, "10 min")],
)
def test_lengths_are_spelt(seconds: int, words: str) -> None:
    assert spell(timedelta(seconds=seconds)) == words
