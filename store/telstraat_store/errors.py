"""Errors of the store.

TelstraatStoreError
├── CountsFileError   a file of counts that cannot be read, or asks a question first
└── StreetFileError   a file of streets that cannot be read, or asks a question first
"""

from __future__ import annotations


class TelstraatStoreError(Exception):
    """Anything of the store that a caller may catch."""


class CountsFileError(TelstraatStoreError):
    """A file of counts that cannot be read, or whose meaning must be asked for; the text says which option answers."""


class StreetFileError(TelstraatStoreError):
    """A file of streets that cannot be read, or whose meaning must be asked for; the text says which option answers."""
