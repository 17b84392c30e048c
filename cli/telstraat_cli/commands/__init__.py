"""One module a subcommand, imported only when it runs: `add_arguments(parser)` and `run(args) -> exit code`."""

from __future__ import annotations
