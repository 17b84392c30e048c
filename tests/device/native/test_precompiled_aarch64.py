"""On 64-bit ARM the precompiled core counts as on x86-64: Raspberry Pi OS's own Python, run by qemu.

`scripts/aarch64 FOLDER` gets that Python; TELSTRAAT_AARCH64 names the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.device.native.films import ROOT, count_film, film_of

SYSTEM = os.environ.get("TELSTRAAT_AARCH64", "")
EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")

pytestmark = [
    pytest.mark.skipif(
        not EMULATOR, reason="QEMU IS NOT INSTALLED: nothing runs on 64-bit ARM (apt install qemu-user)"
    ),
    pytest.mark.skipif(not SYSTEM, reason="TELSTRAAT_AARCH64 names no 64-bit ARM system: scripts/aarch64 gets one"),
]


@pytest.mark.parametrize("scene", ["dense", "night"])
@pytest.mark.parametrize("processor", ["cortex-a53", "cortex-a72", "cortex-a76"])
def test_the_crossings_are_those_of_x86_byte_for_byte(tmp_path: Path, scene: str, processor: str) -> None:
    """The processors of the Pi 3 and Zero 2, the 4 and the 5."""
    command = [sys.executable, "-m", "telstraat_device.native.precompile", "--all"]
    subprocess.run(command, check=True, capture_output=True)
    film = film_of(scene, tmp_path, 640, 480, 20.0)
    folder = Path(SYSTEM).resolve()
    (python,) = (folder / "system/usr/bin").glob("python3.??")
    path = os.pathsep.join(map(str, (folder / "site", ROOT / "device", ROOT / "contract")))
    emulated = [str(EMULATOR), "-cpu", processor, "-L", str(folder / "system"), str(python)]
    there, here = count_film(film, "ahead", emulated, path), count_film(film, "ahead")
    assert there["crossings"] == here["crossings"]
    assert here["crossings"]
