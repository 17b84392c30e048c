"""Errors of the store. What each means to whoever sent a request stands in one table of the API, `http/problems.py`.

TelstraatStoreError
├── NoSuchRecordError  what a number or a name names is not there
├── DuplicateError     something of that name, or in that place, exists already
├── StaleRecordError   somebody else has changed it since it was read
├── BadValueError      a value that cannot be stored, or a question that asks for too much
│   ├── RegistryError  a segment, sensor or installation that cannot be
│   └── LineError      a line that is no piece of a street
├── ClosedRoomError    a workshop's room takes this no longer, or not now
├── TooOftenError      somebody has sent more than one may within a minute
├── UnavailableError   the database is not reachable or took too long
│   └── SchemaError    its schema is not the present one
├── ExportsBusyError   as many files as allowed are being written
├── MigrationError     a schema that cannot be brought to the present
├── BackupError        a backup that cannot be made, read or restored
├── UnwritableFileError  a file that cannot be written
├── CountsFileError    a file of counts that cannot be read, or asks a question first
└── StreetFileError    a file of streets that cannot be read, or asks a question first
"""

from __future__ import annotations


class TelstraatStoreError(Exception):
    """Anything of the store that a caller may catch: what, where, which value and what to do."""


class NoSuchRecordError(TelstraatStoreError):
    """What a number or a name names is not in the database."""


class DuplicateError(TelstraatStoreError):
    """Something of that name, or in that place at that time, exists already."""


class StaleRecordError(TelstraatStoreError):
    """Somebody else has changed it since it was read."""


class BadValueError(TelstraatStoreError):
    """A value cannot be stored, or a question asks for more than one answer may hold."""


class RegistryError(BadValueError):
    """A segment, sensor or installation cannot be; the text says what to do."""


class LineError(BadValueError, ValueError):
    """A line is no piece of a street; a ValueError, so that whoever checks values can take it for one."""


class ClosedRoomError(TelstraatStoreError):
    """A workshop's room takes this no longer, or not in this phase."""


class TooOftenError(TelstraatStoreError):
    """Somebody has sent more than one may within a minute; it is worth sending again."""


class UnavailableError(TelstraatStoreError):
    """The database did not answer, or not in time; it is worth asking again."""


class SchemaError(UnavailableError):
    """The database's schema is not the present one."""


class ExportsBusyError(TelstraatStoreError):
    """As many files as allowed are being written; it is worth asking again."""


class MigrationError(TelstraatStoreError):
    """The schema cannot be brought to the present."""


class BackupError(TelstraatStoreError):
    """A backup cannot be made, read or restored."""


class UnwritableFileError(TelstraatStoreError):
    """A file cannot be written where it was wanted."""


class CountsFileError(TelstraatStoreError):
    """A file of counts that cannot be read, or whose meaning must be asked for; the text says which option answers."""


class StreetFileError(TelstraatStoreError):
    """A file of streets that cannot be read, or whose meaning must be asked for; the text says which option answers."""
