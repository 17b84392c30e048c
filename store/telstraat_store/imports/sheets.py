"""Opens a file whatever it is made of: text in any usual encoding and separator, JSON, a spreadsheet, Parquet or Arrow.

What comes out is a header and rows of cells, each with the line it stands on. Nothing is interpreted here.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from telstraat_store.errors import CountsFileError
from telstraat_store.imports.binary_sheets import UNPACKED_MAX, arrow_rows, parquet_rows, spreadsheet_rows
from telstraat_store.imports.json_sheets import json_rows

SEPARATORS = ",;\t|"
PREAMBLE_LINES = 30
"""So many lines may stand before the header: counters write their name and place there."""

INCOMPLETE = "# INCOMPLETE"
"""How an export says that it broke off."""

Cells = list[object]
Line = tuple[int, Cells]
IsHeader = Callable[[Iterable[str]], bool]


@dataclass
class Sheet:
    """A file as a header and rows; `rows` may be called again and again."""

    path: Path
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Line]]
    notes: list[str] = field(default_factory=list)
    separator: str = ""


def open_sheet(path: Path, is_header: IsHeader) -> Sheet:
    """Open a file of any kind; `is_header` knows a line of column names when it sees one.

    Raises
    ------
    CountsFileError
        The file cannot be opened, is of a kind that is not read, or has no line of column names.
    """
    try:
        raw = path.read_bytes()
        raw = unpacked(path, raw) if raw[:2] == b"\x1f\x8b" else raw
    except OSError as error:
        raise CountsFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise CountsFileError(f"{path}: is a broken .gz file; fetch it again") from error
    if not raw.strip():
        raise CountsFileError(f"{path}: is empty, or white space only")
    if raw[:4] == b"PK\x03\x04":
        return _of_lines(path, spreadsheet_rows(path, raw), is_header)
    if raw[:4] == b"\xd0\xcf\x11\xe0":
        raise CountsFileError(f"{path}: is an old Excel file (.xls); save it as .xlsx or CSV")
    if raw[:5] == b"%PDF-":
        raise CountsFileError(f"{path}: is a PDF, whatever it is called; export CSV, JSON or .xlsx")
    if raw[:4] == b"PAR1":
        return _of_lines(path, parquet_rows(path, raw), is_header)
    if raw[:4] == b"\xff\xff\xff\xff" or raw[:6] == b"ARROW1":
        return _of_lines(path, arrow_rows(path, raw), is_header)
    text, notes = decoded(path, raw)
    if text.lstrip()[:1] in {"{", "["}:
        columns, rows = json_rows(path, text)
        if not is_header(columns) and rows:
            raise CountsFileError(f"{path}: is JSON without counts; it has {', '.join(columns[:8]) or 'no columns'}")
        return Sheet(path, columns, lambda: iter(rows), notes)
    return _text_sheet(path, text, notes, is_header)


def unpacked(path: Path, raw: bytes) -> bytes:
    """Return the content of a .gz file, as far as one is read."""
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        content = file.read(UNPACKED_MAX + 1)
    if len(content) > UNPACKED_MAX:
        raise CountsFileError(f"{path}: unpacks to more than {UNPACKED_MAX // 1_000_000} MB; cut it into smaller files")
    return content


def decoded(path: Path, raw: bytes) -> tuple[str, list[str]]:
    """Return a file's text and what should be said about how it was read."""
    for mark, name in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            return _text_of(path, _decode(path, raw, name)), []
    even, odd = raw[0:2000:2].count(0), raw[1:2000:2].count(0)
    if max(even, odd) > len(raw[:2000]) // 4:
        return _text_of(path, _decode(path, raw, "utf-16-le" if odd > even else "utf-16-be")), []
    try:
        return _text_of(path, raw.decode("utf-8")), []
    except UnicodeDecodeError:
        note = f"{path.name} is not UTF-8: read as Windows-1252"
        return _text_of(path, _decode(path, raw, "cp1252")), [note]


def _text_of(path: Path, text: str) -> str:
    if "\0" in text:
        raise CountsFileError(f"{path}: is no text: it holds zero bytes; export CSV, JSON or .xlsx")
    return text


def _decode(path: Path, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise CountsFileError(
            f"{path}: byte {error.start + 1} is text in neither UTF-8, UTF-16 nor Windows-1252; save the file as UTF-8"
        ) from error


def _text_sheet(path: Path, text: str, notes: list[str], is_header: IsHeader) -> Sheet:
    lines = text.splitlines()[: PREAMBLE_LINES + 1]
    declared = lines[0].strip().strip('"') if lines else ""
    is_declared = declared.lower().startswith("sep=") and len(declared) == 5
    for number, line in enumerate(lines):
        for separator in declared[4] if is_declared else sorted(SEPARATORS, key=line.count, reverse=True):
            columns = _header(line, separator)
            if is_header(columns):

                def rows(skip: int = number, separator: str = separator) -> Iterator[Line]:
                    return _text_rows(path, text, separator, skip)

                return Sheet(path, columns, rows, notes, separator)
    raise CountsFileError(no_header(path, _header(lines[1 if is_declared and lines[1:] else 0], _likely(lines))))


def _likely(lines: list[str]) -> str:
    return max(SEPARATORS, key=lines[0].count)


def no_header(path: Path, columns: Iterable[str]) -> str:
    """Say that no line names columns that are counts."""
    preview = ", ".join(name[:40] for name in list(columns)[:8] if name)
    return (
        f"{path}: columns {preview or 'without names'} are neither Telraam's API rows, nor its portal export, nor an export of "
        "Telstraat, nor a table with a start and counts; docs/import.md shows them"
    )


def _header(line: str, separator: str) -> tuple[str, ...]:
    try:
        return tuple(name.strip() for name in next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return ()


def _text_rows(path: Path, text: str, separator: str, skip: int) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    line = 1
    try:
        for cells in reader:
            if line > skip + 1 and any(cells):
                if cells[0].startswith(INCOMPLETE):
                    raise CountsFileError(f"{path}, line {line}: the export broke off here; fetch the file again")
                yield line, list(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CountsFileError(f"{path}, line {line}: is no line of CSV: {error}") from error


def _of_lines(path: Path, lines: Iterator[Line], is_header: IsHeader) -> Sheet:
    rows = list(lines)
    for place, (_, cells) in enumerate(rows[:PREAMBLE_LINES]):
        columns = tuple("" if name is None else str(name).strip() for name in cells)
        if is_header(columns):
            return Sheet(path, columns, partial(iter, rows[place + 1 :]))
    raise CountsFileError(no_header(path, map(str, rows[0][1] if rows else ())))
