"""Rows of files that are no text: spreadsheets (.xlsx), Parquet and Arrow. Their libraries come with telstraat[server]."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import repeat, zip_longest
from pathlib import Path
from typing import Any

from telstraat_store.errors import CountsFileError

CELLS_MAX = 5_000_000
"""A year of quarters of ten streets has a third of it; what spreadsheets pad rows with counts, too."""

UNPACKED_MAX = 400_000_000
"""Bytes: a packed file may hold a thousand times its size, and whoever unpacks it all has none left."""


def spreadsheet_rows(path: Path, raw: bytes) -> Iterator[tuple[int, list[object]]]:
    """Yield the rows of the first sheet that holds any, as values, with the row's number in the sheet."""
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise CountsFileError(_lacks(path, "a spreadsheet", "openpyxl")) from error
    try:
        _check_size(path, raw)
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(raw), read_only=True) if _has_formulas(raw) else None
        sheets = [sheet for sheet in book.worksheets if any(any(v is not None for v in row) for row in _some(sheet))]
        if len(sheets) > 1:
            names = ", ".join(sheet.title for sheet in sheets)
            raise CountsFileError(
                f"{path}: has several sheets ({names}); save the one with the counts as a file of its own"
            )
        seen = 0
        for sheet in sheets:
            written = formulas[sheet.title].iter_rows(values_only=True) if formulas else repeat(())
            for number, (row, texts) in enumerate(
                zip(sheet.iter_rows(values_only=True), written, strict=False), start=1
            ):
                seen += max(len(row), 1)
                if seen > CELLS_MAX:
                    raise CountsFileError(
                        f"{path}: has more than {CELLS_MAX // 1_000_000} million cells, empty ones included; save the rows with counts as CSV"
                    )
                cells = [text if value is None else value for value, text in zip_longest(row, texts)]
                if any(value is not None for value in cells):
                    yield number, cells
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        raise CountsFileError(f"{path}: is no spreadsheet that can be read; save it as .xlsx or CSV") from error


def _check_size(path: Path, raw: bytes) -> None:
    """Refuse a workbook that is small only while it is packed."""
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        size = sum(part.file_size for part in book.infolist())
    if size > UNPACKED_MAX:
        raise CountsFileError(
            f"{path}: unpacks to {size // 1_000_000} MB, of {UNPACKED_MAX // 1_000_000} MB that are read; save the rows with counts as CSV"
        )


def _has_formulas(raw: bytes) -> bool:
    """Tell whether a workbook holds formulas: one that was never calculated has no value, and is shown as it is written."""
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        return any(
            b"<f>" in book.read(name) or b"<f " in book.read(name)
            for name in book.namelist()
            if "worksheets/sheet" in name
        )


def _some(sheet: Any) -> Iterator[tuple[object, ...]]:
    rows: Iterator[tuple[object, ...]] = sheet.iter_rows(values_only=True, max_row=50)
    return rows


def parquet_rows(path: Path, raw: bytes) -> Iterator[tuple[int, list[object]]]:
    """Yield the column names and the rows of a Parquet file."""
    pa = _arrow(path)
    try:
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(io.BytesIO(raw))
    except (pa.ArrowException, OSError) as error:
        raise CountsFileError(f"{path}: is a broken Parquet file; fetch it again") from error
    return _table_rows(table)


def arrow_rows(path: Path, raw: bytes) -> Iterator[tuple[int, list[object]]]:
    """Yield the column names and the rows of an Arrow file or stream."""
    pa = _arrow(path)
    try:
        opened = pa.ipc.open_file(raw) if raw[:6] == b"ARROW1" else pa.ipc.open_stream(raw)
        table = opened.read_all()
    except (pa.ArrowException, OSError) as error:
        raise CountsFileError(f"{path}: is a broken Arrow file; fetch it again") from error
    return _table_rows(table)


def _table_rows(table: Any) -> Iterator[tuple[int, list[object]]]:
    yield 0, list(table.column_names)
    number = 0
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield number, list(row)


def _arrow(path: Path) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.ipc
    except ModuleNotFoundError as error:
        raise CountsFileError(_lacks(path, "Parquet or Arrow", "pyarrow")) from error
    return pa


def _lacks(path: Path, kind: str, library: str) -> str:
    return f"{path}: is {kind}, and the library {library!r} is not installed here; it comes with: pip install 'telstraat[server]'"
