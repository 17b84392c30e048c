"""The database's owner, and the one reader of files of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telstraat_contract.exports import exporter

if TYPE_CHECKING:
    from telstraat_store.connection import Connections, Database, PoolLimits
    from telstraat_store.errors import (
        BackupError,
        BadValueError,
        CountsFileError,
        DuplicateError,
        ExportsBusyError,
        LineError,
        MigrationError,
        NoSuchRecordError,
        RegistryError,
        SchemaError,
        StaleRecordError,
        StreetFileError,
        TelstraatStoreError,
        UnavailableError,
        UnwritableFileError,
    )
    from telstraat_store.imports import CountsRead, Reading, read_counts, read_files
    from telstraat_store.schema.backup import backup, restore
    from telstraat_store.schema.migrate import migrate
else:
    __getattr__ = exporter(
        __name__,
        {
            "connection": "Connections Database PoolLimits",
            "errors": "BackupError BadValueError CountsFileError DuplicateError ExportsBusyError LineError MigrationError "
            "NoSuchRecordError RegistryError SchemaError StaleRecordError StreetFileError TelstraatStoreError "
            "UnavailableError UnwritableFileError",
            "imports": "CountsRead Reading read_counts read_files",
            "schema.backup": "backup restore",
            "schema.migrate": "migrate",
        },
    )

__all__ = [
    "BackupError",
    "BadValueError",
    "Connections",
    "CountsFileError",
    "CountsRead",
    "Database",
    "DuplicateError",
    "ExportsBusyError",
    "LineError",
    "MigrationError",
    "NoSuchRecordError",
    "PoolLimits",
    "Reading",
    "RegistryError",
    "SchemaError",
    "StaleRecordError",
    "StreetFileError",
    "TelstraatStoreError",
    "UnavailableError",
    "UnwritableFileError",
    "backup",
    "migrate",
    "read_counts",
    "read_files",
    "restore",
]
