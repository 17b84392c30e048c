"""Errors of the command line.

CliError          what the user can mend; printed in one line, exit code 2
└── StackError    a service of the embedded stack that does not start or stay
"""

from __future__ import annotations


class CliError(Exception):
    """Something the user can mend: what, where, which value and what to do."""


class StackError(CliError):
    """A database, broker or service that does not start or stay."""
