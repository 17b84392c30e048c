"""What a wheel carries besides its sources: the counting core, compiled ahead for every machine that it was made for.

`make wheel` compiles and refuses to build without; other ways of building pack what lies there and say what is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CoreAhead(BuildHookInterface[Any]):
    """Adds the libraries of these very sources to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the libraries to be packed; an editable installation finds them where they lie."""
        if version == "editable":
            return
        sys.path[:0] = [str(Path(self.root) / part) for part in ("device", "contract")]
        from telstraat_device.native.precompiled import NEEDED, PACKAGE, library_path

        for machine in NEEDED:
            path = library_path(machine)
            if path.exists():
                build_data["force_include"][str(path)] = str(path.relative_to(PACKAGE.parent))
            else:
                self.app.display_warning(
                    f"no counting core for {machine} in this wheel: it counts there with telstraat[jit] only; make wheel compiles it"
                )
