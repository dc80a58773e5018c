"""A paper as a Word document: real headings, tables with head rows, title and language.

Text only: no field, link or picture is ever made from data (N15).
"""

import io
import zipfile

from docx import Document
from docx.document import Document as Doc
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table as DocxTable

from app.exports.paper import Facts, Paper, Prose, Table

PAGE_CM = 17.4
_NEVER = (1980, 1, 1, 0, 0, 0)


def docx(paper: Paper) -> bytes:
    """The file; the same paper gives the same bytes."""
    document = Document()
    _about(document, paper)
    document.add_heading(paper.title, level=0)
    for section in paper.sections:
        document.add_heading(section.title, level=section.level)
        for block in section.blocks:
            if isinstance(block, Prose):
                for text in block.paragraphs:
                    document.add_paragraph(text)
            elif isinstance(block, Facts):
                _facts(document, block)
            else:
                _table(document, block)
    out = io.BytesIO()
    document.save(out)
    return _still(out.getvalue())


def _about(document: Doc, paper: Paper) -> None:
    about = document.core_properties
    about.title, about.author, about.language = paper.title[:255], "Chaperone", "en-GB"
    about.comments, about.created, about.modified = "", paper.at, paper.at
    normal = document.styles["Normal"]
    normal.font.size = Pt(10.5)
    # The template says en-US in the defaults of all styles.
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
        language.attrib.pop(qn("w:eastAsia"), None)
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(1.8)
    page.footer.paragraphs[0].text = paper.foot


def _facts(document: Doc, block: Facts) -> None:
    for what, how in block.pairs:
        paragraph = document.add_paragraph()
        paragraph.add_run(f"{what}: ").bold = True
        paragraph.add_run(how)
        paragraph.paragraph_format.space_after = Pt(2)


def _table(document: Doc, block: Table) -> None:
    caption = document.add_paragraph(block.caption, style="Caption")
    caption.paragraph_format.keep_with_next = True
    table = document.add_table(rows=len(block.rows) + 1, cols=len(block.heads))
    table.style = "Table Grid"
    share = PAGE_CM / sum(block.widths)
    for column, width in zip(table.columns, block.widths, strict=True):
        column.width = Cm(width * share)
    _fill(table, 0, block.heads, bold=True)
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))  # screen readers say it, pages repeat it
    for number, row in enumerate(block.rows, start=1):
        _fill(table, number, row)
    document.add_paragraph()


def _fill(
    table: DocxTable, number: int, texts: tuple[str, ...], *, bold: bool = False
) -> None:
    for cell, text in zip(table.rows[number].cells, texts, strict=True):
        run = cell.paragraphs[0].add_run(text)
        run.bold, run.font.size = bold or None, Pt(9)


def _still(written: bytes) -> bytes:
    """The same archive without the moment it was packed at."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(
                zipfile.ZipInfo(name, _NEVER), old.read(name), zipfile.ZIP_DEFLATED
            )
    return out.getvalue()
