"""The database's owner, and the one reader of files of counts."""

from __future__ import annotations

from telstraat_store.errors import CountsFileError, StreetFileError, TelstraatStoreError
from telstraat_store.imports import Reading, read_counts

__all__ = ["CountsFileError", "Reading", "StreetFileError", "TelstraatStoreError", "read_counts"]
