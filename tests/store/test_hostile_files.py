"""Files that are small only while they are packed, or are not what they are called: refused in a sentence, in little time and memory."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from telstraat_store.errors import CountsFileError
from telstraat_store.imports import binary_sheets, sheets
from telstraat_store.imports.columns import is_header


def workbook_with(sheet: str) -> bytes:
    """Return a workbook whose one sheet is this XML."""
    plain, out = io.BytesIO(), io.BytesIO()
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as other:
        for name in book.namelist():
            other.writestr(name, sheet if name.endswith("sheet1.xml") else book.read(name))
    return out.getvalue()


ROWS = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.xlsx", workbook_with(ROWS.format("".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 400)))), "million cells"),
        ("b.xlsx", workbook_with(ROWS.format(" " * 40_000_000)), "unpacks to 40 MB"),
        ("c.csv.gz", gzip.compress(b"\0" * 21_000_000, 1), "unpacks to more than 20 MB"),
        ("d.csv", b"%PDF-1.7\n", "is a PDF"),
        ("e.json", b"[" * 200_000, "is not JSON"),
    ],
)  # fmt: skip
def test_a_file_that_unpacks_without_end_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, why: str
) -> None:
    monkeypatch.setattr(binary_sheets, "CELLS_MAX", 5_000_000 if why != "million cells" else 1_000_000)
    monkeypatch.setattr(binary_sheets, "UNPACKED_MAX", 20_000_000)
    monkeypatch.setattr(sheets, "UNPACKED_MAX", 20_000_000)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CountsFileError, match=why):
        sheets.open_sheet(tmp_path / name, is_header)
