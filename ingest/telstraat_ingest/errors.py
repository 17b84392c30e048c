"""Errors of ingest.

IngestError
├── AccessFilesError     the broker's folder is not as it must be
├── BrokerError          a broker that refuses us, or cannot do what is asked of it
└── SecondIngesterError  another ingester is at work and the broker cannot share between them
"""

from __future__ import annotations


class IngestError(Exception):
    """Something in ingest that a person can mend: what, where, which value and what to do."""


class AccessFilesError(IngestError):
    """The folder with the broker's accounts is not as it must be."""


class BrokerError(IngestError):
    """The broker refuses us, or cannot do what is asked of it."""


class SecondIngesterError(IngestError):
    """Another ingester is at work, and the broker cannot share messages between the two."""
