"""Errors of the demo and the chaos run.

CliError          the command line's: what the user can mend
└── StackError    a service of the embedded stack that does not start or stay
"""

from __future__ import annotations

from telstraat_cli.errors import CliError


class StackError(CliError):
    """A database, broker or service that does not start or stay."""
