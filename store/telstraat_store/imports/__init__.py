"""The one reader of files of counts: whatever a town has, into rows or a frame, with a reason for each line that is refused."""

from __future__ import annotations

from telstraat_store.imports.columns import Format
from telstraat_store.imports.counts_file import CountsFile, Reading
from telstraat_store.imports.frames import CountsRead, read_counts, read_files
from telstraat_store.imports.rows import Refusal, Row

__all__ = [
    "CountsFile",
    "CountsRead",
    "Format",
    "Reading",
    "Refusal",
    "Row",
    "read_counts",
    "read_files",
]
