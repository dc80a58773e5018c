"""What other programs read in an exported file, as text a person can compare."""

import io
from collections.abc import Iterator
from typing import Any

import docx
import openpyxl  # type: ignore[import-untyped]
import pypdf
from pypdf.generic import DictionaryObject


def opened(suffix: str, content: bytes) -> str:
    """The file as pypdf, python-docx or openpyxl reads it; CSV and JSON as they are."""
    readers = {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx}
    return "\n".join(readers[suffix](content)) + "\n"


def pdf_of(content: bytes) -> pypdf.PdfReader:
    """The PDF, read strictly."""
    return pypdf.PdfReader(io.BytesIO(content), strict=True)


def root_of(content: bytes) -> DictionaryObject:
    """Its catalogue."""
    root = pdf_of(content).trailer["/Root"].get_object()
    assert isinstance(root, DictionaryObject)
    return root


def tags(content: bytes) -> list[str]:
    """The names of its tags, in the order a screen reader meets them."""
    return list(_tags(root_of(content)["/StructTreeRoot"]))


def _tags(node: Any) -> Iterator[str]:
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from _tags(one)
    elif isinstance(node, DictionaryObject):
        if "/S" in node:
            yield str(node["/S"]).removeprefix("/")
        if "/K" in node:
            yield from _tags(node["/K"])


def _pdf(content: bytes) -> Iterator[str]:
    reader = pdf_of(content)
    root, marked = root_of(content), root_of(content)["/MarkInfo"].get_object()
    assert isinstance(marked, DictionaryObject)
    about = reader.metadata
    assert about is not None
    yield f"title: {about.title}"
    yield f"language: {root['/Lang']}"
    yield f"marked: {marked['/Marked']}"
    for page in reader.pages:
        yield "--- page"
        yield from page.extract_text().splitlines()


def _docx(content: bytes) -> Iterator[str]:
    document = docx.Document(io.BytesIO(content))
    about = document.core_properties
    yield f"title: {about.title}"
    yield f"language: {about.language}"
    for block in document.iter_inner_content():
        if isinstance(block, docx.table.Table):
            for row in block.rows:
                yield "| " + " | ".join(cell.text for cell in row.cells)
        else:
            assert block.style is not None
            yield f"{block.style.name}: {block.text}"


def _xlsx(content: bytes) -> Iterator[str]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    yield f"title: {book.properties.title}"
    for sheet in book:
        yield f"--- {sheet.title}"
        for row in sheet.iter_rows():
            yield " | ".join(
                f"{cell.value!s}" if cell.value is not None else "" for cell in row
            )
            assert all(cell.data_type in "sndb" for cell in row), "a formula"
            assert all(cell.hyperlink is None for cell in row)
