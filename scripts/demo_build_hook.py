"""What the wheel of the demo carries besides its own package: the simulator, and the licence of the project around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE = {"firmware-sim/telstraat_firmware_sim": "telstraat_firmware_sim", "LICENSE": "telstraat_demo/LICENSE"}


class Simulator(BuildHookInterface[Any]):
    """Adds what lies beside this folder to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what is to be packed; an editable installation finds it where it lies."""
        if version != "editable":
            project = Path(self.root).parent
            build_data["force_include"].update({str(project / path): place for path, place in BESIDE.items()})
