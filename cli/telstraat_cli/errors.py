"""Errors of the command line.

CliError    what the user can mend; printed in one line, exit code 2
"""

from __future__ import annotations


class CliError(Exception):
    """Something the user can mend: what, where, which value and what to do."""
