"""Errors of ingest.

IngestError
├── MigrationError       a schema that cannot be brought to the present
├── RegistryError        a segment, sensor or installation that cannot be as asked
├── BrokerError          a broker that refuses us, or cannot do what is asked of it
├── StoreError           a backup, restore, import or export that cannot be done
│   └── ImportFileError  a file whose format is not one of ours
└── SecondIngesterError  another ingester is at work and the broker cannot share between them
"""

from __future__ import annotations


class IngestError(Exception):
    """Something in ingest that a person can mend: what, where, which value and what to do."""


class MigrationError(IngestError):
    """The schema cannot be brought to the present."""


class RegistryError(IngestError):
    """A segment, sensor or installation cannot be as asked."""


class BrokerError(IngestError):
    """The broker refuses us, or cannot do what is asked of it."""


class StoreError(IngestError):
    """A backup, restore, import or export cannot be done."""


class ImportFileError(StoreError):
    """A file to import has a format that is not one of ours."""


class SecondIngesterError(IngestError):
    """Another ingester is at work, and the broker cannot share messages between the two."""
